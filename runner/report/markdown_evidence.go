package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// How many lines a step's evidence takes in a summary.
const (
	markdownObjects = 8
	markdownEvents  = 4
)

// markdownEvidence is, for a step that did not pass, the objects that are not
// as they should be or that no step has applied, the warnings, and the command
// that runs it again.
func markdownEvidence(s record.Step) string {
	var b strings.Builder
	var odd []record.Object
	for _, o := range s.Objects {
		if o.Deviates() || o.Stray {
			odd = append(odd, o)
		}
	}
	odd, more := some(odd, markdownObjects)
	for _, o := range odd {
		text := strings.Join(append([]string{condition(o)}, o.Messages...), "; ")
		fmt.Fprintf(&b, "\n  - %s: %s: %s", inMarkdown(o.Cluster, longestName), inMarkdown(objectName(o), longestLine), inMarkdown(strings.TrimPrefix(text, "; "), longestLine))
	}
	b.WriteString(strings.TrimRight("\n"+andMore("  - ", more), "\n"))
	events, _ := tellingEvents(s)
	events, _ = some(events, markdownEvents)
	for _, e := range events {
		fmt.Fprintf(&b, "\n  - %s: %s: %s%s: %s", inMarkdown(e.Cluster, longestName), inMarkdown(e.Object, longestLine), inMarkdown(e.Reason, longestName), often(e.Count), inMarkdown(e.Message, longestLine))
	}
	if s.Again != "" {
		b.WriteString("\n  - just this again: <code>" + inMarkdown(s.Again, longestLine) + "</code>")
	}
	return b.String()
}
