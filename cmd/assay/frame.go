package main

import (
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// look is how a terminal is written to.
type look struct {
	glyphs glyphs
	colour bool
}

// lookOf is what the user's surroundings say: glyphs beyond ASCII where the
// locale has them, colours unless $NO_COLOR is set (no-color.org).
func lookOf(getenv func(string) string) look {
	l := look{glyphs: plainGlyphs, colour: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	locale := getenv("LC_ALL")
	for _, name := range []string{"LC_CTYPE", "LANG"} {
		if locale == "" {
			locale = getenv(name)
		}
	}
	locale = strings.ToLower(locale)
	if strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8") {
		l.glyphs = fineGlyphs
	}
	return l
}

// The colours, by what they say.
const (
	good   = "\x1b[32m"
	bad    = "\x1b[31m"
	unsure = "\x1b[33m"
	strong = "\x1b[1m"
	faint  = "\x1b[2m"
)

func (l look) paint(colour, text string) string {
	if !l.colour || colour == "" || text == "" {
		return text
	}
	return colour + text + plain
}

// ofState is the colour of a step's state.
func ofState(s record.State) string {
	switch s {
	case record.Passed:
		return good
	case record.Failed:
		return bad
	case record.Skipped:
		return faint
	}
	return unsure
}

// frame draws what a run is doing right now. It remembers how far samples were:
// what is still needed is a guess that changes with every answer, and a gauge
// shall not jump with it.
type frame struct {
	look
	shown map[string]float64
}

func newFrame(l look) *frame { return &frame{look: l, shown: make(map[string]float64)} }

// step is the block of a step: what it is, and what each part of it is doing.
// With few lines to draw on, samples have no rows for their shares.
func (f *frame) step(l runner.Live, now time.Time, width, height int) string {
	full := f.drawn(l, now, width, true)
	if height > 0 && strings.Count(full, "\n") > height {
		return f.drawn(l, now, width, false)
	}
	return full
}

func (f *frame) drawn(l runner.Live, now time.Time, width int, rows bool) string {
	var b strings.Builder
	b.WriteString(f.doing(l.Step.Title, now.Sub(l.Began)))
	label := 0
	for _, p := range l.Parts {
		for _, s := range p.Samples {
			label = max(label, utf8.RuneCountInString(labelOf(s)))
		}
	}
	for _, p := range l.Parts {
		for i, line := range strings.Split(tame(p.Text), "\n") {
			if line != "" && i < mostLines {
				b.WriteString("    " + line + "\n")
			}
		}
		for _, s := range p.Samples {
			f.sample(&b, s, label, width)
			if rows {
				f.rows(&b, s, width)
			}
		}
	}
	return b.String()
}

// mostLines is how many lines of what a part says in words are shown.
const mostLines = 3

// doing is a line about what is under way, and since when.
func (f *frame) doing(what string, since time.Duration) string {
	return fmt.Sprintf("  %s %s %s\n", f.paint(unsure, f.glyphs.now), f.paint(strong, tame(what)), f.paint(faint, "("+seconds(since)+")"))
}

// seconds is a time that ticks: always with one decimal.
func seconds(d time.Duration) string {
	if d >= time.Minute {
		return report.Duration(d)
	}
	return fmt.Sprintf("%.1f s", max(d, 0).Seconds())
}

func labelOf(s runner.LiveSample) string {
	if s.Case != "" {
		return s.Gateway + ", " + s.Case
	}
	return s.Gateway
}

// sample is the line of one case on one gateway: how far it is.
func (f *frame) sample(b *strings.Builder, s runner.LiveSample, label, width int) {
	cells, said := 10, howFar(s)
	if width >= wide {
		cells = 20
	}
	if room := width - 1 - 4 - 2 - cells - 2 - 36; width > 0 {
		label = min(label, max(room, 12))
	}
	colour := ofState(record.State(s.Result.State.String()))
	if !s.Done {
		colour = ""
	}
	fmt.Fprintf(b, "    %s  %s  %s\n", padded(labelOf(s), label, f.glyphs.more), f.paint(colour, gauge(f.glyphs, cells, f.part(s))), said)
}

// howFar says of a sample how much was asked, and how much will do.
func howFar(s runner.LiveSample) string {
	r := s.Result
	text := ""
	switch {
	case s.Done:
		text = fmt.Sprintf("%s after %s requests", r.State, report.Count(r.N))
	case r.N == 0 && s.Attempt == 0:
		text = "no answers yet"
	case r.State == verdict.Failed, r.N == 0:
		text = "the change is on its way"
	case r.Needed > 0:
		text = fmt.Sprintf("%s of about %s", report.Count(r.N), report.Count(roughly(r.N+r.Needed)))
		if s.Attempt == 0 {
			text += " requests"
		}
	default:
		text = fmt.Sprintf("%s requests, at most %s", report.Count(r.N), report.Count(s.Requests))
	}
	if s.Attempt > 0 {
		text += fmt.Sprintf(" (attempt %d)", s.Attempt+1)
	}
	return text
}

// roughly keeps two figures: more would change with every look, and are not known.
func roughly(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return (n + unit/2) / unit * unit
}

// part is how far a sample is: towards its decision or the end of its budget,
// whichever is nearer.
func (f *frame) part(s runner.LiveSample) float64 {
	if s.Done {
		return 1
	}
	part := 0.0
	if s.Requests > 0 && s.Time > 0 {
		part = max(float64(s.Result.N)/float64(s.Requests), s.Took.Seconds()/s.Time.Seconds())
	}
	if s.Result.Needed > 0 {
		part = max(part, float64(s.Result.N)/float64(s.Result.N+s.Result.Needed))
	}
	const news = .15 // how much of what is seen is taken over at once
	key := fmt.Sprintf("%s %d", labelOf(s), s.Attempt)
	f.shown[key] += news * (part - f.shown[key])
	return f.shown[key]
}

// wide is a terminal with more columns than are needed.
const wide = 100

// Widths of the columns of shares, and how wide the scale between them may be.
const (
	widestName  = 16
	narrowName  = 12 // where there are few columns
	leastScale  = 9
	widestScale = 49
)

// rows are the lines of a sample's shares: wanted, a scale, got and interval.
func (f *frame) rows(b *strings.Builder, s runner.LiveSample, width int) {
	rows, drawn := report.Rows(s.Result), scales(s.Result)
	name, wanted, widest := 0, 0, widestName
	if width > 0 && width < wide {
		widest = narrowName
	}
	for _, r := range rows {
		name = max(name, min(utf8.RuneCountInString(r.Name), widest))
		wanted = max(wanted, len(r.Wanted))
	}
	// The columns got and interval are as wide as they can become: nothing moves.
	const got, interval = 7, 16
	cells := widestScale
	if width > 0 {
		cells = min(cells, width-1-6-2-name-2-wanted-2-2-got-2-interval)
	}
	cells -= 1 - cells%2 // odd: what is wanted is in the middle
	for i, r := range rows {
		mark, colour := " ", ""
		switch {
		case r.State == verdict.Passed:
			mark, colour = f.glyphs.passed, good
		case r.State == verdict.Failed:
			mark, colour = f.glyphs.failed, bad
		}
		scale := ""
		if s.Result.N == 0 {
			r.Got, r.Interval, drawn[i].got, drawn[i].least, drawn[i].most = "", "", -1, -1, -1
		}
		if cells >= leastScale {
			scale = f.paint(colour, drawn[i].draw(f.glyphs, cells)) + "  "
		}
		line := fmt.Sprintf("      %s %s  %*s  %s", f.paint(colour, mark), padded(r.Name, name, f.glyphs.more), wanted, r.Wanted, scale)
		if r.Got != "" {
			line += fmt.Sprintf("%*s  %s", got, r.Got, f.paint(faint, fmt.Sprintf("%*s", interval, r.Interval)))
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

// padded is a text in so many columns, shortened where it is longer.
func padded(text string, width int, more string) string {
	text = tame(text)
	if n := utf8.RuneCountInString(text); n <= width {
		return text + strings.Repeat(" ", width-n)
	}
	return string([]rune(text)[:max(width-utf8.RuneCountInString(more), 0)]) + more
}

// userLook is the look of the terminal that this process runs in.
func userLook() look { return lookOf(os.Getenv) }
