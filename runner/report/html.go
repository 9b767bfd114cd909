package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
)

var (
	//go:embed html.tmpl
	htmlTemplate string
	//go:embed html.css
	htmlStyle string
)

var htmlPage = template.Must(template.New("run").Parse(htmlTemplate))

// HTML writes the report of a run as one page that needs nothing else: no
// network, no script, no font; and a browser that is told so by the page's own
// policy would not load any. The same record gives the same page. All texts of
// the record are escaped and bounded in length, for they may come from whatever
// the gateways answered. It returns the first error of writing.
func HTML(w io.Writer, r *record.Record) error {
	return htmlPage.Execute(w, newPage(r))
}

// policy allows the page's own style and nothing else.
func policy() string {
	sum := sha256.Sum256([]byte(htmlStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; img-src data:; base-uri 'none'; form-action 'none'"
}

type pageView struct {
	Policy   string
	Style    template.CSS
	Icon     template.URL
	Patterns template.HTML

	State, Headline, Subline, Certainty, Inventory string
	Unfinished                                     []string
	Facts                                          []fact
	Problems                                       []problemView
	Outcomes                                       []lane // the legend
	Scenarios                                      []scenarioView
	Expectations                                   []sampleView
	Tool                                           string
}

type fact struct{ Name, Value, Note string }

// problemView is a step that did not pass, and where to read about it.
type problemView struct {
	ID, State, Title, Scenario, Position, Reason string
	Diagnosis, Again                             string
}

type scenarioView struct {
	ID, State, Name, Title, File, Skipped string
	Labels                                []string
	Steps                                 []stepView
	StepCount, Requests, Took             string
	PutBack                               []changeView
	MorePutBack                           int
	PutBackError                          string
}

type stepView struct {
	ID, State, Number, Title, Action, Position, Took, Error string
	Open, Reached, Expectation                              bool
	Changes                                                 []changeView
	MoreChanges                                             int
	Samples                                                 []sampleView
	Notes                                                   []string
	Ran                                                     *ranView
	MoreNotes                                               int
	Objects                                                 []objectView
	Events                                                  []eventView
	MoreObjects, MoreEvents                                 int
	Again                                                   string
}

type changeView struct{ What, Cluster, Resource, Name string }

func newPage(r *record.Record) pageView {
	p := newPalette(r)
	v := pageView{
		Policy: policy(), Style: template.CSS(htmlStyle), Patterns: template.HTML(patterns()),
		Tool: oneLine(r.Tool, longestName),
	}
	for i, s := range r.Scenarios {
		v.Scenarios = append(v.Scenarios, newScenario(fmt.Sprintf("s%d", i+1), s, p))
	}
	o := Overall(r)
	v.State, v.Headline = string(o.State), o.Headline
	v.Subline = oneLine(Summary(r), longestLine)
	v.Certainty, v.Inventory = o.Certainty, oneLine(r.Inventory, 2*longestLine)
	unfinished, more := some(r.Unfinished, messagesOnPage)
	for _, why := range unfinished {
		v.Unfinished = append(v.Unfinished, block(why))
	}
	if more > 0 {
		v.Unfinished = append(v.Unfinished, fmt.Sprintf("and %d more, in the record", more))
	}
	v.Icon = icon(o.State)
	v.Facts = facts(r)
	samples := 0
	for _, s := range r.Scenarios {
		for _, st := range s.Steps {
			samples += len(st.Samples)
		}
	}
	for _, s := range v.Scenarios {
		for i := range s.Steps {
			// Where something did not pass, that is what is read.
			s.Steps[i].Open = s.Steps[i].Open || s.Steps[i].Expectation && o.State == record.Passed && samples <= mostOpen
		}
		v.Problems = append(v.Problems, s.problems()...)
		for _, st := range s.Steps {
			v.Expectations = append(v.Expectations, st.Samples...)
		}
	}
	names, _ := some(outcomes(r), mostShares)
	for _, name := range names {
		v.Outcomes = append(v.Outcomes, lane{Name: oneLine(name, longestName), Look: p[name]})
	}
	v.Outcomes = append(v.Outcomes, lane{Name: "error", Look: errorLook})
	return v
}

// mostOpen is up to how many samples a run that passed shows unfolded.
const mostOpen = 8

// facts are what, where, when and how long.
func facts(r *record.Record) []fact {
	requests, judged := int64(0), 0
	for _, s := range r.Scenarios {
		_, n, _ := sums(s)
		requests += n
		for _, st := range s.Steps {
			judged += len(st.Samples)
		}
	}
	return []fact{
		{"Environment", oneLine(r.Environment, longestName), ""},
		{"Began", day(r.Started), clock(r.Started)},
		{"Took", lasting(r.Ended.Sub(r.Started)), ""},
		{"Requests judged", Count(requests), "in " + plural(judged, "sample")},
	}
}

// asked is the number of requests of all attempts.
func asked(s record.Sample) int64 {
	if len(s.Attempts) == 0 {
		return s.Result.N
	}
	n := int64(0)
	for _, a := range s.Attempts {
		n += a.Result.N
	}
	return n
}

func day(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format("2 January 2006")
}

func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("15:04:05 UTC")
}

func newScenario(id string, s record.Scenario, p palette) scenarioView {
	v := scenarioView{
		ID: id, State: string(scenarioState(s)), Name: oneLine(s.Name, longestName), Title: oneLine(s.Title, longestLine),
		File: oneLine(s.File, longestLine), Skipped: oneLine(s.Skipped, longestLine), PutBackError: block(s.PutBackError),
	}
	labels, _ := some(s.Labels, mostShares)
	for _, l := range labels {
		v.Labels = append(v.Labels, oneLine(l, longestName))
	}
	own, requests, took := sums(s)
	for _, st := range s.Steps {
		v.Steps = append(v.Steps, newStep(fmt.Sprintf("%s-%d", id, st.Index+1), v.Name, st, p))
	}
	v.StepCount, v.Took = plural(own, "step"), lasting(took)
	if requests > 0 {
		v.Requests = Count(requests)
	}
	v.PutBack, v.MorePutBack = changeViews(s.PutBack)
	return v
}

// sums are how many steps of its own a scenario has, how many requests they
// took and how long.
func sums(s record.Scenario) (steps int, requests int64, took time.Duration) {
	for _, st := range s.Steps {
		took += st.Duration
		if !st.Reached {
			steps++
		}
		for _, sample := range st.Samples {
			requests += asked(sample)
		}
	}
	return steps, requests, took
}

func newStep(id, scenario string, s record.Step, p palette) stepView {
	v := stepView{
		ID: id, State: string(known(s.State)), Number: fmt.Sprint(s.Index + 1), Title: oneLine(stepTitle(s), longestLine),
		Action: oneLine(s.Action, longestName), Position: oneLine(s.Position, longestLine), Took: lasting(s.Duration),
		Error: block(s.Error), Open: s.State != record.Passed && s.State != record.Skipped,
		Reached: s.Reached, Expectation: len(s.Samples) > 0,
	}
	v.Changes, v.MoreChanges = changeViews(s.Changes)
	notes, more := some(s.Notes, 50)
	for _, n := range notes {
		v.Notes = append(v.Notes, block(n))
	}
	v.MoreNotes = more
	v.Ran = newRan(s.Ran)
	v.evidence(s)
	for i, sample := range s.Samples {
		x := newSample(fmt.Sprintf("%s-%d", id, i+1), s, sample, p)
		x.Scenario, x.Step = scenario, v.Title
		v.Samples = append(v.Samples, x)
	}
	return v
}

func changeViews(list []record.Change) (views []changeView, more int) {
	list, more = some(list, 500)
	for _, c := range list {
		name := c.Name
		if c.Namespace != "" {
			name = c.Namespace + "/" + c.Name
		}
		views = append(views, changeView{oneLine(c.What, longestName), oneLine(c.Cluster, longestName), oneLine(c.Resource, longestLine), oneLine(name, longestLine)})
	}
	return views, more
}

// problems are the steps of a scenario that did not pass, and what was not put
// back.
func (v scenarioView) problems() []problemView {
	var list []problemView
	for _, s := range v.Steps {
		if s.State == string(record.Passed) || s.State == string(record.Skipped) {
			continue
		}
		x := problemView{ID: s.ID, State: s.State, Title: s.Title, Scenario: v.Name, Position: s.Position, Reason: oneLine(s.Error, longestLine), Again: s.Again}
		var reasons []string
		for _, sample := range s.Samples {
			if sample.State != string(record.Passed) {
				reasons = append(reasons, sample.Where+": "+sample.Why)
				if x.Diagnosis == "" {
					x.Diagnosis = sample.Diagnosis
				}
			}
		}
		if len(reasons) > 0 {
			x.Reason = oneLine(strings.Join(reasons, "; "), 2*longestLine)
		}
		list = append(list, x)
	}
	if v.PutBackError != "" {
		list = append(list, problemView{ID: v.ID, State: string(record.Errored), Title: "not put back", Scenario: v.Name, Reason: oneLine(v.PutBackError, longestLine)})
	}
	return list
}

// icon is the page's icon in a browser's tab: a disc in the colour of the state.
func icon(s record.State) template.URL {
	colour := map[record.State]string{record.Passed: "0b7a55", record.Failed: "c22f2f", record.Undecided: "b97800", record.Errored: "7a4bb5"}[s]
	if colour == "" {
		colour = "6b7280"
	}
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='%23" + colour + "'/%3E%3C/svg%3E")
}
