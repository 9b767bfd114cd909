package verdict

import (
	"fmt"
	"math"
	"slices"
)

// mostGuesses is how many counts are tried where a run may have counted an
// outcome among those that it had no name for. Of more nothing is said.
const mostGuesses = 1000

// A count is what one run has on one row. least and most differ where the run
// saw answers that it had no name for, and the other run has the name.
type count struct {
	least, most, n int64
	want, scale    float64 // of the interval's prior, fixed before the run
	level          float64 // of the interval that the run itself reports
	logPart        float64 // of the attempt
}

func (r Run) count(least, most int64, want, scale float64) count {
	return count{least, most, r.Counts.Total(), want, scale, r.Claim.Beta / float64(len(r.Claim.Shares)+1), attemptPart(r.Attempt)}
}

// share is what the run counted of an outcome.
func (r Run) share(name string) count {
	if i := r.Claim.Index(name); i != Unlisted {
		s := r.Claim.Shares[i]
		return r.count(r.Counts.Outcomes[i], r.Counts.Outcomes[i], s.Want, s.scale())
	}
	return r.unnamed(0)
}

// unnamed is the count of answers that the run had no name for: this many of
// them at least, and at most all.
func (r Run) unnamed(least int64) count {
	if i := r.Claim.Index(NotListed); i != Unlisted {
		s := r.Claim.Shares[i]
		return r.count(least, r.nameless(), s.Want, s.scale())
	}
	return r.count(least, r.nameless(), 0, DefaultResolution)
}

// nameless is the number of answers that the run had no name for.
func (r Run) nameless() int64 {
	n := r.Counts.Other
	if i := r.Claim.Index(NotListed); i != Unlisted {
		n += r.Counts.Outcomes[i]
	}
	return n
}

func (r Run) errors() count {
	tolerated := r.Claim.Errors
	if tolerated == 0 {
		tolerated = DefaultResolution
	}
	return r.count(r.Counts.Errors, r.Counts.Errors, 0, tolerated)
}

// other is what the run counted of outcomes that neither run names.
func (r Run) other(names []string) count {
	for _, name := range names {
		if r.Claim.Index(name) == Unlisted {
			return r.unnamed(0) // all of them may have been of that name
		}
	}
	return r.unnamed(r.nameless())
}

func (c count) word(hits int64) word { return word{float64(hits), float64(c.n - hits)} }

func (c count) side() Side {
	s := Side{Count: c.least, N: c.n}
	if c.n > 0 {
		s.Got = float64(c.least) / float64(c.n)
	}
	s.Low, _ = interval(c.least, c.n, c.want, c.scale, c.level)
	_, s.High = interval(c.most, c.n, c.want, c.scale, c.level)
	return s
}

// A row is one outcome in both runs.
type row struct {
	Change
	before, after count
	gaps          []gap // what the runs say, for all that they may have counted; none when that is too much
	oneSided      bool  // that it fell is nothing to fail for
	hidden        bool  // judged, and nothing to show
}

func newRow(name string, allowed float64, before, after count) row {
	r := row{Change: Change{Name: name, Allowed: allowed, Before: before.side(), After: after.side()}, before: before, after: after}
	if float64(before.most-before.least+1)*float64(after.most-after.least+1) > mostGuesses {
		return r
	}
	for a := before.least; a <= before.most; a++ {
		for b := after.least; b <= after.most; b++ {
			r.gaps = append(r.gaps, newGap(before, after, a, b))
		}
	}
	return r
}

// splitRows has a row for each outcome that either run names, and one for all
// others together: they may not have changed either.
func splitRows(before, after Run, tolerance float64) []row {
	var rows []row
	var names []string
	for _, r := range []Run{before, after} {
		for _, s := range r.Claim.Shares {
			if s.Name != NotListed && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	for _, name := range names {
		rows = append(rows, newRow(name, tolerance, before.share(name), after.share(name)))
	}
	other := newRow(NotListed, tolerance, before.other(names), after.other(names))
	other.hidden = before.nameless() == 0 && after.nameless() == 0
	return append(rows, other)
}

func errorsRow(before, after Run, rise float64) row {
	r := newRow("errors", rise, before.errors(), after.errors())
	r.oneSided = true
	return r
}

// weigh finds the bounds of the change.
func (r *row) weigh(beta float64) {
	r.Got = r.After.Got - r.Before.Got
	r.Low, r.High = math.Inf(1), math.Inf(-1)
	for _, g := range r.gaps {
		r.Low, r.High = math.Min(r.Low, g.low(beta)), math.Max(r.High, g.high(beta))
	}
	if r.gaps == nil {
		r.Low, r.High = -1, 1
	}
	if r.most() <= r.Allowed {
		r.State = Passed
	}
}

// most is the greatest change that is not excluded.
func (r *row) most() float64 {
	if r.oneSided {
		return math.Max(r.High, 0)
	}
	return math.Max(r.High, -r.Low)
}

// against is the logarithm of the capital of the bet that more changed than allowed.
func (r *row) against() float64 {
	if r.gaps == nil {
		return math.Inf(-1)
	}
	low, least := -r.Allowed, math.Inf(1)
	if r.oneSided {
		low = -1
	}
	for _, g := range r.gaps {
		least = math.Min(least, g.beyond(low, r.Allowed))
	}
	return least
}

// judge fails by the mean of all rows' capitals and passes when each row does.
func (c *Comparison) judge(rows []row, from int64) {
	all, sum, most, by := true, 0.0, math.Inf(-1), 0
	for i := range rows {
		r := &rows[i]
		all = all && r.State == Passed
		if min(r.before.n, r.after.n) < from {
			continue
		}
		found := r.against()
		if math.IsInf(found, -1) {
			continue
		}
		if found > most {
			sum, most, by = sum*math.Exp(most-found), found, i
		}
		sum += math.Exp(found - most)
	}
	switch {
	case all:
		c.State = Passed
	case most > math.Inf(-1) && most+math.Log(sum/float64(len(rows))) >= -math.Log(c.Alpha):
		c.State = Failed
		rows[by].State = Failed
	}
	for _, r := range rows {
		if !r.hidden {
			c.Changes = append(c.Changes, r.Change)
		}
	}
}

// incomparable returns what keeps two runs from being compared.
func incomparable(before, after Run, allowed float64, name string) (ps []Problem) {
	for _, side := range []struct {
		name string
		run  Run
	}{{"before", before}, {"after", after}} {
		for _, p := range side.run.validate() {
			if p.Share != "" {
				p.Share = ": " + p.Share
			}
			p.Share = side.name + p.Share
			ps = append(ps, p)
		}
	}
	if !(allowed >= minimumTolerance && allowed < 1) {
		ps = append(ps, Problem{"", fmt.Sprintf("a %s of %s cannot be judged", name, points(allowed)), "0.0001 to less than 100 points; no number of answers confirms that nothing at all changed"})
	}
	return ps
}

func (r Run) validate() []Problem {
	ps := r.Claim.Validate()
	if got, want := len(r.Counts.Outcomes), len(r.Claim.Shares); got != want {
		return append(ps, Problem{"", fmt.Sprintf("counts of %d outcomes for a claim of %d", got, want), "one count for each share, in the order of the shares"})
	}
	for i, n := range r.Counts.Outcomes {
		if n < 0 {
			ps = append(ps, Problem{r.Claim.Shares[i].Name, fmt.Sprintf("a count of %d", n), "counts are 0 or more"})
		}
	}
	if r.Counts.Errors < 0 || r.Counts.Other < 0 {
		ps = append(ps, Problem{"", fmt.Sprintf("counts of %d errors and %d others", r.Counts.Errors, r.Counts.Other), "counts are 0 or more"})
	}
	if r.Attempt < 0 {
		ps = append(ps, Problem{"", fmt.Sprintf("attempt %d", r.Attempt), "attempts are numbered from 0"})
	}
	return ps
}
