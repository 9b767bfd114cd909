package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Options choose how much is shown.
type Options struct {
	// Verbose shows tables and changes of steps that passed too.
	Verbose bool
	// Brief shows of steps that did not pass no more than of those that did,
	// and why: for where they have been shown in full already.
	Brief bool
}

// Text writes the report of a run: its scenarios and steps, and at its end one
// line that sums it up, what did not run, and what came of the inventory. It
// returns the first error of writing.
func Text(w io.Writer, r *record.Record, o Options) error {
	var b strings.Builder
	for _, s := range r.Scenarios {
		writeScenario(&b, s, o)
	}
	b.WriteString(Summary(r) + "\n")
	for _, why := range r.Unfinished {
		b.WriteString("not all was run: " + strings.TrimLeft(indent(why, "  "), " "))
	}
	if r.Inventory != "" {
		b.WriteString("inventory: " + r.Inventory + "\n")
	}
	_, err := io.WriteString(w, printable(b.String()))
	return err
}

// Summary is the run on one line: "9 passed, 1 failed of 10 steps in 3
// scenarios (sandbox, 12.3 s)".
func Summary(r *record.Record) string {
	counts := map[record.State]int{}
	steps := 0
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			if !st.Reached {
				counts[st.State]++
				steps++
			}
		}
	}
	var parts []string
	for _, state := range []record.State{record.Passed, record.Failed, record.Undecided, record.Errored, record.Skipped} {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	return fmt.Sprintf("%s of %s in %s (%s, %s)", strings.Join(parts, ", "), plural(steps, "step"),
		plural(len(r.Scenarios), "scenario"), r.Environment, Duration(r.Ended.Sub(r.Started)))
}

func writeScenario(b *strings.Builder, s record.Scenario, o Options) {
	b.WriteString(s.Name)
	if s.Title != "" {
		b.WriteString(": " + s.Title)
	}
	b.WriteString("\n")
	if s.Skipped != "" {
		fmt.Fprintf(b, "  skipped: %s\n", s.Skipped)
	}
	for _, st := range s.Steps {
		b.WriteString(indent(stepText(st, o.Verbose || st.State != record.Passed && !o.Brief), "  "))
	}
	if len(s.PutBack) > 0 && o.Verbose {
		fmt.Fprintf(b, "  put back\n%s", indent(changes(s.PutBack), "    "))
	}
	if s.PutBackError != "" {
		fmt.Fprintf(b, "  not put back: %s\n", s.PutBackError)
	}
	b.WriteString("\n")
}

// StepText is all about one step: its state, what it changed, its samples with
// their tables. Failure messages and report entries show it; it begins with
// the step's position.
func StepText(s record.Step) string { return stepText(s, true) }

func stepText(s record.Step, full bool) string {
	var b strings.Builder
	if full && s.Position != "" {
		b.WriteString(s.Position + ": ")
	}
	fmt.Fprintf(&b, "%s: %s", s.State, stepTitle(s))
	if s.Reached {
		b.WriteString(" (to reach the state that is needed)")
	}
	if s.Duration > 0 {
		fmt.Fprintf(&b, " (%s)", Duration(s.Duration))
	}
	b.WriteString("\n")
	if s.Error != "" {
		b.WriteString(indent(s.Error, "  "))
	}
	if full && len(s.Changes) > 0 {
		b.WriteString(indent(changes(s.Changes), "  "))
	}
	for _, sample := range s.Samples {
		switch {
		case full:
			b.WriteString(indent(SampleText(sample), "  "))
		case s.Error == "": // else the error says it
			b.WriteString("  " + Line(sample) + "\n" + indent(briefly(sample), "    "))
		}
	}
	for _, n := range s.Notes {
		b.WriteString(indent(n, "  "))
	}
	if full && s.Ran != nil {
		b.WriteString(indent(printed(*s.Ran, linesInText), "  "))
	}
	if full {
		b.WriteString(indent(evidence(s), "  "))
	}
	if s.Again != "" && full {
		b.WriteString("  just this again: " + s.Again + "\n")
	}
	return printable(b.String())
}

// briefly is what a sample that passed has to tell beside its verdict: how long
// the change took, and a kind of balancing that is not the usual one.
func briefly(s record.Sample) string {
	var lines []string
	if p := s.Propagation; p != nil && (p.FirstNew != nil || p.LastOld != nil) {
		lines = append(lines, Propagation(s))
	}
	if b := s.Balancing; b != nil && b.Balancing != verdict.Independent && b.Balancing != verdict.TooFew {
		lines = append(lines, "balancing: "+string(b.Balancing))
	}
	if line := Kept(s); line != "" {
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Balancing says in one line how the answers depend on each other; "" where
// that is not known.
func Balancing(s record.Sample) string {
	if s.Balancing == nil || s.Balancing.Balancing == verdict.TooFew {
		return ""
	}
	return fmt.Sprintf("balancing: %s: %s", s.Balancing.Balancing, s.Balancing.Message)
}

func stepTitle(s record.Step) string {
	switch {
	case s.Title != "":
		return s.Title
	case s.Name != "":
		return s.Name
	}
	return s.Action
}

func changes(list []record.Change) string {
	var b strings.Builder
	for _, c := range list {
		name := c.Name
		if c.Namespace != "" {
			name = c.Namespace + "/" + c.Name
		}
		fmt.Fprintf(&b, "%-9s %s %s %s\n", c.What, c.Cluster, c.Resource, name)
	}
	return b.String()
}

// SampleText is all about one sample: the verdict first, then the diagnosis,
// the table, faults, the answers over time, attempts and examples.
func SampleText(s record.Sample) string {
	var b strings.Builder
	b.WriteString(Line(s) + "\n")
	if s.Diagnosis != "" {
		b.WriteString("diagnosis: " + s.Diagnosis + "\n")
	}
	b.WriteString(Table(s))
	b.WriteString(speed(s))
	b.WriteString(faults(s))
	if s.Result.State != verdict.Passed {
		b.WriteString(strip(s))
	}
	b.WriteString(furtherText(s) + attempts(s))
	if line := Propagation(s); line != "" {
		b.WriteString(line + "\n" + watchedFrom(s.Propagation))
	}
	if line := Balancing(s); line != "" {
		b.WriteString(line + "\n")
	}
	if line := Kept(s); line != "" {
		b.WriteString(line + "\n")
	}
	if s.Result.State == verdict.Passed {
		s.Examples = FirstFaults(s.Examples)
	}
	b.WriteString(examples(s))
	return b.String()
}

// Line is the verdict on one line: "ingress1: passed: 40.6 % blue, 39.5 %
// green, 19.9 % canary, 3,120 requests, wrong with probability at most 0.01".
func Line(s record.Sample) string {
	r := s.Result
	where := s.Gateway
	if s.Case != "" {
		where += ", " + s.Case
	}
	if where != "" {
		where += ": "
	}
	switch r.State {
	case verdict.Passed:
		return fmt.Sprintf("%spassed: %s, %s, wrong with probability at most %s", where, shares(r), requests(r.N), Probability(r.Beta))
	case verdict.Failed:
		return fmt.Sprintf("%sfailed: %s%s", where, r.Reason, doubt(r))
	}
	if r.N == 0 {
		return where + "undecided: " + r.Reason
	}
	return fmt.Sprintf("%sundecided: %s (%s)", where, r.Reason, shares(r))
}

// doubt is the probability that a failure is wrong; an answer that must never
// come leaves none.
func doubt(r verdict.Result) string {
	if Certain(r) {
		return ""
	}
	return ", wrong with probability at most " + Probability(r.Alpha)
}

// Certain says of a failure that no probability is part of it: something came
// that must never come.
func Certain(r verdict.Result) bool {
	if r.State != verdict.Failed {
		return false
	}
	switch r.Because {
	case verdict.BecauseErrors:
		return r.Errors.Tolerated == 0
	case verdict.BecauseLeak:
		for _, s := range r.Shares {
			if s.State == verdict.Failed {
				return s.Leak == 0
			}
		}
		return true
	}
	return false
}

// shares lists what was got: "40.6 % blue, 39.5 % green". What was wanted at 0
// and did not come is left out.
func shares(r verdict.Result) string {
	var parts []string
	for _, s := range r.Shares {
		if s.Want > 0 || s.Count > 0 {
			parts = append(parts, got(s.Got)+" "+s.Name)
		}
	}
	if r.Errors.Count > 0 {
		parts = append(parts, got(r.Errors.Got)+" errors")
	}
	return strings.Join(parts, ", ")
}

func requests(n int64) string {
	if n == 1 {
		return "1 request"
	}
	return Count(n) + " requests"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// indent puts the prefix before every line; the result ends with a line break.
func indent(text, prefix string) string {
	text = strings.TrimRight(text, "\n")
	if text == "" {
		return ""
	}
	return prefix + strings.ReplaceAll(text, "\n", "\n"+prefix) + "\n"
}

// Duration writes a duration with three figures: "12.3 s", "410 ms", "2 min 5 s".
func Duration(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Duration(max(-d, -(d+1))) // the smallest has no counterpart
	case d >= time.Minute:
		d = d.Round(time.Second)
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d >= 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d >= time.Second:
		return fmt.Sprintf("%.2f s", d.Seconds())
	case d >= time.Millisecond:
		return figures(float64(d)/float64(time.Millisecond)) + " ms"
	case d == 0:
		return "0 s"
	}
	return figures(float64(d)/float64(time.Microsecond)) + " us"
}
