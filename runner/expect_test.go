package runner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/scenario"
	"github.com/meshassay/assay/runner/verdict"
)

// mesh is a gateway that deals its answers by weight, at random but by a fixed
// seed.
type mesh struct {
	mu      sync.Mutex
	rng     *rand.Rand
	weights func(r *http.Request, n int) map[string]float64 // of "blue", "green", "yellow", "503", "odd"
	n       int
}

func always(weights map[string]float64) func(*http.Request, int) map[string]float64 {
	return func(*http.Request, int) map[string]float64 { return weights }
}

func (m *mesh) pick(r *http.Request) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	x := m.rng.Float64()
	weights := m.weights(r, m.n)
	for _, color := range []string{"blue", "green", "yellow", "503", "odd"} {
		if x -= weights[color]; x < 0 {
			return color
		}
	}
	return "blue"
}

func (m *mesh) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch color := m.pick(r); color {
	case "503":
		http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
	case "odd":
		fmt.Fprint(w, `{"colour": "blue"}`)
	default:
		fmt.Fprintf(w, `{"color": %q}`, color)
	}
}

// serve starts a gateway and returns its URL.
func serve(t *testing.T, weights func(*http.Request, int) map[string]float64) string {
	t.Helper()
	server := httptest.NewServer(&mesh{rng: rand.New(rand.NewPCG(1, 2)), weights: weights})
	t.Cleanup(server.Close)
	return server.URL
}

// begin plans one scenario of the steps against gateways by their URL, and
// starts a run of it.
func begin(t *testing.T, steps string, urls ...string) *Run {
	t.Helper()
	var gateways strings.Builder
	for i, url := range urls {
		fmt.Fprintf(&gateways, "  gateway%d: {url: %q}\n", i+1, url)
	}
	env, ms := environment.Parse("environment.yaml", []byte(`apiVersion: assay/v1
kind: Environment
name: loopback
clusters: {cluster1: {context: none}}
gateways:
`+gateways.String()+`
destinations:
  blue: {cluster: cluster1, service: a/blue}
  green: {cluster: cluster1, service: a/green}
  canary: {cluster: cluster1, service: a/canary}
answers:
- {json: color, is: {blue: blue, green: green, yellow: canary}}
`), func(string) (string, bool) { return "", false })
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	e, err := New(Options{Environment: env, Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	s, ms := scenario.Parse("s.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: s\nsteps:\n"+steps))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	plan, err := e.Plan([]*scenario.Scenario{s})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Start(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func step(t *testing.T, r *Run) record.Step {
	t.Helper()
	return r.Step(t.Context(), r.plan.Scenarios[0].Steps[0])
}

const fortyFortyTwenty = `- expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 5pp}` + "\n"

func TestExpectPassesTheRightSplit(t *testing.T) {
	r := begin(t, fortyFortyTwenty, serve(t, always(map[string]float64{"blue": .4, "green": .4, "yellow": .2})))
	got := step(t, r)
	if got.State != record.Passed || got.Error != "" {
		t.Fatalf("%s: %s, want passed", got.State, got.Error)
	}
	s := got.Samples[0]
	if s.Gateway != "gateway1" || !strings.HasSuffix(s.URL, "/api") || s.Position != "s.yaml:5:43" {
		t.Errorf("sample of %s at %s, position %s", s.Gateway, s.URL, s.Position)
	}
	if total := s.Counts.Total(); total != s.Result.N || total < 300 {
		t.Errorf("%d answers counted, %d judged", total, s.Result.N)
	}
	if s.Histogram.Total() != s.Latency.Count || s.Histogram.Validate() != nil {
		t.Errorf("a histogram of %d for %d latencies (%v)", s.Histogram.Total(), s.Latency.Count, s.Histogram.Validate())
	}
	if s.Strip == "" || s.Rate <= 0 || s.Latency.Count != s.Result.N || len(s.Examples) < 3 {
		t.Errorf("the record lacks what was seen: strip %q, rate %v, %d latencies, %d examples", s.Strip, s.Rate, s.Latency.Count, len(s.Examples))
	}
}

func TestExpectFailsTheWrongSplitAtItsShare(t *testing.T) {
	r := begin(t, fortyFortyTwenty, serve(t, always(map[string]float64{"blue": .4, "green": .3, "yellow": .3})))
	got := step(t, r)
	if got.State != record.Failed {
		t.Fatalf("%s: %s, want failed", got.State, got.Error)
	}
	// The line and column of green or canary, whichever was told first; its name; how much.
	if !strings.HasPrefix(got.Error, "s.yaml:5:") || strings.HasPrefix(got.Error, "s.yaml:5:43") ||
		!strings.Contains(got.Error, "gateway1") || !strings.Contains(got.Error, "%") {
		t.Errorf("error %q", got.Error)
	}
	if s := got.Samples[0]; s.Result.Because != verdict.BecauseShare || len(s.Attempts) != 0 {
		t.Errorf("because %q with %d attempts, want a share; nothing was changed, so nothing may settle", s.Result.Because, len(s.Attempts))
	}
}

// Each of the gateways is wrong, and together they would look right.
func TestGatewaysAreNotPooled(t *testing.T) {
	r := begin(t, `- expect: {shares: {blue: 50%, green: 50%}, tolerance: 5pp}`+"\n",
		serve(t, always(map[string]float64{"blue": .7, "green": .3})),
		serve(t, always(map[string]float64{"blue": .3, "green": .7})))
	got := step(t, r)
	if got.State != record.Failed || len(got.Samples) != 2 {
		t.Fatalf("%s with %d samples, want both gateways failed", got.State, len(got.Samples))
	}
	for _, s := range got.Samples {
		if s.Result.State != verdict.Failed {
			t.Errorf("%s is %s", s.Gateway, s.Result.State)
		}
		if want := verdict.DefaultAlpha / 2; s.Result.Alpha > want {
			t.Errorf("%s has alpha %g, want at most its part of the run's, %g", s.Gateway, s.Result.Alpha, want)
		}
	}
}

func TestExpectTellsADeadBackend(t *testing.T) {
	r := begin(t, fortyFortyTwenty, serve(t, always(map[string]float64{"blue": .4, "green": .4, "503": .2})))
	got := step(t, r)
	s := got.Samples[0]
	if got.State != record.Failed || s.Result.Because != verdict.BecauseErrors {
		t.Fatalf("%s because %q: %s", got.State, s.Result.Because, got.Error)
	}
	if !strings.HasPrefix(s.Diagnosis, "backend down") || !strings.Contains(got.Error, s.Diagnosis) {
		t.Errorf("diagnosis %q in error %q", s.Diagnosis, got.Error)
	}
	if s.Faults["server error"] == 0 || s.Statuses["503"] == 0 {
		t.Errorf("faults %v, statuses %v", s.Faults, s.Statuses)
	}
}

func TestUnknownAnswersAreErrors(t *testing.T) {
	r := begin(t, `- expect: {shares: {blue: 100%}}`+"\n", serve(t, always(map[string]float64{"blue": .9, "odd": .1})))
	got := step(t, r)
	if s := got.Samples[0]; got.State != record.Failed || s.Result.Because != verdict.BecauseErrors || s.Faults["unknown answer"] == 0 {
		t.Errorf("%s because %q, faults %v", got.State, s.Result.Because, s.Faults)
	}
}

// A change that is on its way is waited for; what was answered before it came
// counts for nothing.
func TestExpectSettles(t *testing.T) {
	old := 600
	r := begin(t, fortyFortyTwenty, serve(t, func(_ *http.Request, n int) map[string]float64 {
		if n <= old {
			return map[string]float64{"blue": 1}
		}
		return map[string]float64{"blue": .4, "green": .4, "yellow": .2}
	}))
	r.changed = time.Now().Add(time.Hour) // however long it takes
	got := step(t, r)
	s := got.Samples[0]
	if got.State != record.Passed || len(s.Attempts) < 2 {
		t.Fatalf("%s in %d attempts: %s", got.State, len(s.Attempts), got.Error)
	}
	first, last := s.Attempts[0], s.Attempts[len(s.Attempts)-1]
	if first.Result.State != verdict.Failed || last.Result.State != verdict.Passed || last.Counts.Total() != s.Counts.Total() {
		t.Errorf("first attempt %s, last %s with %d of %d answers", first.Result.State, last.Result.State, last.Counts.Total(), s.Counts.Total())
	}
	if last.At <= first.At+first.Duration {
		t.Errorf("the last attempt began at %s, before the first ended at %s", last.At, first.At+first.Duration)
	}
}

// What began before the time for settling was over may have answers of the old
// state in it, whenever it ends: only of what began later does failed stand.
func TestConvergeEnds(t *testing.T) {
	r := begin(t, "- expect: {shares: {blue: 50%, green: 50%}, tolerance: 10pp, converge: 10s}\n", "http://127.0.0.1:1")
	work := r.plan.Scenarios[0].Steps[0].work.(*expectWork)
	tests := []struct {
		reason      string
		first, next time.Duration // when the requests of the attempt were sent, after the change
		restarts    bool
	}{
		{"all of it was sent within the time", 0, 0, true},
		{"it began within the time and failed after it", 10*time.Second - 1, 20 * time.Second, true},
		{"it began when the time was over", 10 * time.Second, 10 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			r.changed = time.Now()
			a, err := r.asking(work, "gateway1")
			if err != nil {
				t.Fatal(err)
			}
			j := a.cases[0]
			j.roundBegan = r.changed
			at := tt.first
			for range 1000 { // all blue, long after that is proved wrong
				if j.done || len(j.attempts) > 0 {
					break
				}
				a.observe(r.changed, &sample.Observation{Outcome: "blue", At: at})
				at = tt.next
			}
			if j.done == tt.restarts || len(j.attempts) > 0 != tt.restarts {
				t.Errorf("done %v after %d failed attempts, want it begun anew: %v", j.done, len(j.attempts), tt.restarts)
			}
		})
	}
}

// A pause that leads beyond the time for settling would only be lost time.
func TestThePauseEndsWithTheTimeForSettling(t *testing.T) {
	w := begin(t, fortyFortyTwenty, "http://127.0.0.1:1").plan.Scenarios[0].Steps[0].work.(*expectWork)
	now := time.Now()
	for _, tt := range []struct{ deadline, resume time.Duration }{
		{time.Hour, 100 * time.Millisecond},
		{20 * time.Millisecond, 20 * time.Millisecond},
		{-time.Second, 0},
	} {
		j, err := newJudging(&w.cases[0], w.cases[0].claim)
		if err != nil {
			t.Fatal(err)
		}
		j.restart(now, now, now.Add(tt.deadline))
		if got := j.resume.Sub(now); got != tt.resume {
			t.Errorf("deadline in %s: the pause is %s, want %s", tt.deadline, got, tt.resume)
		}
	}
}

// A case that pauses while another is asked has not begun.
func TestTheBudgetBeginsWithTheFirstRequest(t *testing.T) {
	w := begin(t, fortyFortyTwenty, "http://127.0.0.1:1").plan.Scenarios[0].Steps[0].work.(*expectWork)
	j, err := newJudging(&w.cases[0], w.cases[0].claim)
	if err != nil {
		t.Fatal(err)
	}
	j.roundBegan = time.Now()
	j.resume = j.roundBegan.Add(2 * w.time)
	a := &asking{work: w, cases: []*judging{j}}
	a.observe(j.roundBegan, &sample.Observation{Outcome: "blue", At: 2 * w.time})
	if j.spend(w, j.roundBegan.Add(3*w.time-1)); j.done {
		t.Error("the time of the pause was taken from the budget")
	}
	if j.spend(w, j.roundBegan.Add(3*w.time)); !j.done {
		t.Error("the budget does not end")
	}
}

func TestExpectJudgesCasesApart(t *testing.T) {
	r := begin(t, `- expect:
    request: {path: /api}
    cases:
    - {name: firefox, headers: {User-Agent: Firefox}, shares: {green: 100%}}
    - {name: curl, headers: {User-Agent: curl}, shares: {blue: 100%}}
    - {name: iphone, headers: {User-Agent: iPhone}, shares: {canary: 100%}}
`, serve(t, func(r *http.Request, _ int) map[string]float64 {
		if r.UserAgent() == "Firefox" {
			return map[string]float64{"green": 1}
		}
		return map[string]float64{"blue": 1}
	}))
	got := step(t, r)
	if got.State != record.Failed || len(got.Samples) != 3 {
		t.Fatalf("%s with %d samples", got.State, len(got.Samples))
	}
	for i, want := range []verdict.State{verdict.Passed, verdict.Passed, verdict.Failed} {
		if s := got.Samples[i]; s.Result.State != want {
			t.Errorf("%s is %s, want %s", s.Case, s.Result.State, want)
		}
	}
	for _, e := range got.Samples[0].Examples {
		if e.Of != "green" {
			t.Errorf("firefox has an example of %q", e.Of)
		}
	}
	if !strings.Contains(got.Error, "iphone") || strings.Contains(got.Error, "firefox") || !strings.HasPrefix(got.Error, "s.yaml:10:") {
		t.Errorf("error %q, want iphone's alone at its line", got.Error)
	}
}

func TestExpectAFault(t *testing.T) {
	leaking := map[string]float64{"blue": .9, "green": .1}
	tests := []struct {
		reason, fields string
		weights        map[string]float64
		want           record.State
		text           string
	}{
		{"the fault is caught for the reason wanted", "verdict: failed, because: leak", leaking, record.Passed, ""},
		{"any reason will do", "verdict: failed", leaking, record.Passed, ""},
		{"it is caught for another reason", "verdict: failed, because: errors", leaking, record.Failed, "because of a leak, wanted because of errors"},
		{"there is no fault", "verdict: failed", map[string]float64{"blue": 1}, record.Failed, "the fault was not caught"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got := step(t, begin(t, "- expect: {shares: {blue: 100%}, "+tt.fields+"}\n", serve(t, always(tt.weights))))
			if got.State != tt.want || !strings.Contains(got.Error, tt.text) {
				t.Errorf("%s: %s, want %s with %q", got.State, got.Error, tt.want, tt.text)
			}
		})
	}
}

// A share on its edge cannot be told: never green on doubt.
func TestExpectIsUndecidedWithinItsBudget(t *testing.T) {
	r := begin(t, "- expect: {shares: {blue: 50%, green: 50%}, tolerance: 5pp, budget: {requests: 2500}}\n",
		serve(t, always(map[string]float64{"blue": .54, "green": .46})))
	r.env.Limits.Workers = 1 // then the answers are the same every time
	got := step(t, r)
	if got.State != record.Undecided || got.Samples[0].Result.Needed == 0 && got.Error == "" {
		t.Errorf("%s: %s, want undecided", got.State, got.Error)
	}
	if n := got.Samples[0].Result.N; n < 2500 || n > 2500+512 {
		t.Errorf("%d answers, want the budget of 2,500 and no more than a batch", n)
	}
}

func TestExpectStopsWithItsContext(t *testing.T) {
	arrived := make(chan struct{})
	var once sync.Once
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { close(arrived) })
		<-release
	}))
	defer server.Close()
	defer close(release)
	r := begin(t, fortyFortyTwenty, server.URL)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		if p := r.Progress(); !strings.Contains(p, "gateway1") {
			t.Errorf("progress %q, want a line of the gateway", p)
		}
		l := r.Live()
		if len(l.Parts) != 1 || len(l.Parts[0].Samples) != 1 || l.Step != r.plan.Scenarios[0].Steps[0] {
			t.Errorf("%+v, want one sample of the step", l)
		} else if s := l.Parts[0].Samples[0]; s.Gateway != "gateway1" || s.Done || s.Requests != 100_000 || len(s.Result.Shares) != 3 {
			t.Errorf("sample %+v", s)
		}
		cancel()
	}()
	got := r.Step(ctx, r.plan.Scenarios[0].Steps[0])
	if got.State != record.Errored || !strings.Contains(got.Error, "stopped") {
		t.Errorf("%s: %s, want errored because it was stopped", got.State, got.Error)
	}
	if len(got.Samples) != 1 {
		t.Errorf("%d samples, want what was measured so far", len(got.Samples))
	}
	if p := r.Progress(); p != "" {
		t.Errorf("progress %q after the step", p)
	}
}

// Those who watch see a gateway's cases while it is asked on after the verdict.
// (That they do not disturb each other is seen under -race only.)
func TestAskingOnIsWatched(t *testing.T) {
	r := begin(t, "- expect: {shares: {blue: 50%, green: 50%}, tolerance: 5pp}\n", "http://127.0.0.1:9")
	a, err := r.asking(r.plan.Scenarios[0].Steps[0].work.(*expectWork), "gateway1")
	if err != nil {
		t.Fatal(err)
	}
	a.url = "http://127.0.0.1:9"
	for i := range 50 {
		a.observe(a.begin, &sample.Observation{Outcome: []string{"blue", "green"}[i%2]})
	}
	over, stop := context.WithCancel(t.Context())
	stop()
	var both sync.WaitGroup
	both.Go(func() { a.lookOn(over) })
	both.Go(func() {
		if p := a.live(); len(p.Samples) != 1 || p.Samples[0].Result.N != 50 {
			t.Errorf("Live tells of %+v", p.Samples)
		}
	})
	both.Wait()
}
