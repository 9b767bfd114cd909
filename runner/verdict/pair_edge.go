package verdict

import "math"

// A tally is hits and misses of one outcome in both streams.
type tally struct{ hitA, missA, hitB, missB float64 }

// A pairEdge is one bet at one edge of what a pair may differ by: the
// logarithm of a mixture of likelihood ratios of alternatives (qA, qB) against
// the nearest shares (x, y) that lie just at apart,
//
//	L = log sum_i w_i (qA/x)^hitsA ((1-qA)/(1-x))^missesA (qB/y)^hitsB ((1-qB)/(1-y))^missesB,  y = x + at
//
// (A before, B after; the e-variables of R. Turner, A. Ly and P. Grünwald,
// Generic E-Variables for Exact Sequential k-Sample Tests that allow for
// Optional Stopping, 2021, for r answers of A with each of B).
//
// Among all pairs that are at apart, (x, y) is where the divergence
// r KL(qA||x) + KL(qB||y) is least; its derivative along x is 0 there:
//
//	r sA + sB = 0   with   sA = (qA-x)/(x(1-x)),  sB = (qB-y)/(y(1-y)).
//
// Proof that exp L is a bet that is not favourable. Let a and b be how far the
// true shares of A and B lie above x and y. The factor of an answer of A has
// the mean 1 + a sA, that of B 1 + b sB, both nonnegative, and a whole block
// (1 + a sA)^r (1 + b sB). Put m = -sB = r sA.
//
//   - A pass edge above (at = t) bets on qB - qA < t against "B is above A by t
//     or more", where b >= a. There m > 0: moving from (x, y) towards the
//     alternative raises qA and lowers qB. So 1 + b sB = 1 - m b <= 1 - m a, and
//     by the inequality of arithmetic and geometric means
//     (1 + m a/r)^r (1 - m a) <= ((r + m a + 1 - m a)/(r+1))^(r+1) = 1.
//   - A fail edge above bets on qB - qA > t against "B is above A by t or less",
//     where b <= a. There m < 0, and 1 - m b <= 1 - m a again: the same holds.
//   - The edges below (at = -t) are these with hits and misses exchanged.
//
// The factor's mean is at most 1 given the past, so a mixture's capital is a
// nonnegative supermartingale also where the shares drift from block to block,
// as long as they stay on the side that the bet is against. If a share really
// differs by t or more, Passed needs that one bet to reach 1/beta; if nothing
// differs by more than t, the mean of all fail bets is such a capital too.
//
// At the ends of the scale the nearest pair may have x or y at 0 or 1 (an
// outcome that neither stream should have). Then the other stream alone is
// judged: with x = 0 the null says that B has at least t, and B's factor alone
// has a mean of at most 1. Only pass edges come to that: the alternatives of
// fail edges lie strictly between 0 and 1, where a share at 0 or 1 would make
// the divergence infinite.
type pairEdge struct {
	category                 int
	at                       float64 // after less before, at the edge
	logW                     []float64
	hitA, missA, hitB, missB []float64 // gains of an answer
	slack                    float64   // log(len(logW)): the sum is at most its largest term plus this
	most                     float64   // the most that a block can add
	from                     int64     // counts as no evidence before this many blocks
}

// An alternative is shares before and after that are bet on.
type alternative struct{ weight, before, after float64 }

// newSharePass bets on differences between none and the edge, as newPassEdge.
func newSharePass(category int, want, at, ratio float64) pairEdge {
	var as []alternative
	around := func(anchor, weight float64) {
		for i, r := range passReach {
			before, after := anchor, anchor+at*(1-r)
			if after < 0 || after > 1 {
				before, after = anchor-at*(1-r), anchor
			}
			if before >= 0 && before <= 1 {
				as = append(as, alternative{weight * passWeight[i], before, after})
			}
		}
	}
	around(want, 1)
	if want == 0 || want == 1 {
		// An outcome that should not occur may, in both streams alike.
		around(want+(1-2*want)*math.Min(math.Abs(at), .5), .25)
	}
	return newPairEdge(category, at, ratio, as)
}

// newShareFail bets on differences that are beyond the edge; where there is no
// room for one after, before gives way.
func newShareFail(category int, want, at, ratio float64) pairEdge {
	t, anchors := math.Abs(at), []float64{want}
	if want == 0 || want == 1 {
		anchors = []float64{want + (1-2*want)*t/10, want + (1-2*want)*math.Min(t, .5)}
	}
	var as []alternative
	for _, b := range beyondEdge(t) {
		for _, anchor := range anchors {
			// Strictly between 0 and 1.
			after, room := anchor+math.Copysign(t+b.gap, at), .05*(1-t-b.gap)
			if at > 0 {
				after = math.Min(after, 1-room)
			} else {
				after = math.Max(after, room)
			}
			as = append(as, alternative{b.weight, after - math.Copysign(t+b.gap, at), after})
		}
	}
	return newPairEdge(category, at, ratio, as)
}

type weighted struct{ weight, gap float64 }

// beyondEdge are distances beyond an edge that is t from no difference: a
// half, one, two, four … times t, for how far it is, is not known, and with a
// little such as are just beyond.
func beyondEdge(t float64) (bets []weighted) {
	first := []float64{.25, .35, .2, .1, .05, .025}
	weight := 0.0
	for i, gap := 0, t/2; gap < .95*(1-t); i, gap = i+1, 2*gap {
		if i < len(first) {
			weight = first[i]
		} else {
			weight /= 2
		}
		bets = append(bets, weighted{weight, gap})
	}
	for i, gap := range []float64{t / 4, t / 8, t / 16} {
		if gap < .95*(1-t) {
			bets = append(bets, weighted{[]float64{.04, .02, .01}[i], gap})
		}
	}
	// Where t is nearly all there is, something is left all the same.
	return append(bets, weighted{.01, (1 - t) / 2})
}

// newErrorsPass bets that both streams have as many errors, few or some.
func newErrorsPass(category int, rise, ratio float64) pairEdge {
	var as []alternative
	for _, x := range []struct{ weight, times float64 }{{.4, 0}, {.3, .5}, {.2, 2}, {.1, 8}} {
		if q := x.times * rise; q < .9 {
			as = append(as, alternative{x.weight, q, q})
		}
	}
	return newPairEdge(category, rise, ratio, as)
}

// newErrorsFail bets that the second stream has more, the first few or some.
func newErrorsFail(category int, rise, ratio float64) pairEdge {
	var as []alternative
	for _, b := range beyondEdge(rise) {
		for _, before := range []float64{rise / 10, rise} {
			after := math.Min(before+rise+b.gap, 1-.05*(1-rise-b.gap))
			as = append(as, alternative{b.weight, after - rise - b.gap, after})
		}
	}
	return newPairEdge(category, rise, ratio, as)
}

func newPairEdge(category int, at, ratio float64, as []alternative) pairEdge {
	e := pairEdge{category: category, at: at, slack: math.Log(float64(len(as)))}
	total := 0.0
	for _, a := range as {
		total += a.weight
	}
	for _, a := range as {
		x, y := nearest(a.before, a.after, at, ratio)
		hitA, missA := gains(a.before, x)
		hitB, missB := gains(a.after, y)
		e.logW = append(e.logW, math.Log(a.weight/total))
		e.hitA, e.missA = append(e.hitA, hitA), append(e.missA, missA)
		e.hitB, e.missB = append(e.hitB, hitB), append(e.missB, missB)
		e.most = max(e.most, ratio*max(hitA, missA)+max(hitB, missB))
	}
	return e
}

// gains of a hit and of a miss for q against x. Where x is 0 or 1 its stream is
// not judged.
func gains(q, x float64) (hit, miss float64) {
	if x <= 0 || x >= 1 {
		return 0, 0
	}
	return math.Log(q) - math.Log(x), math.Log1p(-q) - math.Log1p(-x)
}

// nearest is the pair of shares that are at apart with the least divergence
// from (qA, qB), r answers of the first for each of the second.
func nearest(qA, qB, at, r float64) (x, y float64) {
	uphill := func(x, y float64) bool {
		return r*divergenceSlope(qA, x)+divergenceSlope(qB, y) >= 0
	}
	// The ends, where one of the two is exactly 0 or 1.
	lowX, lowY, highX, highY := 0., at, 1-at, 1.
	if at < 0 {
		lowX, lowY, highX, highY = -at, 0, 1, 1+at
	}
	if uphill(lowX, lowY) {
		return lowX, lowY
	}
	if !uphill(highX, highY) {
		return highX, highY
	}
	for range 80 {
		if mid := (lowX + highX) / 2; uphill(mid, mid+at) {
			highX = mid
		} else {
			lowX = mid
		}
	}
	x = (lowX + highX) / 2
	return x, x + at
}

// divergenceSlope is the derivative of KL(q||x) by x.
func divergenceSlope(q, x float64) float64 {
	switch q {
	case 0:
		return 1 / (1 - x)
	case 1:
		return -1 / x
	}
	return (x - q) / (x * (1 - x))
}

// term is component i's logarithm; 0 * -Inf counts as 0.
func (e *pairEdge) term(i int, c tally) float64 {
	x := e.logW[i]
	if c.hitA > 0 {
		x += c.hitA * e.hitA[i]
	}
	if c.missA > 0 {
		x += c.missA * e.missA[i]
	}
	if c.hitB > 0 {
		x += c.hitB * e.hitB[i]
	}
	if c.missB > 0 {
		x += c.missB * e.missB[i]
	}
	return x
}

func (e *pairEdge) largest(c tally) float64 {
	m := math.Inf(-1)
	for i := range e.logW {
		m = max(m, e.term(i, c))
	}
	return m
}

// evidence is L, the logarithm of the capital.
func (e *pairEdge) evidence(c tally) float64 {
	m := e.largest(c)
	if math.IsInf(m, -1) {
		return m
	}
	sum := 0.0
	for i := range e.logW {
		sum += math.Exp(e.term(i, c) - m)
	}
	return m + math.Log(sum)
}

// atLeast is the least number of further blocks after which the evidence can
// reach the threshold; 0 when it has.
func (e *pairEdge) atLeast(c tally, threshold float64) int64 {
	missing := threshold - e.slack - e.largest(c)
	if missing < 8*e.most {
		missing = threshold - e.evidence(c)
	}
	if missing <= 0 {
		return 0
	}
	return int64(min(math.Ceil(missing/e.most), 1e15))
}
