package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Live is a sample as it stands while it is taken: the table and how fast.
func Live(s record.Sample) string {
	text := Table(s) + speed(s) + faults(s)
	if r := s.Result; r.State == verdict.Undecided && r.Needed > 0 {
		text += fmt.Sprintf("about %s more requests decide\n", Count(r.Needed))
	}
	return text
}

// LiveFound is Live of a sample of which nothing is wanted.
func LiveFound(s record.Sample, f verdict.FoundResult) string {
	return FoundTable(f) + speed(s) + faults(s)
}

// FoundLine is what was found on one line: "2,000 requests: 79.9 % blue, 20.0 %
// green, 0.1 % errors".
func FoundLine(f verdict.FoundResult) string {
	var parts []string
	for _, s := range f.Shares {
		parts = append(parts, got(s.Got)+" "+name(s.Name))
	}
	if f.Errors.Count > 0 {
		parts = append(parts, got(f.Errors.Got)+" errors")
	}
	if len(parts) == 0 {
		return "no answers yet"
	}
	return requests(f.N) + ": " + strings.Join(parts, ", ")
}
