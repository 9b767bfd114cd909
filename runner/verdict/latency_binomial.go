package verdict

import "math"

// draws is the number of hits among n independent draws with probability
// p each. Its tails keep their relative precision however small they are, to
// 1e-9 and better for n up to 1e7: terms are summed from the largest on, and
// the largest is computed without a difference of large logarithms.
type draws struct {
	n int64
	p float64
}

// atMost is the probability of k hits or fewer.
func (b draws) atMost(k int64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= b.n:
		return 1
	case float64(k) > float64(b.n)*b.p:
		return 1 - b.upper(k+1)
	}
	return b.lower(k)
}

// atLeast is the probability of k hits or more.
func (b draws) atLeast(k int64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > b.n:
		return 0
	case float64(k) < float64(b.n)*b.p:
		return 1 - b.lower(k-1)
	}
	return b.upper(k)
}

// quantile is the least k with atMost(k) >= level.
func (b draws) quantile(level float64) int64 {
	low, high := int64(-1), b.n // atMost(low) < level <= atMost(high)
	for low+1 < high {
		if mid := low + (high-low)/2; b.atMost(mid) < level {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// lower sums from k down; for k up to the mean each term is smaller than the
// one before.
func (b draws) lower(k int64) float64 {
	term := b.mass(k)
	sum := term
	odds := (1 - b.p) / b.p
	for i := k; i > 0 && term > 1e-17*sum; i-- {
		term *= float64(i) / float64(b.n-i+1) * odds
		sum += term
	}
	return math.Min(sum, 1)
}

// upper is the sum from k up: that of the misses, down.
func (b draws) upper(k int64) float64 { return draws{b.n, 1 - b.p}.lower(b.n - k) }

// mass is the probability of exactly k hits, by its deviance from the mean and
// the remainders of Stirling's formula (C. Loader, Fast and Accurate
// Computation of Binomial Probabilities, 2000).
func (b draws) mass(k int64) float64 {
	n, x, q := float64(b.n), float64(k), 1-b.p
	switch {
	case b.p <= 0 || q <= 0:
		if b.p <= 0 == (k == 0) && q <= 0 == (k == b.n) {
			return 1
		}
		return 0
	case k == 0:
		return math.Exp(n * math.Log1p(-b.p))
	case k == b.n:
		return math.Exp(n * math.Log(b.p))
	}
	rest := stirling(n) - stirling(x) - stirling(n-x) - deviance(x, n*b.p) - deviance(n-x, n*q)
	return math.Exp(rest) * math.Sqrt(n/(2*math.Pi*x*(n-x)))
}

// stirling is log(x!) less Stirling's formula for it, for whole x from 1.
func stirling(x float64) float64 {
	if x < 16 {
		l, _ := math.Lgamma(x + 1)
		return l - (x+.5)*math.Log(x) + x - .5*math.Log(2*math.Pi)
	}
	y := 1 / (x * x)
	return (1./12 - y*(1./360-y*(1./1260-y*(1./1680-y/1188)))) / x
}

// deviance is x log(x/m) + m - x, also where x is very near to m.
func deviance(x, m float64) float64 {
	d := x - m
	if math.Abs(d) > .1*(x+m) {
		return x*math.Log(x/m) - d
	}
	v := d / (x + m)
	sum, power := d*v, 2*x*v
	for j := 1.; ; j++ {
		power *= v * v
		next := sum + power/(2*j+1)
		if next == sum {
			return sum
		}
		sum = next
	}
}
