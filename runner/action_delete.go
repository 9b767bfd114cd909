package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// deleteFields deletes objects and waits until they are gone.
//
// Objects are named as for `apply`, so that the very manifests that were applied
// can be deleted; only their kind, namespace and name matter. They go in the
// reverse of the order in which `apply` makes them. What is not there is no
// error, as with `kubectl delete --ignore-not-found`, and the report notes it; a
// kind that the cluster does not serve fails. After the scenario all that was
// deleted is made again as it was: spec, labels, annotations and who owns which
// field. What takes others along that could not be put back (a namespace, a
// CustomResourceDefinition, a volume) is refused.
type deleteFields struct {
	// Cluster is where to delete; or `clusters`, when there are several.
	Cluster string `yaml:"cluster" schema:"name"`
	// Clusters are where to delete, side by side.
	Clusters []string `yaml:"clusters" schema:"name,nonempty,unique,or=cluster"`
	// Manifests are the objects.
	Manifests manifestFields `yaml:",inline"`
	// Timeout is how long it may take until all are gone. Default: 1m.
	Timeout *document.Duration `yaml:"timeout" schema:"positive"`
}

type deleteWork struct {
	clusters  []string
	manifests []kube.Manifest
	timeout   time.Duration
}

func planDelete(p *planner, s *PlannedStep) work {
	var f deleteFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &deleteWork{timeout: applyTimeout}
	w.clusters = p.clusters(body, f.Cluster, f.Clusters)
	p.time(body.Get("timeout"), &w.timeout)
	w.manifests = p.manifests(body, f.Manifests, "delete")
	for _, m := range w.manifests {
		if more := kube.TakesAlong(m.Object.GroupVersionKind().GroupKind()); more != "" {
			p.add(body.KeyMistake("%s (%s): deleting it takes %s along, which could not be put back", kube.Describe(m.Object), m.Origin(), more).
				WithHint("delete the objects themselves"))
		}
	}
	p.stated.delete(w.manifests)
	s.Title = titleOr(s, "delete %s from %s", p.sources(f.Manifests), document.And(w.clusters))
	return w
}

func (w *deleteWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	watch := r.watch(ctx, s, out)
	watch.sent()
	err := r.onEach(w.clusters, func(c *kube.Cluster) error { return w.delete(ctx, r, s, out, c) })
	r.done(watch, err == nil && len(out.Changes) > 0)
	inOrderOf(w.clusters, out.Changes)
	return err
}

func (w *deleteWork) delete(ctx context.Context, r *Run, s *PlannedStep, out *record.Step, c *kube.Cluster) error {
	r.live(c.Name, func() string { return "deleting from " + c.Name })
	manifests := make([]*kube.Object, len(w.manifests))
	for i, m := range w.manifests {
		manifests[i] = m.Object
	}
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	found, err := c.FindAll(ctx, manifests)
	if err != nil {
		return refusal(err)
	}
	var going []*kube.Object
	for _, f := range found {
		if f.Live == nil {
			r.note(out, fmt.Sprintf("%s: %s was not there", c.Name, kube.Describe(f.Manifest)))
		} else {
			going = append(going, f.Live)
		}
	}
	if len(going) == 0 {
		return nil
	}
	// How to undo it is known before anything is sent: whatever becomes of the
	// answers, what went is made again, and what did not go is as it was anyhow.
	done := r.deleting(s, c, found)
	r.live(c.Name, func() string { return "waiting in " + c.Name + " until what was deleted is gone" })
	err = c.DeleteAll(ctx, going)
	r.deleted(out, done, err)
	return refusal(err)
}

// note adds a note to a step's record, where several clusters may write it.
func (r *Run) note(out *record.Step, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	out.Notes = append(out.Notes, text)
}

// deleting remembers how to undo the deletion of objects that are there. What
// somebody else has deleted already is theirs.
func (r *Run) deleting(s *PlannedStep, c *kube.Cluster, found []kube.Found) []undoing {
	var all []undoing
	var gone []touched
	for _, f := range found {
		if f.Live == nil || f.Going() {
			continue
		}
		gone = append(gone, touched{cluster: c.Name, object: f.Live, deleted: true})
		change := record.Change{
			Cluster: c.Name, Resource: f.Resource, Namespace: f.Live.GetNamespace(), Name: f.Live.GetName(), What: record.Deleted,
		}
		all = append(all, undoing{cluster: c, change: change, before: f.Live, after: f.Live})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed, r.possible = time.Now(), nil
	r.undo[s.Scenario] = append(r.undo[s.Scenario], all...)
	r.touched[s.Scenario] = append(r.touched[s.Scenario], gone...)
	return all
}

// deleted records what is gone; err is of those that are not.
func (r *Run) deleted(out *record.Step, done []undoing, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range done {
		if !isOf(err, u) {
			out.Changes = append(out.Changes, u.change)
		}
	}
	r.changed = time.Now() // the time in which it settles begins when all are gone
}
