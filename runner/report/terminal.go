package report

import (
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/record"
)

// StepBrief is a step on a line, with what must be said of it: as in a brief report.
func StepBrief(s record.Step) string { return stepText(s, false) }

// StepFailure is all about a step that did not pass, without what would bury the
// verdict on a terminal: of the examples the first of each fault stays, and what
// the error says already is not said twice. All of it is in the record and its
// report.
func StepFailure(s record.Step) string {
	s.Samples = slices.Clone(s.Samples)
	for i := range s.Samples {
		sample := &s.Samples[i]
		if strings.Contains(s.Error, sample.Diagnosis) {
			sample.Diagnosis = ""
		}
		sample.Examples = slices.DeleteFunc(slices.Clone(sample.Examples), func(e record.Example) bool {
			return e.Fault == "" || e.Which != "first"
		})
	}
	return StepText(s)
}
