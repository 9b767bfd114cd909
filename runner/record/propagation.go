package record

import "time"

// Propagation is how a change reached the answers of one gateway to one
// request. A probe asked from before the change was sent; the answers of the
// expectation count here too, those of the probe never for the verdict.
//
// Moments are counted from when the change was sent until the answer was whole.
type Propagation struct {
	Step    int           `json:"step"`         // index of the step that changed
	Every   time.Duration `json:"everyNanos"`   // between two requests of the probe
	Watched time.Duration `json:"watchedNanos"` // until when
	// Before counts the answers that had come when the change was sent, After
	// those since then, by outcome ("other": none of the environment's).
	Before       map[string]int64 `json:"before,omitempty"`
	FailedBefore int64            `json:"failedBefore,omitempty"`
	After        map[string]int64 `json:"after,omitempty"`
	// New are the outcomes that are wanted and were not possible before, Old
	// those that were and are wanted no more. When nothing but failed requests
	// came before the change (Dead), they stand for Old.
	New  []string `json:"new,omitempty"`
	Old  []string `json:"old,omitempty"`
	Dead bool     `json:"dead,omitempty"`
	// FirstNew and LastOld are when the first answer of New and the last of Old
	// (or failed request, when Dead) came; nil: none did. AtOnce says that the
	// first request after the change was answered by New already.
	FirstNew *time.Duration `json:"firstNewNanos,omitempty"`
	AtOnce   bool           `json:"atOnce,omitempty"`
	LastOld  *time.Duration `json:"lastOldNanos,omitempty"`
	// Errors counts the failed requests since the change was sent, Faults by kind.
	Errors     int64            `json:"errors"`
	FirstError time.Duration    `json:"firstErrorNanos,omitempty"`
	LastError  time.Duration    `json:"lastErrorNanos,omitempty"`
	Faults     map[string]int64 `json:"faults,omitempty"`
}
