package report

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

type sampleView struct {
	ID, Scenario, Step, Where, Case, URL, Position string
	State, Shown, Why, Sure, Diagnosis, Advice     string
	Rows                                           []shareRow
	MoreRows                                       int
	Scale, Stack                                   template.HTML
	Confidence, Answers                            string
	Charts                                         []chart
	Strip                                          []lane
	StripTitle, Letters                            string
	Arrival                                        []lane
	Propagation, Watched                           string
	Balancing, BalancingKind, Kept                 string
	Further, FurtherStrip                          string
	Latency                                        template.HTML
	LatencyWords, Speed                            string
	Faults, Unlisted                               string
	Attempts                                       []attemptView
	MoreAttempts                                   int
	Examples                                       []exampleView
	MoreExamples                                   int
}

type attemptView struct{ Number, After, Took, State, Reason, Answers string }

type exampleView struct {
	What, Look, Number, After, Detail, Text string
}

// newSample is all that the page shows of a sample. A scenario may want a
// sample to fail: then Shown says "failed, as it should".
func newSample(id string, step record.Step, s record.Sample, p palette) sampleView {
	r := s.Result
	v := sampleView{
		ID: id, Where: oneLine(s.Gateway, longestName), Case: oneLine(s.Case, longestLine), URL: oneLine(s.URL, longestLine), Position: oneLine(s.Position, longestLine),
		State: r.State.String(), Shown: r.State.String(), Why: oneLine(r.Reason, longestLine), Sure: sure(r),
		Diagnosis: oneLine(s.Diagnosis, 2*longestLine), Advice: strings.TrimSpace(ToDecide(r)),
		Answers: Count(r.N), StripTitle: stripTitle(s), Letters: oneLine(s.Strip, longestStrip),
		Speed: oneLine(strings.TrimSpace(speed(record.Sample{Rate: s.Rate, Duration: s.Duration})), longestLine),
	}
	if v.Where == "" {
		v.Where = "sample"
	}
	if asItShould(step, r) {
		v.State, v.Shown = string(record.Passed), r.State.String()+", as it should"
	}
	if r.N > 0 {
		v.Confidence = confidence(r.Confidence)
	}
	v.Rows, v.MoreRows = shareRows(s, p)
	v.Scale, v.Stack = scale(), stack(s, v.Rows)
	v.Charts = charts(s, v.Rows)
	v.Strip = strips(s, p)
	if line := Propagation(s); line != "" {
		v.Propagation, v.Watched = oneLine(afterColon(line), 2*longestLine), oneLine(strings.TrimSpace(watchedFrom(s.Propagation)), 2*longestLine)
		v.Arrival = arrival(s, p)
	}
	if b := s.Balancing; b != nil {
		v.BalancingKind, v.Balancing = oneLine(string(b.Balancing), longestName), oneLine(b.Message, 2*longestLine)
	}
	v.Kept = oneLine(Kept(s), 2*longestLine)
	if f := Further(s); f != "" {
		v.Further, v.FurtherStrip = oneLine(f, 2*longestLine), oneLine(s.Further.Strip, longestStrip)
	}
	if s.Latency.Count > 0 {
		v.LatencyWords, v.Latency = latencyWords(s.Latency), latencies(s)
	}
	v.Faults, v.Unlisted = tallyOf(s.Faults), tallyOf(s.Unlisted)
	if v.Faults != "" && len(s.Statuses) > 0 {
		v.Faults += "; status " + tallyOf(s.Statuses)
	}
	v.attempts(s.Attempts)
	v.examples(s.Examples, p)
	return v
}

// asItShould says that a sample did not pass, and its scenario wants just that.
func asItShould(step record.Step, r verdict.Result) bool {
	return step.State == record.Passed && r.State != verdict.Passed
}

// sure is how sure a verdict is.
func sure(r verdict.Result) string {
	switch {
	case r.State == verdict.Passed:
		return "wrong with a probability of at most " + Percent(r.Beta)
	case Certain(r):
		return "certain: it must never come, and it came"
	case r.State == verdict.Failed:
		return "wrong with a probability of at most " + Percent(r.Alpha)
	}
	return "neither passed nor failed can be said with the certainty that was asked for"
}

// signs writes numbers of this package as print does: a terminal that shows
// nothing but ASCII is no concern here.
var signs = strings.NewReplacer("+-", "±", "<=", "≤", " us", " µs")

func lasting(d time.Duration) string { return signs.Replace(Duration(d)) }

// tallyOf is tally of names from outside, the most frequent ones.
func tallyOf(counts map[string]int64) string { return oneLine(tally(counts), 2*longestLine) }

func (v *sampleView) attempts(all []record.Attempt) {
	if len(all) < 2 {
		return
	}
	all, v.MoreAttempts = some(all, 50)
	for _, a := range all {
		v.Attempts = append(v.Attempts, attemptView{
			fmt.Sprint(a.Number + 1), lasting(a.At), lasting(a.Duration), a.Result.State.String(), oneLine(a.Result.Reason, longestLine), Count(a.Result.N),
		})
	}
}

func (v *sampleView) examples(all []record.Example, p palette) {
	all, v.MoreExamples = some(all, 40)
	for _, e := range all {
		x := exampleView{
			What: oneLine(e.Which+" "+e.Of, longestName), Look: p[e.Of], Number: Count(e.Number), After: lasting(e.At), Detail: oneLine(e.Detail, longestLine),
		}
		if e.Fault != "" {
			x.What, x.Look = oneLine(e.Which+" "+e.Fault, longestName), errorLook
		}
		if x.Look == "" {
			x.Look = otherLook
		}
		x.Text = block(strings.Join(e.Header, "\n"))
		if e.Body != "" {
			x.Text += "\n\n" + block(e.Body)
		}
		x.Text = strings.TrimSpace(x.Text)
		v.Examples = append(v.Examples, x)
	}
}
