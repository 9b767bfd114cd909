package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// touch is one object that a script may change.
type touch struct {
	cluster string
	kube.Touch
}

func (t touch) String() string {
	return strings.ReplaceAll(strings.Join([]string{t.cluster, t.Resource, t.Namespace, t.Name}, "/"), "//", "/")
}

// touches reads CLUSTER/RESOURCE/NAMESPACE/NAME.
func (p *planner) touches(v document.Value, text string, w *runWork) {
	if text == "" && v.Kind() != document.Scalar {
		return // it has its mistake
	}
	const want = "want CLUSTER/RESOURCE/NAMESPACE/NAME, or CLUSTER/RESOURCE/NAME for a kind that lives in no namespace"
	parts := strings.Split(text, "/")
	switch {
	case strings.ContainsAny(text, "*?["):
		p.add(v.Mistake("what is put back must be known by its name: * cannot be used, got %s", document.Quote(text)))
		return
	case len(parts) != 3 && len(parts) != 4 || slices.Contains(parts, ""):
		p.add(v.Mistake("%s, got %s", want, document.Quote(text)).WithHint("mgmt/trafficpolicies.networking.mesh.gloo.solo.io/gloo-mesh/canary"))
		return
	}
	t := touch{cluster: parts[0], Touch: kube.Touch{Resource: parts[1], Name: parts[len(parts)-1]}}
	if len(parts) == 4 {
		t.Namespace = parts[2]
	}
	if _, ok := p.env.Clusters[t.cluster]; !ok {
		p.add(v.PartMistake(t.cluster, "unknown cluster %q", t.cluster).WithHint(document.OneOf(t.cluster, p.env.Order.Clusters)))
	}
	if !resourceLike.MatchString(t.Resource) {
		p.add(v.PartMistake(t.Resource, "want a resource as kubectl takes it, got %q", t.Resource).
			WithHint("the plural in small letters, then the group: deployments.apps"))
	}
	if slices.ContainsFunc(w.touches, func(o touch) bool { return o.String() == t.String() }) {
		p.add(v.Mistake("%s is in the list already", t))
	}
	w.touches = append(w.touches, t)
}

// touchedLimit is how long it may take to see what a script did, when the run
// itself is stopped.
const touchedLimit = 30 * time.Second

// changed records what has become of the objects that the script may touch, and
// remembers how to undo it.
func (w *runWork) changed(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	if ctx.Err() != nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchedLimit)
		defer cancel()
		ctx = limited
	}
	var errs []error
	for i := range w.touches {
		t := &w.touches[i]
		c := r.clusters[t.cluster]
		a, err := c.Since(ctx, &t.Touch)
		if err != nil {
			errs = append(errs, fmt.Errorf("what became of %s cannot be seen: %w", t, err))
		}
		if a.What == "" {
			if err == nil {
				r.note(out, fmt.Sprintf("%s: it was not there, and is not", t))
			}
			continue
		}
		r.changes(s, out, c, []kube.Applied{a})
	}
	return errors.Join(errs...)
}

// becomeReady waits for what was touched and is there.
func (w *runWork) becomeReady(ctx context.Context, r *Run, out *record.Step) error {
	byCluster := make(map[string][]*kube.Object)
	var clusters []string
	for i := range w.touches {
		t := &w.touches[i]
		resource, err := r.clusters[t.cluster].Find(t.Resource)
		if err != nil {
			continue // its kind is gone
		}
		live, err := r.clusters[t.cluster].Get(ctx, resource.Kind, t.Namespace, t.Name)
		if err != nil {
			return err
		}
		if live != nil {
			byCluster[t.cluster] = append(byCluster[t.cluster], live)
			if !slices.Contains(clusters, t.cluster) {
				clusters = append(clusters, t.cluster)
			}
		}
	}
	err := r.onEach(clusters, func(c *kube.Cluster) error {
		r.live(c.Name, func() string { return "waiting in " + c.Name + " until what was touched is ready" })
		return late(c.Ready(ctx, byCluster[c.Name], applyTimeout, ready))
	})
	if err == nil {
		r.becameReady()
	}
	return err
}

// somethingChanged says that clusters may not be as they were.
func (r *Run) somethingChanged() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changed, r.possible = time.Now(), nil
}

// subjects are the objects that it touches.
func (w *runWork) subjects(r *Run) []subject {
	var all []subject
	for _, t := range w.touches {
		if resource, err := r.clusters[t.cluster].Find(t.Resource); err == nil {
			o := &kube.Object{}
			o.SetGroupVersionKind(resource.Kind)
			o.SetNamespace(t.Namespace)
			o.SetName(t.Name)
			all = append(all, subject{cluster: t.cluster, object: o})
		}
	}
	return all
}
