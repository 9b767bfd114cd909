package verdict

import "math"

// powerful is the probability with which Power says that something is seen.
const powerful = .9

// rowsPower says what so many answers could have seen.
//
// It asks what two runs of these sizes would say that had bad luck: counts
// that lie as far off in the unwelcome direction as they do once in ten times,
// or, where several bounds must hold at once, so rarely that all of them
// together are missed once in ten times.
func rowsPower(rows []row, alpha, beta float64, from int64) Power {
	var p Power
	sides := 0 // bounds that luck can spoil
	for _, r := range rows {
		switch {
		case r.oneSided:
			sides++
		case !r.hidden:
			sides += 2
		}
	}
	threshold := math.Log(float64(len(rows))) - math.Log(alpha)
	none := false
	for i := range rows {
		r := &rows[i]
		p.Within = math.Max(p.Within, r.most())
		p.Passes = math.Max(p.Passes, r.passes(beta, (1-powerful)/float64(sides)))
		if r.hidden {
			continue
		}
		if min(r.before.n, r.after.n) < from {
			none = true
			continue
		}
		notices := r.notices(threshold)
		none = none || notices == 0
		p.Notices = math.Max(p.Notices, notices)
	}
	if none {
		p.Notices = 0
	}
	return p
}

// passes is the least tolerance that the row would have passed with probability
// 1 - miss on each side if its share was the same in both runs.
func (r *row) passes(beta, miss float64) float64 {
	if r.before.n == 0 || r.after.n == 0 {
		return 1
	}
	p := float64(r.before.least+r.after.least) / float64(r.before.n+r.after.n)
	z := normalQuantile(1 - miss)
	most := math.Max(0, r.unlucky(p, p, z).high(beta))
	if !r.oneSided {
		most = math.Max(most, -r.unlucky(p, p, -z).low(beta))
	}
	return most
}

// notices is the least change, up or down from the share seen before, that the
// row would have failed with the probability powerful, and each larger one
// with it; 0 when there is none. A share of 10 % cannot fall by more than 10
// points: where no fall is noticed, what is noticed begins above that.
func (r *row) notices(threshold float64) float64 {
	allowed := r.Allowed
	p, z := r.Before.Got, normalQuantile(powerful)
	from := func(room, sign float64) float64 { // the least change noticed in one direction
		if room <= allowed {
			return 0 // there is no change to notice
		}
		least := leastTrue(allowed, room, func(d float64) bool {
			return r.unlucky(p, p+sign*d, -sign*z).beyond(-allowed, allowed) >= threshold
		})
		if least == 0 {
			return math.Nextafter(room, 2)
		}
		return least
	}
	most := from(1-p, 1)
	room := 1 - p
	if !r.oneSided {
		most = math.Max(most, from(p, -1))
		room = math.Max(room, p)
	}
	if most > room {
		return 0
	}
	return most
}

// leastTrue is about the least x from low to high for which the condition,
// once true, stays true; 0 when it is not true at high.
func leastTrue(low, high float64, condition func(float64) bool) float64 {
	if high <= low || !condition(high) {
		return 0
	}
	for range 24 {
		if mid := (low + high) / 2; condition(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// unlucky is what runs of these sizes would say of shares p before and q after
// if by bad luck the difference came out z standard deviations too large. Both
// runs have their part in that luck, by their variances.
func (r *row) unlucky(p, q, z float64) gap {
	nA, nB := r.before.n, r.after.n
	a, b := p*(1-p)/float64(nA), q*(1-q)/float64(nB)
	za, zb := 0., 0.
	if a+b > 0 {
		za, zb = -z*math.Sqrt(a/(a+b)), z*math.Sqrt(b/(a+b))
	}
	return newGap(r.before, r.after, draws{nA, p}.unlucky(za), draws{nB, q}.unlucky(zb))
}

// unlucky is the number of hits that is z standard deviations of luck away: the
// quantile with the probability that z has for a normal distribution.
func (b draws) unlucky(z float64) int64 {
	mean, variance := float64(b.n)*b.p, float64(b.n)*b.p*(1-b.p)
	if variance > 1000 { // there is no difference to speak of
		return min(max(int64(math.Round(mean+z*math.Sqrt(variance))), 0), b.n)
	}
	return b.quantile(normal(z))
}

// normal is the distribution function of the standard normal distribution.
func normal(z float64) float64 { return .5 * math.Erfc(-z/math.Sqrt2) }

func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
