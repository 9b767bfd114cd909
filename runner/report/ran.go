package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// How many lines of what a program printed are shown: the last ones, for that is
// where it says why it ended. All of them are in the record.
const (
	linesInText     = 60
	linesOnTerminal = 20
	linesInMarkdown = 10
	longestPrinted  = 20_000 // characters, on a page
)

// printed is what a program printed and how it ended, for a terminal.
func printed(r record.Ran, most int) string {
	lines, left := lastLines(r.Output, most)
	if len(lines) == 0 {
		return fmt.Sprintf("it printed nothing (%s)\n", exitOf(r))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "it printed (%s%s):\n", exitOf(r), earlier(left))
	for _, line := range lines {
		b.WriteString("| " + bounded(line, longestBlock, false) + "\n")
	}
	return b.String()
}

func exitOf(r record.Ran) string {
	if r.Exit < 0 {
		return "ended by a signal"
	}
	return fmt.Sprintf("exit status %d", r.Exit)
}

func earlier(left int) string {
	if left == 0 {
		return ""
	}
	return fmt.Sprintf("; %s before these in the record", plural(left, "line"))
}

// lastLines are the last lines of a text, and how many come before them.
func lastLines(text string, most int) (lines []string, left int) {
	text = strings.TrimRight(text, "\n")
	if strings.TrimSpace(text) == "" {
		return nil, 0
	}
	lines = strings.Split(text, "\n")
	left = max(0, len(lines)-most)
	return lines[left:], left
}

// markdownPrinted is the end of what a program printed, for a step that did not
// pass.
func markdownPrinted(s record.Step) string {
	if s.Ran == nil {
		return ""
	}
	lines, left := lastLines(s.Ran.Output, linesInMarkdown)
	if len(lines) == 0 {
		return ""
	}
	for i, line := range lines {
		lines[i] = inMarkdown(line, longestLine)
	}
	return fmt.Sprintf("\n  - it printed (%s%s):<br>%s", exitOf(*s.Ran), earlier(left), strings.Join(lines, "<br>"))
}

// ranView is what a program printed, for a page.
type ranView struct{ Exit, Output string }

func newRan(r *record.Ran) *ranView {
	if r == nil {
		return nil
	}
	text := strings.TrimRight(r.Output, "\n")
	if over := len([]rune(text)) - longestPrinted; over > 0 { // the end says why it ended
		text = fmt.Sprintf("… (%s before this, in the record)\n", plural(over, "character")) + string([]rune(text)[over:])
	}
	return &ranView{Exit: exitOf(*r), Output: bounded(text, longestPrinted+200, true)}
}
