package verdict

import (
	"fmt"
	"math"
	"strings"
)

// What is assumed where a scenario says nothing.
const (
	DefaultAlpha      = 0.001 // probability of a wrong "failed", for a whole run
	DefaultBeta       = 0.01  // probability of a wrong "passed", for each claim
	DefaultErrors     = 0.005 // share of errors that is tolerated
	DefaultResolution = 0.005 // "never answers" is passed as "answers less than this share"
)

// minimumTolerance is the smallest tolerance that is accepted. Evidence at an
// edge grows with the square of the distance, so 1e-6 needs some 1e12 answers.
const minimumTolerance = 1e-6

// Share is what is wanted of one outcome. All numbers are fractions (0.4 is 40 %).
type Share struct {
	Name string `json:"name"`
	// Want is the share wanted, 0 to 1.
	Want float64 `json:"want"`
	// Tolerance is how far the share may be off on either side. It must be
	// given when Want lies strictly between 0 and 1, and only then.
	Tolerance float64 `json:"tolerance,omitempty"`
	// Leak is the share tolerated where Want is 0. 0 says that the outcome must
	// never occur: the first one fails.
	Leak float64 `json:"leak,omitempty"`
	// Resolution is what "never" is confirmed as where Want and Leak are 0:
	// passed says that the share is below it. 0 means DefaultResolution.
	Resolution float64 `json:"resolution,omitempty"`
}

// Claim is what is to be confirmed or refuted.
type Claim struct {
	// Shares has every outcome that is known; their Wants sum to 1. An outcome
	// that must not occur is listed with Want 0.
	Shares []Share `json:"shares"`
	// Errors is the share of errors that is tolerated, as a fraction. 0 says
	// that the first error fails; DefaultErrors is what a claim usually has.
	Errors float64 `json:"errors"`
	// Alpha bounds the probability of a wrong Failed, Beta that of a wrong Passed.
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// Index returns the place of the outcome in Shares, as Observe wants it, or
// Unlisted.
func (c Claim) Index(name string) int {
	for i := range c.Shares {
		if c.Shares[i].Name == name {
			return i
		}
	}
	return Unlisted
}

// Problem is one thing that is wrong with a claim.
type Problem struct {
	Share string // the name of the share, or "" when it concerns the whole claim
	Text  string // what is wrong
	Hint  string // what would do
}

// String returns the problem on one line: "blue: text (hint)".
func (p Problem) String() string {
	s := p.Text
	if p.Share != "" {
		s = p.Share + ": " + s
	}
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// Problems is the error that New returns for a claim that cannot be judged.
type Problems []Problem

// Error lists the problems, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Validate returns everything that is wrong with the claim, in the order of
// its shares and then what concerns the whole; none for a claim that can be judged.
func (c Claim) Validate() []Problem {
	var ps []Problem
	seen := make(map[string]bool, len(c.Shares))
	sum, summable := 0.0, true
	for i, s := range c.Shares {
		if s.Name == "" {
			s.Name = fmt.Sprintf("share %d", i+1)
			ps = append(ps, Problem{s.Name, "has no name", "name the outcome"})
		} else if seen[s.Name] {
			ps = append(ps, Problem{s.Name, "is listed twice", "list each outcome once"})
		}
		seen[s.Name] = true
		if !within(s.Want, 0, 1) {
			ps = append(ps, Problem{s.Name, fmt.Sprintf("a share of %s is not between 0 and 100 %%", percent(s.Want)), "for example 40%"})
			summable = false
			continue
		}
		sum += s.Want
		ps = append(ps, s.validate()...)
	}
	if len(c.Shares) == 0 {
		ps = append(ps, Problem{"", "no shares", "name at least one outcome and its share"})
	} else if summable && math.Abs(sum-1) > 1e-9 {
		ps = append(ps, Problem{"", fmt.Sprintf("the shares sum to %.8g %%, not to 100 %%", 100*sum), missing(sum)})
	}
	return append(ps, c.validateLevels()...)
}

// validate looks at one share whose Want is between 0 and 1.
func (s Share) validate() (ps []Problem) {
	add := func(text, hint string) { ps = append(ps, Problem{s.Name, text, hint}) }
	switch {
	case !within(s.Tolerance, 0, 1):
		add(fmt.Sprintf("a tolerance of %s is not between 0 and 100 points", points(s.Tolerance)), "for example 3pp")
	case s.Want == 0 && s.Tolerance > 0:
		add("a share of 0 takes no tolerance", "leak says what an outcome wanted at 0 may still have")
	case s.Want == 1 && s.Tolerance > 0:
		add("a share of 100 % takes no tolerance", "leak on the other outcomes and errors say what may be missing")
	case s.Want > 0 && s.Want < 1 && s.Tolerance < minimumTolerance:
		add(fmt.Sprintf("%s needs a tolerance: no number of requests confirms exactly %s", percent(s.Want), percent(s.Want)), "for example 3pp")
	case s.Want > 0 && s.Want < 1 && s.lower() <= 0 && s.upper() >= 1:
		add(fmt.Sprintf("a tolerance of %s around %s excludes nothing", points(s.Tolerance), percent(s.Want)),
			fmt.Sprintf("less than %s would do", points(math.Max(s.Want, 1-s.Want))))
	}
	switch {
	case !within(s.Leak, 0, 1) || s.Leak == 1:
		add(fmt.Sprintf("a leak of %s is not between 0 and 100 %%", percent(s.Leak)), "for example 1%")
	case s.Leak > 0 && s.Want > 0:
		add("leak is for outcomes wanted at 0", "tolerance says how far a share may be off")
	case s.Leak > 0 && s.Leak < minimumTolerance:
		add("so small a leak cannot be told from none", "0 says that the first such answer fails")
	}
	switch {
	case !within(s.Resolution, 0, 1) || s.Resolution == 1 || s.Resolution > 0 && s.Resolution < minimumTolerance:
		add(fmt.Sprintf("a resolution of %s is not between 0.0001 %% and 100 %%", percent(s.Resolution)), "for example 0.5%")
	case s.Resolution > 0 && s.Want > 0:
		add("resolution is for outcomes wanted at 0", "leave it out")
	}
	return ps
}

func (c Claim) validateLevels() (ps []Problem) {
	if !within(c.Errors, 0, 1) || c.Errors == 1 || c.Errors > 0 && c.Errors < minimumTolerance {
		ps = append(ps, Problem{"", fmt.Sprintf("errors of %s cannot be tolerated", percent(c.Errors)), "0 to less than 100 %; 0.5 % is usual"})
	}
	for _, l := range []struct {
		name, usual string
		value       float64
	}{{"alpha", "0.001", c.Alpha}, {"beta", "0.01", c.Beta}} {
		if !(l.value > 0 && l.value < 0.5) {
			ps = append(ps, Problem{"", fmt.Sprintf("%s is %g, not between 0 and 0.5", l.name, l.value), l.usual + " is usual"})
		}
	}
	return ps
}

// upper and lower are the edges of the box; 1 or more, 0 or less: no edge there.
// The last digits of a sum of fractions are noise (0.7+0.3 is not always 1).
func (s Share) upper() float64 { return snap(s.Want + s.Tolerance) }
func (s Share) lower() float64 { return snap(s.Want - s.Tolerance) }

func snap(x float64) float64 {
	if x < 1e-9 {
		return 0
	}
	if x > 1-1e-9 {
		return 1
	}
	return x
}

// resolution is what "never" is confirmed as.
func (s Share) resolution() float64 {
	if s.Resolution > 0 {
		return s.Resolution
	}
	return DefaultResolution
}

// within is false for NaN too.
func within(x, low, high float64) bool { return x >= low && x <= high }

func missing(sum float64) string {
	if sum < 1 {
		return fmt.Sprintf("%.4g %% is missing", 100*(1-sum))
	}
	return fmt.Sprintf("%.4g %% too much", 100*(sum-1))
}
