package verdict

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func observe(outcomes int, answers []answer) *Dependence {
	d := NewDependence(outcomes, 1)
	for _, a := range answers {
		d.Observe(a.connection, int(a.outcome))
	}
	return d
}

const always = 1 << 40 // requests per connection: it is never closed

// seeds is how many runs there are of what takes long: one under the race
// detector, where there is nothing to race.
func seeds(n uint64) uint64 {
	if raceEnabled {
		return 1
	}
	return n
}

// Gateways of every kind are told by the answers of 1,000 requests.
func TestBalancingIsTold(t *testing.T) {
	for _, tt := range []struct {
		gateway                string
		workers, perConnection int
		want                   Balancing
	}{
		{"by chance", 1, 1, Independent},
		{"by chance", 16, 1, Independent},
		{"by chance", 16, 10, Independent},
		{"by chance", 16, always, Independent},
		{"smooth", 1, 1, Exact},
		{"smooth", 1, 10, Exact},
		{"smooth", 2, 7, Exact},
		{"smooth", 1, always, Exact},
		{"blocks of 20", 1, 1, Blocks},
		{"blocks of 20", 1, always, Blocks},
		{"blocks of 20", 5, 10, Blocks},
		{"blocks of 100", 1, 1, Blocks},
		{"blocks of 100", 16, 1, Blocks},
		{"blocks of 100", 1, 10, Blocks}, // a connection sees little but one block
		{"blocks of 100", 5, 7, Blocks},
		{"blocks of 100", 16, always, Blocks},
		{"sticky", 1, 10, Sticky}, // and so answers come in blocks
		{"sticky", 16, 2, Sticky},
		{"sticky", 16, 10, Sticky},
		{"sticky", 16, always, Sticky},
		{"half sticky", 16, 10, Sticky},
		{"half sticky", 16, always, Sticky},
		// Within a connection shares are exact; between them nothing depends.
		{"smooth per connection", 16, 10, Exact},
		{"smooth per connection", 16, always, Exact},
		{"smooth per connection, in step", 16, 10, Exact},
		{"smooth per connection, in step", 16, always, Exact},
		{"blocks per connection", 4, always, Blocks},
		// One request per connection: nothing sticks, whatever the gateway does.
		{"sticky", 16, 1, Independent},
		{"smooth per connection", 16, 1, Independent},
	} {
		t.Run(fmt.Sprintf("%s, %d workers, %d a connection", tt.gateway, tt.workers, min(tt.perConnection, 9999)), func(t *testing.T) {
			for seed := range seeds(5) {
				r := rand.New(rand.NewPCG(seed, 4))
				percent := []int{40, 40, 20}
				got := observe(3, ask(r, 1000, tt.workers, tt.perConnection, gateways[tt.gateway](r, percent))).Result()
				if got.Balancing != tt.want {
					t.Errorf("seed %d: %s (kappa %.3f): %s", seed, got.Balancing, got.Kappa, got.Message)
				}
				if got.Balancing != Sticky && (got.DesignEffect != 1 || got.Effective != 1000) {
					t.Errorf("seed %d: %s, and yet 1,000 answers are worth %g", seed, got.Balancing, got.Effective)
				}
			}
		})
	}
}

// Requests that are under way together blur what is dealt in turn: more of them
// have to be looked at, and until then nothing is said.
func TestRoundRobinBehindManyWorkers(t *testing.T) {
	runs := seeds(12)
	count := func(n int) (exact, other uint64) {
		for seed := range runs {
			r := rand.New(rand.NewPCG(seed, 5))
			switch got := observe(3, ask(r, n, 16, 1, gateways["smooth"](r, []int{40, 40, 20}))).Result(); got.Balancing {
			case Exact:
				exact++
			case Independent:
			default:
				other++
			}
		}
		return exact, other
	}
	if exact, other := count(250); exact > 3 || other > 0 {
		t.Errorf("of 250 answers: exact in %d of %d, something else in %d", exact, runs, other)
	}
	if exact, other := count(4000); exact < runs || other > 0 {
		t.Errorf("of 4,000 answers: exact in %d of %d, something else in %d", exact, runs, other)
	}
}

// Answers that are independent are seldom called otherwise, however many they
// are, whatever their shares and whoever shares a connection.
func TestIndependentIsSeldomCalledOtherwise(t *testing.T) {
	for _, tt := range []struct {
		percent                   []int
		n, workers, perConnection int
	}{
		{[]int{40, 40, 20}, 300, 16, 1},
		{[]int{50, 50}, 200, 16, always},
		{[]int{98, 1, 1}, 400, 16, 10},
		{[]int{10, 10, 10, 10, 10, 10, 10, 10, 10, 10}, 300, 3, 7},
	} {
		runs, alarms := scale(800), 0
		for run := range runs {
			r := rand.New(rand.NewPCG(uint64(run), 6))
			got := observe(len(tt.percent), ask(r, tt.n, tt.workers, tt.perConnection, gateways["by chance"](r, tt.percent))).Result()
			if got.Balancing != Independent && got.Balancing != TooFew {
				alarms++
			}
		}
		t.Logf("%v: %d of %d", tt.percent, alarms, runs)
		if exceeds(alarms, runs, .004) {
			t.Errorf("%v: %d of %d runs are called something else, more than 4 in 1,000", tt.percent, alarms, runs)
		}
	}
}

// Weak stickiness may be missed, but what is said is not wrong.
func TestWeakStickiness(t *testing.T) {
	told := 0
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 7))
		got := observe(3, ask(r, 1000, 16, 10, gateways["weakly sticky"](r, []int{40, 40, 20}))).Result()
		switch got.Balancing {
		case Sticky:
			told++
			// The truth is kappa = .01, worth 1.1 answers each.
			if got.DesignEffect > 2.5 {
				t.Errorf("seed %d: %s", seed, got.Message)
			}
		case Independent:
			if !strings.HasPrefix(got.Message, "nothing shows") {
				t.Errorf("seed %d: %s", seed, got.Message)
			}
		default:
			t.Errorf("seed %d: %s", seed, got.Message)
		}
	}
	if told > 10 {
		t.Errorf("a kappa of .01 was seen in %d of 20 runs of 1,000 answers", told)
	}
}

// Errors belong to nobody's balancing: they neither hide it nor look like it.
func TestErrorsAmongAnswers(t *testing.T) {
	for gateway, want := range map[string]Balancing{"by chance": Independent, "smooth": Exact, "blocks of 100": Blocks, "sticky": Sticky} {
		r := rand.New(rand.NewPCG(3, 8))
		workers, perConnection := 1, 1
		if gateway == "sticky" {
			workers, perConnection = 16, 10
		}
		answers := ask(r, 1500, workers, perConnection, gateways[gateway](r, []int{40, 40, 20}))
		errors := int64(0)
		for i := range answers {
			// An outage of 50, then an error now and then.
			if i >= 300 && i < 350 || r.Float64() < .02 {
				answers[i].outcome = Error
				errors++
			}
		}
		got := observe(3, answers).Result()
		if got.Balancing != want || got.N != 1500-errors || got.Observed != 1500 {
			t.Errorf("%s: %+v", gateway, got)
		}
	}
	d := NewDependence(1, 1)
	for range 500 {
		d.Observe(-1, Error)
	}
	if got := d.Result(); got.Balancing != TooFew || got.N != 0 || got.Connections != 0 || got.Effective != 0 {
		t.Errorf("of errors alone: %+v", got)
	}
}

// Outcomes that no share names are outcomes like others.
func TestUnlistedOutcomesDependToo(t *testing.T) {
	d := NewDependence(1, 1)
	for i := range 200 {
		d.Observe(int64(i%20), []int{0, Unlisted}[i%20/10])
	}
	if got := d.Result(); got.Balancing != Sticky || got.Kappa != 1 {
		t.Errorf("%+v", got)
	}
}

func TestDependenceWords(t *testing.T) {
	sticky := func(n, connections int) *Dependence {
		d := NewDependence(3, 1)
		r := rand.New(rand.NewPCG(1, 1))
		for range n {
			c := r.IntN(connections)
			d.Observe(int64(c), []int{0, 0, 1, 1, 2}[c%5])
		}
		return d
	}
	asked := func(gateway string, n, workers, perConnection int) *Dependence {
		r := rand.New(rand.NewPCG(1, 2))
		return observe(3, ask(r, n, workers, perConnection, gateways[gateway](r, []int{40, 40, 20})))
	}
	inTurn := func() *Dependence { // connections take turns, and so does the gateway: nobody can tell
		d := NewDependence(2, 1)
		for i := range 400 {
			d.Observe(int64(i%2), i%2)
		}
		return d
	}
	same := NewDependence(2, 1)
	for i := range 300 {
		same.Observe(int64(i%7), 0)
	}
	for _, tt := range []struct {
		d    *Dependence
		want string
	}{
		{sticky(1500, 30), "requests on the same connection reached the same backend 100 % of the time (36 % expected if independent): 1,500 requests are worth 30 samples. Use one request per connection."},
		{sticky(50_000, 10), "requests on the same connection reached the same backend 100 % of the time (35.9 % expected if independent): the first 20,000 requests are worth 10 samples. Use one request per connection."},
		{asked("half sticky", 1500, 16, 10), "requests on the same connection reached the same backend 50.6 % of the time (36.2 % expected if independent): 1,500 requests are worth 502 samples. Use one request per connection."},
		{inTurn(), "requests on the same connection reached the same backend 100 % of the time (49.9 % expected if independent): 400 requests are worth 2 samples. Use one request per connection. (Or the gateway deals its backends in turn and the connections take turns in step with it.)"},
		{asked("smooth", 500, 1, 1), "the gateway deals its backends in turn: answers are spread more evenly than by chance. The verdict holds; but other clients that ask in step could shift the shares that are seen."},
		{asked("smooth per connection", 500, 16, always), "every connection is dealt its backends in turn: answers are spread more evenly than by chance. The verdict holds; but other clients that ask in step could shift the shares that are seen."},
		{asked("blocks of 100", 500, 1, 1), "answers come in blocks: one reached the same backend as the one before 97 % of the time (35.9 % expected if independent). A share may look off within a block; look at many blocks."},
		{asked("blocks per connection", 4000, 40, always), "every connection is dealt its backends in blocks: several alike in a row. A share may look off within a block; look at many blocks."},
		{asked("by chance", 500, 16, 1), "each request had its own connection, and nothing shows that answers depend on each other"},
		{asked("by chance", 500, 16, 2), "nothing shows that answers depend on their connection or on each other"},
		{asked("by chance", 20, 16, 2), "20 answers are too few to tell how they depend on each other"},
		{NewDependence(2, 1), "no answers yet: how they depend on each other cannot be told"},
		{same, "all answers are the same outcome: how they depend on each other cannot be told"},
	} {
		if got := tt.d.Result(); got.Message != tt.want {
			t.Errorf("got  %s\nwant %s\n%+v", got.Message, tt.want, got)
		}
	}
}

// Kappa by its definition, pair by pair.
func TestKappa(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	answers := ask(r, 300, 6, 9, gateways["half sticky"](r, []int{50, 30, 20}))
	var pairs, same, apart, sameApart float64
	for i, a := range answers {
		for _, b := range answers[:i] {
			match := 0.0
			if a.outcome == b.outcome {
				match = 1
			}
			if a.connection == b.connection {
				pairs, same = pairs+1, same+match
			} else {
				apart, sameApart = apart+1, sameApart+match
			}
		}
	}
	expected := sameApart / apart
	want := (same/pairs - expected) / (1 - expected)
	got := observe(3, answers).Result()
	if math.Abs(got.Kappa-want) > 1e-12 || math.Abs(got.Same-same/pairs) > 1e-12 {
		t.Errorf("kappa %g, want %g; same %g, want %g", got.Kappa, want, got.Same, same/pairs)
	}
	if want := (same + sameApart) / (pairs + apart); math.Abs(got.Expected-want) > 1e-12 {
		t.Errorf("expected %g, want %g", got.Expected, want)
	}
}

// The result is of the first 20,000 answers, and keeping up costs nothing then.
func TestDependenceIsBounded(t *testing.T) {
	d := NewDependence(3, 1)
	r := rand.New(rand.NewPCG(1, 3))
	for range keptAnswers {
		d.Observe(r.Int64(), r.IntN(3))
	}
	before := d.Result()
	if n := testing.AllocsPerRun(1000, func() { d.Observe(r.Int64(), 0) }); n != 0 {
		t.Errorf("%g allocations for an answer", n)
	}
	after := d.Result()
	if after.Observed <= before.Observed || before.N != keptAnswers {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if after.Observed = before.Observed; after != before {
		t.Errorf("before %+v\nafter %+v", before, after)
	}
	if len(d.kept) != keptAnswers || cap(d.kept) > 2*keptAnswers {
		t.Errorf("keeps %d answers, has room for %d", len(d.kept), cap(d.kept))
	}
}

func TestDependenceRefusesOtherOutcomes(t *testing.T) {
	for _, outcome := range []int{2, -3} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("outcome %d of 2 is taken", outcome)
				}
			}()
			NewDependence(2, 1).Observe(0, outcome)
		}()
	}
}

// Any numbers of connections and any outcomes give numbers that make sense.
func FuzzDependence(f *testing.F) {
	for name, gateway := range gateways {
		r := rand.New(rand.NewPCG(1, 1))
		var seed []byte
		for _, a := range ask(r, 60, 4, 5, gateway(r, []int{40, 40, 20})) {
			seed = binary.BigEndian.AppendUint64(seed, uint64(a.connection))
			seed = append(seed, byte(a.outcome))
		}
		f.Add(seed, uint64(len(name)))
	}
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 4, 128, 0, 0, 0, 0, 0, 0, 0, 3}, uint64(0))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		d, n := NewDependence(3, seed), int64(0)
		for ; len(data) >= 9; data = data[9:] {
			outcome := int(data[8]%5) - 2
			d.Observe(int64(binary.BigEndian.Uint64(data)), outcome)
			n++
		}
		got := d.Result()
		if again := d.Result(); again != got {
			t.Errorf("told %+v, then %+v", got, again)
		}
		if got.Observed != n || got.N > n || got.Connections > got.N || got.Effective > float64(got.N) || got.Effective < 0 {
			t.Errorf("of %d answers: %+v", n, got)
		}
		if got.DesignEffect < 1 || got.Kappa < -1 || got.Kappa > 1 || got.Message == "" {
			t.Errorf("%+v", got)
		}
		if _, err := json.Marshal(got); err != nil {
			t.Error(err) // a number that is not finite
		}
		switch got.Balancing {
		case Independent, Exact, Blocks, Sticky, TooFew:
		default:
			t.Errorf("unknown: %q", got.Balancing)
		}
	})
}

func BenchmarkDependenceObserve(b *testing.B) {
	d := NewDependence(3, 1)
	for i := range keptAnswers {
		d.Observe(int64(i), i%3)
	}
	b.ReportAllocs()
	for b.Loop() {
		d.Observe(7, 1)
	}
}

func BenchmarkDependenceResult(b *testing.B) {
	for _, gateway := range []string{"by chance", "sticky", "smooth"} {
		b.Run(gateway, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			d := observe(3, ask(r, 20_000, 16, 10, gateways[gateway](r, []int{40, 40, 20})))
			for b.Loop() {
				d.Result()
			}
		})
	}
}
