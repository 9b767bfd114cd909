package verdict

import (
	"fmt"
	"math"
)

// Test judges a claim by counts. It is not safe for concurrent use; samplers
// that work side by side add their counts up and call Update.
type Test struct {
	claim  Claim
	counts []int64 // one per share, then errors, then other
	n      int64
	next   int64 // Look evaluates when n has reached it

	pass    []edge
	latched []bool // per pass edge: reached at some look
	fail    []edge
	found   []float64 // scratch: evidence per fail edge
	never   []int     // categories whose first answer fails
	rest    int       // the category of what no share names: the share NotListed if there is one

	// Per edge: it cannot reach its threshold before n is this.
	idlePass, idleFail []int64

	logPass, logFail float64 // log(1/beta), log(1/alpha)

	state State
	cause Cause
	by    int     // the category that made it fail
	edge  float64 // the edge that it lies beyond
}

// New returns a test of the claim, or Problems.
func New(c Claim) (*Test, error) {
	if ps := c.Validate(); len(ps) > 0 {
		return nil, Problems(ps)
	}
	c.Shares = append([]Share(nil), c.Shares...)
	t := &Test{
		claim:   c,
		counts:  make([]int64, len(c.Shares)+2),
		logPass: -math.Log(c.Beta),
		logFail: -math.Log(c.Alpha),
	}
	if t.rest = c.Index(NotListed); t.rest == Unlisted {
		t.rest = t.other()
	}
	for i, s := range c.Shares {
		switch {
		case s.Want == 0:
			t.addZero(i, s.Leak, s.resolution())
		case s.Want < 1:
			t.addShare(i, s)
		}
		// A share of 100 % has no edges of its own: all that can take from it
		// are the other outcomes and errors, and they have theirs.
	}
	t.addZero(t.errors(), c.Errors, DefaultResolution)
	t.never = append(t.never, t.other())
	t.setThresholds()
	t.latched = make([]bool, len(t.pass))
	t.idlePass, t.idleFail = make([]int64, len(t.pass)), make([]int64, len(t.fail))
	t.found = make([]float64, len(t.fail))
	return t, nil
}

func (t *Test) errors() int { return len(t.claim.Shares) }
func (t *Test) other() int  { return len(t.claim.Shares) + 1 }

// addZero adds the edges of a category wanted at 0 of which some is tolerated,
// or nothing.
func (t *Test) addZero(category int, tolerated, resolution float64) {
	if tolerated == 0 {
		t.never = append(t.never, category)
		t.pass = append(t.pass, newNeverEdge(category, resolution))
		return
	}
	t.pass = append(t.pass, newPassEdge(category, 0, tolerated, true))
	t.fail = append(t.fail, newFailEdge(category, 0, tolerated, true))
}

func (t *Test) addShare(i int, s Share) {
	for _, side := range []struct {
		at    float64
		upper bool
	}{{s.upper(), true}, {s.lower(), false}} {
		if side.at <= 0 || side.at >= 1 {
			continue // nothing lies beyond: the tolerance swallows that side
		}
		t.pass = append(t.pass, newPassEdge(i, s.Want, side.at, side.upper))
		f := newFailEdge(i, s.Want, side.at, side.upper)
		f.from = failFrom(s.Tolerance)
		t.fail = append(t.fail, f)
	}
}

func (t *Test) setThresholds() {
	for i := range t.fail {
		t.fail[i].threshold = t.logFail
	}
	m := t.delayFor()
	for i := range t.pass {
		e := &t.pass[i]
		e.threshold = t.logPass
		e.delay(m, t.want(e.category), t.claim.Beta)
	}
}

// failFrom is the number of answers before which a share does not fail. A
// correct gateway may deal in blocks (80 blue, then 15 green, then 5 canary);
// within its first block it looks outright wrong. From 12.5/t on a block of
// 100 is diluted enough. Looking later never raises alpha.
func failFrom(tolerance float64) int64 { return int64(math.Ceil(12.5/tolerance - 1e-9)) }

// Claim returns what is tested.
func (t *Test) Claim() Claim { return t.claim }

// Observe counts one answer: an index into Claim.Shares, Error or Unlisted.
// What comes after the verdict is not counted, so that the counts are those
// that were judged. It panics on another index.
func (t *Test) Observe(i int) {
	switch {
	case i >= 0 && i < len(t.claim.Shares):
	case i == Error:
		i = t.errors()
	case i == Unlisted:
		i = t.rest
	default:
		panic(fmt.Sprintf("verdict: no share %d in a claim of %d", i, len(t.claim.Shares)))
	}
	if t.state != Undecided {
		return
	}
	t.counts[i]++
	t.n++
	if i >= t.errors() || t.claim.Shares[i].Want == 0 {
		t.next = t.n // a leak must not wait for the next look
	}
}

// Counts returns a copy of what was counted up to the verdict.
func (t *Test) Counts() Counts {
	k := len(t.claim.Shares)
	return Counts{Outcomes: append([]int64(nil), t.counts[:k]...), Errors: t.counts[t.errors()], Other: t.counts[t.other()]}
}

// Update replaces the counts and looks. The counts must be a continuation of
// those before: sums of samplers that only grow. It panics on counts of
// another claim and on a total that went back. After the verdict it changes nothing.
func (t *Test) Update(c Counts) State {
	if len(c.Outcomes) != len(t.claim.Shares) {
		panic(fmt.Sprintf("verdict: counts of %d outcomes for a claim of %d", len(c.Outcomes), len(t.claim.Shares)))
	}
	if t.state != Undecided {
		return t.state
	}
	before := t.n
	copy(t.counts, c.Outcomes)
	t.counts[t.errors()], t.counts[t.other()] = c.Errors, 0
	t.counts[t.rest] += c.Other
	t.n = 0
	for _, n := range t.counts {
		if n < 0 || c.Other < 0 {
			panic("verdict: a negative count")
		}
		t.n += n
	}
	if t.n < before {
		panic(fmt.Sprintf("verdict: %d answers, after %d: counts only grow", t.n, before))
	}
	t.evaluate()
	return t.state
}

// Look says what can be said. It may be called after every answer: it weighs
// the counts only when the answers since could have changed what they say, and
// from 1,024 on at about every 1024th part of n. The latter costs half a per
// cent more answers; looking at fewer prefixes leaves the error probabilities
// as they are.
func (t *Test) Look() State {
	if t.n >= t.next {
		t.evaluate()
	}
	return t.state
}

// evaluate weighs the counts as they are. No allocation.
func (t *Test) evaluate() {
	t.next = t.n + 1 + t.n>>10
	if t.state != Undecided || t.n == 0 {
		return
	}
	for _, category := range t.never {
		if t.counts[category] > 0 {
			t.failBy(category, 0)
			return
		}
	}
	if t.weighFailure() {
		return
	}
	t.weighPass()
	t.next = max(t.next, t.idle())
}

// idle is the number of answers before which no edge can reach its threshold,
// as long as no answer comes of what is wanted at 0: such a one ends the pause.
// An edge that has reached it although the mean has not allows for none.
func (t *Test) idle() int64 {
	first := int64(math.MaxInt64)
	for i, latched := range t.latched {
		if !latched {
			first = min(first, t.idlePass[i])
		}
	}
	for i := range t.fail {
		if t.want(t.fail[i].category) > 0 || t.idleFail[i] <= t.n {
			first = min(first, t.idleFail[i])
		}
	}
	return first
}

// weighFailure fails when the mean of the fail side's capitals has reached
// 1/alpha. An edge that the counts are not beyond, or that may not speak yet,
// counts as 0, which only makes the mean smaller.
func (t *Test) weighFailure() bool {
	if !t.mayFail() {
		return false
	}
	n, most, by := float64(t.n), math.Inf(-1), 0
	for i := range t.fail {
		e := &t.fail[i]
		hits := float64(t.counts[e.category])
		t.found[i] = math.Inf(-1)
		if t.n >= e.from && e.beyond(hits, n) {
			t.found[i] = e.evidence(hits, n-hits)
		}
		if t.found[i] > most {
			most, by = t.found[i], i
		}
	}
	sum := 0.0
	for _, l := range t.found {
		sum += math.Exp(l - most)
	}
	if most+math.Log(sum)-math.Log(float64(len(t.found))) < t.logFail {
		return false
	}
	t.failBy(t.fail[by].category, t.fail[by].at)
	return true
}

// mayFail says whether any capital may have reached 1/alpha; without one the
// mean has not. It is what most looks come to, and cheap.
func (t *Test) mayFail() bool {
	may := false
	for i := range t.fail {
		e := &t.fail[i]
		hits := float64(t.counts[e.category])
		if t.n < t.idleFail[i] {
			continue
		}
		wait := e.atLeast(hits, float64(t.n)-hits, e.threshold)
		t.idleFail[i] = t.n + wait
		may = may || wait == 0
	}
	return may
}

func (t *Test) failBy(category int, edge float64) {
	t.state, t.by, t.edge, t.cause = Failed, category, edge, BecauseShare
	switch {
	case category == t.errors():
		t.cause = BecauseErrors
	case category == t.other() || t.claim.Shares[category].Want == 0:
		t.cause = BecauseLeak
	}
}

// weighPass latches every edge whose capital has reached 1/beta and passes
// when all have. They need not do so at the same look: each is a claim of its own.
//
// To pass, errors and outcomes that no share names must together be below what
// is tolerated. The latter fail at once, so none has been seen here, and the
// count of errors is that of both.
func (t *Test) weighPass() {
	all := true
	for i := range t.pass {
		if t.latched[i] {
			continue
		}
		if t.n < t.idlePass[i] {
			all = false
			continue
		}
		e := &t.pass[i]
		hits := float64(t.counts[e.category])
		wait := e.atLeast(hits, float64(t.n)-hits, e.threshold)
		t.idlePass[i] = t.n + wait
		t.latched[i] = wait == 0
		all = all && t.latched[i]
	}
	if all {
		t.state = Passed
	}
}
