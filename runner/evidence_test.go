package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

func newEvidence() *evidence {
	return &evidence{found: map[int][]seen{}, trouble: map[string]int{}, open: map[string]struct{}{}}
}

// What deviates comes first, then what nobody applied; what matters only when it
// deviates is left out.
func TestEvidenceIsInOrder(t *testing.T) {
	e := newEvidence()
	tell := func(o record.Object, quiet bool) func(context.Context) ([]seen, error) {
		return func(context.Context) ([]seen, error) { return []seen{{Object: o, quiet: quiet}}, nil }
	}
	e.look(t.Context(), []task{
		{"a", 0, tell(record.Object{Name: "well"}, false)},
		{"b", 1, tell(record.Object{Name: "stray", Stray: true}, false)},
		{"a", 2, tell(record.Object{Name: "quiet"}, true)},
		{"b", 3, tell(record.Object{Name: "loud", Messages: []string{"broken"}}, true)},
		{"a", 4, tell(record.Object{Name: "missing", Missing: true}, false)},
		{"a", 5, tell(record.Object{Name: "well too"}, false)},
		{"c", 6, func(context.Context) ([]seen, error) { return nil, errors.New("connection refused") }},
		{"c", 7, func(context.Context) ([]seen, error) { return nil, errors.New("connection refused") }},
		{"c", 8, func(context.Context) ([]seen, error) { panic("what") }},
	})
	var out record.Step
	e.finish(&out, e.objects())
	var names []string
	for _, o := range out.Objects {
		names = append(names, o.Name)
	}
	if got := strings.Join(names, ", "); got != "loud, missing, stray, well, well too" {
		t.Errorf("got %s", got)
	}
	notes := strings.Join(out.Notes, "\n")
	if !strings.Contains(notes, "2 objects could not be looked at: c: connection refused") || !strings.Contains(notes, "an object could not be looked at: c: this is a fault of the program: panic: what") {
		t.Errorf("notes %q", notes)
	}
}

// A cluster that does not answer, and does not even heed that time is over,
// holds nobody up; what comes later is not taken.
func TestEvidenceWaitsForNobody(t *testing.T) {
	e := newEvidence()
	answer, done := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	e.look(ctx, []task{
		{"deaf", 0, func(context.Context) ([]seen, error) {
			cancel()
			<-answer
			defer close(done)
			return []seen{{Object: record.Object{Name: "late"}}}, nil
		}},
	})
	var out record.Step
	e.finish(&out, e.objects())
	close(answer)
	<-done
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(out.Objects) != 0 || len(out.Notes) != 1 || !strings.HasPrefix(out.Notes[0], "not all objects could be looked at: deaf did not answer within") {
		t.Errorf("%+v, %q", out.Objects, out.Notes)
	}
}

func TestEvidenceIsBounded(t *testing.T) {
	e := newEvidence()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range 200 {
		e.found[i] = []seen{{Object: record.Object{Name: fmt.Sprint(i)}}}
		e.events = append(e.events, record.Event{Type: "Normal", Last: at.Add(time.Duration(i) * time.Second)})
	}
	e.events = append(e.events, record.Event{Type: "Warning", Last: at})
	var out record.Step
	e.finish(&out, e.objects())
	if len(out.Objects) != mostObjects || len(out.Events) != mostEvents || out.Notes[0] != "160 more objects were looked at" {
		t.Errorf("%d objects, %d events, %q", len(out.Objects), len(out.Events), out.Notes)
	}
	if out.Events[0].Type != "Warning" || !out.Events[1].Last.Equal(at.Add(199*time.Second)) {
		t.Errorf("first %+v, %+v; want the warning, then the latest", out.Events[0], out.Events[1])
	}
	if got := shortened(strings.Repeat("ü", 10_000)); len([]rune(got)) != longestMessage {
		t.Errorf("a message of %d characters", len([]rune(got)))
	}
}

// baffling is work of which nobody can say what it is about.
type baffling struct {
	doing
	name func(r *Run) []subject
}

func (b baffling) subjects(r *Run) []subject { return b.name(r) }

// Whatever becomes of the look, the step ends as it ended.
func TestALookThatFailsChangesNothing(t *testing.T) {
	r := threeSteps(t)
	r.clusters["mgmt"] = &kube.Cluster{Name: "mgmt"}
	r.plan.Scenarios[0].Steps[0].work = baffling{
		func(context.Context, *Run, *PlannedStep, *record.Step) error { return failf("wrong") },
		func(*Run) []subject { panic("what") },
	}
	got := step(t, r)
	if notes := strings.Join(got.Notes, " "); got.State != record.Failed || got.Error != "wrong" || !strings.Contains(notes, "panic: what") {
		t.Errorf("%s: %s, notes %q", got.State, got.Error, notes)
	}
}

// A cluster that does not say which kinds it serves holds nobody up either.
func TestALookHasAnEnd(t *testing.T) {
	r := threeSteps(t)
	r.clusters["mgmt"] = &kube.Cluster{Name: "mgmt"}
	ctx, cancel := context.WithCancel(t.Context())
	deaf := make(chan struct{})
	defer close(deaf)
	s := r.plan.Scenarios[0].Steps[0]
	s.work = baffling{pass, func(*Run) []subject { cancel(); <-deaf; return nil }}
	if err := r.explain(ctx, s, &record.Step{}); err == nil || !strings.Contains(err.Error(), "no answer within") {
		t.Errorf("got %v", err)
	}
}

// What a script has deleted is not told later as if somebody else had done it.
func TestWhatAScriptDeletedIsDeleted(t *testing.T) {
	r := threeSteps(t)
	s := r.plan.Scenarios[0].Steps[0]
	o := &kube.Object{}
	o.SetAPIVersion("v1")
	o.SetKind("Service")
	o.SetName("gone")
	r.changes(s, &record.Step{}, &kube.Cluster{Name: "mgmt"}, []kube.Applied{{Resource: "services", What: kube.Deleted, Before: o, After: o}})
	all := r.appliedFor(s.Scenario)
	if got, ok := all[keyOf("mgmt", o)]; !ok || !got.deleted {
		t.Errorf("got %+v, want it to be remembered as deleted", all)
	}
}
