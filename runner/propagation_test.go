package runner

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// A changing gateway divides its answers as it was told first, until some
// requests after it was told something else.
type changing struct {
	mu      sync.Mutex
	weights []map[string]float64 // by request from now on; the last one stays
	asked   int
}

func (c *changing) of(*http.Request, int) map[string]float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked++
	now := c.weights[0]
	if len(c.weights) > 1 {
		c.weights = c.weights[1:]
	}
	return now
}

// tell sets what comes next: the same as now for so many requests, errors for
// so many, then something else.
func (c *changing) tell(old, failed int, weights map[string]float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := slices.Repeat(c.weights[:1], old)
	next = append(next, slices.Repeat([]map[string]float64{{"503": 1}}, failed)...)
	c.weights, c.asked = append(next, weights), 0
}

// spread waits until so many requests have come since, and with them as many
// as can be under way: so that none of the former is given up when the probe
// pauses.
func (c *changing) spread(n int) {
	for n > 0 {
		c.mu.Lock()
		asked := c.asked
		c.mu.Unlock()
		if asked > n+probeWorkers {
			return
		}
		runtime.Gosched()
	}
}

// change is what an apply does, without a cluster. Nothing is under way when it
// begins, so that it is sure which answers are before it.
func change(begin, do func()) doing {
	return func(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
		w := r.watch(ctx, s, out)
		for _, g := range w.gateways {
			g.pause()
		}
		w.sent()
		begin()
		for _, g := range w.gateways {
			g.start()
		}
		do()
		r.becameReady()
		r.done(w, true)
		return nil
	}
}

// onlyLooks is a step that is planned as an apply would be.
const onlyLooks = "- expect: {shares: {blue: 100%}}\n"

func TestPropagation(t *testing.T) {
	only := func(color string) map[string]float64 { return map[string]float64{color: 1} }
	half := map[string]float64{"blue": .5, "green": .5}
	tests := []struct {
		reason      string
		before      map[string]float64
		old, failed int
		after       map[string]float64
		expect      string
		want        record.Propagation // what does not depend on time
	}{
		{
			reason: "from one destination to another, with errors in between",
			before: only("blue"), old: 4, failed: 2, after: only("yellow"), expect: "{shares: {canary: 100%}}",
			want: record.Propagation{New: []string{"canary"}, Old: []string{"blue"}, Errors: 2, Faults: map[string]int64{"server error": 2}},
		},
		{
			reason: "at once",
			before: only("blue"), after: only("yellow"), expect: "{shares: {canary: 100%}}",
			want: record.Propagation{New: []string{"canary"}, Old: []string{"blue"}, AtOnce: true},
		},
		{
			reason: "a part of it: which blue answer was the last old one cannot be told",
			before: only("blue"), old: 3, after: half, expect: "{shares: {blue: 50%, green: 50%}, tolerance: 10pp}",
			want: record.Propagation{New: []string{"green"}},
		},
		{
			reason: "nothing that could be told apart",
			before: half, after: map[string]float64{"blue": .6, "green": .4}, expect: "{shares: {blue: 60%, green: 40%}, tolerance: 10pp}",
			want: record.Propagation{},
		},
		{
			reason: "nobody answered before",
			before: map[string]float64{"503": 1}, old: 3, after: only("blue"), expect: "{shares: {blue: 100%}}",
			want: record.Propagation{New: []string{"blue"}, Dead: true, Errors: 3, Faults: map[string]int64{"server error": 3}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			c := &changing{weights: []map[string]float64{tt.before}}
			r := begin(t, onlyLooks+"- expect: "+tt.expect+"\n", serve(t, c.of))
			all := r.plan.Scenarios[0].Steps
			all[0].work, all[0].Changes = change(func() { c.tell(tt.old, tt.failed, tt.after) }, func() { c.spread(tt.old + tt.failed) }), true
			if got := r.Step(t.Context(), all[0]); got.State != record.Passed || len(got.Notes) > 0 {
				t.Fatalf("%s: %s, notes %q", got.State, got.Error, got.Notes)
			}
			got := r.Step(t.Context(), all[1])
			if got.State != record.Passed || len(got.Notes) > 0 {
				t.Fatalf("%s: %s, notes %q", got.State, got.Error, got.Notes)
			}
			if g := r.watching.gateways["gateway1"]; !g.over || g.stop != nil {
				t.Error("the probe asks on, and the expectation is decided")
			}
			s := got.Samples[0]
			p := s.Propagation
			if p == nil {
				t.Fatal("no propagation in the record")
			}
			if total := s.Counts.Total(); total != s.Result.N || s.Latency.Count != s.Result.N {
				t.Errorf("%d answers counted and %d judged: the probe's have no part in it", total, s.Result.N)
			}
			if before := p.FailedBefore + p.Before["blue"] + p.Before["green"]; before < learnAnswers {
				t.Errorf("%d answers before the change, want at least %d", before, learnAnswers)
			}
			if (p.FirstNew != nil) != (len(p.New) > 0) || p.FirstNew != nil && (*p.FirstNew <= 0 || *p.FirstNew > p.Watched) {
				t.Errorf("first new %v of %v", p.FirstNew, p.New)
			}
			if told := len(p.Old) > 0 || p.Dead; (p.LastOld != nil) != (told && tt.old > 0) {
				t.Errorf("last old %v of %v", p.LastOld, p.Old)
			}
			if tt.failed > 0 && (p.FirstError <= 0 || p.LastError < p.FirstError || p.LastError > p.Watched) {
				t.Errorf("errors from %s to %s", p.FirstError, p.LastError)
			}
			if p.Every != 20*time.Millisecond {
				t.Errorf("one request every %s", p.Every)
			}
			plain := record.Propagation{New: p.New, Old: p.Old, Dead: p.Dead, AtOnce: p.AtOnce, Errors: p.Errors, Faults: p.Faults}
			if diff := cmp.Diff(tt.want, plain); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What an expectation has proved need not be learnt again, and counts even
// where the probe did not see it.
func TestPropagationBuildsOnWhatWasProved(t *testing.T) {
	c := &changing{weights: []map[string]float64{{"blue": .95, "green": .05}}}
	r := begin(t, "- expect: {shares: {blue: 95%, green: 5%}, tolerance: 4pp}\n"+onlyLooks+"- expect: {shares: {green: 100%}}\n", serve(t, c.of))
	all := r.plan.Scenarios[0].Steps
	all[1].work = change(func() { c.tell(0, 0, map[string]float64{"green": 1}) }, func() {})
	for i, s := range all[:2] {
		if got := r.Step(t.Context(), s); got.State != record.Passed {
			t.Fatalf("step %d: %s: %s", i, got.State, got.Error)
		}
	}
	g := r.watching.gateways["gateway1"]
	if want := []string{"blue", "green"}; g.enough != checkAnswers || !slices.Equal(g.grounds[0].Possible, want) {
		t.Errorf("waits for %d answers, possible %v, want %d and %v", g.enough, g.grounds[0].Possible, checkAnswers, want)
	}
	got := r.Step(t.Context(), all[2])
	if got.State != record.Passed {
		t.Fatalf("%s: %s", got.State, got.Error)
	}
	if p := got.Samples[0].Propagation; p == nil || len(p.New) > 0 || !slices.Equal(p.Old, []string{"blue"}) {
		t.Errorf("%+v, want green not taken for new", p)
	}
}

// What is proved holds until something is changed.
func TestAChangeEndsWhatWasProved(t *testing.T) {
	r := begin(t, onlyLooks, serve(t, always(map[string]float64{"blue": 1})))
	if got := step(t, r); got.State != record.Passed || len(r.possible) != 1 {
		t.Fatalf("%s, proved: %v", got.State, r.possible)
	}
	if err := r.PutBack(t.Context(), r.plan.Scenarios[0]); err != nil || len(r.possible) != 1 {
		t.Errorf("nothing was put back (%v), and proved is %v", err, r.possible)
	}
	a := failedApply(t)
	if a.watching != nil {
		t.Error("a change that failed is still watched")
	}
}

// failedApply is a run whose first step was to change something, and could not.
func failedApply(t *testing.T) *Run {
	t.Helper()
	r := begin(t, onlyLooks+onlyLooks, serve(t, always(map[string]float64{"blue": 1})))
	s := r.plan.Scenarios[0].Steps[0]
	s.work = doing(func(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
		w := r.watch(ctx, s, out)
		w.sent()
		r.done(w, false)
		return errors.New("no cluster")
	})
	if got := r.Step(t.Context(), s); got.State != record.Errored {
		t.Fatalf("%s", got.State)
	}
	return r
}

func TestWhatIsWatched(t *testing.T) {
	url := serve(t, always(map[string]float64{"blue": 1}))
	looks := doing(pass)
	tests := []struct {
		reason  string
		between work // nil: nothing
		reached bool
		want    bool
	}{
		{"the expectation follows", nil, false, true},
		{"a wait in between changes nothing", &waitWork{}, false, true},
		{"an assertion in between changes nothing", &assertWork{}, false, true},
		{"another change in between has its own watch", &applyWork{}, false, false},
		{"anything else in between", looks, false, false},
		{"only for the state", nil, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			r := begin(t, strings.Repeat(onlyLooks, 3), url)
			all := r.plan.Scenarios[0].Steps
			if tt.between != nil {
				all[1].work = tt.between
			}
			w := r.watch(t.Context(), all[0], &record.Step{Reached: tt.reached})
			if (w != nil) != tt.want {
				t.Fatalf("watched: %v, want %v", w != nil, tt.want)
			}
			if w == nil {
				return
			}
			g := w.gateways["gateway1"]
			if g.probe.Before() < learnAnswers {
				t.Errorf("%d answers before the change", g.probe.Before())
			}
			if _, _, err := r.Close(); err != nil || !g.over || g.stop != nil {
				t.Errorf("the end of the run (%v) does not end it", err)
			}
			if g.start(); g.stop != nil {
				t.Error("it asks again after its end")
			}
		})
	}
}

// The probe asks no more than the environment allows, and while the expectation
// asks it does not.
func TestTheProbeKeepsTheLimits(t *testing.T) {
	r := begin(t, onlyLooks, "http://127.0.0.1:9")
	w := r.plan.Scenarios[0].Steps[0].work.(*expectWork)
	for _, tt := range []struct {
		limits      environment.Limits
		wantRate    float64
		wantWorkers int
	}{
		{environment.Limits{}, 50, 8},
		{environment.Limits{Rate: 200, Workers: 20}, 50, 8},
		{environment.Limits{Rate: 10, Workers: 2}, 10, 2},
	} {
		r.env.Limits = tt.limits
		g, err := r.watched(t.Context(), w, "gateway1")
		if err != nil || g.options.Rate != tt.wantRate || g.options.Workers != tt.wantWorkers {
			t.Errorf("limits %+v: %g/s by %d workers (%v), want %g/s by %d", tt.limits, g.options.Rate, g.options.Workers, err, tt.wantRate, tt.wantWorkers)
		}
		g.start()
		if g.pause(); g.stop != nil {
			t.Error("paused, and asking")
		}
		g.end()
	}
}

// What does not answer is waited for no longer than learnTime, and then nothing
// is told.
func TestAGatewayThatHangsIsNotTold(t *testing.T) {
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hung.Close)
	r := begin(t, onlyLooks+onlyLooks, hung.URL)
	w := r.watch(t.Context(), r.plan.Scenarios[0].Steps[0], &record.Step{})
	w.sent()
	w.end()
	g := w.gateways["gateway1"]
	if p, note := g.tell(0), g.note("gateway1"); p != nil || note != "" {
		t.Errorf("told %+v, note %q", p, note)
	}
}

// A probe that cannot ask is a note, and nothing fails for it.
func TestAProbeThatCannotAskIsANote(t *testing.T) {
	r := begin(t, onlyLooks+onlyLooks, serve(t, always(map[string]float64{"blue": 1})))
	all := r.plan.Scenarios[0].Steps
	all[0].work = change(func() {}, func() {
		g := r.watching.gateways["gateway1"]
		g.pause()
		g.options.BodyLimit = -1 // which Run refuses
		g.start()
		<-g.known
	})
	r.Step(t.Context(), all[0])
	r.watching.gateways["gateway1"].pause() // until it has failed
	got := r.Step(t.Context(), all[1])
	if got.State != record.Passed || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "how the change reached gateway1 was not measured: ") {
		t.Errorf("%s: %s, notes %q", got.State, got.Error, got.Notes)
	}
	if s := got.Samples[0]; s.Result.State != verdict.Passed {
		t.Errorf("%s", s.Result.State)
	}
}
