package record

import (
	"time"

	"github.com/meshassay/assay/runner/verdict"
)

// Further is what was asked after the verdict, when it was failed: so few
// answers may do for one that they say little of what is wrong. It is for the
// reader and has no part in the verdict.
type Further struct {
	Counts   verdict.Counts   `json:"counts"`
	Series   []verdict.Counts `json:"series,omitempty"` // as in Sample, and so are those below
	Strip    string           `json:"strip,omitempty"`
	Every    int64            `json:"every,omitempty"`
	Legend   []Letter         `json:"legend,omitempty"`
	Faults   map[string]int64 `json:"faults,omitempty"`
	Statuses map[string]int64 `json:"statuses,omitempty"`
	Unlisted map[string]int64 `json:"unlisted,omitempty"`
	Duration time.Duration    `json:"durationNanos"`
}
