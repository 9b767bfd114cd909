package verdict

import "math"

// A word is what one run says about one outcome's share.
type word struct{ hits, misses float64 }

// share is the share seen, 0 of nothing.
func (w word) share() float64 {
	if n := w.hits + w.misses; n > 0 {
		return w.hits / n
	}
	return 0
}

// slope is the derivative of the log likelihood by the share, bend minus the
// second one; both for shares strictly between 0 and 1.
func (w word) slope(x float64) (slope, bend float64) {
	if w.hits > 0 {
		slope += w.hits / x
		bend += w.hits / (x * x)
	}
	if w.misses > 0 {
		slope -= w.misses / (1 - x)
		bend += w.misses / ((1 - x) * (1 - x))
	}
	return slope, bend
}

// A gap is two runs' words on the same outcome, and what was bet on before
// they spoke: the logarithms of the mean likelihood of the pairs of shares that
// the bets are on. Divided by the likelihood of a pair it is the capital of the
// bets against that pair.
type gap struct {
	before, after word
	// apart is of bets that each run has a share of its own, spread as that
	// run's prior is; it tells changes.
	apart float64
	// mixed is of such bets and of bets that both have the same share; where
	// nothing changed it pays for one unknown share and not for two.
	mixed float64
}

// together is the part of mixed that is bet on both shares being the same.
const together = .75

func newGap(before, after count, a, b int64) gap {
	g := gap{before: before.word(a), after: after.word(b)}
	parts := before.logPart + after.logPart
	g.apart = parts +
		logMixture(g.before.hits, g.before.misses, before.want, before.scale) +
		logMixture(g.after.hits, g.after.misses, after.want, after.scale)
	same := parts + logMixture(g.before.hits+g.after.hits, g.before.misses+g.after.misses, before.want, before.scale)
	one, two := math.Log(together)+same, math.Log1p(-together)+g.apart
	g.mixed = math.Max(one, two) + math.Log1p(math.Exp(-math.Abs(one-two)))
	return g
}

// likelihood is the logarithm of the greatest likelihood of any pair of shares
// that are d apart. Log likelihoods are concave, so it is concave in d and
// greatest at the difference seen.
//
// The best pair (x, x+d) is where the slope along x is 0: the constrained
// estimate of C. P. Farrington and G. Manning, Statistics in Medicine 9, 1990.
func (g gap) likelihood(d float64) float64 {
	low, high := math.Max(0, -d), math.Min(1, 1-d)
	x := low + (high-low)*(g.before.share()+g.after.share())/2
	for range 100 { // Newton's steps, and halves where they lead out
		if x <= low || x >= high {
			x = (low + high) / 2
		}
		slopeA, bendA := g.before.slope(x)
		slopeB, bendB := g.after.slope(x + d)
		if slope := slopeA + slopeB; slope > 0 {
			low = x
		} else {
			high = x
		}
		step := (slopeA + slopeB) / (bendA + bendB)
		if math.Abs(step) <= 1e-15*x || high-low <= 1e-18 {
			break
		}
		x += step
	}
	x = math.Min(math.Max(x, low), high)
	y := math.Min(math.Max(x+d, 0), 1)
	return logLikelihood(x, g.before.hits, g.before.misses) + logLikelihood(y, g.after.hits, g.after.misses)
}

// seen is the difference of the shares seen.
func (g gap) seen() float64 { return g.after.share() - g.before.share() }

// low and high are the ends of the differences that some pair of shares has
// against which the capital is below 1/level: each other difference is excluded
// with error probability level.
func (g gap) low(level float64) float64  { return g.end(level, -1) }
func (g gap) high(level float64) float64 { return g.end(level, 1) }

func (g gap) end(level, out float64) float64 {
	limit := g.mixed + math.Log(level)
	inside := func(d float64) bool { return g.likelihood(d) > limit }
	if g.before.hits+g.before.misses == 0 || g.after.hits+g.after.misses == 0 || inside(out) {
		return out
	}
	return boundary(inside, g.seen(), out)
}

// beyond is the logarithm of the least capital against any pair whose
// difference lies from low to high: what there is against the claim that the
// true one does. It is -Inf when the difference seen does.
func (g gap) beyond(low, high float64) float64 {
	switch d := g.seen(); {
	case d > high:
		return g.apart - g.likelihood(high)
	case d < low:
		return g.apart - g.likelihood(low)
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
