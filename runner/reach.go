package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// putBackLimit bounds how long putting one scenario back may take. Deleting a
// namespace with pods takes a quarter of a minute on a good day.
const putBackLimit = 3 * time.Minute

// blocked says why a step cannot run: an earlier step of its scenario, or any
// step of one that it builds on, did not pass.
func (r *Run) blocked(s *PlannedStep) string {
	if s.Scenario.Skip != "" {
		return s.Scenario.Skip
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for of := s.Scenario; of != nil; of = of.Parent {
		for _, step := range of.Steps {
			if of == s.Scenario && step.Step.Index >= s.Step.Index {
				break
			}
			if state, ran := r.ended[step]; ran && state != record.Passed {
				return fmt.Sprintf("%s: step %d of %s (%s) is %s", step.Position(), step.Step.Index+1, of.Scenario.Name, step.Title, state)
			}
		}
	}
	return ""
}

// Reach brings about the state of a scenario by those of its changes and waits,
// and of the scenarios that it needs, that were not done in this run. They are
// recorded as done for that. Nothing is judged.
func (r *Run) Reach(ctx context.Context, s *PlannedScenario) error {
	return r.reach(ctx, s, len(s.Scenario.Steps))
}

// reach is Reach up to, and without, the scenario's step of an index.
func (r *Run) reach(ctx context.Context, s *PlannedScenario, before int) error {
	if s.Skip != "" {
		return fmt.Errorf("%s is skipped: %s", s.Scenario.Name, s.Skip)
	}
	if s.Parent != nil {
		if err := r.reach(ctx, s.Parent, len(s.Parent.Scenario.Steps)); err != nil {
			return err
		}
	}
	for _, step := range s.Steps {
		if step.Step.Index >= before || !step.Changes {
			continue
		}
		r.mu.Lock()
		state, ran := r.ended[step]
		r.mu.Unlock()
		if !ran {
			out := r.do(ctx, step, true)
			if out.State != record.Passed {
				return fmt.Errorf("%s: %s, which it builds on, is %s: %s", out.Position, step.Title, out.State, out.Error)
			}
		} else if state != record.Passed {
			return fmt.Errorf("%s: %s, which it builds on, is %s", step.Position(), step.Title, state)
		}
	}
	return nil
}

// PutBack undoes what a scenario changed, the last change first: what it
// created is deleted and waited for, what it changed is made as it was. It
// works even when ctx is over, within a limit of its own. What could not be put
// back is in the error and in the record.
func (r *Run) PutBack(ctx context.Context, s *PlannedScenario) error {
	r.unwatch()
	r.mu.Lock()
	if r.stopped && r.engine.options.Throwaway {
		r.mu.Unlock()
		return nil // nobody waits for a clean cluster that ends in a second
	}
	undo := r.undo[s]
	delete(r.undo, s)
	delete(r.touched, s)
	for _, step := range s.Steps {
		delete(r.ended, step) // its state is no longer there
	}
	r.mu.Unlock()
	if len(undo) == 0 || r.engine.options.Keep && r.isLast(s) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), putBackLimit)
	defer cancel()
	slices.Reverse(undo)
	var done []record.Change
	var errs []error
	for len(undo) > 0 {
		n := deletions(undo)
		errs = append(errs, guarded(func() error { // what panics keeps nothing else from being put back
			some, err := r.putBack(ctx, undo[:n])
			done = append(done, some...)
			if undo[0].before != nil {
				r.remade(ctx, undo[0], undo[n:])
			}
			return err
		}))
		undo = undo[n:]
	}
	err := errors.Join(errs...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed, r.possible = time.Now(), nil
	of := r.scenario(s)
	of.PutBack = append(of.PutBack, done...)
	if err != nil {
		of.PutBackError = err.Error()
		err = fmt.Errorf("%s left the cluster changed: %w", s.Scenario.Name, err)
	}
	r.save()
	return err
}

// deletions is how many of the changes, from the first, are undone together:
// those that were creations in one cluster, else one.
func deletions(undo []undoing) int {
	n := 0
	for n < len(undo) && undo[n].before == nil && undo[n].cluster == undo[0].cluster {
		n++
	}
	return max(n, 1)
}

// putBack undoes changes of one cluster: several creations, or one change.
func (r *Run) putBack(ctx context.Context, undo []undoing) ([]record.Change, error) {
	c := undo[0].cluster
	var err error
	if before := undo[0].before; before != nil {
		undo[0].change.What = record.Restored
		err = c.Restore(ctx, before)
	} else {
		objects := make([]*kube.Object, len(undo))
		for i := range undo {
			undo[i].change.What = record.Deleted
			objects[i] = undo[i].after
		}
		err = c.DeleteAll(ctx, objects)
	}
	var done []record.Change
	for _, u := range undo {
		if !isOf(err, u) {
			done = append(done, u.change)
		}
	}
	return done, err
}

// remade takes note that an object may have been made anew, so that whoever
// made it in the first place, in this scenario (rest) or in one that it builds
// on, deletes the new one: a deletion is of the object with one uid only.
func (r *Run) remade(ctx context.Context, made undoing, rest []undoing) {
	var live *kube.Object
	id := kube.Identity(made.before)
	renew := func(list []undoing) {
		for i, u := range list {
			if u.before != nil || u.cluster != made.cluster || kube.Identity(u.after) != id {
				continue
			}
			if live == nil {
				o, err := made.cluster.Get(ctx, made.before.GroupVersionKind(), made.before.GetNamespace(), made.before.GetName())
				if err != nil || o == nil {
					return // what could not be made again is told by its own error
				}
				live = o
			}
			list[i].after = live
		}
	}
	renew(rest)
	r.mu.Lock()
	lists := slices.Collect(maps.Values(r.undo))
	r.mu.Unlock()
	for _, list := range lists { // nothing runs beside PutBack that would change them
		renew(list)
	}
}

// isOf reports whether one of the errors is of the object of a change.
func isOf(err error, u undoing) bool {
	var many interface{ Unwrap() []error }
	if errors.As(err, &many) {
		return slices.ContainsFunc(many.Unwrap(), func(err error) bool { return isOf(err, u) })
	}
	var of *kube.ObjectError
	return errors.As(err, &of) && kube.Identity(of.Object) == kube.Identity(u.after)
}

// isLast says that no other scenario of the plan runs after this one has
// ended, whatever order roots run in.
func (r *Run) isLast(s *PlannedScenario) bool {
	runs := func(s *PlannedScenario) bool { return s.Skip == "" }
	for ; s.Parent != nil; s = s.Parent {
		later := s.Parent.Children[slices.Index(s.Parent.Children, s)+1:]
		if slices.ContainsFunc(later, runs) {
			return false
		}
	}
	return !slices.ContainsFunc(r.plan.Scenarios, func(other *PlannedScenario) bool {
		return other.Parent == nil && other != s && runs(other)
	})
}
