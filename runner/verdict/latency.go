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
// Suppose that the true quantile before is x and that after it is at least
// factor times x. Then of n answers before, those that took at most x are at
// least as many as the hits of n draws with the quantile's probability, and of
// the answers after, those that took less than factor times x are at most as
// many. Whatever the distribution of latencies, two exact binomial tails thus
// say how improbable it is that there are so few of the former, p, and so many
// of the latter, q. Passed asks that this is improbable for every x there may
// be: that p or q alone is at most beta/20, or both together at most 0.9 beta,
// by the sum of their normal quantiles, each weighted as its run's standard
// deviation (S. Stouffer and others, The American Soldier, 1949). One x is the
// true quantile, and there it happens with probability beta at most; so no
// correction for trying every x is needed. Failed is the same with the two
// runs exchanged, the factor's inverse, and alpha.
//
// A bucket counts where that is to the disadvantage: one of before's counts
// from its lower edge on, one of after's from its upper edge on.
//
// The intervals of the two sides are the usual ones, from order statistics:
// the latencies of two ranks between which the quantile lies with probability
// 1 - beta. Dividing their ends would bound the quotient too, and for runs of
// like size take up to twice as many answers.
//
// # What it asks of the runs
//
// Latencies must be independent draws. Successive answers often are not: a
// pause of the garbage collector, a busy neighbour or a full queue slows many
// in a row, and then n answers are worth far fewer. Nothing in two histograms
// tells. In simulations at beta = 0.01 with an autocorrelation of 0.5, 0.9 and
// 0.98 from one answer to the next, this rule passed wrongly in 1, 14 and
// 33 % of the runs. Take few requests at a time, spread out; compare runs
// of the same length at the same load; and take a failure or a pass near the
// edge for a reason to look again, not for proof.
//
// The number of answers must not depend on the latencies. Runs that were
// stopped by the verdict on their shares do well: where answers go says little
// about how long they take.
//
// Only answers that came are timed. A mesh that drops its slow answers has
// better latencies and more errors: compare those too.
func CompareLatency(before, after Histogram, quantile, factor, alpha, beta float64) (Comparison, error) {
	if ps := incomparableLatency(before, after, quantile, factor, alpha, beta); len(ps) > 0 {
		return Comparison{}, Problems(ps)
	}
	c := Comparison{Alpha: alpha, Beta: beta}
	a, b := before.bounds(quantile, beta/2), after.bounds(quantile, beta/2)
	row := Change{Name: quantileName(quantile), Allowed: factor, Before: a.side(), After: b.side(), Got: quotient(b.got, a.got)}
	n, m, first, second := before.Total(), after.Total(), before.counted(), after.counted()
	row.High = newQuotientTest(n, m, quantile, beta).bound(first, second)
	if most := newQuotientTest(m, n, quantile, beta).bound(second, first); most > 0 {
		row.Low = 1 / most
	}
	switch {
	case newQuotientTest(n, m, quantile, beta).proves(first, second, factor):
		c.State = Passed
	case newQuotientTest(m, n, quantile, alpha).proves(second, first, 1/factor):
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

// ranks are the greatest rank whose latency is above the true quantile with a
// probability of at most miss, and the least whose latency is below it; 0 and
// n+1 when there is none. Of n latencies those at or below the quantile are a
// binomial count.
func ranks(n int64, quantile, miss float64) (lower, upper int64) {
	b := draws{n, quantile}
	lower = b.quantile(miss)
	if b.atMost(lower) <= miss {
		lower++
	}
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

func incomparableLatency(before, after Histogram, quantile, factor, alpha, beta float64) (ps []Problem) {
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
