package verdict

import (
	"fmt"
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

// An exactCase is a claim of two outcomes and the meshes whose probabilities
// are computed.
type exactCase struct {
	name            string
	claim           Claim
	budget          int
	right           float64
	edge, in, wrong []float64
}

// shortExact are computed with every test.
func shortExact() []exactCase {
	oneEdge := Claim{ // blue may be anything up to 10 %
		Shares: []Share{{Name: "blue", Want: .05, Tolerance: .05}, {Name: "green", Want: .95, Tolerance: .05}},
		Errors: .01, Alpha: .01, Beta: .01,
	}
	return []exactCase{
		{"50/50 ±10", evenly(.1, .01, .05, .05), 2500, .5, []float64{.4, .6}, []float64{.55}, []float64{.61, .8}},
		{"5/95 ±5, one edge each", oneEdge, 3000, .05, []float64{.1}, []float64{0, .09}, []float64{.11, .3}},
	}
}

func longExact() []exactCase {
	return []exactCase{
		{"50/50 ±5", evenly(.05, .01, .01, .01), 8000, .5, []float64{.45, .55}, []float64{.52, .54}, []float64{.56, .6}},
		{"50/50 ±5", evenly(.05, .01, .001, .01), 8000, .5, []float64{.45, .55}, []float64{.52, .54}, []float64{.56, .6}},
	}
}

// rows computes and judges: the probabilities of a wrong verdict are at or below
// alpha and beta, on an edge and all over the tolerated box; and the test is not idle.
func (c exactCase) rows(t *testing.T) (rows [][]string) {
	t.Helper()
	theta := append(append(append([]float64{c.right}, c.edge...), c.in...), c.wrong...)
	e := computeExact(t, c.claim, c.budget, theta...)
	alpha, beta := c.claim.Alpha, c.claim.Beta
	for i, p := range theta {
		outside := i > 0 && i <= len(c.edge) || i > len(c.edge)+len(c.in)
		inside := i <= len(c.edge)+len(c.in)
		if outside && e.passed[i] > beta {
			t.Errorf("%s: blue at %.3f passes with probability %g, more than beta = %g", c.name, p, e.passed[i], beta)
		}
		if inside && e.failed[i] > alpha {
			t.Errorf("%s: blue at %.3f fails with probability %g, more than alpha = %g", c.name, p, e.failed[i], alpha)
		}
		rows = append(rows, []string{
			c.name, fmt.Sprintf("%g, %g", alpha, beta), fmt.Sprintf("%g/%g", round(100*p), round(100-100*p)),
			fmt.Sprintf("%.6f", e.passed[i]), fmt.Sprintf("%.6f", e.failed[i]), fmt.Sprintf("%.1f", e.mean[i]),
		})
	}
	if e.passed[0] < .998 {
		t.Errorf("%s: the right split passes with probability %g only", c.name, e.passed[0])
	}
	if last := len(theta) - 1; e.failed[last] < .99 {
		t.Errorf("%s: blue at %.3f fails with probability %g only", c.name, theta[last], e.failed[last])
	}
	return rows
}

func round(x float64) float64 { return math.Round(1000*x) / 1000 }
