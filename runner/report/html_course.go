package report

import (
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// A course is how a sample came to its verdict: what was known after each
// stretch of its answers.
type course struct {
	ends    []int64          // answers up to the end of each stretch
	parts   []verdict.Counts // of the stretch
	results []verdict.Result // of all answers up to its end
}

// longestCourse is how many stretches are looked at; a record has 64.
const longestCourse = 256

// newCourse weighs the sums of the stretches as the test did, with its own
// intervals: they are valid whenever one looks. It is nil where the record has
// no series that fits its result.
func newCourse(s record.Sample) *course {
	claim := claimOf(s.Result)
	if len(claim.Validate()) > 0 || len(s.Series) > longestCourse {
		return nil
	}
	var c course
	sum := verdict.Counts{Outcomes: make([]int64, len(claim.Shares))}
	for _, part := range s.Series {
		if !sound(part, len(claim.Shares)) {
			return nil
		}
		sum.Add(part)
		now := sum
		if sum.Total() > s.Result.N { // answers that came after the verdict
			if now = s.Counts; !sound(now, len(claim.Shares)) || now.Total() != s.Result.N {
				return nil
			}
		}
		test, err := verdict.New(claim)
		if err != nil {
			return nil
		}
		test.Update(now)
		c.ends, c.parts, c.results = append(c.ends, now.Total()), append(c.parts, part), append(c.results, test.Result())
		if now.Total() == s.Result.N {
			break
		}
	}
	if len(c.ends) < 4 { // a line of so few points says nothing
		return nil
	}
	return &c
}

// claimOf is what a result is of.
func claimOf(r verdict.Result) verdict.Claim {
	c := verdict.Claim{Errors: r.Errors.Tolerated, Alpha: r.Alpha, Beta: r.Beta}
	for _, s := range r.Shares {
		c.Shares = append(c.Shares, verdict.Share{Name: s.Name, Want: s.Want, Tolerance: s.Tolerance, Leak: s.Leak, Resolution: s.Resolution})
	}
	return c
}

// sound says that counts can be counted with: a record may have been written by
// anybody.
func sound(c verdict.Counts, outcomes int) bool {
	const most = 1 << 50
	good := func(n int64) bool { return n >= 0 && n < most }
	for _, n := range c.Outcomes {
		if !good(n) {
			return false
		}
	}
	return len(c.Outcomes) == outcomes && good(c.Other) && good(c.Errors) && c.Total() > 0
}

// chart is the course of one share.
type chart struct {
	Name, Look, Said string
	Alike            []string // others whose chart looks the same
	Figure           template.HTML
}

// charts draws the course of every share that the test had to settle; one that
// is wanted at 100 % has nothing of its own to settle. Of what never came, and
// was not to, one stands for all of which the same is known.
func charts(s record.Sample, rows []shareRow) []chart {
	c := newCourse(s)
	if c == nil {
		return nil
	}
	var list []chart
	alike := map[string]int{} // place in list, by what is known
	for _, r := range rows {
		if r.index == verdict.Unlisted || r.index >= 0 && r.aim == 1 && r.bandLow == 1 {
			continue
		}
		said := r.Got + ", " + r.Interval
		if r.aim == 0 && r.got == 0 {
			if i, ok := alike[said]; ok {
				list[i].Alike = append(list[i].Alike, r.Name)
				continue
			}
			alike[said] = len(list)
		}
		list = append(list, chart{Name: r.Name, Look: r.Look, Said: said, Figure: c.draw(r)})
	}
	return list
}

// at is what was known of the row's share after stretch i, and its share in the
// stretch alone.
func (c *course) at(row shareRow, i int) (got, low, high, alone float64) {
	total := float64(c.parts[i].Total())
	if row.index == verdict.Error {
		e := c.results[i].Errors
		return e.Got, e.Low, e.High, float64(c.parts[i].Errors) / total
	}
	s := c.results[i].Shares[row.index]
	return s.Got, s.Low, s.High, float64(c.parts[i].Outcomes[row.index]) / total
}

// The measures of a chart, in units of its coordinate system.
const (
	chartWidth, chartHeight = 260, 166
	chartLeft, chartRight   = 44.0, 252.0
	chartTop, chartBottom   = 8.0, 144.0
)

func (c *course) draw(row shareRow) template.HTML {
	n := float64(c.ends[len(c.ends)-1])
	bottom, top := c.window(row)
	x := func(answers float64) float64 { return chartLeft + (chartRight-chartLeft)*answers/n }
	y := func(share float64) float64 {
		return chartBottom - (chartBottom-chartTop)*(math.Min(math.Max(share, bottom), top)-bottom)/(top-bottom)
	}
	var f figure
	f.openChart(chartWidth, chartHeight, fmt.Sprintf("%s over the answers: at the end %s, interval %s; wanted %s", row.Name, row.Got, row.Interval, row.Wanted))
	f.rect("plot", "", chartLeft, chartTop, chartRight-chartLeft, chartBottom-chartTop)
	f.rect("band", "", chartLeft, y(row.bandHigh), chartRight-chartLeft, y(row.bandLow)-y(row.bandHigh))
	var line, upper, lower [][2]float64
	for i, end := range c.ends {
		got, low, high, _ := c.at(row, i)
		px := x(float64(end))
		line, upper, lower = append(line, [2]float64{px, y(got)}), append(upper, [2]float64{px, y(high)}), append(lower, [2]float64{px, y(low)})
	}
	area := append([][2]float64{{x(0), y(1)}}, upper...)
	for i := len(lower) - 1; i >= 0; i-- {
		area = append(area, lower[i])
	}
	f.path("area "+row.Look, append(area, [2]float64{x(0), y(0)}), true)
	from := int64(0)
	for i, end := range c.ends {
		_, _, _, alone := c.at(row, i)
		class := "dot "
		if alone < bottom || alone > top {
			class = "far " // it lies beyond the edge that it stands at
		}
		f.dot(class+row.Look, x(float64(from+end)/2), y(alone), 1.6)
		from = end
	}
	f.line("edge", chartLeft, y(row.bandHigh), chartRight, y(row.bandHigh))
	f.line("edge", chartLeft, y(row.bandLow), chartRight, y(row.bandLow))
	f.path("line "+row.Look, line, false)
	f.dot("end "+row.Look, line[len(line)-1][0], line[len(line)-1][1], 4)
	c.axes(&f, row, y, bottom, top)
	return f.close()
}

// axes labels the edges of what is tolerated, what is wanted, the ends of the
// scale where there is room, and the number of answers.
func (c *course) axes(f *figure, row shareRow, y func(float64) float64, bottom, top float64) {
	const room = 11.0 // that a label takes
	var taken []float64
	for _, v := range []float64{row.bandHigh, row.bandLow, row.aim, top, bottom} {
		here := y(v)
		if !slices.ContainsFunc(taken, func(there float64) bool { return math.Abs(here-there) < room }) {
			taken = append(taken, here)
			f.text("tick", "end", chartLeft-5, here+4, Percent(v))
		}
	}
	f.text("tick", "start", chartLeft, chartBottom+15, "0")
	f.text("tick", "end", chartRight, chartBottom+15, Count(c.ends[len(c.ends)-1])+" answers")
}

// window is the part of the scale that a chart shows: what is tolerated with
// some room on either side, and where the share and its interval ended.
func (c *course) window(row shareRow) (bottom, top float64) {
	got, low, high, _ := c.at(row, len(c.ends)-1)
	width := math.Max(row.bandHigh-row.bandLow, 1e-4)
	bottom = math.Min(row.bandLow-width, math.Min(low, got)-width/4)
	above := width
	if row.bandLow == 0 { // there is nothing below to show
		above *= 2
	}
	top = math.Max(row.bandHigh+above, math.Max(high, got)+width/4)
	return math.Max(0, bottom), math.Min(1, top)
}
