package verdict

import (
	"fmt"
	"math"
)

// An Arm is one of the two streams of a Pair.
type Arm int

// The arms: what is compared with, and what is compared.
const (
	Before Arm = iota
	After
)

// Pair compares two streams of answers that are sampled side by side, as soon
// as they tell: an old and a new gateway, a mesh and the same mesh after an
// upgrade. It says whether any share differs by more than a tolerance, and
// whether errors are up by more than rise.
//
//   - Passed: no share differs by more than the tolerance, and the share of
//     errors after is not above that before by more than rise. Wrong with
//     probability at most beta.
//   - Failed: one of that is not so. Wrong with probability at most alpha. No
//     share fails before 12.5/tolerance answers of each stream.
//   - Undecided: not yet. One may look after every answer and go on.
//
// Answers are judged in blocks: ratio answers of before with one of after. What
// slows or shifts both streams alike from one block to the next cancels. The
// bets are in pair_edge.go, with the proof. A Pair is not safe for concurrent
// use.
type Pair struct {
	claim           Claim
	tolerance, rise float64
	ratio           int64
	other           int // the category of what no share names: the share NotListed if there is one

	waiting [2]line    // answers of blocks that are not complete
	counts  [2][]int64 // of complete blocks: one per share, then errors, then other
	blocks  int64
	next    int64 // Look evaluates when blocks has reached it

	pass, fail         []pairEdge
	latched            []bool  // per pass edge
	idlePass, idleFail []int64 // per edge: it cannot reach its threshold before this many blocks

	state State
	by    int // the category that made it fail
}

// NewPair returns a comparison of two streams, or Problems.
//
// The claim names the outcomes; its wanted shares are what the bets are placed
// on, and need only be about right. Its tolerances, leaks and errors are not
// judged; Alpha and Beta are the levels. Tolerance and rise are fractions of all
// answers (0.05 is 5 points); one of them may be 0, which says that it is not
// judged. Ratio is the number of answers before for each one after; 1 needs the
// fewest in all.
func NewPair(c Claim, tolerance, rise float64, ratio int) (*Pair, error) {
	ps := c.Validate()
	for _, x := range []struct {
		name  string
		value float64
	}{{"tolerance", tolerance}, {"rise", rise}} {
		if x.value != 0 && !(x.value >= minimumTolerance && x.value < 1) {
			ps = append(ps, Problem{"", fmt.Sprintf("a %s of %s cannot be judged", x.name, points(x.value)), "0.0001 to less than 100 points, or 0 where it is not judged"})
		}
	}
	if tolerance == 0 && rise == 0 {
		ps = append(ps, Problem{"", "neither a tolerance nor a rise is given", "for example 0.05 and 0.005"})
	}
	if ratio < 1 || ratio > 1000 {
		ps = append(ps, Problem{"", fmt.Sprintf("a ratio of %d answers before for one after", ratio), "1 to 1000"})
	}
	if len(ps) > 0 {
		return nil, Problems(ps)
	}
	c.Shares = append([]Share(nil), c.Shares...)
	p := &Pair{claim: c, tolerance: tolerance, rise: rise, ratio: int64(ratio)}
	k := len(c.Shares)
	for arm := range p.counts {
		p.counts[arm] = make([]int64, k+2)
	}
	if p.other = c.Index(NotListed); p.other == Unlisted {
		p.other = k + 1
	}
	if tolerance > 0 {
		for i, s := range c.Shares {
			p.addShare(i, s.Want)
		}
		if p.other == k+1 {
			p.addShare(p.other, 0) // what no share names may not differ either
		}
	}
	if rise > 0 {
		p.pass = append(p.pass, newErrorsPass(k, rise, float64(ratio)))
		p.fail = append(p.fail, newErrorsFail(k, rise, float64(ratio)))
	}
	p.latched, p.idlePass, p.idleFail = make([]bool, len(p.pass)), make([]int64, len(p.pass)), make([]int64, len(p.fail))
	return p, nil
}

func (p *Pair) addShare(category int, want float64) {
	for _, side := range []float64{1, -1} {
		p.pass = append(p.pass, newSharePass(category, want, side*p.tolerance, float64(p.ratio)))
		f := newShareFail(category, want, side*p.tolerance, float64(p.ratio))
		f.from = failFrom(p.tolerance)
		p.fail = append(p.fail, f)
	}
}

// Observe counts the next answer of a stream, in the order in which its
// requests were sent: an index into Claim.Shares, Error or Unlisted. Answers of
// the stream that is ahead wait for the other's, in memory. After the verdict
// nothing is counted. It panics on another index or arm.
func (p *Pair) Observe(arm Arm, i int) {
	k := len(p.claim.Shares)
	switch {
	case arm != Before && arm != After:
		panic(fmt.Sprintf("verdict: no arm %d in a pair", int(arm)))
	case i >= 0 && i < k:
	case i == Error:
		i = k
	case i == Unlisted:
		i = p.other
	default:
		panic(fmt.Sprintf("verdict: no share %d in a claim of %d", i, k))
	}
	if p.state != Undecided {
		return
	}
	p.waiting[arm].put(int32(i))
	for int64(p.waiting[Before].len()) >= p.ratio && p.waiting[After].len() > 0 {
		for range p.ratio {
			p.counts[Before][p.waiting[Before].take()]++
		}
		p.counts[After][p.waiting[After].take()]++
		p.blocks++
	}
}

// Counts returns a copy of what a stream had in the blocks that were judged.
func (p *Pair) Counts(arm Arm) Counts {
	k, n := len(p.claim.Shares), p.counts[arm]
	return Counts{Outcomes: append([]int64(nil), n[:k]...), Errors: n[k], Other: n[k+1]}
}

// Look says what can be said. It may be called after every answer; from 1,024
// blocks on it weighs at about every 1024th part of them only.
func (p *Pair) Look() State {
	if p.blocks >= p.next {
		p.evaluate()
	}
	return p.state
}

func (p *Pair) evaluate() {
	p.next = p.blocks + 1 + p.blocks>>10
	if p.state != Undecided || p.blocks == 0 {
		return
	}
	if p.mayFail() && p.weighFailure() {
		return
	}
	p.weighPass()
}

// evidence is the logarithm of an edge's capital now.
func (p *Pair) evidence(e *pairEdge) float64 { return e.evidence(p.tally(e.category)) }

// tally is hits and misses before and after.
func (p *Pair) tally(category int) tally {
	a, b := float64(p.counts[Before][category]), float64(p.counts[After][category])
	return tally{a, float64(p.blocks*p.ratio) - a, b, float64(p.blocks) - b}
}

// mayFail says whether any one capital may have reached 1/alpha: without one
// the mean has not.
func (p *Pair) mayFail() bool {
	may := false
	for i := range p.fail {
		e := &p.fail[i]
		if p.blocks < p.idleFail[i] || p.blocks < e.from {
			continue
		}
		wait := e.atLeast(p.tally(e.category), -math.Log(p.claim.Alpha))
		p.idleFail[i] = p.blocks + wait
		may = may || wait == 0
	}
	return may
}

// weighFailure fails when the mean of the fail side's capitals has reached
// 1/alpha. One that may not speak yet counts as 0.
func (p *Pair) weighFailure() bool {
	sum, most := 0.0, math.Inf(-1)
	for i := range p.fail {
		e := &p.fail[i]
		if p.blocks < e.from {
			continue
		}
		found := p.evidence(e)
		if found > most {
			sum, most, p.by = sum*math.Exp(most-found), found, e.category
		}
		sum += math.Exp(found - most)
	}
	if most+math.Log(sum/float64(len(p.fail))) < -math.Log(p.claim.Alpha) {
		return false
	}
	p.state = Failed
	return true
}

// weighPass latches every edge whose capital has reached 1/beta and passes when
// all have.
func (p *Pair) weighPass() {
	all := true
	for i := range p.pass {
		if p.latched[i] {
			continue
		}
		if p.blocks >= p.idlePass[i] {
			e := &p.pass[i]
			wait := e.atLeast(p.tally(e.category), -math.Log(p.claim.Beta))
			p.idlePass[i] = p.blocks + wait
			p.latched[i] = wait == 0
		}
		all = all && p.latched[i]
	}
	if all {
		p.state = Passed
	}
}

// Result weighs all complete blocks and says what came of it. The bounds of
// the changes hold at any time too; they come from another reasoning than the
// verdict (CompareShares has it) and may be a little wider than what passed.
// Of Power it has Within only.
func (p *Pair) Result() Comparison {
	p.evaluate()
	before, after := Run{Claim: p.claim, Counts: p.Counts(Before)}, Run{Claim: p.claim, Counts: p.Counts(After)}
	c := newComparison(before, after)
	c.State = p.state
	var rows []row
	from := int64(0)
	if p.tolerance > 0 {
		rows, from = splitRows(before, after, p.tolerance), failFrom(p.tolerance)
	}
	if p.rise > 0 {
		rows = append(rows, errorsRow(before, after, p.rise))
	}
	for i := range rows {
		r := &rows[i]
		r.weigh(c.Beta)
		r.State = p.stateOf(p.category(r))
		c.Power.Within = math.Max(c.Power.Within, r.most())
		if !r.hidden {
			c.Changes = append(c.Changes, r.Change)
		}
	}
	c.Reason = c.reason(rows, from)
	return c
}

// category is where the row's answers are counted.
func (p *Pair) category(r *row) int {
	switch i := p.claim.Index(r.Name); {
	case r.oneSided:
		return len(p.claim.Shares)
	case i == Unlisted:
		return p.other
	default:
		return i
	}
}

// stateOf is one category's own state.
func (p *Pair) stateOf(category int) State {
	if p.state == Failed && p.by == category {
		return Failed
	}
	for i := range p.pass {
		if p.pass[i].category == category && !p.latched[i] {
			return Undecided
		}
	}
	return Passed
}

// A line is answers that wait, first come first served.
type line struct {
	answers []int32
	first   int
}

func (l *line) len() int { return len(l.answers) - l.first }

func (l *line) put(i int32) {
	if l.first > 64 && l.first > len(l.answers)/2 {
		l.answers = l.answers[:copy(l.answers, l.answers[l.first:])]
		l.first = 0
	}
	l.answers = append(l.answers, i)
}

func (l *line) take() int32 {
	l.first++
	return l.answers[l.first-1]
}
