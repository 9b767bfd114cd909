package verdict

import "math"

// An edge is one bet at one edge of one box: the logarithm of a mixture of
// likelihood ratios,
//
//	L(S, F) = log sum_i w_i (q_i/e)^S ((1-q_i)/(1-e))^F,
//
// S hits and F misses so far. It depends on the counts alone, so counts of
// several samplers may be added.
//
// Under a true share theta the factor of component i has the mean
// 1 + (theta-e)(q_i-e)/(e(1-e)), which is at most 1 when theta and q_i lie on
// different sides of e: exp L is a nonnegative supermartingale under every
// share that the bet is against, also when that share drifts on its side.
type edge struct {
	category int // index into the shares, or the errors' category
	at       float64
	upper    bool      // the box lies below the edge
	above    bool      // the bet is on shares above the edge
	gap      float64   // how far the share wanted is from the edge
	logW     []float64 // log weight
	hit      []float64 // log(q/e): gain of a hit
	miss     []float64 // log((1-q)/(1-e)): gain of a miss
	slack    float64   // log(len(logW)): the sum is at most its largest term plus this
	most     float64   // the most that one answer can add
	from     int64     // is not looked at before this many answers

	threshold float64 // the evidence that tells
}

// The pass side bets on shares between the one wanted and the edge: mostly on
// the share wanted itself, and with less on such as are a quarter, a half and
// three quarters on the way to the edge, or a mesh that is a little off (and
// allowed to be) would take very long. The last three bets are small change
// for truths close to an edge, that no number of answers would tell otherwise;
// they cost half a per cent more answers where the mesh is right. Of what is
// wanted at 0 a little often comes (few meshes are without any error), so less
// is bet on none at all.
var (
	passReach  = []float64{1, .75, .5, .25, 1. / 8, 1. / 16, 1. / 32}
	passWeight = []float64{.65, .16, .1, .06, .02, .01, .005}
	zeroWeight = []float64{.5, .25, .15, .1, .02, .01, .005}
)

func newPassEdge(category int, want, at float64, upper bool) edge {
	q := make([]float64, len(passReach))
	for i, r := range passReach {
		q[i] = at + r*(want-at)
	}
	q[0] = want // exactly: at+(want-at) may miss 0
	weight := passWeight
	if want == 0 {
		weight = zeroWeight
	}
	return newEdge(category, at, upper, math.Abs(want-at), q, weight)
}

// newNeverEdge is the pass side of "never": one component, all misses.
func newNeverEdge(category int, resolution float64) edge {
	return newEdge(category, resolution, true, resolution, []float64{0}, []float64{1})
}

// The fail side bets on shares beyond the edge: at half the gap, the gap, two
// gaps and so on (how far off the mesh is, is not known), with a little on an
// outright wrong one near the end of the scale, and with a little on such as
// are just beyond the edge.
func newFailEdge(category int, want, at float64, upper bool) edge {
	gap, limit, sign := math.Abs(want-at), at, -1.0
	if upper {
		limit, sign = 1-at, 1
	}
	first := []float64{.25, .35, .2, .1, .05, .025}
	var q, w []float64
	weight := 0.0
	for i, x := 0, gap/2; x < .9*limit && i < 18; i, x = i+1, 2*x {
		if i < len(first) {
			weight = first[i]
		} else {
			weight /= 2
		}
		q, w = append(q, at+sign*x), append(w, weight)
	}
	q, w = append(q, at+sign*.95*limit), append(w, .05)
	for i, x := range []float64{gap / 4, gap / 8, gap / 16, gap / 32} {
		if x < .9*limit {
			q, w = append(q, at+sign*x), append(w, []float64{.04, .02, .01, .005}[i])
		}
	}
	return newEdge(category, at, upper, gap, q, w)
}

func newEdge(category int, at float64, upper bool, gap float64, q, w []float64) edge {
	e := edge{category: category, at: at, upper: upper, above: q[0] > at, gap: gap, slack: math.Log(float64(len(q)))}
	total := 0.0
	for _, x := range w {
		total += x
	}
	for i := range q {
		e.logW = append(e.logW, math.Log(w[i]/total))
		e.hit = append(e.hit, math.Log(q[i])-math.Log(at))
		e.miss = append(e.miss, math.Log1p(-q[i])-math.Log1p(-at))
		e.most = max(e.most, e.hit[i], e.miss[i])
	}
	return e
}

// term is component i's logarithm. 0 hits of a component that excludes hits
// are no evidence against it: 0 * -Inf counts as 0.
func (e *edge) term(i int, hits, misses float64) float64 {
	x := e.logW[i]
	if hits > 0 {
		x += hits * e.hit[i]
	}
	if misses > 0 {
		x += misses * e.miss[i]
	}
	return x
}

// bound is at least the evidence, without exponentials: a mixture is at most
// its greatest likelihood ratio, and at most its largest term times their number.
func (e *edge) bound(hits, misses float64) float64 {
	ratio, largest := math.Inf(-1), math.Inf(-1)
	for i, w := range e.logW {
		x := e.term(i, hits, misses)
		largest, ratio = max(largest, x), max(ratio, x-w)
	}
	return min(ratio, largest+e.slack)
}

// evidence is L: the logarithm of the bet's capital.
func (e *edge) evidence(hits, misses float64) float64 {
	m := math.Inf(-1)
	for i := range e.logW {
		m = max(m, e.term(i, hits, misses))
	}
	if math.IsInf(m, -1) {
		return m
	}
	sum := 0.0
	for i := range e.logW {
		sum += math.Exp(e.term(i, hits, misses) - m)
	}
	return m + math.Log(sum)
}

// atLeast is the least number of further answers, or fewer, after which the
// evidence can reach the threshold, whatever they are; 0 when it has reached
// it. The exponentials are only needed near it.
func (e *edge) atLeast(hits, misses, threshold float64) int64 {
	if n := int64(hits + misses); n < e.from {
		return e.from - n
	}
	// As long as the counts are on the side that the bet is against, the edge
	// is likelier than all that the bet is on: the evidence is at most 0.
	if a := e.astray(hits, misses); a >= 0 && threshold > 0 {
		return whole(math.Floor(a) + math.Ceil(threshold/e.most))
	}
	missing := threshold - e.bound(hits, misses)
	if missing < e.most {
		missing = threshold - e.evidence(hits, misses)
	}
	if missing <= 0 {
		return 0
	}
	return whole(math.Ceil(missing / e.most))
}

// astray is how many answers, all in favour of the bet, bring the counts to
// the edge; negative when they lie on the side that the bet is on.
func (e *edge) astray(hits, misses float64) float64 {
	behind := hits - e.at*(hits+misses)
	if e.above {
		return -behind / (1 - e.at)
	}
	return behind / e.at
}

func whole(answers float64) int64 { return int64(min(answers, 1e15)) }

// beyond says whether the counts lie outside the edge.
func (e *edge) beyond(hits, n float64) bool {
	if e.upper {
		return hits > e.at*n
	}
	return hits < e.at*n
}

// growth is the evidence that an answer adds on average when the share is p:
// the best component's, for in the long run it rules the mixture.
func (e *edge) growth(p float64) float64 {
	best := math.Inf(-1)
	for i := range e.logW {
		g := 0.0
		if p > 0 {
			g += p * e.hit[i]
		}
		if p < 1 {
			g += (1 - p) * e.miss[i]
		}
		best = math.Max(best, g)
	}
	return best
}
