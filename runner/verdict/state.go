package verdict

import "fmt"

// State is what can be said so far.
type State int

// The states of a test.
const (
	Undecided State = iota
	Passed
	Failed
)

var stateNames = [...]string{"undecided", "passed", "failed"}

// String returns "undecided", "passed" or "failed".
func (s State) String() string {
	if s < 0 || int(s) >= len(stateNames) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return stateNames[s]
}

// MarshalText writes the state as its word.
func (s State) MarshalText() ([]byte, error) {
	if s < 0 || int(s) >= len(stateNames) {
		return nil, fmt.Errorf("no such state: %d", int(s))
	}
	return []byte(stateNames[s]), nil
}

// UnmarshalText reads the word of a state.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("unknown state %q (undecided, passed or failed)", text)
}

// Cause is what made a test fail.
type Cause string

// The causes of a failure; "" when it did not fail.
const (
	BecauseShare  Cause = "share"  // a share strictly between 0 and 100 % is outside its tolerance
	BecauseLeak   Cause = "leak"   // an outcome that should not occur occurred, or too often
	BecauseErrors Cause = "errors" // more errors than tolerated
)

// What Observe takes instead of an index into Claim.Shares.
const (
	Error    = -1 // the request failed, or no one knows what its answer is
	Unlisted = -2 // the answer is an outcome that no share names: a leak, or one of the share NotListed
)

// Counts is how many answers there were of each kind. Counts of several
// samplers add up.
type Counts struct {
	Outcomes []int64 `json:"outcomes"` // in the order of Claim.Shares
	Other    int64   `json:"other"`    // outcomes that no share names: a leak, or more of the share NotListed
	Errors   int64   `json:"errors"`   // failed requests and unknown answers
}

// Add adds d to c, outcome by outcome. Both must be of the same claim, or c
// still empty.
func (c *Counts) Add(d Counts) {
	if c.Outcomes == nil {
		c.Outcomes = make([]int64, len(d.Outcomes))
	}
	if len(c.Outcomes) != len(d.Outcomes) {
		panic(fmt.Sprintf("verdict: counts of %d outcomes added to counts of %d", len(d.Outcomes), len(c.Outcomes)))
	}
	for i, n := range d.Outcomes {
		c.Outcomes[i] += n
	}
	c.Other += d.Other
	c.Errors += d.Errors
}

// Total is the number of answers counted.
func (c Counts) Total() int64 {
	n := c.Other + c.Errors
	for _, x := range c.Outcomes {
		n += x
	}
	return n
}

// Result is what a test says, with everything that a report needs.
type Result struct {
	State   State  `json:"state"`
	N       int64  `json:"n"`                 // answers judged, errors included
	Reason  string `json:"reason"`            // in words: "canary is at 25.9 % of 4,120, above 23 %"
	Because Cause  `json:"because,omitempty"` // set when failed
	// Shares is in the order of Claim.Shares.
	Shares []ShareResult `json:"shares"`
	Errors ErrorResult   `json:"errors"`
	Other  int64         `json:"other,omitempty"` // answers that no share names
	// Needed is about how many more answers would decide, when undecided; 0
	// when nothing can be said (a share very near to an edge).
	Needed int64 `json:"needed,omitempty"`
	// Alpha and Beta bound the probability that this Failed, or this Passed, is wrong.
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	// Confidence is the probability with which all intervals hold together, at
	// every time that one may have looked.
	Confidence float64 `json:"confidence"`
}

// ShareResult is what was seen of one share. Fractions; [Low, High] is the interval.
type ShareResult struct {
	Name       string  `json:"name"`
	Want       float64 `json:"want"`
	Tolerance  float64 `json:"tolerance,omitempty"`
	Leak       float64 `json:"leak,omitempty"`
	Resolution float64 `json:"resolution,omitempty"` // set where "never" was wanted
	Got        float64 `json:"got"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Count      int64   `json:"count"`
	State      State   `json:"state"`
}

// ErrorResult is what was seen of errors. Fractions.
type ErrorResult struct {
	Tolerated float64 `json:"tolerated"`
	Got       float64 `json:"got"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Count     int64   `json:"count"`
	State     State   `json:"state"`
}
