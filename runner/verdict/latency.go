package verdict

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// CompareLatency says whether a quantile of the latency grew by the factor or
// more between two runs: quantile .99 and factor 1.2 ask whether the 99th
// percentile is less than 20 % above what it was. The error is Problems.
//
//   - Passed: it is. Wrong with probability at most beta.
//   - Failed: it grew by more. Wrong with probability at most alpha.
//   - Undecided: the runs are too short to tell; Power says what they could.
//
// # The rule
//
// Of n latencies put in order, the number that lie at or below the true
// quantile q is a binomial count: n draws with probability q. So the latency of
// rank l is at or below the true quantile except with probability
// P(count < l), and that of rank u at or above it except with P(count >= u).
// The greatest l and the least u for which these are at most beta/2 are exact,
// whatever the distribution of latencies. Passed asks that after's rank u is
// below the factor times before's rank l, at beta/2 each; failed that after's
// rank l is above the factor times before's rank u, at alpha/2 each. A bucket
// stands for its upper edge where the latency must be at most something, and
// for its lower edge where it must be at least something.
//
// # What it asks of the runs
//
// Latencies must be independent draws. Successive answers often are not: a
// pause of the garbage collector, a busy neighbour or a full queue slows many
// in a row, and then n answers are worth far fewer. Nothing in two histograms
// tells. In simulations at beta = 0.01 with an autocorrelation of 0.5, 0.9 and
// 0.98 from one answer to the next, this rule passed wrongly in 0.6, 15 and
// 35 % of the runs. Take few requests at a time, spread out; compare runs
// of the same length at the same load; and take a failure or a pass near the
// edge for a reason to look again, not for proof.
//
// The number of answers must not depend on the latencies. Runs that were
// stopped by the verdict on their shares do well: where answers go says little
// about how long they take, and the ranks hold for any n fixed by other things.
//
// Only answers that came are timed. A mesh that drops its slow answers has
// better latencies and more errors: compare those too.
func CompareLatency(before, after Histogram, quantile, factor, alpha, beta float64) (Comparison, error) {
	if ps := comparableLatency(before, after, quantile, factor, alpha, beta); len(ps) > 0 {
		return Comparison{}, Problems(ps)
	}
	c := Comparison{Alpha: alpha, Beta: beta}
	a, b := before.bounds(quantile, beta/2), after.bounds(quantile, beta/2)
	row := Change{Name: quantileName(quantile), Allowed: factor, Before: a.side(), After: b.side()}
	row.Got = quotient(b.got, a.got)
	row.Low, row.High = quotient(b.low, a.high), quotient(b.high, a.low)
	af, bf := before.bounds(quantile, alpha/2), after.bounds(quantile, alpha/2)
	switch {
	case row.High > 0 && row.High <= factor:
		c.State = Passed
	case quotient(bf.low, af.high) >= factor:
		c.State = Failed
	}
	row.State = c.State
	c.Changes = []Change{row}
	c.Power = latencyPower(before, after, quantile, factor, alpha, beta)
	c.Power.Within = row.High
	c.Reason = c.latencyReason()
	return c, nil
}

// A spread is a quantile with its bounds. high 0: no bound is known.
type spread struct {
	n              int64
	got, low, high time.Duration
}

func (s spread) side() Side {
	return Side{Count: s.n, N: s.n, Got: s.got.Seconds(), Low: s.low.Seconds(), High: s.high.Seconds()}
}

// bounds are those of the quantile with error probability miss on each side.
func (h Histogram) bounds(quantile, miss float64) spread {
	n := h.Total()
	s := spread{n: n}
	if n == 0 {
		return s
	}
	middle := h.rank(int64(math.Ceil(quantile * float64(n))))
	s.got = middle.Low + (middle.High-middle.Low)/2
	lower, upper := ranks(n, quantile, miss)
	if lower >= 1 {
		s.low = h.rank(lower).Low
	}
	if upper <= n {
		s.high = h.rank(upper).High
	}
	return s
}

// ranks are the greatest rank that is above the true quantile with a
// probability of at most miss, and the least that is below it; 0 and n+1 when
// there is none.
func ranks(n int64, quantile, miss float64) (lower, upper int64) {
	b := draws{n, quantile}
	lower = b.quantile(miss) // the least k with atMost(k) >= miss
	if b.atMost(lower) <= miss {
		lower++
	}
	// atLeast(i) <= miss: search, for it falls with i.
	low, high := int64(0), n+1
	for low+1 < high {
		if mid := low + (high-low)/2; b.atLeast(mid) <= miss {
			high = mid
		} else {
			low = mid
		}
	}
	return lower, high
}

// quotient is b/a, or 0 when one of them is not known.
func quotient(b, a time.Duration) float64 {
	if a <= 0 || b <= 0 {
		return 0
	}
	return float64(b) / float64(a)
}

// latencyPower says what so many latencies could have seen, if they are spread
// as those before. Nine times in ten: each of two bounds holds 19 times in 20.
func latencyPower(before, after Histogram, quantile, factor, alpha, beta float64) Power {
	miss := (1 - powerful) / 2
	// If nothing changed, after's answers are spread as before's.
	low, _ := reach(before.Total(), quantile, beta/2, miss)
	_, high := reach(after.Total(), quantile, beta/2, miss)
	p := Power{Passes: quotient(before.at(high).High, before.at(low).Low)}
	// If all took longer by a factor, after's are that factor times before's.
	low, _ = reach(after.Total(), quantile, alpha/2, miss)
	_, high = reach(before.Total(), quantile, alpha/2, miss)
	p.Notices = factor * quotient(before.at(high).High, before.at(low).Low)
	return p
}

// at is the bucket that the fraction of all latencies ends in; none for a
// fraction that is not between 0 and 1.
func (h Histogram) at(fraction float64) Bucket {
	if !(fraction >= 0 && fraction <= 1) {
		return Bucket{}
	}
	return h.rank(max(1, int64(math.Ceil(fraction*float64(h.Total())))))
}

// reach are two fractions of the true distribution: the lower bound's rank lies
// above the one, and the upper bound's below the other, each with probability
// 1 - miss. Below 0 and above 1 when there is no such rank.
func reach(n int64, quantile, level, miss float64) (low, high float64) {
	lower, upper := ranks(n, quantile, level)
	low, high = -1, 2
	if lower >= 1 {
		low = solve(func(f float64) bool { return draws{n, f}.atLeast(lower) <= miss })
	}
	if upper <= n {
		high = solve(func(f float64) bool { return draws{n, f}.atLeast(upper) < 1-miss })
	}
	return low, high
}

// solve is the greatest fraction for which the condition holds; it holds from 0 on.
func solve(holds func(float64) bool) float64 {
	low, high := 0., 1.
	for range 50 {
		if mid := (low + high) / 2; holds(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// quantileName is "p99", "p99.9", "p50".
func quantileName(q float64) string { return "p" + number(100*q) }

func (c *Comparison) latencyReason() string {
	r := c.Changes[0]
	if s := nothing("timed", r.Before.N, r.After.N); s != "" {
		return s
	}
	of := fmt.Sprintf("(%s before, %s after; %s and %s answers)", seconds(r.Before.Got), seconds(r.After.Got), grouped(r.Before.N), grouped(r.After.N))
	switch c.State {
	case Passed:
		return fmt.Sprintf("%s is at most %s times what it was, within %s %s", r.Name, times(r.High), times(r.Allowed), of)
	case Failed:
		return fmt.Sprintf("%s is more than %s times what it was %s", r.Name, times(r.Allowed), of)
	}
	s := "not decided " + of + ": "
	if r.High > 0 {
		s += fmt.Sprintf("%s may be up to %s times what it was", r.Name, times(r.High))
	} else {
		s += "too few answers to bound " + r.Name
	}
	if p := c.Power; p.Passes > 0 {
		s += fmt.Sprintf("; if nothing changed, so many answers would confirm %s", times(p.Passes))
		if p.Notices > 0 {
			s += fmt.Sprintf(", and %s times what it was, or more, would have been noticed", times(p.Notices))
		}
	}
	return s
}

// times writes a factor, rounded up so that what is said is not too much.
func times(x float64) string {
	return strconv.FormatFloat(math.Ceil(100*x-1e-9)/100, 'g', -1, 64)
}

// seconds writes a time with three figures: 0.0123 is "12.3 ms".
func seconds(x float64) string {
	unit, name := 1., "s"
	switch {
	case x < 1e-3:
		unit, name = 1e6, "µs"
	case x < 1:
		unit, name = 1e3, "ms"
	}
	return fmt.Sprintf("%.3g %s", x*unit, name)
}

func comparableLatency(before, after Histogram, quantile, factor, alpha, beta float64) (ps []Problem) {
	for _, side := range []struct {
		name string
		h    Histogram
	}{{"before", before}, {"after", after}} {
		if err := side.h.Validate(); err != nil {
			ps = append(ps, Problem{side.name, err.Error(), ""})
		}
	}
	if !(quantile > 0 && quantile < 1) {
		ps = append(ps, Problem{"", fmt.Sprintf("quantile %g is not between 0 and 1", quantile), "for example 0.99"})
	}
	if !(factor > 0) || math.IsInf(factor, 1) {
		ps = append(ps, Problem{"", fmt.Sprintf("a factor of %g cannot be judged", factor), "for example 1.2 for 20 % slower"})
	}
	return append(ps, Claim{Alpha: alpha, Beta: beta}.validateLevels()...)
}
