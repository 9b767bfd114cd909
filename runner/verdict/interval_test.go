package verdict

import (
	"math/rand/v2"
	"testing"
)

// The intervals of all shares hold together at every time: the runs in which
// any of them ever missed the truth are at most 1 - confidence.
func TestIntervalsHoldAtEveryTime(t *testing.T) {
	for i, tt := range []struct {
		name  string
		claim Claim
		truth []float64
	}{
		{"as wanted", canary(.05, .005, .01, .05), []float64{.4, .4, .2}},
		{"elsewhere", canary(.05, .005, .01, .05), []float64{.2, .3, .45}},
		{"rare", allBlue(0, .01, .05), []float64{.98, .015, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 5))
			runs, missed := scale(500), 0
			for range runs {
				if everMisses(r, tt.claim, tt.truth, 3000) {
					missed++
				}
			}
			t.Logf("missed in %d of %d runs", missed, runs)
			if exceeds(missed, runs, tt.claim.Beta) {
				t.Errorf("missed in %d of %d runs, more than 1 - confidence = %g", missed, runs, tt.claim.Beta)
			}
		})
	}
}

func everMisses(r *rand.Rand, c Claim, truth []float64, n int) bool {
	counts := make([]int64, len(truth))
	errors := int64(0)
	rest := 1.0
	for _, p := range truth {
		rest -= p
	}
	each := c.Beta / float64(len(truth)+1)
	out := func(hits, n int64, s Share, p float64) bool {
		low, high := interval(hits, n, s.Want, s.scale(), each)
		return p < low || p > high
	}
	for k := int64(1); k <= int64(n); k++ {
		if i := draw(r, truth); i == Error {
			errors++
		} else {
			counts[i]++
		}
		if k%25 != 0 && k > 60 {
			continue
		}
		for i, s := range c.Shares {
			if out(counts[i], k, s, truth[i]) {
				return true
			}
		}
		if rest > 1e-9 && out(errors, k, Share{Leak: c.Errors}, rest) {
			return true
		}
	}
	return false
}

// "Below 0.5 %": where nothing came the interval is an upper bound, about as
// low as the answers allow (log(4/beta)/n at best).
func TestNeverGivesAnUpperBound(t *testing.T) {
	x := mustNew(t, allBlue(0, .001, .01))
	x.Update(countsOf([]int64{2000, 0, 0}, 0, 0))
	s := x.Result().Shares[2]
	if s.Low != 0 || s.High < .003 || s.High > .0045 {
		t.Errorf("[%g, %g]", s.Low, s.High)
	}
	blue := x.Result().Shares[0]
	if blue.High != 1 || blue.Low < .9955 || blue.Low > .997 {
		t.Errorf("blue [%g, %g]", blue.Low, blue.High)
	}
}

func TestIntervalsNarrow(t *testing.T) {
	last := 1.0
	for n := int64(10); n < 1e9; n *= 10 {
		low, high := interval(n*2/5, n, .4, .05, .0025)
		if low > .4 || high < .4 || high-low >= last {
			t.Errorf("n %d: [%g, %g]", n, low, high)
		}
		last = high - low
	}
	if low, high := interval(0, 0, .4, .05, .01); low != 0 || high != 1 {
		t.Errorf("of nothing: [%g, %g]", low, high)
	}
}
