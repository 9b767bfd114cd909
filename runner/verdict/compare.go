package verdict

import "math"

// Run is what is kept of one sampled run: what it was judged by and what it
// counted. It may have been stopped at any moment, for any reason.
type Run struct {
	// Claim is the claim that the run was judged by. It must have been fixed
	// before the run began: the intervals are made most narrow around what it
	// wants. Its Alpha and Beta are the levels of the comparison too; where the
	// two runs differ, the smaller ones count.
	Claim  Claim  `json:"claim"`
	Counts Counts `json:"counts"`
	// Attempt is the number of the attempt that the counts are of, from 0, where
	// a run may have been begun anew (Settling).
	Attempt int `json:"attempt,omitempty"`
}

// Run makes a stored result comparable. A result does not know which attempt of
// a Settling it is of: for a later one than the first, Attempt must be set, or
// the levels do not hold. Alpha and Beta are those of the result, which for an
// attempt are parts of the whole; who knows the levels of the whole run may set
// them in the claim.
func (r Result) Run() Run {
	run := Run{Claim: Claim{Errors: r.Errors.Tolerated, Alpha: r.Alpha, Beta: r.Beta}, Counts: Counts{Errors: r.Errors.Count, Other: r.Other}}
	for _, s := range r.Shares {
		run.Claim.Shares = append(run.Claim.Shares, Share{Name: s.Name, Want: s.Want, Tolerance: s.Tolerance, Leak: s.Leak, Resolution: s.Resolution})
		run.Counts.Outcomes = append(run.Counts.Outcomes, s.Count)
	}
	return run
}

// Comparison is what two runs say about a change between them.
type Comparison struct {
	State  State  `json:"state"`
	Reason string `json:"reason"` // in words: "canary rose from 20.1 % to 29.8 %, by more than 5 pp"
	// Changes has a row per share, or one row for errors or latency.
	Changes []Change `json:"changes"`
	// Power is what the runs could have seen.
	Power Power `json:"power"`
	// Alpha and Beta bound the probability that this Failed, or this Passed, is wrong.
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
}

// Change is one row of a comparison. For shares and errors all numbers are
// fractions of all answers, and a change is the share after minus the share
// before. For latency the two sides are in seconds, and a change is the
// quotient of after and before; there a High of 0 says that no bound is known.
type Change struct {
	Name  string `json:"name"` // the outcome; "errors"; "p99"
	State State  `json:"state"`
	// Allowed is the change that was asked about (0.05 is 5 points, for latency
	// 1.2 is 20 % slower).
	Allowed float64 `json:"allowed"`
	Before  Side    `json:"before"`
	After   Side    `json:"after"`
	// Got is the change that was seen. The true one is at least Low and at most
	// High, each with probability 1 - beta; for shares and errors both together.
	// These bounds are from both runs at once and narrower than what the ends of
	// the two sides' intervals would give.
	Got  float64 `json:"got"`
	Low  float64 `json:"low"`
	High float64 `json:"high,omitempty"`
}

// Side is one run's word on one row, with the interval that the run itself reports.
type Side struct {
	Count int64   `json:"count"` // answers of the outcome; for latency, answers timed
	N     int64   `json:"n"`     // all answers
	Got   float64 `json:"got"`
	Low   float64 `json:"low"`
	High  float64 `json:"high,omitempty"`
}

// Power says what could have been seen with as many answers as there were.
// "Nine times in ten" is what runs of just these sizes would give, at least.
type Power struct {
	// Within is the least that could have been allowed for these very counts to
	// pass: "the split changed by at most this" holds with probability 1 - beta
	// although it was chosen afterwards. 0 says that no bound is known (latency).
	Within float64 `json:"within,omitempty"`
	// Passes is the least that could have been allowed for so many answers to
	// pass nine times in ten if nothing had changed. 0 as above.
	Passes float64 `json:"passes,omitempty"`
	// Notices is the change from which on so many answers fail nine times in
	// ten, as much being allowed as was: a change of this size or a larger one
	// would have been noticed. 0 says that none would.
	Notices float64 `json:"notices,omitempty"`
}

// CompareShares says whether any share changed by more than the tolerance
// between two runs: "the split did not change by more than 5 points". Shares
// are of all answers, errors included; the errors themselves are for
// CompareErrors. An outcome that only one run's claim names had a share of 0
// in the other, unless that run saw outcomes that it had no name for: then it
// may have been any number of those, and the verdict holds whichever it was (of
// more than 1,000 such answers it stays open). The error is Problems.
//
//   - Passed: no share changed by more than the tolerance, up or down. Wrong
//     with probability at most beta.
//   - Failed: some share changed by more. Wrong with probability at most alpha.
//     As in a Test, no share fails before 12.5/tolerance answers of each run.
//   - Undecided: the runs are too short to tell; Power says what they could.
//
// # Why that holds although each run stopped when it liked
//
// For one outcome, bet on shares q before and r after, against the claim that
// they are x and y: the capital is the likelihood of what was counted at (q, r)
// divided by that at (x, y). If x and y are true, each run's factor is a
// nonnegative martingale that starts at 1, so its mean is at most 1 whenever and
// for whatever reason the run stops. The answers of two runs are independent, so
// the mean of the product is at most 1 as well, also when the second run's stop
// depended on the first's result. The same holds for a mixture of many such bets
// that was fixed beforehand: here three quarters say that both runs have one and
// the same share, the rest that each has its own. By Markov's inequality the
// capital against the true pair reaches 1/beta with probability at most beta.
// The pairs against which it has not are thus a region that holds the truth with
// probability 1 - beta, and the least and the greatest y - x in it bound the
// change. No level is split over the two runs, and the region is about an ellipse
// where two intervals make a box: half as many answers do.
//
//   - Passed asks that the bounds of every row lie within the tolerance. If it
//     is wrong, one share changed by more; that one row's bounds miss the truth,
//     which has probability at most beta. So no correction for the number of
//     shares is needed (an intersection-union test). The row that is to blame
//     does not depend on the answers, which is why Power.Within may be chosen
//     after the fact. Outcomes that no claim names are a row as well.
//   - Failed: for each of m rows let E be the least capital against any pair
//     whose change is within the tolerance. If nothing changed by more, every E
//     is at most the capital against the truth and has a mean of at most 1, and
//     so has their average; it reaches 1/alpha with probability at most alpha.
//     This union over the rows never fails later than alpha/m for each would.
//
// A run that may be begun anew (Settling) picks one of several attempts. Each
// attempt's capital is multiplied by a part of 1 (3/4 for the first, 1/(4r(r+1))
// for number r), so that their sum has a mean of at most 1, whichever is picked.
//
// A run's share is taken to be one number: what drifts inside a run is not
// described by its counts. Streams that can be sampled side by side are better
// compared by a Pair, which needs fewer answers and cares less for drift.
func CompareShares(before, after Run, tolerance float64) (Comparison, error) {
	if ps := incomparable(before, after, tolerance, "tolerance"); len(ps) > 0 {
		return Comparison{}, Problems(ps)
	}
	c, rows := newComparison(before, after), splitRows(before, after, tolerance)
	c.finish(rows, failFrom(tolerance))
	return c, nil
}

// CompareErrors says whether the share of errors rose by more than rise
// between two runs: "errors did not rise by more than 0.5 points". That they
// fell is no reason to fail. Errors are Counts.Errors: failed requests and
// answers that no one can place. Levels and reasoning are those of
// CompareShares with one row and one side. The error is Problems.
func CompareErrors(before, after Run, rise float64) (Comparison, error) {
	if ps := incomparable(before, after, rise, "rise"); len(ps) > 0 {
		return Comparison{}, Problems(ps)
	}
	c, rows := newComparison(before, after), []row{errorsRow(before, after, rise)}
	c.finish(rows, 0)
	return c, nil
}

func newComparison(before, after Run) Comparison {
	return Comparison{
		Alpha: math.Min(before.Claim.Alpha, after.Claim.Alpha),
		Beta:  math.Min(before.Claim.Beta, after.Claim.Beta),
	}
}

// finish weighs the rows, none of which may fail before so many answers of each run.
func (c *Comparison) finish(rows []row, from int64) {
	for i := range rows {
		rows[i].weigh(c.Beta)
	}
	c.judge(rows, from)
	c.Power = rowsPower(rows, c.Alpha, c.Beta, from)
	c.Reason = c.reason(rows, from)
}
