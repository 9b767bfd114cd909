package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// The tails agree with exact fractions.
func TestBinomialIsExact(t *testing.T) {
	for _, tt := range []struct {
		n        int64
		num, den int64 // p
	}{{1, 1, 2}, {7, 9, 10}, {40, 1, 100}, {60, 99, 100}, {150, 1, 2}} {
		p := big.NewRat(tt.num, tt.den)
		q := new(big.Rat).Sub(big.NewRat(1, 1), p)
		power := func(x *big.Rat, k int64) *big.Rat {
			e := big.NewInt(k)
			return new(big.Rat).SetFrac(new(big.Int).Exp(x.Num(), e, nil), new(big.Int).Exp(x.Denom(), e, nil))
		}
		b := draws{tt.n, float64(tt.num) / float64(tt.den)}
		sum := new(big.Rat)
		for k := int64(0); k <= tt.n; k++ {
			above, _ := new(big.Rat).Sub(big.NewRat(1, 1), sum).Float64()
			mass := new(big.Rat).SetInt(new(big.Int).Binomial(tt.n, k))
			mass.Mul(mass, power(p, k)).Mul(mass, power(q, tt.n-k))
			sum.Add(sum, mass)
			below, _ := sum.Float64()
			for _, x := range []struct {
				what      string
				got, want float64
			}{{"at most", b.atMost(k), below}, {"at least", b.atLeast(k), above}} {
				if math.Abs(x.got-x.want) > 1e-11*x.want {
					t.Errorf("n %d, p %g: %s %d: got %.17g, want %.17g", tt.n, b.p, x.what, k, x.got, x.want)
				}
			}
		}
	}
}

// For large n the masses still sum to 1, and the tails meet.
func TestBinomialIsStable(t *testing.T) {
	for _, b := range []draws{{1e5, .5}, {1e7, .5}, {1e7, .99}, {1e7, .0001}} {
		mean, deviation := float64(b.n)*b.p, math.Sqrt(float64(b.n)*b.p*(1-b.p))
		sum, last := 0.0, 0.0
		for k := int64(mean - 9*deviation); k <= int64(mean+9*deviation); k++ {
			sum += b.mass(k)
		}
		if math.Abs(sum-1) > 1e-10 {
			t.Errorf("%+v: the masses sum to 1%+g", b, sum-1)
		}
		for _, z := range []float64{-8, -6, -3, -1, -.01, 0, .01, 1, 3, 6, 8} {
			k := int64(math.Round(mean + z*deviation))
			at, over := b.atMost(k), b.atLeast(k+1)
			if math.Abs(at+over-1) > 1e-10 || at < last {
				t.Errorf("%+v at %d: %g + %g, after %g", b, k, at, over, last)
			}
			last = at
			if want := normal((float64(k) + .5 - mean) / deviation); math.Abs(z) < 4 && math.Abs(at-want) > 3/deviation {
				t.Errorf("%+v at %d: %g, a normal distribution has %g", b, k, at, want)
			}
		}
	}
	// Far out the terms fall like a geometric series.
	b, k := draws{1e7, .5}, int64(4.96e6)
	ratio := float64(k) / float64(b.n-k)
	if got, want := b.atMost(k), b.mass(k)/(1-ratio); !(got > 0 && got < 1e-130) || math.Abs(got/want-1) > .01 {
		t.Errorf("far out: %g, want about %g", got, want)
	}
}

// The ranks are the greatest and the least that the level allows.
func TestRanks(t *testing.T) {
	for _, n := range []int64{0, 1, 10, 100, 459, 5000} {
		for _, quantile := range []float64{.01, .5, .9, .99} {
			for _, miss := range []float64{.005, .05} {
				b := draws{n, quantile}
				lower, upper := int64(0), n+1
				for i := int64(1); i <= n; i++ {
					if b.atMost(i-1) <= miss {
						lower = i
					}
					if b.atLeast(i) <= miss {
						upper = min(upper, i)
					}
				}
				if l, u := ranks(n, quantile, miss); l != lower || u != upper {
					t.Errorf("p%g of %d at %g: ranks %d and %d, want %d and %d", 100*quantile, n, miss, l, u, lower, upper)
				}
			}
		}
	}
	// The largest of 459 is above the 99th percentile with 99 %.
	if _, u := ranks(458, .99, .01); u != 459 {
		t.Errorf("458 latencies bound p99 by rank %d", u)
	}
	if _, u := ranks(459, .99, .01); u != 459 {
		t.Errorf("459 latencies bound p99 by rank %d", u)
	}
}

// histogram counts latencies in buckets about 1 % wide, as samples do.
func histogram(latencies []float64) Histogram {
	counts := map[int]int64{}
	for _, x := range latencies {
		counts[int(math.Floor(math.Log(x)/.01))]++
	}
	var h Histogram
	for i, n := range counts {
		edge := func(i int) time.Duration { return time.Duration(math.Round(1e7 * math.Exp(.01*float64(i)))) }
		h = append(h, Bucket{edge(i), edge(i + 1), n})
	}
	slices.SortFunc(h, func(a, b Bucket) int { return int(a.Low - b.Low) })
	return h
}

// lognormal is n latencies with the median at factor; rho is how much each
// resembles the one before.
func lognormal(r *rand.Rand, n int, factor, rho float64) []float64 {
	s, z := make([]float64, n), r.NormFloat64()
	for i := range s {
		s[i] = factor * math.Exp(.5*z)
		z = rho*z + math.Sqrt(1-rho*rho)*r.NormFloat64()
	}
	return s
}

func compareLatency(t testing.TB, a, b Histogram, quantile, factor, level float64) Comparison {
	t.Helper()
	c, err := CompareLatency(a, b, quantile, factor, level, level)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// latencyState compares without bounds and power, which take longest.
func latencyState(a, b Histogram, quantile, factor, level float64) State {
	n, m, first, second := a.Total(), b.Total(), a.counted(), b.counted()
	switch {
	case newQuotientTest(n, m, quantile, level).proves(first, second, factor):
		return Passed
	case newQuotientTest(m, n, quantile, level).proves(second, first, 1/factor):
		return Failed
	}
	return Undecided
}

// At a change of just the factor the wrong verdicts are as rare as asked, if
// latencies are independent. They are not if latencies resemble the ones
// before: that is why the docs say so.
func TestCompareLatencyHolds(t *testing.T) {
	const level, factor = .1, 1.2
	for i, tt := range []struct {
		quantile, rho float64
		n, runs       int
		holds         bool
	}{{.5, 0, 400, 1500, true}, {.9, 0, 1000, 700, true}, {.99, 0, 1500, 500, true}, {.9, .9, 2000, 150, false}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 41))
			runs, passed, failed := scale(tt.runs), 0, 0
			for range runs {
				a, b := histogram(lognormal(r, tt.n, 1, tt.rho)), histogram(lognormal(r, tt.n, factor, tt.rho))
				switch latencyState(a, b, tt.quantile, factor, level) {
				case Passed:
					passed++
				case Failed:
					failed++
				}
			}
			t.Logf("passed %d, failed %d of %d", passed, failed, runs)
			wrong := exceeds(passed, runs, level) || exceeds(failed, runs, level)
			if wrong && tt.holds {
				t.Errorf("passed %d, failed %d of %d", passed, failed, runs)
			}
			if !wrong && !tt.holds && !raceEnabled && !testing.Short() {
				t.Errorf("latencies that depend on each other do no harm: passed %d, failed %d of %d", passed, failed, runs)
			}
		})
	}
}

// What Power says of latencies is so.
func TestLatencyPower(t *testing.T) {
	const factor, level, n = 1.2, .01, 4000
	long := !raceEnabled && !testing.Short()
	r := rand.New(rand.NewPCG(2, 41))
	base := histogram(lognormal(r, 20000, 1, 0))
	for i := range base {
		base[i].Count = max(base[i].Count/5, 1) // as smooth as of 20,000, as many as n
	}
	p := compareLatency(t, base, base, .9, factor, level).Power
	t.Logf("%+v", p)
	rate := func(times, factor float64, want State) float64 {
		hits, runs := 0, scale(200)
		for range runs {
			a, b := histogram(lognormal(r, n, 1, 0)), histogram(lognormal(r, n, times, 0))
			if latencyState(a, b, .9, factor, level) == want {
				hits++
			}
		}
		return float64(hits) / float64(runs)
	}
	for _, tt := range []struct {
		what           string
		got, low, high float64
	}{
		{"passes where nothing changed", rate(1, p.Passes, Passed), .87, 1},
		{"passes with half of that", rate(1, 1+(p.Passes-1)/2, Passed), 0, .6},
		{"fails at the change", rate(p.Notices, factor, Failed), .87, 1},
		{"fails half way there", rate((factor+p.Notices)/2, factor, Failed), 0, .6},
	} {
		t.Logf("%s: %.3f", tt.what, tt.got)
		if long && (tt.got < tt.low || tt.got > tt.high) {
			t.Errorf("%s: in %.3f of the runs, want from %g to %g", tt.what, tt.got, tt.low, tt.high)
		}
	}
}

// flat has n latencies spread evenly from low to high milliseconds.
func flat(low, high int, n int64) Histogram {
	var h Histogram
	for i := low; i < high; i++ {
		h = append(h, Bucket{time.Duration(i) * time.Millisecond, time.Duration(i+1) * time.Millisecond, n / int64(high-low)})
	}
	return h
}

// The bounds are where the verdict turns, and the other way round is the inverse.
func TestLatencyBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 41))
	for range scale(30) {
		n, m := 200+r.IntN(3000), 200+r.IntN(3000)
		a, b := histogram(lognormal(r, n, 1, 0)), histogram(lognormal(r, m, math.Exp(r.NormFloat64()), 0))
		const level = .01
		c, back := compareLatency(t, a, b, .9, 1, level), compareLatency(t, b, a, .9, 1, level)
		x, y := c.Changes[0], back.Changes[0]
		if !(0 < x.Low && x.Low < x.Got && x.Got < x.High) || x.Before.Low > x.Before.Got || x.After.High < x.After.Got {
			t.Fatalf("%+v", x)
		}
		if math.Abs(x.Low*y.High-1) > 1e-9 || math.Abs(x.High*y.Low-1) > 1e-9 {
			t.Fatalf("%+v, and the other way %+v", x, y)
		}
		for _, tt := range []struct {
			factor float64
			want   State
		}{{1.0001 * x.High, Passed}, {.999 * x.High, Undecided}, {1.001 * x.Low, Undecided}, {.9999 * x.Low, Failed}} {
			if got := latencyState(a, b, .9, tt.factor, level); got != tt.want {
				t.Fatalf("%+v: at a factor of %g %s", x, tt.factor, got)
			}
		}
		// For runs of like size narrower than the quotient of the two intervals.
		if bySides := x.After.High / x.Before.Low; max(n, m) < 2*min(n, m) && x.High > 1.001*bySides {
			t.Errorf("%d and %d: at most %g, and the intervals say %g", n, m, x.High, bySides)
		}
	}
}

// Ten million latencies are compared in the time that one looks at the answer.
func TestLatencyOfMany(t *testing.T) {
	a := flat(100, 1100, 1e7)
	c := compareLatency(t, a, flat(101, 1111, 1.01e7), .99, 1.02, .001)
	if c.State != Passed || c.Power.Passes > 1.01 || c.Power.Notices > 1.03 {
		t.Errorf("%s: %s, %+v", c.State, c.Reason, c.Power)
	}
}

func TestCompareLatencySaysWhy(t *testing.T) {
	a := flat(10, 110, 10000)
	for _, tt := range []struct {
		name          string
		before, after Histogram
		quantile      float64
		factor        float64
		state         State
		want          string
	}{
		{"the same", a, a, .99, 1.2, Passed, "p99 is at most 1.02 times what it was, within 1.2 (108 ms before, 108 ms after; 10,000 and 10,000 answers)"},
		{"faster", a, flat(5, 55, 10000), .5, .8, Passed, "p50 is at most 0.54 times what it was, within 0.8 (59.5 ms before, 29.5 ms after; 10,000 and 10,000 answers)"},
		{"slower", a, flat(20, 220, 10000), .9, 1.5, Failed, "p90 is more than 1.5 times what it was (99.5 ms before, 200 ms after; 10,000 and 10,000 answers)"},
		{"near", a, flat(11, 121, 11000), .9, 1.1, Undecided, "not decided (99.5 ms before, 110 ms after; 10,000 and 11,000 answers): p90 may be up to 1.14 times what it was; if nothing changed, so many answers would confirm 1.04, and 1.14 times what it was, or more, would have been noticed"},
		{"too few", flat(10, 110, 100), flat(10, 110, 100), .999, 1.1, Undecided, "not decided (110 ms before, 110 ms after; 100 and 100 answers): too few answers to bound p99.9"},
		{"nothing", nil, a, .5, 1.1, Undecided, "nothing was timed before"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := compareLatency(t, tt.before, tt.after, tt.quantile, tt.factor, .01)
			if got.State != tt.state || got.Reason != tt.want {
				t.Errorf("got  %s: %s\nwant %s: %s", got.State, got.Reason, tt.state, tt.want)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCompareLatencyRefuses(t *testing.T) {
	a := flat(10, 110, 1000)
	for _, tt := range []struct {
		name             string
		before           Histogram
		quantile, factor float64
		want             string
	}{
		{"no quantile", a, 99, 1.2, "quantile 99 is not between 0 and 1 (for example 0.99)"},
		{"no factor", a, .5, math.Inf(1), "a factor of +Inf cannot be judged (for example 1.2 for 20 % slower)"},
		{"buckets that overlap", Histogram{{0, 20, 1}, {10, 30, 1}}, .5, 1.2, "before: bucket 2, from 10ns to 30ns, begins before the end of the one before, 20ns"},
		{"an empty bucket", Histogram{{20, 20, 1}}, .5, 1.2, "before: bucket 1 is from 20ns to 20ns"},
		{"a negative count", Histogram{{0, 20, -1}}, .5, 1.2, "before: bucket 1, from 0s to 20ns, counts -1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := CompareLatency(tt.before, a, tt.quantile, tt.factor, .001, .01); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A histogram is one line of a record.
func TestHistogramAsText(t *testing.T) {
	h := Histogram{{0, 2 * time.Microsecond, 3}, {1024 * time.Microsecond, 1032 * time.Microsecond, 12}, {time.Hour, time.Hour + 500, 1}}
	for _, tt := range []struct {
		h    Histogram
		want string
	}{
		{h[:2], `"us 0-2:3 1024-1032:12"`},
		{h, `"ns 0-2000:3 1024000-1032000:12 3600000000000-3600000000500:1"`},
		{flat(1000, 1002, 6), `"ms 1000-1001:3 1001-1002:3"`},
		{Histogram{{time.Second, 2 * time.Second, 3}, {2 * time.Second, 3 * time.Second, 0}}, `"s 1-2:3"`},
		{Histogram{}, `"s"`},
	} {
		got, err := json.Marshal(tt.h)
		if err != nil || string(got) != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
		var back Histogram
		if err := json.Unmarshal(got, &back); err != nil || back.Total() != tt.h.Total() {
			t.Errorf("%s: read as %v, %v", got, back, err)
		}
	}
	for text, want := range map[string]string{
		"":                          "a histogram begins with its unit (s, ms, us or ns)",
		"h 1-2:3":                   `unknown unit "h" of a histogram (s, ms, us or ns)`,
		"us 1-2":                    `bucket "1-2" is not like 1024-1032:12`,
		"us 12:3":                   `bucket "12:3" is not like 1024-1032:12`,
		"us 1-x:3":                  `bucket "1-x:3": strconv.ParseInt: parsing "x": invalid syntax`,
		"us 1-2:":                   `bucket "1-2:": strconv.ParseInt: parsing "": invalid syntax`,
		"s 1-9223372036854775807:1": `bucket "1-9223372036854775807:1": value out of range`,
		"us 3-2:1":                  "bucket 1 is from 3µs to 2µs",
		"us 1-2:1 1-2:1":            "bucket 2, from 1µs to 2µs, begins before the end of the one before, 2µs",
	} {
		var h Histogram
		if err := h.UnmarshalText([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	if _, err := (Histogram{{2, 1, 1}}).MarshalText(); err == nil {
		t.Error("a histogram that is none was written")
	}
}

// Whatever is read is a histogram, and is written as it was read.
func FuzzHistogram(f *testing.F) {
	for _, s := range []string{"us 0-2:3 1024-1032:12", "s", "ns 1-2:1", "ms 5-6:-1", "us 1-9223372036854775807:9223372036854775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var h, back Histogram
		if h.UnmarshalText([]byte(text)) != nil {
			return
		}
		if err := h.Validate(); err != nil {
			t.Fatalf("%q was read: %v", text, err)
		}
		written, err := h.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := back.UnmarshalText(written); err != nil || back.Total() != h.Total() {
			t.Fatalf("%q was written as %q: %v, %v", text, written, back, err)
		}
		if strings.Contains(string(written), ":0 ") {
			t.Fatalf("empty buckets were written: %q", written)
		}
	})
}
