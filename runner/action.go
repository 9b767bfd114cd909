package runner

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/meshassay/assay/runner/record"
)

// action is one kind of step. Its body is decoded into the struct NAMEFields,
// whose doc comments are the action's reference.
type action struct {
	name string
	// changes says that the action is part of bringing about a scenario's
	// state: it changes objects or waits for them. The others only look.
	changes bool
	// fields is the struct that the body is decoded into: Reference shows it.
	fields reflect.Type
	// plan decodes and checks the body of a step. It reports every mistake to
	// the planner; what it returns is used only when there was none.
	plan func(p *planner, s *PlannedStep) work
}

// work is what a step does, ready to be done.
type work interface {
	// run does it and writes what it did into the step's record, also when it
	// returns an error. An error that is a failure means that the step's claim
	// does not hold; any other, that it could not be judged.
	run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error
	// outline says what run will do. It is asked only when there was no mistake.
	outline(p *Plan, s *PlannedStep, o *Outline)
}

// actions is the table of all actions. A new one is a file and its line here; make
// generate puts it into the schema and the reference.
var actions = []action{
	{name: "apply", changes: true, fields: reflect.TypeFor[applyFields](), plan: planApply},
	{name: "delete", changes: true, fields: reflect.TypeFor[deleteFields](), plan: planDelete},
	{name: "wait", changes: true, fields: reflect.TypeFor[waitFields](), plan: planWait},
	{name: "assert", fields: reflect.TypeFor[assertFields](), plan: planAssert},
	{name: "call", fields: reflect.TypeFor[callFields](), plan: planCall},
	{name: "run", changes: true, fields: reflect.TypeFor[runFields](), plan: planRun},
	{name: "expect", fields: reflect.TypeFor[expectFields](), plan: planExpect},
}

// Actions are the names of all actions, in the order of the table.
func Actions() []string {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.name
	}
	return names
}

func actionNamed(name string) *action {
	i := slices.IndexFunc(actions, func(a action) bool { return a.name == name })
	if i < 0 {
		return nil
	}
	return &actions[i]
}

// failure is the error of a step whose claim does not hold, as told apart from
// one that could not be judged.
type failure struct {
	state record.State // Failed or Undecided
	err   error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(err error) error { return &failure{record.Failed, err} }

func failf(format string, args ...any) error { return fail(fmt.Errorf(format, args...)) }

// stateOf is how a step ended, by its error.
func stateOf(err error) record.State {
	var f *failure
	switch {
	case err == nil:
		return record.Passed
	case errors.As(err, &f):
		return f.state
	}
	return record.Errored
}
