package record

import (
	"time"

	"github.com/meshassay/assay/runner/verdict"
)

// Version is the version of the format that this package writes and reads.
const Version = 1

// State is how a step ended.
type State string

// The states of a step, and of what is made of steps.
const (
	Passed    State = "passed"
	Failed    State = "failed"
	Undecided State = "undecided"
	Errored   State = "errored" // could not be judged
	Skipped   State = "skipped" // not for this environment, or after an earlier failure
)

// Record is one run.
type Record struct {
	Version     int       `json:"version"`
	Tool        string    `json:"tool"` // what wrote it, with its version
	Environment string    `json:"environment"`
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended"`
	// Alpha is for the whole run, Beta for each claim.
	Alpha     float64    `json:"alpha"`
	Beta      float64    `json:"beta"`
	Seed      uint64     `json:"seed,omitempty"`
	Scenarios []Scenario `json:"scenarios"`
	// Unfinished says what was to run and did not, or was not put back, and why,
	// a line each: files with mistakes, a run that was stopped, or whose program
	// was ended. None: the run came to its end.
	Unfinished []string `json:"unfinished,omitempty"`
	// Inventory is what came of comparing what the clusters held before and
	// after, in words; "" when that was not done. A difference is in a
	// scenario's PutBackError, too.
	Inventory string `json:"inventory,omitempty"`
}

// Scenario is what happened of one scenario.
type Scenario struct {
	Name    string   `json:"name"`
	Title   string   `json:"title,omitempty"`
	File    string   `json:"file,omitempty"`
	Labels  []string `json:"labels,omitempty"`
	Skipped string   `json:"skipped,omitempty"` // why it did not run
	Steps   []Step   `json:"steps"`
	PutBack []Change `json:"putBack,omitempty"` // what was undone afterwards, in that order
	// PutBackError says what could not be undone.
	PutBackError string `json:"putBackError,omitempty"`
}

// Step is what happened of one step.
type Step struct {
	Index    int           `json:"index"` // from 0
	Name     string        `json:"name,omitempty"`
	Action   string        `json:"action"`
	Position string        `json:"position,omitempty"` // file:line:col
	Title    string        `json:"title,omitempty"`
	State    State         `json:"state"`
	Error    string        `json:"error,omitempty"` // why it failed, errored or was skipped
	Started  time.Time     `json:"started"`
	Duration time.Duration `json:"durationNanos"`
	Reached  bool          `json:"reached,omitempty"` // run only to bring about the state for a scenario that needs it
	Changes  []Change      `json:"changes,omitempty"`
	Samples  []Sample      `json:"samples,omitempty"`
	Notes    []string      `json:"notes,omitempty"`
	// Ran is what a program that the step ran has printed.
	Ran *Ran `json:"ran,omitempty"`
	// Objects are those that a step which did not pass is about, as they were
	// right after it: first what is not as it should be. Events are of them, the
	// warnings first.
	Objects []Object `json:"objects,omitempty"`
	Events  []Event  `json:"events,omitempty"`
	// Again is the command that runs just this scenario again, where the step
	// did not pass.
	Again string `json:"again,omitempty"`
}

// Ran is a program that was run.
type Ran struct {
	Command string `json:"command"` // a script with its arguments, a command, or PAGE#SECTION
	Exit    int    `json:"exit"`    // its exit status; -1 when a signal ended it
	// Output is what it printed, standard output and standard error together, as
	// text; of a long one the beginning and the end.
	Output string `json:"output,omitempty"`
	Cut    int64  `json:"cut,omitempty"` // bytes that are left out of it
}

// What a step can do to an object.
const (
	Created   = "created"
	Changed   = "changed"
	Unchanged = "unchanged"
	Deleted   = "deleted"
	Restored  = "restored"
)

// Change is what was done to one object of a cluster.
type Change struct {
	Cluster   string `json:"cluster"`
	Resource  string `json:"resource"` // trafficpolicies.networking.mesh.gloo.solo.io
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	What      string `json:"what"`
}

// Sample is one gateway's answers to one expectation, and what was made of them.
type Sample struct {
	Gateway  string `json:"gateway"`
	URL      string `json:"url"`
	Case     string `json:"case,omitempty"`     // which of several requests, in words
	Position string `json:"position,omitempty"` // file:line:col of the expectation
	// Result and Counts are of the last attempt, the one that stands.
	Result   verdict.Result `json:"result"`
	Counts   verdict.Counts `json:"counts"`
	Attempts []Attempt      `json:"attempts,omitempty"` // every attempt when there was more than one, the last included
	// Strip is the answers over time, one letter each, in dispatch order; one
	// of every Every. Legend says what the letters mean.
	Strip  string   `json:"strip,omitempty"`
	Every  int64    `json:"every,omitempty"`
	Legend []Letter `json:"legend,omitempty"`
	// Series is the counts of successive stretches of answers of equal length
	// (the last may be shorter), for the last attempt.
	Series []verdict.Counts `json:"series,omitempty"`
	// Faults counts failed requests by kind, Statuses by the status of the
	// answer where there was one ("503").
	Faults   map[string]int64 `json:"faults,omitempty"`
	Statuses map[string]int64 `json:"statuses,omitempty"`
	Unlisted map[string]int64 `json:"unlisted,omitempty"` // outcomes that no share names
	Examples []Example        `json:"examples,omitempty"`
	Latency  Latency          `json:"latency"`
	// Histogram is the latencies in buckets about 1 % wide, for comparisons.
	Histogram verdict.Histogram `json:"histogram,omitempty"`
	Rate      float64           `json:"rate"`          // answers per second
	Duration  time.Duration     `json:"durationNanos"` // all attempts and pauses
	Diagnosis string            `json:"diagnosis,omitempty"`
	// Balancing is how the answers of the last attempt depend on one another:
	// what kind of balancing that is, as a message to the reader. It has no
	// part in the verdict.
	Balancing *verdict.DependenceResult `json:"balancing,omitempty"`
	// Kept is how answers on connections that are kept alive depend on them,
	// where a gateway ties connections to a backend; asked after the verdict.
	Kept *verdict.DependenceResult `json:"kept,omitempty"`
	// Further is what came after a failed verdict of few answers.
	Further *Further `json:"further,omitempty"`
	// Propagation is how the change right before the sample reached its answers.
	Propagation *Propagation `json:"propagation,omitempty"`
}

// Attempt is one attempt of a sample that was begun anew while the change was
// still on its way.
type Attempt struct {
	Number   int            `json:"number"`  // from 0
	At       time.Duration  `json:"atNanos"` // since the sample began
	Duration time.Duration  `json:"durationNanos"`
	Result   verdict.Result `json:"result"`
	Counts   verdict.Counts `json:"counts"`
}

// Letter is what one letter of a strip stands for.
type Letter struct {
	Letter string `json:"letter"`
	Means  string `json:"means"`
}

// Example is one answer, or one fault, as it came.
type Example struct {
	Of     string        `json:"of"`              // the outcome, or ""
	Fault  string        `json:"fault,omitempty"` // the kind of fault, or ""
	Which  string        `json:"which"`           // "first" or "last"
	Number int64         `json:"number"`          // of the request, from 0
	At     time.Duration `json:"atNanos"`         // since the sample began
	Status int           `json:"status,omitempty"`
	Detail string        `json:"detail,omitempty"`
	Header []string      `json:"header,omitempty"` // lines as they came, bounded
	Body   string        `json:"body,omitempty"`   // the first 200 bytes
}

// Latency sums up how long answers took, from dial to the last byte.
type Latency struct {
	Count int64         `json:"count"`
	Min   time.Duration `json:"minNanos"`
	P50   time.Duration `json:"p50Nanos"`
	P90   time.Duration `json:"p90Nanos"`
	P99   time.Duration `json:"p99Nanos"`
	Max   time.Duration `json:"maxNanos"`
}
