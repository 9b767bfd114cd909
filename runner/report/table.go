package report

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Table is a sample's shares, a line each: wanted, got, interval, count.
// Errors and outcomes that no share names follow where there are any.
func Table(s record.Sample) string {
	note := ""
	if r := s.Result; r.N > 0 {
		note = fmt.Sprintf("intervals: %s for all of them together, whenever one looks\n", confidence(r.Confidence))
	}
	return table(s, "") + note
}

// table is the lines of a table beneath a head, of which the first word is
// given.
func table(s record.Sample, head string) string {
	r := s.Result
	rows := [][]string{{head, "wanted", "got", "interval", "count", ""}}
	for _, sh := range r.Shares {
		rows = append(rows, []string{name(sh.Name), wanted(sh), got(sh.Got), interval(sh.Low, sh.High), Count(sh.Count), mark(sh.State, r.State)})
	}
	e := r.Errors
	rows = append(rows, []string{"errors", atMost(e.Tolerated), got(e.Got), interval(e.Low, e.High), Count(e.Count), mark(e.State, r.State)})
	if r.Other > 0 {
		rows = append(rows, []string{"not listed", "none", got(float64(r.Other) / float64(r.N)), "", Count(r.Other), mark(verdict.Failed, r.State)})
	}
	return align(rows, 1)
}

// mark points at the row that made the sample fail, or at those not confirmed
// when it is undecided.
func mark(row, whole verdict.State) string {
	switch {
	case row == verdict.Failed:
		return "<- failed"
	case row == verdict.Undecided && whole == verdict.Undecided:
		return "open"
	}
	return ""
}

func wanted(s verdict.ShareResult) string {
	switch {
	case s.Want == 0 && s.Leak == 0:
		return "never"
	case s.Want == 0:
		return atMost(s.Leak)
	case s.Tolerance == 0:
		return Percent(s.Want)
	}
	return Percent(s.Want) + " +- " + Points(s.Tolerance)
}

func atMost(x float64) string {
	if x == 0 {
		return "none"
	}
	return "<= " + Percent(x)
}

// interval writes the bounds; one at the end of the scale bounds nothing.
func interval(low, high float64) string {
	switch {
	case low <= 0 && high >= 1:
		return "-"
	case low <= 0:
		return "below " + bound(high)
	case high >= 1:
		return "above " + bound(low)
	}
	return strings.TrimSuffix(bound(low), " %") + " to " + bound(high)
}

// bound writes one end of an interval; what is as good as an end of the scale
// is that end.
func bound(x float64) string {
	switch {
	case x < .00001:
		return "0 %"
	case x > .99995:
		return "100 %"
	case x < .01:
		return Percent(x)
	case x > .99:
		return fmt.Sprintf("%.2f %%", 100*x)
	}
	return fmt.Sprintf("%.1f %%", 100*x)
}

// align pads the columns: those before left to the right with spaces, the
// others to the left, the last not at all.
func align(rows [][]string, left int) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i < left:
				line.WriteString(cell + pad)
			case i == len(row)-1:
				line.WriteString("  " + cell)
			default:
				line.WriteString("  " + pad + cell)
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}

func speed(s record.Sample) string {
	if s.Rate == 0 && s.Latency.Count == 0 {
		return ""
	}
	text := fmt.Sprintf("%s requests a second for %s", Count(int64(math.Round(s.Rate))), Duration(s.Duration))
	if l := s.Latency; l.Count > 0 {
		text += fmt.Sprintf("; latency: half within %s, 99 %% within %s, longest %s", Duration(l.P50), Duration(l.P99), Duration(l.Max))
	}
	return text + "\n"
}

// faults lists what went wrong by kind, most frequent first.
func faults(s record.Sample) string {
	var b strings.Builder
	if len(s.Faults) > 0 {
		b.WriteString("faults: " + tally(s.Faults))
		if len(s.Statuses) > 0 {
			b.WriteString(" (status: " + tally(s.Statuses) + ")")
		}
		b.WriteString("\n")
	}
	if len(s.Unlisted) > 0 {
		b.WriteString("not listed: " + tally(s.Unlisted) + "\n")
	}
	return b.String()
}

func tally(counts map[string]int64) string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		a, b := names[i], names[j]
		return counts[a] > counts[b] || counts[a] == counts[b] && a < b
	})
	for i, n := range names {
		names[i] = name(n) + " " + Count(counts[n])
	}
	return strings.Join(names, ", ")
}

// strip is the answers over time with what the letters mean.
func strip(s record.Sample) string {
	if s.Strip == "" {
		return ""
	}
	var meanings []string
	for _, l := range s.Legend {
		meanings = append(meanings, l.Letter+" "+l.Means)
	}
	head := "answers over time"
	if s.Every > 1 {
		head += fmt.Sprintf(", one of every %d", s.Every)
	}
	if len(meanings) > 0 {
		head += " (" + strings.Join(meanings, ", ") + ")"
	}
	var b strings.Builder
	b.WriteString(head + ":\n")
	const width = 80
	for rest := s.Strip; rest != ""; {
		n := min(width, len(rest))
		b.WriteString("  " + rest[:n] + "\n")
		rest = rest[n:]
	}
	return b.String()
}

// attempts lists what was begun anew while the change was on its way.
func attempts(s record.Sample) string {
	if len(s.Attempts) < 2 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "settling: %d attempts, each with its part of the error probabilities\n", len(s.Attempts))
	for _, a := range s.Attempts {
		fmt.Fprintf(&b, "  %d. after %s: %s: %s\n", a.Number+1, Duration(a.At), a.Result.State, a.Result.Reason)
	}
	return b.String()
}

// examples shows what came, as it came.
func examples(s record.Sample) string {
	var b strings.Builder
	for _, e := range s.Examples {
		what := name(e.Of)
		if e.Fault != "" {
			what = e.Fault
		}
		fmt.Fprintf(&b, "%s %s (request %s, after %s)", e.Which, what, Count(e.Number), Duration(e.At))
		if e.Detail != "" {
			b.WriteString(": " + e.Detail)
		}
		b.WriteString("\n")
		for _, line := range e.Header {
			b.WriteString("  " + printable(line) + "\n")
		}
		if e.Body != "" {
			b.WriteString(indent(printable(e.Body), "  > "))
		}
	}
	return b.String()
}

// printable replaces what would disturb a terminal, or turn the order of what
// is read around.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return '.'
		}
		return r
	}, s)
}
