package verdict

import "math"

// Estimate is about how many answers a mesh that is right takes to pass, on
// average; a rule of thumb that costs microseconds. It returns 0 for a claim
// that is not valid.
//
// For shares it is c log(1/beta) / KL, the smallest Kullback-Leibler divergence
// of a share wanted from one of its edges, Wald's bound times a factor that
// grows with the number of edges about as near as the nearest: the last of
// several races ends later. The factor is a fit to simulations of splits from
// 50/50 to ten times 10 %. For what is wanted at 0 the number is exact if no
// such answer comes.
func Estimate(c Claim) int64 {
	t, err := New(c)
	if err != nil {
		return 0
	}
	least, near := t.nearest()
	zeros := int64(1)
	for i := range t.pass {
		if e := &t.pass[i]; t.want(e.category) == 0 {
			zeros = max(zeros, e.answersWithoutHit(e.threshold))
		}
	}
	if math.IsInf(least, 1) {
		return zeros
	}
	factor := 1.25 + .35*math.Log(near)
	return max(zeros, int64(math.Ceil(factor*t.logPass/least)))
}

// want is the share wanted of a category.
func (t *Test) want(category int) float64 {
	if category >= len(t.claim.Shares) {
		return 0
	}
	return t.claim.Shares[category].Want
}

// divergence is the Kullback-Leibler divergence of a Bernoulli share p from
// the edge e, in nats: the evidence that an answer adds at best.
func divergence(p, e float64) float64 {
	d := 0.0
	if p > 0 {
		d += p * math.Log(p/e)
	}
	if p < 1 {
		d += (1 - p) * math.Log((1-p)/(1-e))
	}
	return d
}

// answersWithoutHit is the least number of answers, none of them a hit, whose
// evidence reaches the threshold.
func (e *edge) answersWithoutHit(threshold float64) int64 {
	low, high := int64(0), int64(1)
	for e.atLeast(0, float64(high), threshold) > 0 {
		low, high = high, high*2
	}
	for low+1 < high {
		if mid := (low + high) / 2; e.atLeast(0, float64(mid), threshold) == 0 {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// needed is about how many more answers decide, if they come as those before:
// the missing evidence over the evidence that an answer adds at the shares
// seen. 0: the shares seen lie so near to an edge that no number can be told.
func (t *Test) needed() int64 {
	if t.n < 50 {
		// Too few to go by: as if the mesh were right.
		return max(1, Estimate(t.claim)-t.n)
	}
	more := math.Min(t.untilPass(), t.untilFail())
	if more > 1e12 {
		return 0
	}
	return max(1, int64(math.Ceil(more)))
}

// untilPass is the slowest of the edges still open. The shares seen are drawn
// to those wanted, as interval's prior does: by chance one of several looks
// nearer to an edge than it is, and it would say a multiple of what is needed.
func (t *Test) untilPass() float64 {
	most := 0.0
	for i := range t.pass {
		if t.latched[i] {
			continue
		}
		e := &t.pass[i]
		hits, n := float64(t.counts[e.category]), float64(t.n)
		share := hits / n
		if want := t.want(e.category); want > 0 {
			a, b := prior(want, e.gap)
			share = (hits + a) / (n + a + b)
		}
		more := math.Max(until(e, share, hits, n, e.threshold), float64(e.from)-n)
		most = math.Max(most, more)
	}
	return most
}

// untilFail is the quickest of the edges that the counts are beyond.
func (t *Test) untilFail() float64 {
	least := math.Inf(1)
	threshold := t.logFail + math.Log(float64(len(t.fail)))
	for i := range t.fail {
		e := &t.fail[i]
		hits, n := float64(t.counts[e.category]), float64(t.n)
		if !e.beyond(hits, n) {
			continue
		}
		more := math.Max(until(e, hits/n, hits, n, threshold), float64(e.from)-n)
		least = math.Min(least, more)
	}
	return least
}

// until is the number of answers after which the edge reaches the threshold if
// hits have that share from now on; infinite when the evidence does not grow.
func until(e *edge, share, hits, n, threshold float64) float64 {
	growth := e.growth(share)
	if growth <= 0 {
		return math.Inf(1)
	}
	return math.Max(0, threshold-e.evidence(hits, n-hits)) / growth
}
