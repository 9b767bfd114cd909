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
// tolerance, in its corners, just beyond them. (TestProof has more runs.)
func TestErrorProbabilities(t *testing.T) {
	for i, p := range worstPoints() {
		t.Run(fmt.Sprint(p.k, " ", p.split, ", ", p.where), func(t *testing.T) {
			t.Parallel()
			p.judge(t, measure(p.claim, p.truth, scale(800), p.budget, uint64(i)))
		})
	}
}

// A mesh that is plainly wrong fails after about as many answers as the theory
// says. (TestDocs has those that are right.)
func TestWrongMeshesFail(t *testing.T) {
	for i, tt := range []struct {
		name  string
		claim Claim
		truth []float64
		most  float64 // mean answers
	}{
		{"40/40/20 by 5 pp, 10 points off", canary(.05, .01, .001, .01), []float64{.5, .3, .2}, 1700},
		{"40/40/20 by 3 pp, 6 points off", canary(.03, .005, .001, .01), []float64{.34, .4, .26}, 4000},
		{"all to blue", canary(.05, .01, .001, .01), []float64{1, 0, 0}, 251},
		{"the canary fails", canary(.05, .01, .001, .01), []float64{.4, .4, 0}, 40},
		{"2 % errors", canary(.05, .01, .001, .01), []float64{.392, .392, .196}, 3000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := measure(tt.claim, tt.truth, scale(500), 100000, uint64(i))
			most := 1.03 * tt.most
			if raceEnabled || testing.Short() { // few runs say less
				most += 4 * m.deviation()
			}
			if m.failed < len(m.used)*998/1000 || m.mean() > most {
				t.Errorf("failed %d of %d runs after %.0f answers, want at most %.0f", m.failed, len(m.used), m.mean(), most)
			}
		})
	}
}

// Looked at in batches, the test takes about a batch more and errs no more.
func TestBatchesKeepTheGuarantee(t *testing.T) {
	claim := canary(.1, .02, .01, .01)
	for _, batch := range []int{1, 20, 100, 500} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			t.Parallel()
			r := rand.NewPCG(uint64(batch), 9)
			play := func(truth []float64, budget int64) (state State, n int64) {
				x, m := mustNew(t, claim), newMesh(truth)
				all := Counts{Outcomes: make([]int64, 3)}
				for x.state == Undecided && x.n < budget {
					for range batch {
						all.Outcomes[m.draw(r)]++
					}
					x.Update(all)
				}
				return x.state, x.n
			}
			runs, used, wrong := scale(200), int64(0), 0
			for range runs {
				state, n := play([]float64{.4, .4, .2}, 20_000)
				if used += n; state != Passed {
					t.Errorf("right, %s after %d answers", state, n)
				}
				if state, _ := play([]float64{.5, .333, .167}, 3000); state == Passed {
					wrong++
				}
			}
			if mean := float64(used) / float64(runs); mean > 460+float64(batch) {
				t.Errorf("right, passes after %.0f answers", mean)
			}
			if exceeds(wrong, runs, claim.Beta) {
				t.Errorf("on the edge, passed wrongly in %d of %d runs", wrong, runs)
			}
		})
	}
}
