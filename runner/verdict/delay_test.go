package verdict

import (
	"fmt"
	"math"
	"testing"
)

// The probability that a delayed bet ever tells although the share is at its
// edge is at most beta: E[min(1, M/c)], summed here in full from logarithms.
func TestDelayKeepsBeta(t *testing.T) {
	two := func(p, tolerance float64) Claim {
		return Claim{Shares: []Share{{Name: "a", Want: p, Tolerance: tolerance}, {Name: "b", Want: 1 - p, Tolerance: tolerance}}, Errors: .005, Alpha: .001, Beta: .01}
	}
	ten := Claim{Errors: .01, Alpha: .001, Beta: .001}
	for i := range 10 {
		ten.Shares = append(ten.Shares, Share{Name: fmt.Sprint("d", i), Want: .1, Tolerance: .03})
	}
	mixed := Claim{Shares: []Share{
		{Name: "a", Want: .7, Tolerance: .02}, {Name: "b", Want: .29, Tolerance: .1}, {Name: "c", Want: .01, Tolerance: .009}, {Name: "d", Leak: .003},
	}, Errors: .01, Alpha: .001, Beta: .05}
	for name, c := range map[string]Claim{
		"40/40/20 by 3 pp": canary(.03, .005, .001, .01), "50/50 by 20 pp": two(.5, .2), "50/50 by 5 pp": two(.5, .05), "50/50 by 0.3 pp": two(.5, .003),
		"90/10 by 3 pp": two(.9, .03), "99/1 by 0.5 pp": two(.99, .005), "one edge": two(.04, .05), "ten": ten, "mixed": mixed,
	} {
		x, delayed := mustNew(t, c), 0
		for _, e := range x.pass {
			if e.from == 0 {
				continue
			}
			delayed++
			n, p := float64(e.from), 0.0
			for hits := 0.0; hits <= n; hits++ {
				chance := logChooseOf(n, hits) + hits*math.Log(e.at) + (n-hits)*math.Log1p(-e.at)
				if chance < -60 {
					continue
				}
				p += math.Exp(chance + math.Min(0, e.evidence(hits, n-hits)-e.threshold))
			}
			if p > c.Beta*(1+1e-9) || p < .99*c.Beta && math.Exp(e.threshold) > .01 {
				t.Errorf("%s: the edge at %g is told after %d answers or more, wrongly with probability at most %.6g, want %g", name, e.at, e.from, p, c.Beta)
			}
			if e.threshold > -math.Log(c.Beta) {
				t.Errorf("%s: the edge at %g has the threshold %g, above that without a delay", name, e.at, e.threshold)
			}
		}
		if delayed == 0 {
			t.Errorf("%s: no edge is delayed", name)
		}
	}
}

func logChooseOf(n, x float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(x + 1)
	c, _ := math.Lgamma(n - x + 1)
	return a - b - c
}

// Where nothing is to be gained, or the sums were too long, there is no delay.
func TestNoDelay(t *testing.T) {
	for name, c := range map[string]Claim{
		"no share has an edge": allBlue(.01, .001, .01),
		"too near":             canary(.0003, .005, .001, .01),
	} {
		for _, e := range mustNew(t, c).pass {
			if e.from != 0 || e.threshold != -math.Log(c.Beta) {
				t.Errorf("%s: the edge at %g waits for %d answers, threshold %g", name, e.at, e.from, e.threshold)
			}
		}
	}
	for _, e := range mustNew(t, allBlue(0, .001, .01)).pass {
		if e.from != 0 {
			t.Errorf("never: the edge at %g waits for %d answers", e.at, e.from)
		}
	}
}
