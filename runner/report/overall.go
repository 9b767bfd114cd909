package report

import (
	"fmt"

	"github.com/meshassay/assay/runner/record"
)

// Conclusion is what comes of a run as a whole.
type Conclusion struct {
	State     record.State
	Headline  string // "Passed", "Failed" …
	Certainty string // how sure that is, in a sentence or two
}

// Overall sums a run up. It has passed when something has and all else was
// skipped on purpose, all that was to run has run, and everything was put back:
// never green on doubt.
func Overall(r *record.Record) Conclusion {
	has, judged, certain := map[record.State]bool{}, 0, false
	for _, s := range r.Scenarios {
		has[scenarioState(s)] = true
		for _, st := range s.Steps {
			for _, sample := range st.Samples {
				judged++
				certain = certain || st.State == record.Failed && Certain(sample.Result)
			}
		}
	}
	o := Conclusion{State: record.Skipped, Headline: "Nothing ran"}
	for _, x := range []Conclusion{
		{State: record.Failed, Headline: "Failed"}, {State: record.Errored, Headline: "Not all could be judged"},
		{State: record.Undecided, Headline: "Undecided"}, {State: record.Passed, Headline: "Passed"},
	} {
		if has[x.State] {
			o = x
			break
		}
	}
	if o.State == record.Errored && !stepErrored(r) {
		o.Headline = "Not put back"
	}
	if len(r.Unfinished) > 0 && (o.State == record.Passed || o.State == record.Skipped) {
		o = Conclusion{State: record.Errored, Headline: "Not all was run"}
	}
	if judged > 0 {
		o.Certainty = sureness(r, o.State, certain)
	}
	return o
}

// stepErrored says that a step could not be judged, and not only what followed.
func stepErrored(r *record.Record) bool {
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			if known(st.State) == record.Errored {
				return true
			}
		}
	}
	return false
}

func sureness(r *record.Record, s record.State, certain bool) string {
	pass := fmt.Sprintf("An expectation passes although its shares are outside their tolerances with a probability of at most %s.", Percent(r.Beta))
	fail := fmt.Sprintf("A mesh that is right is called wrong, anywhere in this run, with a probability of at most %s.", Percent(r.Alpha))
	if certain {
		fail += " Where something came that must never come, no chance is involved."
	}
	if s == record.Failed {
		return fail + " " + pass
	}
	return pass + " " + fail
}

// scenarioState is the worst of a scenario's steps. What was not put back is an
// error of the scenario, for the next run begins with it.
func scenarioState(s record.Scenario) record.State {
	has := map[record.State]bool{}
	for _, st := range s.Steps {
		has[known(st.State)] = true
	}
	if s.PutBackError != "" {
		has[record.Errored] = true
	}
	for _, x := range []record.State{record.Failed, record.Errored, record.Undecided} {
		if has[x] {
			return x
		}
	}
	if has[record.Passed] {
		return record.Passed
	}
	return record.Skipped
}

// known is the state, or errored for a word that is none.
func known(s record.State) record.State {
	switch s {
	case record.Passed, record.Failed, record.Undecided, record.Skipped:
		return s
	}
	return record.Errored
}
