package verdict

import "math"

// A quotientTest tells whether the second run's quantile is below a factor
// times the first's.
type quotientTest struct {
	first, second draws
	alone         float64 // a tail that is no more is enough by itself
	both          float64 // what the sum of the normal quantiles must reach
	parts         [2]float64
}

func newQuotientTest(n, m int64, quantile, level float64) quotientTest {
	t := quotientTest{first: draws{n, quantile}, second: draws{m, quantile}, alone: level / 20, both: -normalQuantile(.9 * level)}
	t.parts[0], t.parts[1] = luck(n, m)
	return t
}

// luck is how much of a difference's luck is due to each of two runs: the
// standard deviations, which are as one over the roots of the sizes, with a
// sum of squares of 1.
func luck(n, m int64) (first, second float64) {
	return math.Sqrt(float64(m) / float64(n+m)), math.Sqrt(float64(n) / float64(n+m))
}

// sufficient is the score of a run that is so improbable that it is enough by itself.
var sufficient = math.Inf(1)

// score is a run's part in the contradiction: its tail's normal quantile.
func (t quotientTest) score(tail, part float64) float64 {
	if tail <= t.alone {
		return sufficient
	}
	return -part * normalQuantile(tail)
}

// few is the first run's part when at most a of its answers are within the
// quantile, many the second's when at least b of its answers are.
func (t quotientTest) few(a int64) float64  { return t.score(t.first.atMost(a), t.parts[0]) }
func (t quotientTest) many(b int64) float64 { return t.score(t.second.atLeast(b), t.parts[1]) }

// A counted is a histogram with the numbers up to the end of each bucket.
type counted struct {
	low, high []float64 // edges
	upTo      []int64
}

func (h Histogram) counted() counted {
	var c counted
	n := int64(0)
	for _, b := range h {
		n += b.Count
		c.low, c.high, c.upTo = append(c.low, float64(b.Low)), append(c.high, float64(b.High)), append(c.upTo, n)
	}
	return c
}

// within is how many are surely less than x, from the place where the last
// search for a smaller x ended.
func (c counted) within(x float64, from int) (n int64, place int) {
	for from < len(c.high) && c.high[from] <= x {
		from++
	}
	if from == 0 {
		return 0, 0
	}
	return c.upTo[from-1], from
}

// A cut is a value that the first run's quantile may have, and the first run's
// part in the contradiction.
type cut struct{ at, score float64 }

// cuts are those at which the first run alone does not contradict, in order.
// Within a bucket the first run has most answers at its end, and the second
// fewest at its beginning; between two buckets there is no more than that.
// Below the first bucket are no answers, and the second run can say nothing.
func (t quotientTest) cuts(first counted, count func(int64) int64) (cuts []cut, possible bool) {
	if t.few(0) < sufficient {
		return nil, false
	}
	for i, n := range first.upTo {
		if s := t.few(count(n)); s < sufficient {
			cuts = append(cuts, cut{first.low[i], s})
		}
	}
	return cuts, true
}

// below says whether the second run's quantile is below factor times the
// first's, whichever cut that is.
func (t quotientTest) below(cuts []cut, second counted, factor float64, count func(int64) int64) bool {
	b, place := int64(0), 0
	for _, c := range cuts {
		b, place = second.within(factor*c.at, place)
		switch s := t.many(count(b)); {
		case s == sufficient:
			return true // and at all later cuts, where b is larger
		case c.score+s < t.both:
			return false
		}
	}
	return true
}

func asCounted(n int64) int64 { return n }

// proves says whether below holds for the counts.
func (t quotientTest) proves(first, second counted, factor float64) bool {
	cuts, possible := t.cuts(first, asCounted)
	return possible && t.below(cuts, second, factor, asCounted)
}

// bound is the least factor for which below holds, 0 when there is none.
func (t quotientTest) bound(first, second counted) float64 {
	cuts, possible := t.cuts(first, asCounted)
	if !possible || len(second.high) == 0 {
		return 0
	}
	return leastFactor(first, second, func(factor float64) bool { return t.below(cuts, second, factor, asCounted) })
}

// leastFactor is the least factor for which what holds for all larger ones
// holds, to 1e-5; 0 when there is none.
func leastFactor(first, second counted, holds func(float64) bool) float64 {
	low := second.high[0] / first.high[len(first.high)-1] / 2
	high := 2 * second.high[len(second.high)-1] / math.Max(first.low[0], 1)
	if !holds(high) {
		return 0
	}
	for high > low*(1+1e-5) {
		if mid := math.Sqrt(low * high); holds(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	return high
}

// latencyPower says what so many latencies could have seen, if they are spread
// as those before.
func latencyPower(before, after Histogram, quantile, factor, alpha, beta float64) Power {
	n, m := before.Total(), after.Total()
	if n == 0 || m == 0 {
		return Power{}
	}
	spread := before.counted()
	// If all took longer by a factor, failing is passing with the runs exchanged.
	return Power{
		Passes:  newQuotientTest(n, m, quantile, beta).likely(spread),
		Notices: factor * newQuotientTest(m, n, quantile, alpha).likely(spread),
	}
}

// likely is the least factor for which below holds with the probability
// powerful if both runs are spread alike: where it holds for the counts of an
// unlucky first and an unlucky second run.
func (t quotientTest) likely(spread counted) float64 {
	total, z := float64(spread.upTo[len(spread.upTo)-1]), normalQuantile(powerful)
	cuts, possible := t.cuts(spread, func(n int64) int64 {
		return draws{t.first.n, float64(n) / total}.unlucky(z * t.parts[0])
	})
	if !possible {
		return 0
	}
	return leastFactor(spread, spread, func(factor float64) bool {
		return t.below(cuts, spread, factor, func(n int64) int64 {
			return draws{t.second.n, float64(n) / total}.unlucky(-z * t.parts[1])
		})
	})
}
