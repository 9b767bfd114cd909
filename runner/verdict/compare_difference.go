package verdict

import "math"

// A word is what one run says about one outcome's share.
type word struct {
	hits, misses float64
	gain         float64 // log of the mixture's likelihood, and of the attempt's part
}

func newWord(hits, n int64, want, scale, logPart float64) word {
	s, f := float64(hits), float64(n-hits)
	return word{s, f, logMixture(s, f, want, scale) + logPart}
}

// share is the share seen, 0 of nothing.
func (w word) share() float64 {
	if n := w.hits + w.misses; n > 0 {
		return w.hits / n
	}
	return 0
}

// A gap is two runs' words on the same outcome.
type gap struct{ before, after word }

// against is the logarithm of the least capital of a bet against any pair of
// shares that lie d apart: the sum of the gains less the greatest likelihood
// that such a pair can have. Log likelihoods are concave, so it is convex in d
// and least at the difference seen.
//
// The best pair (x, x+d) is where the likelihood's slope along x is 0: the
// constrained estimate of C. P. Farrington and G. Manning, Statistics in
// Medicine 9, 1990.
func (g gap) against(d float64) float64 {
	low, high := math.Max(0, -d), math.Min(1, 1-d)
	for range 64 {
		x := (low + high) / 2
		if g.before.slope(x)+g.after.slope(x+d) > 0 {
			low = x
		} else {
			high = x
		}
	}
	x := (low + high) / 2
	y := math.Min(math.Max(x+d, 0), 1)
	return g.before.gain + g.after.gain - logLikelihood(x, g.before.hits, g.before.misses) - logLikelihood(y, g.after.hits, g.after.misses)
}

// slope is the derivative of the log likelihood by the share.
func (w word) slope(x float64) float64 {
	s := 0.0
	if w.hits > 0 {
		s += w.hits / math.Max(x, 0)
	}
	if w.misses > 0 {
		s -= w.misses / math.Max(1-x, 0)
	}
	return s
}

// seen is the difference of the shares seen.
func (g gap) seen() float64 { return g.after.share() - g.before.share() }

// low and high are the least and the greatest difference whose capital is below
// 1/level: each other one is excluded with error probability level.
func (g gap) low(level float64) float64  { return g.end(level, -1) }
func (g gap) high(level float64) float64 { return g.end(level, 1) }

func (g gap) end(level, out float64) float64 {
	limit := -math.Log(level)
	inside := func(d float64) bool { return g.against(d) < limit }
	if g.before.hits+g.before.misses == 0 || g.after.hits+g.after.misses == 0 || inside(out) {
		return out
	}
	return boundary(inside, g.seen(), out)
}

// beyond is the logarithm of the least capital of a bet against any difference
// from low to high: what there is against the claim that it lies there. It is
// -Inf when the difference seen lies there.
func (g gap) beyond(low, high float64) float64 {
	switch d := g.seen(); {
	case d > high:
		return g.against(high)
	case d < low:
		return g.against(low)
	}
	return math.Inf(-1)
}

// attemptPart is the logarithm of the part of 1 that an attempt of a run has
// that may be begun anew. The parts 3/4, 1/8, 1/24, 1/48 … sum to 1.
func attemptPart(attempt int) float64 {
	if attempt <= 0 {
		return math.Log(.75)
	}
	r := float64(attempt)
	return -math.Log(4 * r * (r + 1))
}
