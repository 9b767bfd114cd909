package verdict

import (
	"math"
	"testing"
)

// exact computes, by dynamic programming over (hits, latched edges), the
// probabilities that a test of two outcomes passes and fails within the budget
// when blue's true share is theta and there are no errors. It looks after
// every answer; the test's own code weighs each state.
type exact struct {
	theta          []float64
	passed, failed []float64
	mean           []float64 // expected number of answers, those of the budget included
}

func computeExact(t *testing.T, c Claim, budget int, theta ...float64) exact {
	t.Helper()
	x := mustNew(t, c)
	if len(c.Shares) != 2 {
		t.Fatal("two outcomes only")
	}
	bits := 1 << len(x.pass)
	k := len(theta)
	// mass[hits][latched][theta]; only what is possible and not negligible.
	type cell map[int][]float64
	now := make([]cell, budget+2)
	now[0] = cell{0: ones(k)}
	e := exact{theta, make([]float64, k), make([]float64, k), make([]float64, k)}
	low, high := 0, 0
	for n := 1; n <= budget; n++ {
		next := make([]cell, high+2-low)
		for s := low; s <= high; s++ {
			for latched, mass := range now[s-low] {
				for hit := range 2 {
					part := make([]float64, k)
					most := 0.0
					for i, m := range mass {
						p := 1 - theta[i]
						if hit == 1 {
							p = theta[i]
						}
						part[i] = m * p
						most = math.Max(most, part[i])
					}
					if most < 1e-14 {
						continue
					}
					state, after := weigh(x, s+hit, n, latched)
					switch state {
					case Passed:
						add(e.passed, part, 1)
						add(e.mean, part, float64(n))
						continue
					case Failed:
						add(e.failed, part, 1)
						add(e.mean, part, float64(n))
						continue
					}
					to := &next[s+hit-low]
					if *to == nil {
						*to = make(cell, min(bits, 4))
					}
					if (*to)[after] == nil {
						(*to)[after] = make([]float64, k)
					}
					add((*to)[after], part, 1)
				}
			}
		}
		first, last := -1, -1
		for i := range next {
			if next[i] != nil {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		if first < 0 {
			return e
		}
		now = next[first : last+1]
		low, high = low+first, low+last
	}
	for _, c := range now {
		for _, mass := range c {
			add(e.mean, mass, float64(budget))
		}
	}
	return e
}

// weigh puts the test into a state and lets it look.
func weigh(x *Test, hits, n, latched int) (State, int) {
	x.state, x.n = Undecided, int64(n)
	x.counts[0], x.counts[1] = int64(hits), int64(n-hits)
	clear(x.idlePass)
	clear(x.idleFail)
	for i := range x.latched {
		x.latched[i] = latched>>i&1 == 1
	}
	x.evaluate()
	after := 0
	for i, l := range x.latched {
		if l {
			after |= 1 << i
		}
	}
	return x.state, after
}

func ones(k int) []float64 {
	s := make([]float64, k)
	for i := range s {
		s[i] = 1
	}
	return s
}

func add(to, part []float64, times float64) {
	for i, x := range part {
		to[i] += times * x
	}
}

// The exact probabilities of a wrong verdict are at or below alpha and beta,
// on an edge and all over the tolerated box; and the test is not idle.
func TestExactErrorProbabilities(t *testing.T) {
	if raceEnabled {
		t.Skip("arithmetic alone: nothing to race, and ten times as long")
	}
	oneEdge := Claim{ // blue may be anything up to 10 %
		Shares: []Share{{Name: "blue", Want: .05, Tolerance: .05}, {Name: "green", Want: .95, Tolerance: .05}},
		Errors: .01, Alpha: .01, Beta: .01,
	}
	for _, tt := range []struct {
		name            string
		claim           Claim
		budget          int
		edge, in, wrong []float64
		right           float64
		optimum         float64 // the mean that no test can be below at the right split; 0: not known
	}{
		{"50/50 by 5 pp", evenly(.05, .01, .01, .01), 6000, []float64{.45, .55}, []float64{.5, .52, .54}, []float64{.56, .6}, .5, 1280.5},
		{"50/50 by 10 pp", evenly(.1, .01, .05, .05), 3000, []float64{.4, .6}, []float64{.5, .55}, []float64{.61, .8}, .5, 0},
		{"5/95 by 5 pp: one edge each", oneEdge, 4000, []float64{.1}, []float64{.0, .05, .09}, []float64{.11, .3}, .05, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			theta := append(append(append([]float64{tt.right}, tt.edge...), tt.in...), tt.wrong...)
			e := computeExact(t, tt.claim, tt.budget, theta...)
			for i, p := range theta {
				t.Logf("blue at %.3f: passed %.6f, failed %.6f, mean %.1f", p, e.passed[i], e.failed[i], e.mean[i])
				outside := i > 0 && i <= len(tt.edge) || i > len(tt.edge)+len(tt.in)
				inside := i <= len(tt.edge)+len(tt.in)
				if outside && e.passed[i] > tt.claim.Beta {
					t.Errorf("blue at %.3f: passed with probability %g, more than beta = %g", p, e.passed[i], tt.claim.Beta)
				}
				if inside && e.failed[i] > tt.claim.Alpha {
					t.Errorf("blue at %.3f: failed with probability %g, more than alpha = %g", p, e.failed[i], tt.claim.Alpha)
				}
			}
			if e.passed[0] < .998 {
				t.Errorf("the right split passes with probability %g only", e.passed[0])
			}
			if tt.optimum > 0 && (e.mean[0] < tt.optimum || e.mean[0] > 1.06*tt.optimum) {
				t.Errorf("the right split takes %.1f answers on average, want at most 6 %% above the optimum, %.0f", e.mean[0], tt.optimum)
			}
			last := len(theta) - 1
			if e.failed[last] < .99 {
				t.Errorf("blue at %.3f fails with probability %g only", theta[last], e.failed[last])
			}
		})
	}
}
