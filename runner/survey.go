package runner

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// SurveyOptions say what to ask, outside of any scenario, and what is wanted.
type SurveyOptions struct {
	// Sample is what is sent and how: one case. Its Examples are set by Run.
	Sample sample.Options
	// Claim is judged until it is decided. Nil: the shares are only looked at.
	Claim *verdict.Claim
	// AssumeIndependent judges answers although connections were kept alive, as
	// if each were divided anew. Without it there is no verdict on shares then.
	AssumeIndependent bool
	// Requests and Time are the budget.
	Requests int64
	Time     time.Duration
}

// foundConfidence is the probability with which the intervals of a survey
// without a claim hold together, as those with the usual claim do.
const foundConfidence = 1 - verdict.DefaultBeta

// Survey asks one URL. It may be looked at while it runs.
type Survey struct {
	options SurveyOptions

	mu       sync.Mutex
	test     *verdict.Test // nil without a claim
	found    *verdict.Found
	timeline *record.Timeline // nil without a claim
	tally    *sample.Tally
	unlisted map[string]int64
	depend   *verdict.Dependence
	examples *sample.Examples
	rest     int // index of the share verdict.NotListed, or verdict.Unlisted
	began    time.Time
	ended    time.Time
}

// NewSurvey returns a survey that has not begun, or verdict.Problems.
func NewSurvey(o SurveyOptions) (*Survey, error) {
	s := &Survey{
		options: o, found: verdict.NewFound(foundConfidence), tally: sample.NewTally(),
		unlisted: make(map[string]int64), examples: &sample.Examples{}, rest: verdict.Unlisted,
	}
	s.options.Sample.Examples = s.examples
	outcomes := verdict.FoundNames
	if o.Claim != nil {
		var err error
		if s.test, err = verdict.New(*o.Claim); err != nil {
			return nil, err
		}
		var names []string
		for _, share := range o.Claim.Shares {
			names = append(names, share.Name)
		}
		s.timeline = record.NewTimeline(names)
		s.rest = o.Claim.Index(verdict.NotListed)
		outcomes = len(names)
	}
	s.depend = verdict.NewDependence(outcomes, dependenceSeed)
	return s, nil
}

// Run asks until the claim is decided, the budget is used up or ctx ends; the
// end of ctx is not an error, for what was seen until then stands.
func (s *Survey) Run(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, s.options.Time)
	defer cancel()
	s.mu.Lock()
	s.began = time.Now()
	s.mu.Unlock()
	err := sample.Run(limited, s.options.Sample, s.take)
	s.mu.Lock()
	s.ended = time.Now()
	s.mu.Unlock()
	if limited.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return nil
	}
	return err
}

// take counts answers and says whether more are wanted.
func (s *Survey) take(batch []sample.Observation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range batch {
		if s.tally.N >= s.options.Requests {
			return false
		}
		if s.observe(&batch[i]) {
			return false
		}
	}
	return s.tally.N < s.options.Requests
}

// observe counts one answer and says whether it decided.
func (s *Survey) observe(o *sample.Observation) bool {
	counted := *o
	outcome := s.outcome(&counted)
	s.tally.Add([]sample.Observation{counted})
	s.depend.Observe(o.Connection, outcome)
	if s.test == nil {
		return false
	}
	s.timeline.Add(outcome)
	s.test.Observe(outcome)
	return s.test.Look() != verdict.Undecided
}

// outcome is the number of an answer's outcome. Names beyond the first few are
// given one name, so that memory does not grow where each answer is another.
func (s *Survey) outcome(o *sample.Observation) int {
	switch {
	case o.Fault != "" && s.test == nil:
		s.found.ObserveError()
		return verdict.Error
	case o.Fault != "":
		return verdict.Error
	case s.test == nil:
		i := s.found.Observe(o.Outcome)
		if i == verdict.Unlisted {
			o.Outcome = otherNames
		}
		return i
	}
	if i := s.options.Claim.Index(o.Outcome); i != verdict.Unlisted {
		return i
	}
	o.Outcome = countUnlisted(s.unlisted, o.Outcome)
	return s.rest
}

// Sample is what was asked and seen so far. It is cheap enough to be looked at
// several times a second; End has more.
func (s *Survey) Sample() record.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sample()
}

// Found is what was found so far by a survey without a claim.
func (s *Survey) Found() verdict.FoundResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found.Result()
}

// End is Sample with the examples, the diagnosis, the answers over time and the
// kind of balancing.
func (s *Survey) End() record.Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.sample()
	recordHistogram(&r, s.tally)
	for _, e := range s.examples.List() {
		r.Examples = append(r.Examples, recordExample(e))
	}
	if s.tally.N > 0 {
		balancing := s.depend.Result()
		r.Balancing = &balancing
	}
	if s.timeline != nil {
		s.timeline.Fill(&r)
		r.Diagnosis = report.Diagnose(r)
	}
	return r
}

func (s *Survey) sample() record.Sample {
	// A copy: it may be looked at while the survey goes on.
	r := record.Sample{URL: s.options.Sample.Cases[0].URL, Unlisted: maps.Clone(s.unlisted)}
	recordFaults(&r, s.tally)
	end := s.ended
	if end.IsZero() {
		end = time.Now()
	}
	if !s.began.IsZero() {
		r.Duration = end.Sub(s.began)
		r.Rate = float64(s.tally.N) / max(r.Duration.Seconds(), 1e-9)
	}
	if s.test != nil {
		r.Result, r.Counts = s.test.Result(), s.test.Counts()
		if s.options.Sample.Reuse && !s.options.AssumeIndependent {
			r.Result = unsure(r.Result)
		}
	}
	return r
}

// Dependent is the reason of a verdict that is withheld.
const Dependent = "no verdict: connections were kept alive, so answers need not be independent of each other"

// unsure withholds a verdict that only holds for independent answers. That
// something came which must never come is so however answers depend on each other.
func unsure(r verdict.Result) verdict.Result {
	if report.Certain(r) {
		return r
	}
	r.State, r.Because, r.Needed, r.Reason = verdict.Undecided, "", 0, Dependent
	for i := range r.Shares {
		r.Shares[i].State = verdict.Undecided
	}
	r.Errors.State = verdict.Undecided
	return r
}
