package verdict

import (
	"fmt"
	"math"
)

// Result weighs all that was counted and says what came of it.
func (t *Test) Result() Result {
	t.evaluate()
	c := t.claim
	r := Result{
		State: t.state, N: t.n, Because: t.cause,
		Shares: make([]ShareResult, len(c.Shares)),
		Other:  t.counts[t.other()],
		Alpha:  c.Alpha, Beta: c.Beta, Confidence: 1 - c.Beta,
	}
	each := c.Beta / float64(len(c.Shares)+1) // intervals for all shares and the errors, together
	for i, s := range c.Shares {
		low, high := interval(t.counts[i], t.n, s.Want, s.scale(), each)
		r.Shares[i] = ShareResult{
			Name: s.Name, Want: s.Want, Tolerance: s.Tolerance, Leak: s.Leak,
			Got: t.share(i), Low: low, High: high, Count: t.counts[i], State: t.stateOf(i),
		}
		if s.Want == 0 && s.Leak == 0 {
			r.Shares[i].Resolution = s.resolution()
		}
	}
	e := t.errors()
	tolerated := c.Errors
	if tolerated == 0 {
		tolerated = DefaultResolution
	}
	low, high := interval(t.counts[e], t.n, 0, tolerated, each)
	r.Errors = ErrorResult{Tolerated: c.Errors, Got: t.share(e), Low: low, High: high, Count: t.counts[e], State: t.stateOf(e)}
	if t.state == Undecided {
		r.Needed = t.needed()
	}
	r.Reason = t.reason(r.Needed)
	return r
}

// share is the part that a category has of all answers.
func (t *Test) share(category int) float64 {
	if t.n == 0 {
		return 0
	}
	return float64(t.counts[category]) / float64(t.n)
}

// stateOf is one category's own state: failed when it made the test fail,
// passed when all its edges are latched. A share of 100 % has no edges: it
// passes with the whole.
func (t *Test) stateOf(category int) State {
	if t.state == Failed && t.by == category {
		return Failed
	}
	edges := 0
	for i := range t.pass {
		if t.pass[i].category != category {
			continue
		}
		if !t.latched[i] {
			return Undecided
		}
		edges++
	}
	if edges == 0 && t.state != Passed {
		return Undecided
	}
	return Passed
}

// reason says why the test stands as it stands.
func (t *Test) reason(needed int64) string {
	switch t.state {
	case Passed:
		return fmt.Sprintf("every share is within its tolerance after %s answers", grouped(t.n)) + t.absent()
	case Failed:
		return t.failure()
	}
	if t.n == 0 {
		return "nothing was counted yet"
	}
	s := fmt.Sprintf("not decided after %s answers", grouped(t.n))
	if w := t.open(); w != "" {
		s += ": " + w
	}
	if needed > 0 {
		s += fmt.Sprintf("; about %s more would do", grouped(needed))
	}
	return s
}

// absent says of what must never answer, and did not, how rare that makes it:
// "; green and canary never answered: below 0.5 %, with 99 %".
func (t *Test) absent() string {
	var names []string
	resolution := 0.0
	for _, s := range t.claim.Shares {
		if s.Want == 0 && s.Leak == 0 {
			names = append(names, s.Name)
			resolution = math.Max(resolution, s.resolution())
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("; %s never answered: %s", listed(names), Known(0, resolution, 1-t.claim.Beta))
}

func (t *Test) failure() string {
	n, count := grouped(t.n), grouped(t.counts[t.by])
	switch {
	case t.by == t.other():
		return fmt.Sprintf("%s of %s answers are an outcome that no share names", count, n)
	case t.by == t.errors() && t.claim.Errors == 0:
		return fmt.Sprintf("%s of %s requests failed, and no error is tolerated", count, n)
	case t.by == t.errors():
		return fmt.Sprintf("errors are at %s of %s, above %s", shown(t.share(t.by), t.edge), n, percent(t.edge))
	}
	s := t.claim.Shares[t.by]
	switch {
	case s.Want == 0 && s.Leak == 0:
		return fmt.Sprintf("%s answered %s of %s and must never answer", s.Name, count, n)
	case t.share(t.by) > t.edge:
		return fmt.Sprintf("%s is at %s of %s, above %s", s.Name, shown(t.share(t.by), t.edge), n, percent(t.edge))
	}
	return fmt.Sprintf("%s is at %s of %s, below %s", s.Name, shown(t.share(t.by), t.edge), n, percent(t.edge))
}

// open names what is not confirmed yet: "canary at 22.8 % is not yet told from
// 23 %", or "canary at 24.1 % is above 23 %, which may be chance".
func (t *Test) open() string {
	worst, least := -1, math.Inf(1)
	for i := range t.pass {
		if e := &t.pass[i]; !t.latched[i] {
			hits := float64(t.counts[e.category])
			if l := e.evidence(hits, float64(t.n)-hits); l < least {
				worst, least = i, l
			}
		}
	}
	if worst < 0 {
		return ""
	}
	e := &t.pass[worst]
	name := "the share of errors"
	if e.category < len(t.claim.Shares) {
		name = t.claim.Shares[e.category].Name
	}
	got := shown(t.share(e.category), e.at)
	if e.astray(float64(t.counts[e.category]), float64(t.n-t.counts[e.category])) > 0 {
		side := "below"
		if e.upper {
			side = "above"
		}
		return fmt.Sprintf("%s at %s is %s %s, which may be chance", name, got, side, percent(e.at))
	}
	return fmt.Sprintf("%s at %s is not yet told from %s", name, got, percent(e.at))
}
