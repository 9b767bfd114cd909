package verdict

import "math"

// A pass bet may be left unlooked at for a while, and is then compared with a
// lower threshold.
//
// A claim with several edges passes when the last of them is confirmed, so that
// an edge is confirmed early is worth nothing. If the capital M is not looked at
// before answer m, and from then on compared with c, then the probability that
// it ever reaches c although the share is at the edge e is at most
//
//	E_e[ min(1, M_m/c) ] = P_e(M_m >= c) + P_Q(M_m < c)/c,
//
// by Ville's inequality from m on (Q is the mixture that the bet is on: M_m is
// its likelihood over that of e, which turns one sum into the other). Both terms
// are sums of binomial probabilities; c is chosen so that they make beta. It
// lies below 1/beta, and a mesh that is right passes earlier: by 2 % with two
// outcomes, 4 % with three, 7 % with ten; one that is half a tolerance off, too.
//
// What Ville's inequality grants stays: M_m falls when the share rises (for an
// upper edge), so that shares beyond the edge, constant or drifting there, only
// make the number smaller; and so does looking more seldom.
//
// On e-processes as tests and on what a statistic that is looked at from m on
// may claim: A. Ramdas, P. Grünwald, V. Vovk, G. Shafer, Game-theoretic
// statistics and safe anytime-valid inference, Stat. Sci. 38, 2023; H. Robbins,
// D. Siegmund, Boundary crossing probabilities, Ann. Math. Stat. 41, 1970.

const (
	// longestDelay bounds the work of New; claims that need more answers than
	// this are judged without a delay.
	longestDelay = 1_000_000
	// roundingGuard is kept of every probability in delayed, whose sums of a few
	// thousand terms are good to 1e-9.
	roundingGuard = 1e-6
)

// delayFor is how many answers the pass side of the claim may be left unlooked
// at: somewhat less than Wald's bound where one edge decides, somewhat more
// where several are about as near (a fit to simulations). 0: no share has an
// edge, or one so near that the work would be too much.
func (t *Test) delayFor() int64 {
	least, near := t.nearest()
	if math.IsInf(least, 1) {
		return 0
	}
	m := (.7 + .27*math.Log(near)) * t.logPass / least
	if m > longestDelay {
		return 0
	}
	return int64(m)
}

// nearest is the divergence of a share wanted from its nearest edge, and about
// how many edges are as near as that, at least 1.
func (t *Test) nearest() (least, near float64) {
	least = math.Inf(1)
	for i := range t.pass {
		if w := t.want(t.pass[i].category); w > 0 {
			least = math.Min(least, divergence(w, t.pass[i].at))
		}
	}
	between := 0
	for _, s := range t.claim.Shares {
		if s.Want > 0 && s.Want < 1 {
			between++
		}
	}
	for i := range t.pass {
		if w := t.want(t.pass[i].category); w > 0 {
			near += math.Pow(least/divergence(w, t.pass[i].at), 4)
		}
	}
	if between == 2 {
		near /= 2 // each share is the other's mirror
	}
	return least, math.Max(1, near)
}

// delay leaves the pass edge unlooked at before m and lowers its threshold.
func (e *edge) delay(m int64, want, beta float64) {
	// A bet of one component is on "never": m cannot be better than its own
	// number. And where an edge is so far off that it is confirmed long before
	// m, there is nothing to gain.
	if m == 0 || len(e.logW) == 1 || float64(m)*divergence(want, e.at) > 50 {
		return
	}
	e.from = m
	e.threshold = math.Min(e.threshold, math.Log(e.delayed(m, want, beta)))
}

// delayed is the c of above for a delay of m answers. It adds up from the most
// favourable counts on, those of the fewest losers (hits of an upper edge,
// misses of a lower one), as long as their capital is at least c.
func (e *edge) delayed(m int64, want, beta float64) float64 {
	n, lose := float64(m), func(q float64) float64 { return q }
	if !e.upper {
		lose = func(q float64) float64 { return 1 - q }
	}
	p, at := lose(want), lose(e.at)
	x := math.Max(0, math.Floor(n*p-10*math.Sqrt(n*p*(1-p))-10))
	hits, misses := x, n-x
	if !e.upper {
		hits, misses = misses, hits
	}
	null, nullOdds := draws{m, at}.mass(int64(x)), at/(1-at)
	likely, odds := make([]float64, len(e.logW)), make([]float64, len(e.logW))
	for i := range likely {
		likely[i] = null * math.Exp(e.term(i, hits, misses))
		q := lose(e.at * math.Exp(e.hit[i]))
		odds[i] = q / (1 - q)
	}
	reached, rest := 0.0, 1+roundingGuard // P_e(M >= c), P_Q(M < c)
	if x > 0 {
		reached = math.Exp(-n * divergence(x/n, at)) // Chernoff's bound for fewer than x
	}
	c := rest / (beta*(1-roundingGuard) - reached)
	for ; x <= n; x++ {
		mixture := 0.0
		for _, l := range likely {
			mixture += l
		}
		if mixture < c*null {
			break
		}
		reached, rest = reached+null, math.Max(rest-mixture, roundingGuard)
		c = rest / (beta*(1-roundingGuard) - reached)
		step := (n - x) / (x + 1)
		null *= step * nullOdds
		for i := range likely {
			likely[i] *= step * odds[i]
		}
	}
	return c
}
