package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// StepBrief is a step on a line, with what must be said of it: as in a brief report.
func StepBrief(s record.Step) string { return stepText(s, false) }

// How much of a step that did not pass a terminal shows.
const (
	failedShown  = 4  // samples with their table
	changesShown = 10 // objects
	lettersShown = 80
	bodyShown    = 200 // characters
)

// StepFailure is what a terminal shows of a step that did not pass, for somebody
// who has nothing else: where, what and why, the shares, the answers over time,
// the first of each fault, the end of what a program printed, objects, events, and
// what to type. Attempts, headers,
// further examples and gateways that passed are in the record and its report.
func StepFailure(s record.Step) string {
	var b strings.Builder
	if s.Position != "" {
		b.WriteString(s.Position + ": ")
	}
	fmt.Fprintf(&b, "%s: %s", s.State, stepTitle(s))
	if s.Duration > 0 {
		fmt.Fprintf(&b, " (%s)", Duration(s.Duration))
	}
	b.WriteString("\n" + indent(s.Error, "  "))
	done, more := some(s.Changes, changesShown)
	b.WriteString(indent(changes(done), "  "))
	if more > 0 {
		fmt.Fprintf(&b, "  and %s, in the record\n", plural(more, "more change"))
	}
	shown := 0
	for _, sample := range s.Samples {
		switch {
		case sample.Result.State == verdict.Passed:
			b.WriteString("  " + Line(sample) + "\n")
		case shown < failedShown:
			b.WriteString(indent(failureText(sample, s.Error), "  "))
			shown++
		case !strings.Contains(s.Error, Line(sample)):
			b.WriteString("  " + Line(sample) + "\n")
		}
	}
	for _, n := range s.Notes {
		b.WriteString(indent(n, "  "))
	}
	if s.Ran != nil {
		b.WriteString(indent(printed(*s.Ran, linesOnTerminal), "  "))
	}
	b.WriteString(indent(evidence(s), "  "))
	if s.Again != "" {
		b.WriteString("  just this again: " + s.Again + "\n")
	}
	return printable(b.String())
}

// failureText is a sample that did not pass, but for what is told already.
func failureText(s record.Sample, told string) string {
	var b strings.Builder
	head := strings.Trim(s.Gateway+", "+s.Case, ", ")
	if line := Line(s); !strings.Contains(told, line) {
		b.WriteString(line + "\n")
	}
	if s.Diagnosis != "" && !strings.Contains(told, s.Diagnosis) {
		b.WriteString("diagnosis: " + s.Diagnosis + "\n")
	}
	if s.Result.N > 0 {
		r := s
		r.Result.Shares = slices.DeleteFunc(slices.Clone(s.Result.Shares), func(sh verdict.ShareResult) bool { return sh.Want == 0 && sh.Count == 0 })
		b.WriteString(table(r, name(head)))
	}
	if f := s.Further; f != nil && f.Strip != "" {
		b.WriteString(oneStrip("answers after the verdict", record.Sample{Strip: f.Strip, Every: f.Every, Legend: f.Legend}))
	} else if s.Strip != "" {
		b.WriteString(oneStrip("answers over time", s))
	}
	if k := len(s.Attempts); k > 1 {
		fmt.Fprintf(&b, "settling: %d attempts in %s, none of them passed\n", k, Duration(s.Duration))
	}
	if strings.HasPrefix(s.Diagnosis, "not yet in force") {
		b.WriteString(strings.TrimSuffix(Propagation(s)+"\n", "\n\n"))
	}
	for _, e := range FirstFaults(s.Examples) {
		text := e.Detail
		if e.Body != "" {
			text += ": " + strings.Join(strings.Fields(printable(e.Body)), " ")
		}
		if runes := []rune(text); len(runes) > bodyShown {
			text = string(runes[:bodyShown-3]) + "..."
		}
		fmt.Fprintf(&b, "first %s: %s\n", e.Fault, strings.Trim(text, ": "))
	}
	return b.String()
}

// oneStrip is the first of the answers over time, in a line.
func oneStrip(head string, s record.Sample) string {
	s.Strip = s.Strip[:min(len(s.Strip), lettersShown)]
	return strings.Replace(strip(s), "answers over time", head, 1)
}

// Row is a line of the table of a sample's shares, in words.
type Row struct {
	Name, Wanted, Got, Interval string
	State                       verdict.State
}

// Rows are the lines of a result's table: its shares in order, and the errors.
func Rows(r verdict.Result) []Row {
	var rows []Row
	for _, s := range r.Shares {
		rows = append(rows, Row{name(s.Name), wanted(s), got(s.Got), interval(s.Low, s.High), s.State})
	}
	e := r.Errors
	return append(rows, Row{"errors", atMost(e.Tolerated), got(e.Got), interval(e.Low, e.High), e.State})
}
