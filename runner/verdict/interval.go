package verdict

import "math"

// interval returns the shares that the counts do not exclude, with error
// probability delta at all times together: a confidence sequence.
//
// For a true share theta the ratio of the mixture's likelihood to theta's,
//
//	M(theta) = integral of q^S (1-q)^F dPi(q)  /  theta^S (1-theta)^F,
//
// is a nonnegative martingale that starts at 1, so it ever reaches 1/delta with
// probability at most delta (Ville), and the shares whose M is below 1/delta
// are such a sequence (H. Robbins 1970; T. L. Lai, On confidence sequences,
// Ann. Stat. 4, 1976). theta^S (1-theta)^F has one peak, so they are an interval.
// Any prior Pi, fixed beforehand, is valid: most of it is put near the share
// wanted, about as narrow as the tolerance, the rest on everything.
func interval(hits, n int64, want, scale, delta float64) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	s, f := float64(hits), float64(n-hits)
	limit := logMixture(s, f, want, scale) + math.Log(delta) // log likelihoods above it are in
	inside := func(theta float64) bool { return logLikelihood(theta, s, f) > limit }
	peak := s / float64(n)
	low, high = 0, 1
	if hits > 0 {
		low = boundary(inside, peak, 0)
	}
	if hits < n {
		high = boundary(inside, peak, 1)
	}
	return low, high
}

// logMixture is the logarithm of the mixture's likelihood, the integral of
// q^S (1-q)^F over the prior.
func logMixture(s, f, want, scale float64) float64 {
	a, b := prior(want, scale)
	near := math.Log(.7) + logBeta(a+s, b+f) - logBeta(a, b)
	wide := math.Log(.3) + logBeta(.5+s, .5+f) - logBeta(.5, .5)
	return math.Max(near, wide) + math.Log1p(math.Exp(-math.Abs(near-wide)))
}

// boundary halves its way from a point inside to the end of the interval
// towards out. It returns the nearer point outside.
func boundary(inside func(float64) bool, in, out float64) float64 {
	for range 60 {
		if mid := (in + out) / 2; inside(mid) {
			in = mid
		} else {
			out = mid
		}
	}
	return out
}

func logLikelihood(theta, s, f float64) float64 {
	x := 0.0
	if s > 0 {
		x += s * math.Log(theta)
	}
	if f > 0 {
		x += f * math.Log1p(-theta)
	}
	return x
}

// prior is the Beta distribution that is put near the share wanted: its mean
// is that share and its standard deviation half of scale; at the ends of the
// scale it falls off from there on.
func prior(want, scale float64) (a, b float64) {
	switch want {
	case 0:
		return 1, 4 / scale
	case 1:
		return 4 / scale, 1
	}
	weight := math.Max(2, 4*want*(1-want)/(scale*scale)-1)
	return want * weight, (1 - want) * weight
}

// scale is the width on which a share is of interest.
func (s Share) scale() float64 {
	switch {
	case s.Leak > 0:
		return s.Leak
	case s.Tolerance > 0:
		return s.Tolerance
	}
	return s.resolution()
}

func logBeta(a, b float64) float64 {
	x, _ := math.Lgamma(a)
	y, _ := math.Lgamma(b)
	z, _ := math.Lgamma(a + b)
	return x + y - z
}
