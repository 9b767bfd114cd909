package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// How many lines of each kind a summary has: GitHub takes no more than a
// megabyte, and nobody reads it.
const (
	mostRows    = 200
	mostReasons = 50
)

// Markdown writes a summary of a run for the page of a CI job: whether it
// passed and how sure that is, what did not pass and why, and a table of the
// scenarios and one of the expectations. All texts of the record are escaped
// and bounded. It returns the first error of writing.
func Markdown(w io.Writer, r *record.Record) error {
	var b strings.Builder
	o := Overall(r)
	fmt.Fprintf(&b, "## %s %s\n\n%s\n", sign(o.State), o.Headline, inMarkdown(Summary(r), longestLine))
	unfinished, more := some(r.Unfinished, mostReasons)
	for i, why := range unfinished {
		if i == 0 {
			b.WriteString("\n### Not all was run\n\n")
		}
		b.WriteString("- " + signed(record.Errored) + " " + inMarkdown(why, 2*longestLine) + "\n")
	}
	b.WriteString(andMore("- ", more))
	markdownProblems(&b, r)
	markdownScenarios(&b, r)
	markdownExpectations(&b, r)
	if r.Inventory != "" {
		b.WriteString("\nInventory: " + inMarkdown(r.Inventory, 2*longestLine) + "\n")
	}
	if o.Certainty != "" {
		b.WriteString("\n" + inMarkdown(o.Certainty, 2*longestLine) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// sign is a state for those who skim; its word stands beside it.
func sign(s record.State) string {
	switch s {
	case record.Passed:
		return "✅"
	case record.Failed:
		return "❌"
	case record.Undecided:
		return "❔"
	case record.Errored:
		return "⚠️"
	}
	return "➖"
}

func signed(s record.State) string { return sign(s) + " " + string(s) }

// markdownProblems lists what did not pass: where it is said, and why.
func markdownProblems(b *strings.Builder, r *record.Record) {
	var lines []string
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			if state := known(st.State); state != record.Passed && state != record.Skipped {
				lines = append(lines, fmt.Sprintf("- %s **%s**, %s%s%s%s%s", signed(state), inMarkdown(s.Name, longestName),
					inMarkdown(stepTitle(st), longestLine), place(st.Position), whyNot(st), markdownPrinted(st), markdownEvidence(st)))
			}
		}
		if s.PutBackError != "" {
			lines = append(lines, fmt.Sprintf("- %s **%s** was not put back\n  - %s", signed(record.Errored), inMarkdown(s.Name, longestName), inMarkdown(s.PutBackError, longestLine)))
		}
	}
	if len(lines) == 0 {
		return
	}
	b.WriteString("\n### What did not pass\n\n")
	lines, more := some(lines, mostReasons)
	b.WriteString(strings.Join(lines, "\n") + "\n" + andMore("- ", more))
}

func place(position string) string {
	if position == "" {
		return ""
	}
	return " (" + inMarkdown(position, longestLine) + ")"
}

// whyNot is why a step did not pass: its samples say it best.
func whyNot(s record.Step) string {
	var b strings.Builder
	samples, more := some(s.Samples, mostReasons)
	for _, sample := range samples {
		if sample.Result.State == verdict.Passed {
			continue
		}
		fmt.Fprintf(&b, "\n  - %s", inMarkdown(Line(sample), 2*longestLine))
		if sample.Diagnosis != "" {
			fmt.Fprintf(&b, "<br>%s", inMarkdown(sample.Diagnosis, 2*longestLine))
		}
	}
	if b.Len() == 0 && s.Error != "" {
		return "\n  - " + inMarkdown(s.Error, 2*longestLine)
	}
	return b.String() + strings.TrimRight("\n"+andMore("  - ", more), "\n")
}

func andMore(prefix string, more int) string {
	if more == 0 {
		return ""
	}
	return fmt.Sprintf("%sand %d more, in the record\n", prefix, more)
}

func markdownScenarios(b *strings.Builder, r *record.Record) {
	if len(r.Scenarios) == 0 {
		return
	}
	b.WriteString("\n### Scenarios\n\n| scenario | result | steps | requests | time |\n| --- | --- | ---: | ---: | ---: |\n")
	list, more := some(r.Scenarios, mostRows)
	for _, s := range list {
		steps, requests, took := sums(s)
		title := ""
		if s.Title != "" {
			title = ": " + inMarkdown(s.Title, longestLine)
		}
		fmt.Fprintf(b, "| **%s**%s | %s | %d | %s | %s |\n", inMarkdown(s.Name, longestName), title, signed(scenarioState(s)), steps, Count(requests), lasting(took))
	}
	b.WriteString("\n" + andMore("", more))
}

func markdownExpectations(b *strings.Builder, r *record.Record) {
	var rows []string
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			for _, sample := range st.Samples {
				rows = append(rows, markdownRow(s, st, sample))
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	b.WriteString("### Expectations\n\n| expectation | gateway | wanted | got | answers | result |\n| --- | --- | --- | --- | ---: | --- |\n")
	rows, more := some(rows, mostRows)
	b.WriteString(strings.Join(rows, "") + "\n" + andMore("", more))
}

func markdownRow(s record.Scenario, st record.Step, sample record.Sample) string {
	where := inMarkdown(sample.Gateway, longestName)
	if sample.Case != "" {
		where += ", " + inMarkdown(sample.Case, longestName)
	}
	r := sample.Result
	var want []string
	for _, sh := range r.Shares {
		if sh.Want > 0 {
			want = append(want, signs.Replace(wanted(sh))+" "+sh.Name)
		}
	}
	result := signed(record.State(r.State.String()))
	if asItShould(st, r) {
		result = signed(record.Passed) + ": " + r.State.String() + " as it should"
	}
	return fmt.Sprintf("| %s: %s | %s | %s | %s | %s | %s |\n", inMarkdown(s.Name, longestName), inMarkdown(stepTitle(st), longestLine), where,
		inMarkdown(strings.Join(want, ", "), longestLine), inMarkdown(shares(r), longestLine), Count(r.N), result)
}

// inMarkdown is a text from outside on one line, with everything that Markdown
// or HTML would make something of taken at its word. A vertical bar would end a
// cell of a table, and even in one a backslash keeps it from that.
func inMarkdown(text string, longest int) string {
	return escapes.Replace(oneLine(text, longest))
}

var escapes = func() *strings.Replacer {
	pairs := []string{"&", "&amp;", "<", "&lt;", ">", "&gt;", "://", "&#58;//", "www.", "www&#46;", "@", "&#64;"}
	for _, c := range "\\`*_[]#|~^$" {
		pairs = append(pairs, string(c), `\`+string(c))
	}
	return strings.NewReplacer(pairs...)
}()
