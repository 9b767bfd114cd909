package routing

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
)

func rule(t testing.TB, how Choice, weights ...uint64) *Rule {
	t.Helper()
	r := Route{Name: "r", Choice: how}
	for i, w := range weights {
		r.Destinations = append(r.Destinations, Destination{Host: string(rune('a' + i)), Weight: w})
	}
	made, err := newRule(r)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func index(r *Rule, target *Target) int {
	for i := range r.targets {
		if r.targets[i] == target {
			return i
		}
	}
	panic("not a target of the rule")
}

// Every ticket in [0, sum) belongs to one target, and each has as many as its
// weight says: with a fair ticket that is all there is to a weighted choice.
func TestDrawIsExactOverAllTickets(t *testing.T) {
	for _, weights := range [][]uint64{{1}, {40, 40, 20}, {0, 5}, {5, 0}, {1, 0, 0, 2}, {600, 39400, 0}, {7, 11, 13, 17, 19}} {
		d := newDraw(weights)
		counts := make([]uint64, len(weights))
		for ticket := range d.upTo[len(weights)-1] {
			counts[d.at(ticket)]++
		}
		for i := range weights {
			if counts[i] != weights[i] {
				t.Errorf("weights %v: %v tickets each", weights, counts)
				break
			}
		}
	}
}

// The shares of the real thing, against bounds that a right choice oversteps
// once in 10^9 runs (normal tail at 6 deviations, plus one for continuity).
func TestChooseKeepsShares(t *testing.T) {
	const n = 200_000
	weights := []uint64{40, 40, 20, 0}
	r := rule(t, Choice{}, weights...)
	counts := make([]float64, len(weights))
	var c Connection
	for range n {
		counts[index(r, r.Choose(&c))]++
	}
	for i, w := range weights {
		p := float64(w) / 100
		if off := math.Abs(counts[i] - n*p); off > 6*math.Sqrt(n*p*(1-p))+1 || p == 0 && off > 0 {
			t.Errorf("target %d: %v of %d, want %v", i, counts[i], n, n*p)
		}
	}
}

// Requests of one connection are independent, too: how often two in a row
// agree is what the shares say, and no more.
func TestChooseForgets(t *testing.T) {
	const n = 200_000
	r := rule(t, Choice{}, 1, 1)
	var c Connection
	agree, last := 0.0, r.Choose(&c)
	for range n {
		next := r.Choose(&c)
		if next == last {
			agree++
		}
		last = next
	}
	if off := math.Abs(agree - n/2); off > 6*math.Sqrt(n)/2+1 {
		t.Errorf("%v of %d agree with the one before, want %d", agree, n, n/2)
	}
}

func TestDealIsExact(t *testing.T) {
	for _, c := range []struct {
		weights []uint64
		block   int
		want    []int // in each block
	}{
		{[]uint64{80, 15, 5}, 100, []int{80, 15, 5}},
		{[]uint64{40, 40, 20}, 100, []int{40, 40, 20}},
		{[]uint64{40, 40, 20}, 5, []int{2, 2, 1}},
		{[]uint64{1, 2}, 9, []int{3, 6}},
		{[]uint64{1, 0, 1}, 10, []int{5, 0, 5}},
		{[]uint64{3}, 4, []int{4}},
	} {
		r := rule(t, Choice{Block: c.block}, c.weights...)
		for block := range 5 {
			at := 0
			for target, n := range c.want { // in runs, in the order of the route
				for range n {
					if got := index(r, r.Choose(&Connection{})); got != target {
						t.Fatalf("weights %v, block %d, request %d: target %d, want %d", c.weights, block, at, got, target)
					}
					at++
				}
			}
		}
	}
}

// Where a block does not divide evenly the long run is exact all the same:
// after any number of blocks no target is off by as much as two.
func TestDealCarriesOver(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		weights := make([]uint64, 1+random.IntN(6))
		for i := range weights {
			weights[i] = random.Uint64N(50)
		}
		weights[0]++
		block := 1 + random.IntN(30)
		var sum uint64
		for _, w := range weights {
			sum += w
		}
		d := newDeal(weights, block)
		counts := make([]float64, len(weights))
		for n := 1; n <= 50*block; n++ {
			counts[d.choose(nil)]++
			if n%block != 0 {
				continue
			}
			for i, w := range weights {
				if want := float64(n) * float64(w) / float64(sum); math.Abs(counts[i]-want) >= 2 || w == 0 && counts[i] > 0 {
					t.Fatalf("weights %v, blocks of %d: target %d has %v of %d, want %v", weights, block, i, counts[i], n, want)
				}
			}
		}
	}
}

// Many connections at once still get whole blocks.
func TestDealIsExactWhenShared(t *testing.T) {
	r := rule(t, Choice{Block: 100}, 40, 40, 20)
	var mu sync.Mutex
	counts := make([]int, 3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				i := index(r, r.Choose(&Connection{}))
				mu.Lock()
				counts[i]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if counts[0] != 1600 || counts[1] != 1600 || counts[2] != 800 {
		t.Errorf("4000 requests went %v, want 1600, 1600, 800", counts)
	}
}

func TestSticky(t *testing.T) {
	r, other := rule(t, Choice{Sticky: true}, 1, 1), rule(t, Choice{Sticky: true}, 1, 1)
	first := map[int]int{}
	for range 200 {
		var c Connection
		want, also := r.Choose(&c), other.Choose(&c)
		for range 10 {
			if r.Choose(&c) != want || other.Choose(&c) != also {
				t.Fatal("a connection was moved")
			}
		}
		first[index(r, want)]++
	}
	// 200 fair draws stay within 6 deviations of 100.
	if off := math.Abs(float64(first[0] - 100)); off > 6*math.Sqrt(50) {
		t.Errorf("connections went %v, want about half each", first)
	}
}

// What a connection remembers does not grow with the tables it outlives.
func TestStickyForgetsOldRules(t *testing.T) {
	var c Connection
	for range 1000 {
		rule(t, Choice{Sticky: true}, 1, 1).Choose(&c)
	}
	if len(c.kept) > 64 {
		t.Errorf("a connection remembers %d rules", len(c.kept))
	}
}

func TestStickyAndDealt(t *testing.T) {
	r := rule(t, Choice{Sticky: true, Block: 10}, 3, 7)
	counts := make([]int, 2)
	for range 100 {
		var c Connection
		r.Choose(&c)
		counts[index(r, r.Choose(&c))]++ // the second request takes nothing from the block
	}
	if counts[0] != 30 || counts[1] != 70 {
		t.Errorf("connections went %v, want 30, 70", counts)
	}
}

func TestAborts(t *testing.T) {
	const n = 100_000
	r := rule(t, Choice{}, 1)
	r.aborts = []Abort{{0.05, 503}, {0, 500}}
	got := 0.0
	for range n {
		if status, ok := r.Abort(); ok {
			got++
			if status != 503 {
				t.Fatalf("aborted with %d", status)
			}
		}
	}
	if off := math.Abs(got - n*0.05); off > 6*math.Sqrt(n*0.05*0.95)+1 {
		t.Errorf("%v of %d aborted, want about 5 %%", got, n)
	}
	r.aborts = []Abort{{1, 500}}
	if status, ok := r.Abort(); !ok || status != 500 {
		t.Errorf("a share of 1 gave %d, %t", status, ok)
	}
}

func TestEndpointsTakeTurns(t *testing.T) {
	turns := &Target{Endpoints: []string{"a", "b", "c"}}
	first := turns.Next()
	for i := 1; i < 7; i++ {
		if got := turns.Next(); got != (first+i)%3 {
			t.Fatalf("turn %d: endpoint %d, want %d", i, got, (first+i)%3)
		}
	}
	random := &Target{Endpoints: []string{"a", "b"}, balance: Random}
	counts := make([]int, 2)
	for range 10_000 {
		counts[random.Next()]++
	}
	if off := math.Abs(float64(counts[0] - 5000)); off > 6*50 {
		t.Errorf("at random, endpoints got %v", counts)
	}
}

func TestChoosingAllocatesNothing(t *testing.T) {
	made := table(t, Host{"*", []Route{{Name: "r", Match: []Match{{Path: prefix("/"), Headers: []Field{{"User-Agent", regex(".*Firefox.*")}}}, {}},
		Destinations: []Destination{{Host: "a", Weight: 40}, {Host: "b", Weight: 40}, {Host: "c", Weight: 20}}}}})
	r := request("GET 127.0.0.1:18001/api", "User-Agent: curl/8.5.0")
	var c Connection
	if n := testing.AllocsPerRun(1000, func() {
		found, _ := made.Find(r)
		found.Choose(&c)
	}); n > 0 {
		t.Errorf("%v allocations a request", n)
	}
}

func BenchmarkFindAndChoose(b *testing.B) {
	made := table(b, Host{"*", []Route{{Name: "r", Match: []Match{{Path: prefix("/")}},
		Destinations: []Destination{{Host: "a", Weight: 40}, {Host: "b", Weight: 40}, {Host: "c", Weight: 20}}}}})
	r := request("GET 127.0.0.1:18001/api")
	var c Connection
	for b.Loop() {
		found, _ := made.Find(r)
		found.Choose(&c)
	}
}
