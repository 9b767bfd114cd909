package report

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/meshassay/assay/runner/record"
)

// latencyBins is how many columns a chart of latencies has.
const latencyBins = 44

// latencies draws how long answers took, on a logarithmic scale: their buckets
// are about 1 % wide each, and go together into columns.
func latencies(s record.Sample) template.HTML {
	h := s.Histogram
	if h.Validate() != nil || h.Total() < 20 {
		return ""
	}
	first, last := h[0].Low, h[len(h)-1].High
	low, high := math.Log10(math.Max(1, float64(first))), math.Log10(math.Max(10, float64(last)))
	if high-low < .3 { // at least a factor of two
		low, high = (low+high)/2-.15, (low+high)/2+.15
	}
	part := func(d float64) float64 { return (math.Log10(math.Max(d, 1)) - low) / (high - low) }
	var columns [latencyBins]int64
	most := int64(1)
	for _, b := range h {
		middle := math.Sqrt(math.Max(1, float64(b.Low)) * float64(b.High))
		i := min(max(int(part(middle)*latencyBins), 0), latencyBins-1)
		columns[i] += b.Count
		most = max(most, columns[i])
	}
	const width, left, right, base, top = 270, 6.0, 264.0, 148.0, 42.0
	x := func(d float64) float64 { return left + (right-left)*math.Min(math.Max(part(d), 0), 1) }
	var f figure
	f.openChart(width, 170, "latencies: "+latencyWords(s.Latency))
	for i, n := range columns {
		if n > 0 {
			height := math.Max(1, (base-top)*float64(n)/float64(most))
			step := (right - left) / latencyBins
			f.rect("column", "", left+float64(i)*step, base-height, step-1, height)
		}
	}
	f.line("axis", left, base, right, base)
	for _, t := range latencyTicks(low, high) {
		f.line("axis", x(float64(t)), base, x(float64(t)), base+4)
		f.text("tick", "middle", math.Min(math.Max(x(float64(t)), 20), right-16), base+17, briefTime(t))
	}
	marks(&f, s.Latency, x, base)
	return f.close()
}

// marks draws the quantiles. Their names stand one below the other on the side
// where no line of another is in their way.
func marks(f *figure, l record.Latency, x func(float64) float64, base float64) {
	const row, room = 12.0, 84.0
	left := x(float64(l.P50)) > room
	for i, q := range []struct {
		at   time.Duration
		name string
	}{{l.P50, "half"}, {l.P90, "90 %"}, {l.P99, "99 %"}} {
		if q.at <= 0 {
			continue
		}
		px, y, anchor, beside := x(float64(q.at)), 11+row*float64(i), "start", 4.0
		if left {
			y, anchor, beside = 11+row*float64(2-i), "end", -4.0
		}
		f.line("quantile", px, y-8, px, base)
		f.text("mark", anchor, px+beside, y, q.name+" "+lasting(q.at))
	}
}

// latencyTicks are round times between two powers of ten, given as exponents of
// nanoseconds: few enough that their names have room.
func latencyTicks(low, high float64) []time.Duration {
	steps := []float64{1, 2, 5}
	if high-low > 1.7 {
		steps = []float64{1}
	}
	var list []time.Duration
	for e := math.Floor(low); e <= high; e++ {
		for _, s := range steps {
			if v := math.Log10(s) + e; v >= low && v <= high {
				list = append(list, time.Duration(math.Round(s*math.Pow(10, e))))
			}
		}
	}
	return list
}

// briefTime writes a round time without decimals: "20 ms".
func briefTime(d time.Duration) string {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if d >= u.of {
			return fmt.Sprintf("%d %s", d/u.of, u.name)
		}
	}
	return fmt.Sprintf("%d ns", d)
}

func latencyWords(l record.Latency) string {
	return fmt.Sprintf("half within %s, 90 %% within %s, 99 %% within %s, longest %s", lasting(l.P50), lasting(l.P90), lasting(l.P99), lasting(l.Max))
}
