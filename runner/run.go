package runner

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// Run is one run of a plan. Its methods are called one after the other, except
// Live, Progress and Abandon, which may be called at any time.
type Run struct {
	engine         *Engine
	plan           *Plan
	env            *environment.Environment
	clusters       map[string]*kube.Cluster
	path           string                     // of the record
	before         map[string]*kube.Inventory // what the clusters held; nil when nothing is compared
	inventoryLimit time.Duration              // how long controllers may take to tidy up after it

	mu         sync.Mutex // guards what follows
	record     *record.Record
	ended      map[*PlannedStep]record.State
	undo       map[*PlannedScenario][]undoing
	touched    map[*PlannedScenario][]touched
	changed    time.Time    // of the last change to any cluster
	doing      *PlannedStep // the step under way, with doingSince and
	progress   []telling    // what its parts say
	doingSince time.Time
	watching   *watch              // what the next expectation's gateways answer while they change
	possible   map[string][]string // outcomes that an expectation has proved possible, since nothing was changed
	program    *exec.Cmd           // that is being run; nil: none is
	unsaved    error               // the first error of writing the record
	stopped    bool                // a step was cut short from outside
}

// undoing is one change that is to be put back.
type undoing struct {
	cluster *kube.Cluster
	change  record.Change
	before  *kube.Object // nil: it was created
	after   *kube.Object
}

// Step carries out one step and records it. Where earlier changes of its
// scenario, or of those that it needs, have not been made in this run (filters
// of a suite), it makes them first. What goes wrong is in the result: Step
// does not panic.
func (r *Run) Step(ctx context.Context, s *PlannedStep) record.Step {
	defer func() {
		if ctx.Err() != nil {
			r.stop()
		}
	}()
	if why := r.blocked(s); why != "" {
		return r.keep(s, record.Step{State: record.Skipped, Error: why, Started: time.Now()})
	}
	if err := r.reach(ctx, s.Scenario, s.Step.Index); err != nil {
		return r.keep(s, record.Step{State: stateOf(err), Error: err.Error(), Started: time.Now()})
	}
	return r.do(ctx, s, false)
}

// do carries out a step that nothing stands in the way of.
func (r *Run) do(ctx context.Context, s *PlannedStep, reached bool) record.Step {
	out := record.Step{Started: time.Now(), Reached: reached}
	r.busy(s, out.Started)
	err := guarded(func() error { return s.work.run(ctx, r, s, &out) })
	r.quiet()
	out.Duration = time.Since(out.Started)
	out.State = stateOf(err)
	if err != nil && ctx.Err() == nil {
		if wrong := guarded(func() error { return r.explain(ctx, s, &out) }); wrong != nil {
			out.Notes = append(out.Notes, "the objects that it is about could not be looked at: "+wrong.Error())
		}
	}
	if err != nil {
		out.Error = err.Error()
		if ctx.Err() != nil && out.State != record.Passed {
			// Whatever a step says of its claim when it was cut short is no finding.
			out.State = record.Errored
			out.Error = fmt.Sprintf("stopped (%v): %v", context.Cause(ctx), err)
		}
	}
	if reached {
		out.Notes = append(out.Notes, "done to bring about the state that a later scenario or step builds on")
	}
	for _, name := range r.plan.clusters {
		for _, text := range r.clusters[name].Warnings() {
			out.Notes = append(out.Notes, fmt.Sprintf("the API server of %s warns: %s", name, text))
		}
	}
	return r.keep(s, out)
}

// stop takes note that a step was cut short from outside.
func (r *Run) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
}

// guarded does something; a panic in it is an error with its stack.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("this is a fault of the program: panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// keep writes a step into the record, and the record to disk.
func (r *Run) keep(s *PlannedStep, out record.Step) record.Step {
	out.Index, out.Name, out.Action = s.Step.Index, s.Step.Name, s.Step.Action
	out.Position, out.Title = s.Position(), s.Title
	if again := r.engine.options.Again; again != nil && out.State != record.Passed && out.State != record.Skipped {
		out.Again = again(s.Scenario.Scenario.Name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if out.State != record.Skipped {
		r.ended[s] = out.State
	}
	of := r.scenario(s.Scenario)
	of.Steps = append(of.Steps, out)
	r.save()
	return out
}

// scenario returns a scenario's part of the record, begun if it is not there.
// The lock is held.
func (r *Run) scenario(s *PlannedScenario) *record.Scenario {
	name := s.Scenario.Name
	i := slices.IndexFunc(r.record.Scenarios, func(o record.Scenario) bool { return o.Name == name })
	if i < 0 {
		i = len(r.record.Scenarios)
		r.record.Scenarios = append(r.record.Scenarios, record.Scenario{
			Name: name, Title: s.Scenario.Title, File: s.Scenario.File, Labels: s.Scenario.Labels, Skipped: s.Skip,
			Steps: []record.Step{},
		})
	}
	return &r.record.Scenarios[i]
}

// save writes the record. The lock is held.
func (r *Run) save() {
	r.record.Ended = time.Now()
	if err := record.Write(r.path, r.record); err != nil && r.unsaved == nil {
		r.unsaved = fmt.Errorf("the record cannot be written: %w", err)
	}
}

// Close ends the run: it writes the record, with the scenarios that do not run
// in this environment, and returns it and its path.
func (r *Run) Close() (*record.Record, string, error) {
	r.unwatch()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.plan.Scenarios {
		if s.Skip != "" {
			r.scenario(s)
		}
	}
	r.record.Unfinished = r.unfinished()
	r.unsaved = nil // what could not be written before is in what is written now
	r.save()
	return r.record, r.path, r.unsaved
}

// underWay is what a record says until its run is over: where the program is
// ended, what has passed until then shall not pass for all of it.
const underWay = "the run is not over, or its program was ended in its midst: what it changed may not be put back"

// unfinished says what did not run, though the plan has it, and what was not put
// back, though nothing is wrong with it. The lock is held.
func (r *Run) unfinished() []string {
	all := slices.Clone(r.plan.Broken)
	if left := r.left(); r.stopped && left > 0 {
		all = append(all, fmt.Sprintf("the run was stopped before all was done: %d steps did not run", left))
	}
	for _, s := range r.plan.Scenarios {
		if len(r.undo[s]) > 0 && !r.engine.options.Throwaway {
			all = append(all, "what "+s.Scenario.Name+" changed was not put back")
		}
	}
	return all
}

// left is how many steps of the plan are not in the record, but for those of
// scenarios that do not run here. The lock is held.
func (r *Run) left() int {
	type place struct {
		scenario string
		step     int
	}
	done := make(map[place]bool)
	for _, s := range r.record.Scenarios {
		for _, step := range s.Steps {
			if !step.Reached {
				done[place{s.Name, step.Index}] = true
			}
		}
	}
	left := 0
	for _, s := range r.plan.Scenarios {
		for _, step := range s.Steps {
			if s.Skip == "" && !done[place{s.Scenario.Name, step.Step.Index}] {
				left++
			}
		}
	}
	return left
}

// changes records what was done to objects, and remembers how to undo it.
func (r *Run) changes(s *PlannedStep, out *record.Step, c *kube.Cluster, applied []kube.Applied) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range applied {
		o := a.After
		change := record.Change{Cluster: c.Name, Resource: a.Resource, Namespace: o.GetNamespace(), Name: o.GetName(), What: a.What}
		out.Changes = append(out.Changes, change)
		r.touched[s.Scenario] = append(r.touched[s.Scenario], touched{cluster: c.Name, object: o, deleted: a.What == kube.Deleted})
		if a.What == kube.Unchanged {
			continue
		}
		r.changed, r.possible = time.Now(), nil
		r.undo[s.Scenario] = append(r.undo[s.Scenario], undoing{cluster: c, change: change, before: a.Before, after: o})
	}
}

// becameReady says that what was changed has come about just now: the time in
// which it settles begins here, however long it took.
func (r *Run) becameReady() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed = time.Now()
}

// lastChange is when a cluster was last changed by this run, or became ready;
// zero when never.
func (r *Run) lastChange() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

// onEach does the same in several clusters side by side, and returns what went
// wrong in each. It is a failure only when everything that went wrong is one.
func (r *Run) onEach(names []string, do func(*kube.Cluster) error) error {
	errs := make([]error, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { errs[i] = guarded(func() error { return do(r.clusters[name]) }) })
	}
	all.Wait()
	return joined(errs)
}

// joined is one error of several. It is a failure only when all of them are.
func joined(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) < 2 {
		return errors.Join(errs...)
	}
	states := make(map[record.State]bool)
	for _, err := range errs {
		states[stateOf(err)] = true
	}
	switch {
	case states[record.Errored]:
		// Not wrapped: a failure among them must not make a failure of the whole.
		return errors.New(errors.Join(errs...).Error())
	case states[record.Failed]:
		return &failure{record.Failed, errors.Join(errs...)}
	}
	return &failure{record.Undecided, errors.Join(errs...)}
}
