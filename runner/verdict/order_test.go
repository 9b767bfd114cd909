package verdict

import (
	"container/heap"
	"math/rand/v2"
	"strings"
	"testing"
)

// An inFlight request is answered at its time.
type inFlight struct {
	at      float64
	number  int64
	outcome int
	worker  int
}

type flights []inFlight

func (f flights) Len() int           { return len(f) }
func (f flights) Less(i, j int) bool { return f[i].at < f[j].at }
func (f flights) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)        { *f = append(*f, x.(inFlight)) }
func (f *flights) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}

// slowCanary is a mesh that divides 40/40/20 as it should, asked by so many
// workers side by side; the canary takes ten times as long as the others. It
// calls answered in the order of completion, until that returns false.
func slowCanary(r *rand.Rand, workers int, answered func(inFlight) bool) {
	var under flights
	number := int64(0)
	send := func(now float64, worker int) {
		outcome, takes := draw(r, []float64{.4, .4, .2}), 1.
		if outcome == 2 {
			takes = 10
		}
		heap.Push(&under, inFlight{now + takes*(.9+.2*r.Float64()), number, outcome, worker})
		number++
	}
	for w := range workers {
		send(0, w)
	}
	for {
		a := heap.Pop(&under).(inFlight)
		if !answered(a) {
			return
		}
		send(a.at, a.worker)
	}
}

// A right split with a slow canary fails when answers are counted as they
// come, and passes when they are put in order.
func TestOrderMakesASlowCanaryPass(t *testing.T) {
	const runs, workers, budget = 40, 200, 20000
	var asTheyCome, inOrder int
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 21))
		naive, ordered := mustNew(t, canary(.05, .005, .001, .01)), mustNew(t, canary(.05, .005, .001, .01))
		order := NewOrder(100 * workers)
		slowCanary(r, workers, func(a inFlight) bool {
			naive.Observe(a.outcome)
			naive.Look()
			if !order.Put(a.number, a.outcome) {
				t.Fatal("no room")
			}
			for outcome, ok := order.Take(); ok; outcome, ok = order.Take() {
				ordered.Observe(outcome)
				ordered.Look()
			}
			return a.number < budget && ordered.state == Undecided
		})
		if naive.state == Failed {
			asTheyCome++
		}
		if ordered.state == Passed {
			inOrder++
		}
	}
	if asTheyCome < runs*9/10 || inOrder != runs {
		t.Errorf("as they come %d of %d fail, want nearly all; in order %d pass, want all", asTheyCome, runs, inOrder)
	}
}

// The same with samplers of their own: the sum of what each has at the moment
// fails, common rounds pass.
func TestRoundsMakeASlowCanaryPass(t *testing.T) {
	const runs, samplers, size = 40, 200, 5
	var atTheMoment, inRounds int
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 22))
		naive, together := mustNew(t, canary(.05, .005, .001, .01)), mustNew(t, canary(.05, .005, .001, .01))
		rounds := NewRounds(samplers, 1000)
		own := make([]Counts, samplers)
		for i := range own {
			own[i].Outcomes = make([]int64, 3)
		}
		answers := 0
		slowCanary(r, samplers, func(a inFlight) bool {
			naive.Observe(a.outcome)
			naive.Look()
			own[a.worker].Outcomes[a.outcome]++
			if own[a.worker].Total()%size == 0 && !rounds.Put(a.worker, own[a.worker]) {
				t.Fatal("no room")
			}
			for c, ok := rounds.Take(); ok; c, ok = rounds.Take() {
				together.Update(c)
			}
			answers++
			return answers < 30000 && together.state == Undecided
		})
		if naive.state == Failed {
			atTheMoment++
		}
		if together.state == Passed {
			inRounds++
		}
	}
	if atTheMoment < runs*9/10 || inRounds != runs {
		t.Errorf("at the moment %d of %d fail, want nearly all; in rounds %d pass, want all", atTheMoment, runs, inRounds)
	}
}

func TestOrder(t *testing.T) {
	o := NewOrder(3)
	take := func(want ...int) {
		t.Helper()
		for _, w := range want {
			if got, ok := o.Take(); !ok || got != w {
				t.Fatalf("got %d, %v; want %d", got, ok, w)
			}
		}
		if got, ok := o.Take(); ok {
			t.Fatalf("got %d, want nothing", got)
		}
	}
	take()
	if !o.Put(2, 7) || !o.Put(1, Error) {
		t.Fatal("there is room for 1 and 2")
	}
	take()
	if o.Put(3, 0) {
		t.Fatal("0 is missing, and there is room for three")
	}
	o.Put(0, Unlisted)
	take(Unlisted, Error, 7)
	if !o.Put(5, 5) || !o.Put(3, 3) || !o.Put(4, 4) || o.Put(6, 6) {
		t.Fatal("there is room for 3, 4 and 5")
	}
	take(3, 4, 5)
}

func TestOrderKeepsEveryAnswer(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	o := NewOrder(64)
	var waiting []int64
	next, got := int64(0), int64(0)
	for got < 20000 {
		for len(waiting) < 40 {
			waiting = append(waiting, next)
			next++
		}
		i := r.IntN(len(waiting))
		if !o.Put(waiting[i], int(waiting[i])) {
			i = 0 // the oldest has room
			o.Put(waiting[i], int(waiting[i]))
		}
		waiting = append(waiting[:i], waiting[i+1:]...)
		for outcome, ok := o.Take(); ok; outcome, ok = o.Take() {
			if int64(outcome) != got {
				t.Fatalf("got %d, want %d", outcome, got)
			}
			got++
		}
	}
	n := int64(0)
	o = NewOrder(64)
	if a := testing.AllocsPerRun(100, func() { o.Put(n, 1); o.Take(); n++ }); a != 0 {
		t.Errorf("%g allocations an answer", a)
	}
}

func TestRounds(t *testing.T) {
	r := NewRounds(2, 2)
	own := countsOf([]int64{1, 2}, 3, 4)
	r.Put(0, own)
	own.Outcomes[0] = 99 // the sampler goes on
	if _, ok := r.Take(); ok {
		t.Fatal("the second sampler has put nothing")
	}
	if !r.Put(0, own) || r.Put(0, own) {
		t.Fatal("two rounds ahead are allowed, and three are not")
	}
	r.Put(1, countsOf([]int64{10, 20}, 30, 40))
	got, ok := r.Take()
	if want := countsOf([]int64{11, 22}, 33, 44); !ok || !want.within(got) || !got.within(want) {
		t.Fatalf("got %+v, %v; want %+v", got, ok, want)
	}
	if _, ok := r.Take(); ok {
		t.Fatal("the second sampler has put one round only")
	}
}

func TestOrderAndRoundsRefuseMisuse(t *testing.T) {
	o, r := NewOrder(4), NewRounds(1, 4)
	o.Put(0, 1)
	o.Take()
	o.Put(2, 1)
	r.Put(0, countsOf([]int64{5, 5}, 0, 0))
	for want, f := range map[string]func(){
		"number 0 was put twice":             func() { o.Put(0, 1) },
		"number 2 was put twice":             func() { o.Put(2, 1) },
		"capacity 0":                         func() { NewOrder(0) },
		"0 samplers":                         func() { NewRounds(0, 1) },
		"counts of sampler 0 went back":      func() { r.Put(0, countsOf([]int64{6, 4}, 0, 0)) },
		"the counts of sampler 0 went back":  func() { r.Put(0, countsOf([]int64{6, 4, 1}, 0, 0)) },
		"verdict: the counts of sampler 0 w": func() { r.Put(0, countsOf([]int64{6, 6}, -1, 0)) },
	} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, want) {
					t.Errorf("want a panic about %q, got %q", want, text)
				}
			}()
			f()
		}()
	}
}
