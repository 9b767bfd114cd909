package runner

import (
	"context"
	"errors"

	"github.com/meshassay/assay/runner/record"
)

// Observer is told what a whole run does, one call after the other.
type Observer interface {
	// Scenario begins; one that is skipped here has no steps.
	Scenario(*PlannedScenario)
	// Step begins; Run.Live says how it goes on.
	Step(*PlannedStep)
	// Ended is told how a step ended.
	Ended(*PlannedStep, record.Step)
	// PuttingBack begins to undo what a scenario changed, after all that needs it.
	PuttingBack(*PlannedScenario)
	// Comparing begins to compare what the clusters hold with what they held.
	Comparing()
}

// Whole carries the whole plan out: each scenario's steps, then the scenarios
// that need it, and then it is put back; what must not run after a failure is
// skipped. It ends as End does, and returns the record and its path. When ctx
// ends, the step under way stops, no other begins, and all is put back.
//
// What the steps came to is in the record; the error is of what could not be
// put back, and of writing.
func (r *Run) Whole(ctx context.Context, o Observer) (*record.Record, string, error) {
	var failed error
	for _, s := range r.plan.Scenarios {
		if s.Parent == nil && ctx.Err() == nil {
			failed = errors.Join(failed, r.tree(ctx, s, o))
		}
	}
	if ctx.Err() != nil {
		r.stop()
	}
	if r.compares() {
		o.Comparing()
	}
	failed = errors.Join(failed, r.End(ctx))
	rec, path, err := r.Close()
	return rec, path, errors.Join(failed, err)
}

// tree carries out a scenario and what needs it.
func (r *Run) tree(ctx context.Context, s *PlannedScenario, o Observer) error {
	o.Scenario(s)
	for _, step := range s.Steps {
		if ctx.Err() != nil {
			break
		}
		o.Step(step)
		o.Ended(step, r.Step(ctx, step))
	}
	var failed error
	for _, child := range s.Children {
		if ctx.Err() == nil {
			failed = errors.Join(failed, r.tree(ctx, child, o))
		}
	}
	if s.Skip != "" {
		return failed
	}
	if ctx.Err() != nil {
		r.stop()
	}
	if r.changedBy(s) {
		o.PuttingBack(s)
	}
	return errors.Join(failed, r.PutBack(ctx, s))
}

// changedBy says that there is something of a scenario to put back.
func (r *Run) changedBy(s *PlannedScenario) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	options := r.engine.options
	return len(r.undo[s]) > 0 && !(r.stopped && options.Throwaway) && !(options.Keep && r.isLast(s))
}

// compares says that the clusters are compared with what they were.
func (r *Run) compares() bool { return !r.engine.options.Keep && len(r.plan.clusters) > 0 }

// End puts back what no call of PutBack did, children before their parents, and
// compares what the clusters hold with what they held before the run. Of
// clusters that end with the run nothing is put back, and nothing compared.
func (r *Run) End(ctx context.Context) error {
	if r.engine.options.Throwaway {
		return nil
	}
	var failed error
	for i := len(r.plan.Scenarios) - 1; i >= 0; i-- {
		failed = errors.Join(failed, r.PutBack(ctx, r.plan.Scenarios[i]))
	}
	return errors.Join(failed, r.Verify(ctx))
}
