package runner

import (
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// judging is one case on one gateway: its test, and what is kept of its
// answers. What is kept is of the attempt under way.
type judging struct {
	expected *expected
	settling *verdict.Settling
	index    map[string]int // outcome -> share
	names    []string       // of the shares
	rest     int            // the share of outcomes that have none, or verdict.Unlisted

	tally    *sample.Tally
	timeline *record.Timeline
	unlisted map[string]int64
	depend   *verdict.Dependence
	examples *sample.Examples

	began      time.Time // of the attempt: when its first request was sent; zero before its answer came
	roundBegan time.Time
	ended      time.Time
	resume     time.Time // what was sent before does not count
	attempts   []record.Attempt
	done       bool

	further *record.Further           // what came after the verdict, for the reader
	kept    *verdict.DependenceResult // how a gateway ties connections to a backend; nil: it does not
}

func newJudging(e *expected, claim verdict.Claim) (*judging, error) {
	settling, err := verdict.NewSettling(claim)
	if err != nil {
		return nil, err
	}
	j := &judging{expected: e, settling: settling, index: make(map[string]int), rest: claim.Index(verdict.NotListed)}
	for i, s := range claim.Shares {
		j.index[s.Name] = i
		j.names = append(j.names, s.Name)
	}
	j.clear()
	return j, nil
}

// dependenceSeed is any number, always the same: what a record says of its
// answers shall follow from them alone.
const dependenceSeed = 1

// clear forgets the answers of an attempt.
func (j *judging) clear() {
	j.tally = sample.NewTally()
	j.timeline = record.NewTimeline(j.names)
	j.unlisted = make(map[string]int64)
	j.depend = verdict.NewDependence(len(j.names), dependenceSeed)
	j.began = time.Time{}
}

// observe counts one answer and says what can be said.
func (j *judging) observe(o *sample.Observation) verdict.State {
	if j.began.IsZero() {
		j.began = j.roundBegan.Add(o.At)
	}
	i := j.indexOf(o, j.unlisted)
	j.settling.Observe(i)
	j.timeline.Add(i)
	j.depend.Observe(o.Connection, i)
	j.tally.Add([]sample.Observation{*o})
	return j.settling.Look()
}

// indexOf is what an answer counts as: an index of the claim's shares, or
// verdict.Error or Unlisted. An outcome that no share names is counted by its name.
func (j *judging) indexOf(o *sample.Observation, unlisted map[string]int64) int {
	if o.Fault != "" {
		return verdict.Error
	}
	i, listed := j.index[o.Outcome]
	if !listed {
		i = j.rest
		countUnlisted(unlisted, o.Outcome)
	}
	return i
}

// spend ends an attempt whose budget is used up: it stays undecided.
func (j *judging) spend(w *expectWork, now time.Time) {
	if j.done || j.began.IsZero() || j.resume.After(now) {
		return
	}
	if j.tally.N >= w.requests || now.Sub(j.began) >= w.time {
		j.finish()
	}
}

func (j *judging) finish() {
	j.done = true
	j.ended = time.Now()
}

// restart begins the next attempt, after a pause. One that begins when the time
// for settling is over is the last, so no pause needs to be longer.
func (j *judging) restart(sampleBegan, now, deadline time.Time) {
	j.attempts = append(j.attempts, j.attempt(sampleBegan, now))
	j.resume = now.Add(j.settling.Pause())
	if j.resume.After(deadline) {
		j.resume = deadline
	}
	if j.resume.Before(now) {
		j.resume = now
	}
	j.settling.Restart()
	j.clear()
}

func (j *judging) attempt(sampleBegan, now time.Time) record.Attempt {
	a := record.Attempt{
		Number: j.settling.Attempt(), Result: j.settling.Result(), Counts: j.settling.Counts(),
	}
	if !j.began.IsZero() {
		a.At, a.Duration = j.began.Sub(sampleBegan), now.Sub(j.began)
	}
	return a
}

// sample is the record of what was found.
func (j *judging) sample(a *asking) record.Sample {
	end := j.ended
	if end.IsZero() {
		end = time.Now() // cut short
	}
	s := record.Sample{
		Gateway: a.gateway, URL: a.url + j.expected.request.URL, Case: j.expected.name,
		Position: j.expected.shares.Pos().String(),
		Result:   j.settling.Result(), Counts: j.settling.Counts(),
		Unlisted: j.unlisted,
		Duration: end.Sub(a.begin),
		Further:  j.further, Kept: j.kept,
	}
	recordFaults(&s, j.tally)
	recordHistogram(&s, j.tally)
	if len(j.attempts) > 0 {
		s.Attempts = append(j.attempts, j.attempt(a.begin, end))
	}
	if took := end.Sub(j.began).Seconds(); !j.began.IsZero() && took > 0 {
		s.Rate = float64(j.tally.N) / took
	}
	j.timeline.Fill(&s)
	if s.Result.N > 0 {
		balancing := j.depend.Result()
		s.Balancing = &balancing
	}
	return s
}

// keep is the examples of one case of several: request n is case n modulo
// their number. They are of the round that the last attempt was in.
func (j *judging) keep(i, of int, began time.Time) []record.Example {
	if j.examples == nil {
		return nil
	}
	var kept []record.Example
	for _, e := range j.examples.List() {
		if e.Number%int64(of) != int64(i) {
			continue
		}
		e.At += j.roundBegan.Sub(began)
		kept = append(kept, recordExample(e))
	}
	return kept
}

// live is the case as it stands.
func (j *judging) live(a *asking) LiveSample {
	s := LiveSample{
		Gateway: a.gateway, Case: j.expected.name, Attempt: j.settling.Attempt(), Result: j.settling.Result(),
		Done: j.done, Requests: a.work.requests, Time: a.work.time,
	}
	switch {
	case j.began.IsZero():
	case j.done:
		s.Took = j.ended.Sub(j.began)
	default:
		s.Took = time.Since(j.began)
	}
	return s
}
