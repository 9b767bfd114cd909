package verdict

import (
	"math"
	"math/rand/v2"
	"slices"
)

// What no test, or no simple one, can do with fewer answers; to compare with.

// shareEdges are the edges of the shares that lie strictly between 0 and 100 %,
// those of one share only where there are two (the other's are the same).
func shareEdges(x *Test) []*edge {
	var edges []*edge
	for i := range x.pass {
		if e := &x.pass[i]; x.want(e.category) > 0 && (len(x.claim.Shares) > 2 || e.category == 0) {
			edges = append(edges, e)
		}
	}
	return edges
}

// wald is A. Wald's lower bound of the mean number of answers of a test that
// passes the right split and has the probability beta of a wrong pass at every
// edge: log(1/beta) over what an answer tells at most of the nearest edge.
func wald(c Claim) float64 {
	x, err := New(c)
	if err != nil {
		panic(err)
	}
	most := 0.0
	for i := range x.pass {
		e := &x.pass[i]
		most = math.Max(most, x.logPass/divergence(x.want(e.category), e.at))
	}
	return most
}

// optimum is the mean number of answers of the best of all tests of two
// outcomes that pass the right split and pass wrongly with probability at most
// beta on either edge. For any prices of a wrong pass the least of (answers +
// price times wrong passes) is found by dynamic programming from the far end;
// less beta times the prices it is at most that mean, and equal for the best prices.
func optimum(c Claim) float64 {
	s := c.Shares[0]
	x, err := New(c)
	if err != nil {
		panic(err)
	}
	value := func(up, down float64) float64 {
		return cheapest(s, int(6*wald(c)), math.Exp(up), math.Exp(down)) - c.Beta*(math.Exp(up)+math.Exp(down))
	}
	start := math.Log(1/c.Beta) + math.Log(1/divergence(s.Want, s.upper()))
	up, down := start, start
	if _, near := x.nearest(); s.Want == .5 && near > 1 { // both edges are alike
		up = highest(func(p float64) float64 { return value(p, p) }, up)
		return value(up, up)
	}
	for range 4 {
		up = highest(func(p float64) float64 { return value(p, down) }, up)
		down = highest(func(p float64) float64 { return value(up, p) }, down)
	}
	return value(up, down)
}

// highest finds the peak of a concave function near x by golden section.
func highest(f func(float64) float64, x float64) float64 {
	const golden = .6180339887498949
	low, high := x-3, x+3
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := f(a), f(b)
	for high-low > .05 {
		if fa > fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = f(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = f(b)
		}
	}
	return (low + high) / 2
}

// cheapest is the least mean, at the right split, of the answers plus the
// prices times the likelihood ratios of the edges when it stops.
func cheapest(s Share, horizon int, up, down float64) float64 {
	p := s.Want
	half := 6 * math.Sqrt(p*(1-p)*float64(horizon))
	width := int(2*half) + 3
	cost := func(n, hits float64, edge, price float64) float64 {
		return math.Log(price) + hits*math.Log(edge/p) + (n-hits)*math.Log((1-edge)/(1-p))
	}
	// next[i] is for first+i hits; those outside are as improbable as six standard
	// deviations, and count as the nearest inside. At the horizon it is free to
	// give up, which makes the bound only smaller.
	next, now := make([]float64, width), make([]float64, width)
	first := 0
	for n := horizon; n >= 0; n-- {
		start := max(0, int(float64(n)*p-half))
		a := math.Exp(cost(float64(n), float64(start), s.upper(), up))
		b := math.Exp(cost(float64(n), float64(start), s.lower(), down))
		stepA := s.upper() / p * (1 - p) / (1 - s.upper())
		stepB := s.lower() / p * (1 - p) / (1 - s.lower())
		for i := range now {
			now[i] = 0
			if j := i + start - first; n < horizon {
				now[i] = math.Min(a+b, 1+p*next[min(j+1, width-1)]+(1-p)*next[min(max(0, j), width-1)])
			}
			a, b = a*stepA, b*stepB
		}
		next, now, first = now, next, start
	}
	return next[0]
}

// refined is the mean number of answers of a nearly best test of any number of
// outcomes (G. Lorden, Nearly-optimal sequential tests for finitely many
// parameter values, Ann. Stat. 5, 1977): stop as soon as the weighted likelihoods
// of all edges, against that of the right split, sum to a constant. Constant
// and weights are found by simulating the right split: a wrong pass at an edge
// has the mean of its likelihood ratio there at the stop. It is a bound, not a
// test to use: nothing is proven of it, and it knows no split but the right one.
func refined(c Claim, runs int) float64 {
	x, err := New(c)
	if err != nil {
		panic(err)
	}
	edges := shareEdges(x)
	truth := make([]float64, len(c.Shares))
	for i, s := range c.Shares {
		truth[i] = s.Want
	}
	m := newMesh(truth)
	logPrice := make([]float64, len(edges)) // weight over constant
	for i := range logPrice {
		logPrice[i] = -math.Log(c.Beta * float64(len(edges)))
	}
	mean := 0.0
	for round := range 12 {
		if round > 8 {
			runs *= 2
		}
		var wrong []float64
		mean, wrong = priced(x, edges, m, logPrice, runs)
		for i := range logPrice {
			logPrice[i] += .7 * math.Log(math.Max(wrong[i], 1e-6)/c.Beta)
		}
	}
	return mean
}

// priced stops when the prices times the likelihood ratios sum to 1.
func priced(x *Test, edges []*edge, m mesh, logPrice []float64, runs int) (mean float64, wrong []float64) {
	r := rand.NewPCG(1, 2)
	wrong = make([]float64, len(edges))
	counts := make([]int64, len(x.claim.Shares))
	ratio := make([]float64, len(edges))
	hit, miss := make([]float64, len(edges)), make([]float64, len(edges))
	for i, e := range edges {
		want := x.want(e.category)
		hit[i], miss[i] = math.Log(e.at/want), math.Log((1-e.at)/(1-want))
	}
	for range runs {
		clear(counts)
		for n := 1.; ; n++ {
			counts[m.draw(r)]++
			for i, e := range edges {
				h := float64(counts[e.category])
				ratio[i] = h*hit[i] + (n-h)*miss[i]
			}
			total := 0.0
			for i := range ratio {
				if logPrice[i]+ratio[i] > 0 {
					total = 2
					break
				}
			}
			if total == 0 {
				for i := range ratio {
					total += math.Exp(logPrice[i] + ratio[i])
				}
			}
			if total <= 1 {
				mean += n
				for i := range ratio {
					wrong[i] += math.Exp(ratio[i])
				}
				break
			}
		}
	}
	for i := range wrong {
		wrong[i] /= float64(runs)
	}
	return mean / float64(runs), wrong
}

// answersAtOnce is the least number of answers with which a test of that size,
// which passes or fails, passes wrongly with probability beta at most at every
// edge and fails the right split with probability alpha at most. Each share is
// judged by exact binomial probabilities; alpha is divided by adding up.
func answersAtOnce(c Claim) int64 {
	x, err := New(c)
	if err != nil {
		panic(err)
	}
	wrong := func(n int64) float64 {
		sum := 0.0
		if len(shareEdges(x)) == 0 {
			if math.Pow(1-x.pass[0].at, float64(n)) > c.Beta {
				return 1
			}
		}
		for _, e := range shareEdges(x) {
			p := x.want(e.category)
			at, right := draws{n, e.at}, draws{n, p}
			if e.upper { // pass with at most so many hits
				most := at.quantile(c.Beta) - 1 // P(at most it) < beta at the edge
				sum += 1 - right.atMost(most)
			} else {
				at, right = draws{n, 1 - e.at}, draws{n, 1 - p}
				sum += 1 - right.atMost(at.quantile(c.Beta)-1)
			}
		}
		return sum
	}
	n := int64(wald(c))
	for wrong(n) > c.Alpha {
		n += max(1, n/500)
	}
	return n
}

// mirrored says whether the claim is of two shares with both edges.
func mirrored(c Claim) bool {
	between := slices.ContainsFunc(c.Shares, func(s Share) bool { return s.Want == 0 || s.Want == 1 })
	return len(c.Shares) == 2 && !between
}
