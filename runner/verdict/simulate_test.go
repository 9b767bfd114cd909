package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// canary is the tutorial's split with a tolerance t, errors tolerated.
func canary(t, errors, alpha, beta float64) Claim {
	return Claim{
		Shares: []Share{{Name: "blue", Want: .4, Tolerance: t}, {Name: "green", Want: .4, Tolerance: t}, {Name: "canary", Want: .2, Tolerance: t}},
		Errors: errors, Alpha: alpha, Beta: beta,
	}
}

func evenly(t, errors, alpha, beta float64) Claim {
	return Claim{Shares: []Share{{Name: "blue", Want: .5, Tolerance: t}, {Name: "green", Want: .5, Tolerance: t}}, Errors: errors, Alpha: alpha, Beta: beta}
}

func allBlue(leak, alpha, beta float64) Claim {
	return Claim{
		Shares: []Share{{Name: "blue", Want: 1}, {Name: "green", Want: 0, Leak: leak}, {Name: "canary", Want: 0, Leak: leak}},
		Errors: DefaultErrors, Alpha: alpha, Beta: beta,
	}
}

func mustNew(t testing.TB, c Claim) *Test {
	t.Helper()
	x, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// draw returns the next answer: an index, or Error with the probability that
// the shares leave over.
func draw(r *rand.Rand, truth []float64) int {
	u := r.Float64()
	for i, p := range truth {
		if u < p {
			return i
		}
		u -= p
	}
	return Error
}

// paths runs the test so many times against the truth and returns how often it
// passed and failed within the budget, and the mean number of answers.
func paths(t testing.TB, c Claim, truth []float64, runs, budget int, seed uint64) (passed, failed int, mean float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	total := 0
	for range runs {
		x := mustNew(t, c)
		for x.n < int64(budget) {
			x.Observe(draw(r, truth))
			if x.Look() != Undecided {
				break
			}
		}
		switch x.state {
		case Passed:
			passed++
		case Failed:
			failed++
		}
		total += int(x.n)
	}
	return passed, failed, float64(total) / float64(runs)
}

// tail is the probability of x or more hits of n at probability p.
func tail(x, n int, p float64) float64 {
	sum := 0.0
	for i := x; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(n-i)*math.Log1p(-p))
	}
	return sum
}

// exceeds says whether so many hits show, at 99.9 %, that their probability is
// above p: the lower confidence limit (Clopper-Pearson) lies above it.
func exceeds(hits, runs int, p float64) bool { return hits > 0 && tail(hits, runs, p) < .001 }

func TestExceeds(t *testing.T) {
	if exceeds(20, 2000, .01) || !exceeds(50, 2000, .01) {
		t.Fatal("the measure of the other tests does not measure")
	}
}

// scale makes simulations shorter with -short, and under the race detector,
// where they take long and there is nothing to race.
func scale(runs int) int {
	switch {
	case raceEnabled:
		return max(10, runs/100)
	case testing.Short():
		return runs / 10
	}
	return runs
}

// The error probabilities hold at the worst points: on the edges of the
// tolerance, in its corners, just beyond them.
func TestErrorProbabilities(t *testing.T) {
	const alpha, beta = .01, .01
	for i, tt := range []struct {
		name     string
		claim    Claim
		truth    []float64 // the rest are errors
		inside   bool      // the truth is tolerated: wrong to fail
		outside  bool      // it is on an edge or beyond: wrong to pass
		runs, to int
	}{
		{"40/40/20, right", canary(.05, .01, alpha, beta), []float64{.4, .4, .2}, true, false, 2000, 20000},
		{"40/40/20, blue on its upper edge", canary(.05, .01, alpha, beta), []float64{.45, .366, .184}, true, true, 1000, 20000},
		{"40/40/20, blue on its lower edge", canary(.05, .01, alpha, beta), []float64{.35, .433, .217}, true, true, 1000, 20000},
		{"40/40/20, canary on its upper edge", canary(.05, .01, alpha, beta), []float64{.375, .375, .25}, true, true, 1000, 20000},
		{"40/40/20, a corner", canary(.05, .01, alpha, beta), []float64{.45, .35, .2}, true, true, 1000, 20000},
		{"40/40/20, just beyond", canary(.05, .01, alpha, beta), []float64{.451, .366, .183}, false, true, 1000, 20000},
		{"40/40/20, errors on their edge", canary(.05, .01, alpha, beta), []float64{.396, .396, .198}, true, true, 1000, 20000},
		{"40/40/20 by 3 pp, canary on its upper edge", canary(.03, .01, alpha, beta), []float64{.385, .385, .23}, true, true, 1000, 30000},
		{"40/40/20 by 3 pp, right", canary(.03, .01, alpha, beta), []float64{.4, .4, .2}, true, false, 1000, 30000},
		{"50/50, on the edge", evenly(.05, .01, alpha, beta), []float64{.55, .45}, true, true, 1000, 20000},
		{"100/0/0, leak on its edge", allBlue(.01, alpha, beta), []float64{.989, .01, 0}, true, true, 1000, 20000},
		{"100/0/0, none tolerated, answers at the resolution", allBlue(0, alpha, beta), []float64{.995, .005, 0}, false, true, 5000, 5000},
		{"100/0/0, right with few errors", allBlue(0, alpha, beta), []float64{.999, 0, 0}, true, false, 2000, 20000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runs := scale(tt.runs)
			passed, failed, mean := paths(t, tt.claim, tt.truth, runs, tt.to, uint64(100+i))
			t.Logf("passed %d, failed %d of %d, mean %.0f answers", passed, failed, runs, mean)
			if tt.inside && exceeds(failed, runs, alpha) {
				t.Errorf("failed wrongly in %d of %d runs, more than alpha = %g", failed, runs, alpha)
			}
			if tt.outside && exceeds(passed, runs, beta) {
				t.Errorf("passed wrongly in %d of %d runs, more than beta = %g", passed, runs, beta)
			}
			if !tt.outside && passed < runs*99/100 {
				t.Errorf("passed only in %d of %d runs although it is right", passed, runs)
			}
		})
	}
}

// A mesh that is right is passed, and one that is plainly wrong is failed, after
// about as many answers as the theory says.
func TestEfficiency(t *testing.T) {
	for i, tt := range []struct {
		name  string
		claim Claim
		truth []float64
		want  State
		most  float64 // mean answers
	}{
		{"40/40/20 by 5 pp, right", canary(.05, .01, .001, .01), []float64{.4, .4, .2}, Passed, 1600},
		{"50/50 by 5 pp, right", evenly(.05, .01, .001, .01), []float64{.5, .5}, Passed, 1440},
		{"100/0/0, leak 1 %, right", Claim{Shares: allBlue(.01, 0, 0).Shares, Errors: .01, Alpha: .001, Beta: .01}, []float64{1, 0, 0}, Passed, 520},
		{"40/40/20 by 5 pp, 10 points off", canary(.05, .01, .001, .01), []float64{.5, .3, .2}, Failed, 1700},
		{"40/40/20 by 3 pp, 6 points off", canary(.03, .005, .001, .01), []float64{.34, .4, .26}, Failed, 4000},
		{"all to blue", canary(.05, .01, .001, .01), []float64{1, 0, 0}, Failed, 251},
		{"the canary fails", canary(.05, .01, .001, .01), []float64{.4, .4, 0}, Failed, 40},
		{"2 % errors", canary(.05, .01, .001, .01), []float64{.392, .392, .196}, Failed, 3000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runs := scale(1000)
			passed, failed, mean := paths(t, tt.claim, tt.truth, runs, 100000, uint64(i))
			t.Logf("passed %d, failed %d of %d, mean %.0f answers", passed, failed, runs, mean)
			got := map[State]int{Passed: passed, Failed: failed}[tt.want]
			if got < runs*998/1000 {
				t.Errorf("%s in %d of %d runs", tt.want, got, runs)
			}
			if !raceEnabled && mean > tt.most*1.03 {
				t.Errorf("mean %.0f answers, want at most %.0f", mean, tt.most)
			}
		})
	}
}

// Gateways pick in different ways, and each is right when the shares are: by
// chance, in blocks, by smooth weighted round robin.
func TestEveryKindOfGatewayPasses(t *testing.T) {
	shares := func(tolerance float64, percent ...int) ([]int, Claim) {
		c := Claim{Errors: DefaultErrors, Alpha: DefaultAlpha, Beta: DefaultBeta}
		for i, p := range percent {
			c.Shares = append(c.Shares, Share{Name: fmt.Sprint("d", i), Want: float64(p) / 100, Tolerance: tolerance})
		}
		return percent, c
	}
	for _, tt := range []struct {
		percent []int
		t       float64
	}{{[]int{40, 40, 20}, .03}, {[]int{40, 40, 20}, .05}, {[]int{80, 15, 5}, .02}, {[]int{50, 50}, .05}} {
		percent, claim := shares(tt.t, tt.percent...)
		for name, kind := range map[string]func(*rand.Rand) func() int{
			"blocks of 100": func(r *rand.Rand) func() int { return inBlocks(r, percent, 1) },
			"blocks of 20":  func(r *rand.Rand) func() int { return inBlocks(r, percent, 5) },
			"smooth":        func(r *rand.Rand) func() int { return smooth(r, percent) },
			"by chance": func(r *rand.Rand) func() int {
				return func() int { return pick(r.IntN(100), percent) }
			},
		} {
			t.Run(fmt.Sprint(percent, " ", name), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(11, 12))
				for run := range scale(200) {
					x, next := mustNew(t, claim), kind(r)
					for x.Look() == Undecided && x.n < 100000 {
						x.Observe(next())
					}
					if x.state != Passed {
						t.Fatalf("run %d: %s", run, x.Result().Reason)
					}
				}
			})
		}
	}
}

func pick(u int, percent []int) int {
	for i, p := range percent {
		if u < p {
			return i
		}
		u -= p
	}
	return len(percent) - 1
}

// inBlocks deals 80 times the first, then 15 times the second, then 5 times the
// third, or the same divided, from some place in the block on.
func inBlocks(r *rand.Rand, percent []int, divide int) func() int {
	at := r.IntN(100 / divide)
	return func() int {
		at = (at + 1) % (100 / divide)
		return pick(at*divide, percent)
	}
}

// smooth is the smooth weighted round robin of nginx: each gains its weight,
// the greatest is chosen and pays the sum.
func smooth(r *rand.Rand, weights []int) func() int {
	current := make([]int, len(weights))
	next := func() int {
		best := 0
		for i, w := range weights {
			current[i] += w
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= 100
		return best
	}
	for range r.IntN(100) {
		next()
	}
	return next
}
