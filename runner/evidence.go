package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// How much is looked at when a step did not pass. The look has a limit of its
// own, and what it does not see it says: it never changes how the step ended.
const (
	explainLimit   = 5 * time.Second
	explainWorkers = 8  // requests at once, of one cluster
	mostObjects    = 40 // in the record
	mostStrays     = 6
	mostEvents     = 30
	mostMessages   = 4 // of one object
	longestMessage = 600
	// eventsBefore is how much earlier than the run a warning may have come.
	eventsBefore = 10 * time.Minute
)

// touched is an object that a step has applied or deleted.
type touched struct {
	cluster string
	object  *kube.Object // as it was right after it, or before it was deleted
	deleted bool
}

// subject names an object that a step is about.
type subject struct {
	cluster string
	object  *kube.Object // of which kind, namespace and name count
	absent  bool         // it is not to be there
}

// involving is a step's work that knows objects which it is about, beside what
// its scenario has applied so far.
type involving interface {
	subjects(r *Run) []subject
}

// evidence is what was seen, and where to put it: lookers run side by side.
type evidence struct {
	run     *Run
	mu      sync.Mutex
	over    bool                // nothing more is taken
	found   map[int][]seen      // by the place where it is to stand
	events  []record.Event      // of all clusters
	trouble map[string]int      // what could not be looked at, and how often
	applied map[string]touched  // by cluster and identity
	open    map[string]struct{} // clusters that have not answered yet
}

// seen is an object, and how much it matters.
type seen struct {
	record.Object
	quiet bool // it matters only when it deviates
}

// explain looks at the objects that a step which did not pass is about, and at
// their events, and puts them into its record. The error is of what keeps it
// from looking at all.
func (r *Run) explain(ctx context.Context, s *PlannedStep, out *record.Step) error {
	if len(r.clusters) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, explainLimit)
	defer cancel()
	e := &evidence{run: r, found: map[int][]seen{}, trouble: map[string]int{}, open: map[string]struct{}{}}
	e.applied = r.appliedFor(s.Scenario)
	// Which objects a step is about may take questions, too, that heed no ctx.
	var tasks []task
	var wrong error
	named := make(chan struct{})
	go func() {
		defer close(named)
		wrong = guarded(func() error { tasks = e.lookers(s, out.Samples); return nil })
	}()
	select {
	case <-ctx.Done():
		return fmt.Errorf("no answer within %s", explainLimit)
	case <-named:
	}
	if wrong != nil {
		return wrong
	}
	e.look(ctx, tasks)
	objects := e.objects()
	e.look(ctx, e.listeners(r, s, objects))
	e.finish(out, objects)
	return nil
}

// appliedFor is what a scenario and those that it needs have applied and not
// deleted again, by cluster and identity.
func (r *Run) appliedFor(s *PlannedScenario) map[string]touched {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]touched)
	var chain []*PlannedScenario
	for ; s != nil; s = s.Parent {
		chain = append(chain, s)
	}
	for _, s := range slices.Backward(chain) {
		for _, t := range r.touched[s] {
			all[keyOf(t.cluster, t.object)] = t
		}
	}
	return all
}

func keyOf(cluster string, o *kube.Object) string { return cluster + " " + kube.Identity(o) }

// task is one look at one cluster.
type task struct {
	cluster string
	place   int // where what is seen stands among the rest
	do      func(ctx context.Context) ([]seen, error)
}

// look does tasks side by side until all are done or ctx is over. A client
// that does not heed ctx is not waited for.
func (e *evidence) look(ctx context.Context, tasks []task) {
	byCluster := make(map[string][]task)
	for _, t := range tasks {
		byCluster[t.cluster] = append(byCluster[t.cluster], t)
	}
	done := make(chan struct{})
	var all sync.WaitGroup
	for cluster, tasks := range byCluster {
		e.mu.Lock()
		e.open[cluster] = struct{}{}
		e.mu.Unlock()
		queue := make(chan task, len(tasks))
		for _, t := range tasks {
			queue <- t
		}
		close(queue)
		var mine sync.WaitGroup
		for range min(explainWorkers, len(tasks)) {
			mine.Go(func() {
				for t := range queue {
					e.take(ctx, t)
				}
			})
		}
		all.Go(func() {
			mine.Wait()
			e.mu.Lock()
			defer e.mu.Unlock()
			if !e.over && ctx.Err() == nil {
				delete(e.open, cluster)
			}
		})
	}
	go func() { all.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (e *evidence) take(ctx context.Context, t task) {
	var found []seen
	err := ctx.Err()
	if err == nil {
		err = guarded(func() (err error) { found, err = t.do(ctx); return err })
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.over:
	case err != nil && ctx.Err() != nil: // cut short: its cluster stays open
	case err != nil:
		e.trouble[t.cluster+": "+err.Error()]++
	default:
		e.found[t.place] = append(e.found[t.place], found...)
	}
}

// lookers are the looks at the objects of a step, in the order in which they
// are to be told: the step's own, what routes, what was applied else, what
// stands behind the destinations, and what nobody here has applied.
func (e *evidence) lookers(s *PlannedStep, samples []record.Sample) []task {
	var tasks []task
	add := func(cluster string, do func(context.Context) ([]seen, error)) {
		if e.run.clusters[cluster] != nil {
			tasks = append(tasks, task{cluster: cluster, place: len(tasks), do: do})
		}
	}
	named := make(map[string]bool)
	if w, ok := s.work.(involving); ok {
		for _, of := range w.subjects(e.run) {
			if key := keyOf(of.cluster, of.object); !named[key] {
				named[key] = true
				add(of.cluster, func(ctx context.Context) ([]seen, error) { return e.subject(ctx, of) })
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(e.applied)) {
		if t := e.applied[key]; !named[key] {
			add(t.cluster, func(ctx context.Context) ([]seen, error) { return e.touched(ctx, t) })
		}
	}
	for _, name := range e.run.concerned(s, samples) {
		d := e.run.env.Destinations[name]
		add(d.Cluster, func(ctx context.Context) ([]seen, error) {
			return e.destination(ctx, name, d, silent(name, samples))
		})
	}
	for _, cluster := range slices.Sorted(maps.Keys(e.run.clusters)) {
		add(cluster, func(ctx context.Context) ([]seen, error) { return e.strays(ctx, e.run.clusters[cluster], named) })
	}
	return tasks
}

// objects are what was seen so far, in order: first what deviates, then what
// nobody applied, then the rest; each object once.
func (e *evidence) objects() []record.Object {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []record.Object
	for _, place := range slices.Sorted(maps.Keys(e.found)) {
		for _, s := range e.found[place] {
			if !s.quiet || s.Deviates() {
				all = append(all, s.Object)
			}
		}
	}
	rank := func(o record.Object) int {
		switch {
		case o.Deviates():
			return 0
		case o.Stray:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b record.Object) int { return rank(a) - rank(b) })
	return all
}

// finish puts what was seen into the record, and what was not.
func (e *evidence) finish(out *record.Step, objects []record.Object) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.over = true
	if more := len(objects) - mostObjects; more > 0 {
		objects = objects[:mostObjects]
		out.Notes = append(out.Notes, fmt.Sprintf("%d more objects were looked at", more))
	}
	out.Objects = objects
	sortEvents(e.events)
	out.Events = e.events[:min(len(e.events), mostEvents)]
	for _, text := range slices.Sorted(maps.Keys(e.trouble)) {
		out.Notes = append(out.Notes, fmt.Sprintf("%s could not be looked at: %s", plainCount(e.trouble[text]), shortened(text)))
	}
	if len(e.open) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("not all objects could be looked at: %s did not answer within %s",
			strings.Join(slices.Sorted(maps.Keys(e.open)), " and "), explainLimit))
	}
}

func plainCount(n int) string {
	if n == 1 {
		return "an object"
	}
	return fmt.Sprintf("%d objects", n)
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > longestMessage {
		return string(runes[:longestMessage-1]) + "…"
	}
	return text
}

// seenAs is an object for the record.
func seenAs(cluster, resource string, o *kube.Object, c kube.Condition) record.Object {
	observed, _ := get(o.Object, "status", "observedGeneration").(int64)
	r := record.Object{
		Cluster: cluster, Resource: resource, Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(),
		Generation: o.GetGeneration(), Observed: observed, State: shortened(c.State),
	}
	for _, text := range c.Problems[:min(len(c.Problems), mostMessages)] {
		r.Messages = append(r.Messages, shortened(text))
	}
	return r
}

// isNoKind says that a cluster does not serve a kind.
func isNoKind(err error) bool {
	var none *kube.NoKind
	return errors.As(err, &none)
}
