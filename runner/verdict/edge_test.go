package verdict

import (
	"math"
	"testing"
)

var claims = map[string]Claim{
	"40/40/20 by 5 pp": canary(.05, .005, .01, .01),
	"40/40/20 by 3 pp": canary(.03, .005, .001, .01),
	"50/50 by 5 pp":    evenly(.05, .005, .01, .01),
	"100/0/0":          allBlue(0, .001, .01),
	"100/0/0, leak":    allBlue(.01, .001, .01),
	"99/1 by 0.5 pp":   {Shares: []Share{{Name: "a", Want: .99, Tolerance: .005}, {Name: "b", Want: .01, Tolerance: .005}}, Errors: .01, Alpha: .001, Beta: .01},
	"swallowed":        {Shares: []Share{{Name: "a", Want: .97, Tolerance: .05}, {Name: "b", Want: .03, Tolerance: .05}}, Alpha: .001, Beta: .01},
}

// No component gains on average under any share that its edge is against: the
// capital is a supermartingale, from which everything else follows.
func TestSupermartingale(t *testing.T) {
	for name, c := range claims {
		x := mustNew(t, c)
		check := func(side string, edges []edge, passSide bool) {
			for _, e := range edges {
				if w := sumExp(e.logW); math.Abs(w-1) > 1e-12 {
					t.Errorf("%s: %s edge at %g: weights sum to %g", name, side, e.at, w)
				}
				for step := 0; step <= 1000; step++ {
					theta := float64(step) / 1000
					against := e.upper == passSide && theta >= e.at || e.upper != passSide && theta <= e.at
					if !against {
						continue
					}
					for i := range e.logW {
						gain := theta*math.Exp(e.hit[i]) + (1-theta)*math.Exp(e.miss[i])
						if gain > 1+1e-9 {
							t.Fatalf("%s: %s edge at %g, share %g: component %d gains %g", name, side, e.at, theta, i, gain)
						}
					}
				}
			}
		}
		check("pass", x.pass, true)
		check("fail", x.fail, false)
	}
}

func sumExp(logs []float64) float64 {
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l)
	}
	return sum
}

// The shortcut of atLeast agrees with the evidence in full, and no answers that
// may come reach the threshold earlier than it says.
func TestAtLeastAgreesWithEvidence(t *testing.T) {
	for name, c := range claims {
		x := mustNew(t, c)
		for _, edges := range [][]edge{x.pass, x.fail} {
			for _, e := range edges {
				for n := 1.0; n < 1e6; n *= 1.7 {
					for _, hits := range []float64{0, 1, math.Floor(n * e.at), math.Floor(n * .2), math.Floor(n * .4), n} {
						hits = math.Min(hits, math.Floor(n))
						misses := math.Floor(n) - hits
						wait := e.atLeast(hits, misses, e.threshold)
						if reached := told(&e, hits, misses); reached != (wait == 0) {
							t.Fatalf("%s: edge at %g, %g of %g: wait %d, evidence %g", name, e.at, hits, n, wait, e.evidence(hits, misses))
						}
						m := float64(wait - 1)
						if wait > 0 && (told(&e, hits+m, misses) || told(&e, hits, misses+m)) {
							t.Fatalf("%s: edge at %g, %g of %g: reached before %d more", name, e.at, hits, n, wait)
						}
					}
				}
			}
		}
	}
}

// told says whether the evidence has reached the edge's threshold, in full.
func told(e *edge, hits, misses float64) bool {
	return hits+misses >= float64(e.from) && e.evidence(hits, misses) >= e.threshold
}
