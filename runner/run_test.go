package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// doing is a work that is a function.
type doing func(context.Context, *Run, *PlannedStep, *record.Step) error

func (d doing) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	return d(ctx, r, s, out)
}

func (doing) outline(*Plan, *PlannedStep, *Outline) {}

// threeSteps is a run of three steps, of which the first and second are
// changes, with what they shall do instead.
func threeSteps(t *testing.T, works ...doing) *Run {
	t.Helper()
	r := begin(t, strings.Repeat("- expect: {shares: {blue: 100%}}\n", 3), "http://127.0.0.1:9")
	for i, w := range works {
		s := r.plan.Scenarios[0].Steps[i]
		s.work, s.Changes = w, i < 2
	}
	return r
}

func pass(context.Context, *Run, *PlannedStep, *record.Step) error { return nil }

func TestAPanicIsAnErroredStep(t *testing.T) {
	r := threeSteps(t, func(context.Context, *Run, *PlannedStep, *record.Step) error { panic("boom") })
	got := step(t, r)
	if got.State != record.Errored || !strings.Contains(got.Error, "boom") || !strings.Contains(got.Error, "run_test.go") {
		t.Errorf("%s: %s, want errored with the stack", got.State, got.Error)
	}
}

// A gateway is asked by a goroutine of its own, whose panic would end the
// program, and what was changed would stay.
func TestAPanicWhileAskingIsAnErroredStep(t *testing.T) {
	r := begin(t, "- expect: {shares: {blue: 100%}}\n", "http://127.0.0.1:9")
	r.env.Answers[0].Match = "(" // which no environment that was checked has
	got := step(t, r)
	if got.State != record.Errored || !strings.Contains(got.Error, "this is a fault of the program") {
		t.Errorf("%s: %s, want errored with the stack", got.State, got.Error)
	}
}

func TestTheRecordIsOnDiskAfterEveryStep(t *testing.T) {
	r := threeSteps(t, pass, func(context.Context, *Run, *PlannedStep, *record.Step) error { return failf("wrong") }, pass)
	for i, want := range []record.State{record.Passed, record.Failed, record.Skipped} {
		r.Step(t.Context(), r.plan.Scenarios[0].Steps[i])
		on, err := record.Read(r.path)
		if err != nil {
			t.Fatal(err)
		}
		steps := on.Scenarios[0].Steps
		if len(steps) != i+1 || steps[i].State != want || steps[i].Position == "" {
			t.Fatalf("after step %d the record has %d steps, the last %s, want %s", i, len(steps), steps[len(steps)-1].State, want)
		}
	}
	rec, path, err := r.Close()
	if err != nil || filepath.Base(path) != "record.json" || rec.Ended.Before(rec.Started) {
		t.Errorf("Close: %s, %v", path, err)
	}
}

// A filter of a suite may leave out the steps that a step builds on.
func TestAStepReachesWhatItBuildsOn(t *testing.T) {
	var order []string
	note := func(name string) doing {
		return func(context.Context, *Run, *PlannedStep, *record.Step) error {
			order = append(order, name)
			return nil
		}
	}
	r := threeSteps(t, note("first"), note("second"), note("third"))
	got := r.Step(t.Context(), r.plan.Scenarios[0].Steps[2])
	if got.State != record.Passed || strings.Join(order, " ") != "first second third" {
		t.Fatalf("%s after %v", got.State, order)
	}
	rec, _, _ := r.Close()
	for i, s := range rec.Scenarios[0].Steps {
		if want := i < 2; s.Reached != want || want && len(s.Notes) == 0 {
			t.Errorf("step %d: reached %v with notes %v", i, s.Reached, s.Notes)
		}
	}
	if err := r.Reach(t.Context(), r.plan.Scenarios[0]); err != nil || len(order) != 3 {
		t.Errorf("reaching it again did %v (%v), want nothing", order, err)
	}
}

func TestAStepWhoseGroundFailsIsNotJudged(t *testing.T) {
	r := threeSteps(t, func(context.Context, *Run, *PlannedStep, *record.Step) error { return failf("no ground") }, pass, pass)
	got := r.Step(t.Context(), r.plan.Scenarios[0].Steps[2])
	if got.State == record.Passed || !strings.Contains(got.Error, "no ground") {
		t.Errorf("%s: %s", got.State, got.Error)
	}
}

func TestJoinedErrors(t *testing.T) {
	undecided := &failure{record.Undecided, errors.New("undecided")}
	tests := []struct {
		reason string
		errs   []error
		want   record.State
	}{
		{"nothing wrong", []error{nil, nil}, record.Passed},
		{"one wrong", []error{nil, failf("a")}, record.Failed},
		{"both wrong", []error{failf("a"), failf("b")}, record.Failed},
		{"doubt does not excuse a failure", []error{failf("a"), undecided}, record.Failed},
		{"doubt alone", []error{undecided, nil, undecided}, record.Undecided},
		{"one could not be judged", []error{failf("a"), errors.New("lost")}, record.Errored},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := stateOf(joined(tt.errs)); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestStartSaysThatTheRecordCannotBeWritten(t *testing.T) {
	e := engineIn(t, "sandbox")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e.options.Out = file
	if _, err := e.Start(t.Context(), &Plan{}); err == nil || !strings.Contains(err.Error(), "record cannot be written") {
		t.Errorf("got %v", err)
	}
}

// Whatever goes wrong while something is put back, the rest is put back too, and
// the record says what is not.
func TestAPanicWhilePuttingBackIsTold(t *testing.T) {
	r := threeSteps(t)
	s := r.plan.Scenarios[0]
	o := &kube.Object{}
	o.SetName("lost")
	r.undo[s] = []undoing{{before: o, after: o}, {before: o, after: o}}
	err := r.PutBack(t.Context(), s)
	if err == nil || strings.Count(err.Error(), "panic:") != 2 || r.record.Scenarios[0].PutBackError == "" || len(r.record.Scenarios[0].PutBack) != 0 {
		t.Errorf("got %v and %+v", err, r.record.Scenarios)
	}
}
