package runner

import (
	"time"

	"github.com/meshassay/assay/runner/verdict"
)

// PlannedClaim is what a step will judge of the answers of each of its gateways.
type PlannedClaim struct {
	Case     string // which of several requests, in words; "" for the only one
	Gateways []string
	// Claim is as its first attempt is judged: with its part of the run's alpha.
	Claim verdict.Claim
	// Requests and Time are the budget.
	Requests int64
	Time     time.Duration
	// Rate is how many requests a second each of the gateways is asked at most,
	// all cases of the step together; 0 when nothing limits it. Workers is how
	// many are under way at once.
	Rate    float64
	Workers int
}

// Claims returns what the steps of the plan will judge, in the order of the
// steps; none for a step that judges no answers.
func (p *Plan) Claims(s *PlannedStep) []PlannedClaim {
	w, ok := s.work.(*expectWork)
	if !ok {
		return nil
	}
	var all []PlannedClaim
	asking := askingOf(p.env, w, "")
	for _, c := range w.cases {
		claim := c.claim
		claim.Alpha /= float64(max(1, p.Expectations))
		all = append(all, PlannedClaim{
			Case: c.name, Gateways: w.gateways, Claim: verdict.Attempt(claim, 0), Requests: w.requests, Time: w.time,
			Rate: asking.Rate, Workers: asking.Workers,
		})
	}
	return all
}
