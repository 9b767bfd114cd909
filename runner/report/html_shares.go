package report

import (
	"fmt"
	"html/template"
	"strings"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// shareRow is one line of the table of shares. Band is what is tolerated.
type shareRow struct {
	Name, Look             string
	Wanted, Got, Interval  string
	Count, Mark            string
	State                  string
	Bar                    template.HTML
	low, high, got         float64
	bandLow, bandHigh, aim float64
	index                  int // into the shares; verdict.Error or verdict.Unlisted
}

// mostShares is how many outcomes a table shows.
const mostShares = 64

func shareRows(s record.Sample, p palette) (rows []shareRow, more int) {
	r := s.Result
	shares, more := some(r.Shares, mostShares)
	for i, sh := range shares {
		row := shareRow{
			Name: oneLine(sh.Name, longestName), Look: p[sh.Name],
			Wanted: signs.Replace(wanted(sh)), Got: got(sh.Got), Interval: interval(sh.Low, sh.High), Count: Count(sh.Count),
			State: sh.State.String(), Mark: rowMark(sh.State, r.State),
			low: sh.Low, high: sh.High, got: sh.Got, aim: sh.Want, index: i,
		}
		row.bandLow, row.bandHigh = band(sh)
		rows = append(rows, row)
	}
	e := r.Errors
	tolerated := e.Tolerated
	if tolerated == 0 {
		tolerated = verdict.DefaultResolution
	}
	rows = append(rows, shareRow{Name: "errors", Look: errorLook, Wanted: signs.Replace(atMost(e.Tolerated)), Got: got(e.Got), Interval: interval(e.Low, e.High), Count: Count(e.Count),
		State: e.State.String(), Mark: rowMark(e.State, r.State), low: e.Low, high: e.High, got: e.Got, bandHigh: tolerated, index: verdict.Error})
	if r.Other > 0 && r.N > 0 {
		part := float64(r.Other) / float64(r.N)
		rows = append(rows, shareRow{Name: "not listed", Look: otherLook, Wanted: "none", Got: got(part), Count: Count(r.Other),
			State: "failed", Mark: rowMark(verdict.Failed, r.State), low: part, high: part, got: part, index: verdict.Unlisted})
	}
	for i := range rows {
		rows[i].Bar = rows[i].bar()
	}
	return rows, more
}

// rowMark is mark for a table that has no arrows.
func rowMark(row, whole verdict.State) string { return strings.TrimPrefix(mark(row, whole), "<- ") }

// band is what is tolerated of a share.
func band(s verdict.ShareResult) (low, high float64) {
	switch {
	case s.Want == 0 && s.Leak > 0:
		return 0, s.Leak
	case s.Want == 0 && s.Resolution > 0:
		return 0, s.Resolution
	case s.Want == 0:
		return 0, verdict.DefaultResolution
	}
	return max(0, s.Want-s.Tolerance), min(1, s.Want+s.Tolerance)
}

// bar draws a share from 0 to 100 %: the band that is tolerated, the share as a
// bar, and its interval as a whisker.
func (r shareRow) bar() template.HTML {
	var f figure
	f.openBar(30, fmt.Sprintf("%s: %s, interval %s; wanted %s", r.Name, r.Got, r.Interval, r.Wanted))
	f.box("track", "", 0, 1, 7, 16)
	for _, x := range []float64{.25, .5, .75} {
		f.upright("grid", x, 7, 23)
	}
	f.box("band", "", r.bandLow, r.bandHigh, 1, 28)
	f.box("share "+r.Look, r.Look, 0, r.got, 9, 12)
	f.upright("edge", r.bandLow, 1, 29)
	f.upright("edge", r.bandHigh, 1, 29)
	if r.high > r.low && r.high-r.low < 1 {
		for _, class := range []string{"halo", "whisker"} {
			f.level(class, r.low, r.high, 15)
			f.upright(class, r.low, 11, 19)
			f.upright(class, r.high, 11, 19)
		}
	}
	return f.close()
}

// scale is the axis under the bars.
func scale() template.HTML {
	var f figure
	f.WriteString(`<svg class="bar scale" width="100%" height="16" aria-hidden="true" focusable="false">`)
	for _, t := range []struct {
		x, anchor, words string
	}{{"0", "start", "0"}, {"25%", "middle", "25"}, {"50%", "middle", "50"}, {"75%", "middle", "75"}, {"100%", "end", "100 %"}} {
		fmt.Fprintf(&f, `<text class="tick" text-anchor="%s" x="%s" y="12">%s</text>`, t.anchor, t.x, t.words)
	}
	return f.close()
}

// stack is all shares of a sample in one bar, with ticks where they should end.
func stack(s record.Sample, rows []shareRow) template.HTML {
	var f figure
	var parts []string
	for _, r := range rows {
		if r.got > 0 {
			parts = append(parts, r.Name+" "+r.Got)
		}
	}
	f.openBar(20, "shares: "+strings.Join(parts, ", "))
	f.box("track", "", 0, 1, 3, 14)
	x := 0.0
	for _, r := range rows {
		if r.got > 0 {
			f.box("part "+r.Look, r.Look, x, x+r.got, 3, 14)
			x += r.got
		}
	}
	x = 0
	for _, sh := range s.Result.Shares {
		if x += sh.Want; x > 0 && x < .9999 {
			f.upright("aim", x, 0, 20)
		}
	}
	return f.close()
}
