package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/report"
)

// text is the plan for people.
func (r *plannedRun) text(f *planFlags) string {
	var b strings.Builder
	fmt.Fprintf(&b, "in the environment %s (%s); nothing is touched now\n", r.Environment, r.File)
	for _, s := range r.Scenarios {
		fmt.Fprintf(&b, "\n%s: %s (%s)\n", s.Name, s.Title, s.File)
		if s.Skip != "" {
			fmt.Fprintf(&b, "  skipped: %s\n", s.Skip)
		}
		for i, step := range s.Steps {
			fmt.Fprintf(&b, "  %d. %s (line %d)\n", i+1, step.Title, step.line)
			for line := range strings.Lines(step.text(f.verbose)) {
				b.WriteString(strings.TrimRight("     "+line, " \n") + "\n")
			}
		}
	}
	b.WriteString("\n" + r.putBack() + "\n" + r.total(f))
	return b.String()
}

// text is what a step does.
func (s *plannedStep) text(verbose bool) string {
	var b strings.Builder
	in := document.And(s.Clusters)
	switch s.Action {
	case "apply":
		fmt.Fprintf(&b, "apply to %s%s\n", in, s.until(", then wait until "))
	case "delete":
		fmt.Fprintf(&b, "delete from %s%s\n", in, s.until(", then wait until "))
	case "wait":
		fmt.Fprintf(&b, "wait in %s%s\n", in, s.until(" until "))
	case "assert":
		fmt.Fprintf(&b, "look in %s%s\n", in, s.until(" whether "))
	case "call":
		fmt.Fprintf(&b, "call from %s%s: %s\n  wanted: %s, within %s; %s\n", s.Client, of(s.Gateways), document.And(s.Requests), s.Until, short(s.Within), s.pace())
	case "expect":
		b.WriteString(s.sampled(verbose))
	case "run":
		fmt.Fprintf(&b, "run %s%s\n", s.Runs, s.until(", then wait until "))
	default:
		fmt.Fprintf(&b, "%s%s\n", s.Action, s.until(" until "))
	}
	b.WriteString(s.objects())
	return b.String()
}

func (s *plannedStep) until(words string) string {
	if s.Until == "" {
		return ""
	}
	return fmt.Sprintf("%s%s (at most %s)", words, s.Until, short(s.Within))
}

func of(gateways []string) string {
	if len(gateways) == 0 {
		return ""
	}
	return ", to " + document.And(gateways)
}

// pace is how much a call takes at least.
func (s *plannedStep) pace() string {
	return fmt.Sprintf("%d requests, %s at least", s.Calls, report.Duration(s.CallsTime))
}

// objects is a line for each object, with where it is from.
func (s *plannedStep) objects() string {
	width := 0
	for _, o := range s.Objects {
		width = max(width, len([]rune(o.String())))
	}
	var b strings.Builder
	for _, o := range s.Objects {
		name := o.String()
		fmt.Fprintf(&b, "  %s%s  %s\n", name, strings.Repeat(" ", width-len([]rune(name))), o.From)
	}
	return b.String()
}

// sampled is what an expect asks, and how much of it.
func (s *plannedStep) sampled(verbose bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ask %s, each on its own, until its answers decide\n", document.And(s.Gateways))
	for i, p := range s.Expectations {
		request := s.Requests[i]
		if p.Case != "" {
			request += " (" + p.Case + ")"
		}
		fmt.Fprintf(&b, "  %s\n    wanted: %s\n", request, report.Wanted(p.Claim))
		if verbose {
			table := strings.TrimSpace(report.Forecast(p.Claim, p.Forecast, p.Budget) + report.Budgets(p.Claim, p.Forecast, p.Budget))
			b.WriteString("    " + strings.ReplaceAll(table, "\n", "\n    ") + "\n")
		}
	}
	if s.Verdict != "" {
		fmt.Fprintf(&b, "  the verdict wanted is %s: a fault that is to be caught\n", s.Verdict)
	}
	n := s.Sampling
	cases := ""
	if len(s.Expectations) > 1 {
		cases = fmt.Sprintf(" for its %d cases in turn", len(s.Expectations))
	}
	fmt.Fprintf(&b, "  each gateway%s, when right: median %s requests in %s, 99th percentile %s in %s (%s)\n",
		cases, report.Count(n.Median), report.Duration(n.MedianTime), report.Count(n.P99), report.Duration(n.P99Time), n.pace())
	if n.Beyond {
		b.WriteString("  the budget does not always do: then the verdict is undecided\n")
	}
	return b.String()
}

func (n *planSampling) pace() string {
	if n.Assumed {
		return fmt.Sprintf("without a limit; reckoned with answers of %s", short(answerTime))
	}
	return fmt.Sprintf("at %s/s", report.Count(int64(n.Rate+.5)))
}

// putBack is what is undone, by scenario: children before what they need.
func (r *plannedRun) putBack() string {
	var parts []string
	for i := len(r.Scenarios) - 1; i >= 0; i-- {
		if s := r.Scenarios[i]; len(s.PutBack) > 0 {
			parts = append(parts, fmt.Sprintf("%s (%s)", s.Name, count(len(s.PutBack), "object")))
		}
	}
	runs := ""
	for _, s := range r.Scenarios {
		for _, step := range s.Steps {
			if step.Runs != "" {
				runs = "  what a program changes and is not said to touch is found when clusters are compared at the end, and fails the run\n"
			}
		}
	}
	if len(parts) == 0 && runs == "" {
		return "put back afterwards: nothing, for nothing is changed\n"
	} else if len(parts) == 0 {
		return "put back afterwards: nothing, for nothing is said to be changed\n" + runs
	}
	return "put back afterwards, the last change first: " + strings.Join(parts, ", ") + "\n" +
		"  what was not there is deleted, what was changed or deleted is made as it was; a sandbox that a run starts just ends\n" + runs
}

func (r *plannedRun) total(f *planFlags) string {
	t := r.Total
	text := fmt.Sprintf("in all: %s, %s, %s changed, %s\n", count(t.Scenarios, "scenario"), count(t.Steps, "step"), count(t.Objects, "object"), count(t.Verdicts, "verdict"))
	if t.Verdicts+t.Calls == 0 {
		return text + "no gateway is asked, nothing is called\n"
	}
	if t.Verdicts > 0 {
		text += fmt.Sprintf("requests when everything is right: median %s, 99th percentile %s\n", report.Count(t.Median), report.Count(t.P99))
	}
	if t.Calls > 0 {
		text += fmt.Sprintf("calls: %d\n", t.Calls)
	}
	text += fmt.Sprintf("time for them: about %s, %s with the 99th percentiles\n", report.Duration(t.MedianTime), report.Duration(t.P99Time))
	text += "  not in it: starting a sandbox, what clusters take to apply and to become ready, attempts that are begun anew\n" +
		"  while a change is on its way, and putting back\n"
	if t.Verdicts > 0 {
		text += f.simulated()
	}
	return text
}

// short is a time as people write it: 1m, not 1m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
