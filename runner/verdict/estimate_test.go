package verdict

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// The rule of thumb is near the mean that simulations gave at (.001, .01) with
// 1 % of errors tolerated.
func TestEstimate(t *testing.T) {
	two := func(p, t float64) Claim {
		return Claim{Shares: []Share{{Name: "a", Want: p, Tolerance: t}, {Name: "b", Want: 1 - p, Tolerance: t}}, Errors: .01, Alpha: .001, Beta: .01}
	}
	ten := Claim{Errors: .01, Alpha: .001, Beta: .01}
	for i := range 10 {
		ten.Shares = append(ten.Shares, Share{Name: string(rune('a' + i)), Want: .1, Tolerance: .03})
	}
	leak := allBlue(.01, .001, .01)
	leak.Errors = .01
	for _, tt := range []struct {
		name  string
		claim Claim
		mean  float64
	}{
		{"50/50 by 10 pp (errors take longest)", two(.5, .1), 512},
		{"50/50 by 5 pp", two(.5, .05), 1371},
		{"50/50 by 3 pp", two(.5, .03), 3801},
		{"40/40/20 by 5 pp", canary(.05, .01, .001, .01), 1530},
		{"40/40/20 by 3 pp", canary(.03, .01, .001, .01), 4248},
		{"80/20 by 5 pp", two(.8, .05), 880},
		{"90/10 by 3 pp", two(.9, .03), 1395},
		{"95/5 by 2 pp", two(.95, .02), 1688},
		{"99/1 by 0.5 pp", two(.99, .005), 5727},
		{"ten times 10 % by 3 pp", ten, 2459},
		{"100/0/0, leak 1 %", leak, 512},
	} {
		got := float64(Estimate(tt.claim))
		if got < .8*tt.mean || got > 1.2*tt.mean {
			t.Errorf("%s: %.0f, simulated %.0f", tt.name, got, tt.mean)
		}
	}
	if got := Estimate(Claim{}); got != 0 {
		t.Errorf("of a claim that is not valid: %d", got)
	}
	if got := Estimate(allBlue(0, .001, .01)); got != 1034 {
		t.Errorf("100/0/0 at the defaults: %d", got)
	}
}

// For what is wanted at 0 the estimate is exact when no such answer comes.
func TestEstimateIsExactForZero(t *testing.T) {
	for _, c := range []Claim{allBlue(0, .001, .01), allBlue(.01, .001, .01), allBlue(.001, .001, .001)} {
		x, n := mustNew(t, c), int64(0)
		for x.state == Undecided {
			x.Observe(0)
			x.evaluate()
			n++
		}
		if got := Estimate(c); got != n {
			t.Errorf("estimated %d, passed after %d", got, n)
		}
	}
}

// No share fails before 12.5 / tolerance answers.
func TestFailFrom(t *testing.T) {
	for tolerance, want := range map[float64]int64{.03: 417, .05: 250, .5: 25} {
		if got := failFrom(tolerance); got != want {
			t.Errorf("at a tolerance of %g: %d, want %d", tolerance, got, want)
		}
	}
}

// Needed is of the right size: in the middle of the runs within a factor of
// two of what it then takes.
func TestNeeded(t *testing.T) {
	for name, truth := range map[string][]float64{"right": {.4, .4, .2}, "wrong": {.46, .34, .2}} {
		r := rand.New(rand.NewPCG(1, 2))
		var told, took []int64
		for range 200 {
			x := mustNew(t, canary(.03, .005, .001, .01))
			for x.n < 1000 && x.Look() == Undecided {
				x.Observe(draw(r, truth))
			}
			res := x.Result()
			if res.State != Undecided || res.Needed == 0 {
				continue
			}
			for x.Look() == Undecided {
				x.Observe(draw(r, truth))
			}
			told, took = append(told, res.Needed), append(took, x.n-res.N)
		}
		slices.Sort(told)
		slices.Sort(took)
		a, b := told[len(told)/2], took[len(took)/2]
		t.Logf("%s: told %d, took %d", name, a, b)
		if a < b/2 || a > b*2 {
			t.Errorf("%s: told %d, took %d", name, a, b)
		}
	}
	x := mustNew(t, evenly(.05, .01, .001, .01))
	x.Update(countsOf([]int64{550_000, 450_000}, 0, 0))
	if r := x.Result(); r.Needed != 0 || r.State != Undecided {
		t.Errorf("on the edge: %s, %d more", r.State, r.Needed)
	}
}
