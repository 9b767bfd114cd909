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
	"github.com/meshassay/assay/runner/route"
)

// applyFields makes objects be what manifests say, and waits until they are
// ready.
//
// Afterwards each object is the manifest: it is applied on the server's side,
// and what kubectl had written of it is taken over first, so that no field of
// an earlier manifest stays behind. Fields that the API server does not know
// are refused. What was created or changed is put back after the scenario.
type applyFields struct {
	// Cluster is where to apply; or `clusters`, when there are several.
	Cluster string `yaml:"cluster" schema:"name"`
	// Clusters are where to apply, side by side.
	Clusters []string `yaml:"clusters" schema:"name,nonempty,unique,or=cluster"`
	// Manifests are the objects.
	Manifests manifestFields `yaml:",inline"`
	// Ready is whether to wait until each object of a kind with a rule is
	// ready: accepted, rolled out, established, completed … Default: true.
	Ready *bool `yaml:"ready"`
	// Timeout is how long that may take. Default: 1m.
	Timeout *document.Duration `yaml:"timeout" schema:"positive"`
}

// manifestFields are objects, given in one of three ways.
type manifestFields struct {
	// Files are manifests, by their paths from the scenario's folder. `${NAME}`
	// in them is a var of the environment.
	Files []string `yaml:"files" schema:"file,nonempty"`
	// Kustomize is a folder with a kustomization, by its path from the
	// scenario's folder.
	Kustomize string `yaml:"kustomize" schema:"file,or=files"`
	// Objects are manifests written here, in the step. `${NAME}` in their texts
	// is a var of the environment.
	Objects []map[string]any `yaml:"objects" schema:"manifest,nonempty,or=files"`
}

// applyTimeout is how long objects may take to become ready, unless said.
const applyTimeout = time.Minute

type applyWork struct {
	clusters  []string
	manifests []kube.Manifest
	ready     bool
	timeout   time.Duration
}

func planApply(p *planner, s *PlannedStep) work {
	var f applyFields
	body := s.Step.Body
	p.add(body.Decode(&f)...)
	if body.Kind() != document.Mapping {
		return nil
	}
	w := &applyWork{ready: f.Ready == nil || *f.Ready, timeout: applyTimeout}
	w.clusters = p.clusters(body, f.Cluster, f.Clusters)
	p.time(body.Get("timeout"), &w.timeout)
	if f.Timeout != nil && !w.ready {
		p.add(body.Get("timeout").KeyMistake("a timeout is of no use with ready: false"))
	}
	w.manifests = p.manifests(body, f.Manifests, "apply")
	p.stated.apply(w.manifests)
	s.Title = titleOr(s, "apply %s to %s", p.sources(f.Manifests), document.And(w.clusters))
	return w
}

// manifests reads what one of files, kustomize and objects gives. What is the
// verb of the action.
func (p *planner) manifests(body document.Value, f manifestFields, what string) []kube.Manifest {
	var given []string
	for _, key := range []string{"files", "kustomize", "objects"} {
		if body.Get(key).Exists() {
			given = append(given, key)
		}
	}
	if len(given) != 1 {
		text := "want exactly one of files, kustomize and objects"
		if len(given) == 0 {
			p.add(body.KeyMistake("nothing to %s: %s", what, text))
		} else {
			p.add(body.Get(given[1]).KeyMistake("%s, not %s", text, document.And(given)))
		}
	}
	for _, key := range []string{"files", "objects"} {
		if v := body.Get(key); v.Kind() == document.Sequence && v.Len() == 0 {
			p.add(v.Mistake("the list is empty"))
		}
	}
	before := len(p.mistakes)
	all := p.files(body.Get("files"), f.Files)
	if body.Get("kustomize").Exists() {
		all = append(all, p.kustomize(body.Get("kustomize"), f.Kustomize)...)
	}
	all = append(all, p.inline(body.Get("objects"), f.Objects)...)
	if len(p.mistakes) == before {
		p.twice(body, all)
	}
	for _, m := range all {
		p.touched(m.Object)
	}
	return all
}

// touched notes an object that the plan is about.
func (p *planner) touched(o *kube.Object) {
	p.kinds[o.GroupVersionKind().GroupKind()] = true
	p.named[kube.Identity(o)] = true
	if o.GetNamespace() == "" { // that is where it goes, unless its kind has none
		in := o.DeepCopy()
		in.SetNamespace("default")
		p.named[kube.Identity(in)] = true
	}
}

// twice refuses an object that one step names twice: applied, the second would
// silently replace the first.
func (p *planner) twice(body document.Value, manifests []kube.Manifest) {
	first := make(map[string]kube.Manifest)
	for _, m := range manifests {
		id := kube.Identity(m.Object)
		if other, ok := first[id]; ok {
			p.add(body.KeyMistake("%s is there twice: %s and %s", kube.Describe(m.Object), other.Origin(), m.Origin()))
			continue
		}
		first[id] = m
	}
}

func (p *planner) sources(f manifestFields) string {
	switch {
	case len(f.Files) > 0:
		return document.And(f.Files)
	case f.Kustomize != "":
		return f.Kustomize
	}
	var names []string
	for _, o := range f.Objects {
		if found, _ := kube.Check(o); len(found) == 1 {
			names = append(names, kube.Describe(found[0]))
		}
	}
	return document.And(names)
}

// titleOr is the step's own name, or else words for what it does.
func titleOr(s *PlannedStep, format string, args ...any) string {
	if s.Step.Name != "" {
		return s.Step.Name
	}
	return strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
}

func (w *applyWork) run(ctx context.Context, r *Run, s *PlannedStep, out *record.Step) error {
	watch := r.watch(ctx, s, out)
	watch.sent()
	err := r.onEach(w.clusters, func(c *kube.Cluster) error { return w.apply(ctx, r, s, out, c) })
	r.done(watch, err == nil && slices.ContainsFunc(out.Changes, func(c record.Change) bool { return c.What != record.Unchanged }))
	inOrderOf(w.clusters, out.Changes)
	return err
}

func (w *applyWork) apply(ctx context.Context, r *Run, s *PlannedStep, out *record.Step, c *kube.Cluster) error {
	objects := make([]*kube.Object, len(w.manifests))
	origin := make(map[*kube.Object]kube.Manifest)
	for i, m := range w.manifests {
		objects[i] = m.Object
		origin[m.Object] = m
	}
	r.live(c.Name, func() string { return "applying to " + c.Name })
	applied, err := c.ApplyAll(ctx, objects)
	// What was done counts even when the rest could not be.
	r.changes(s, out, c, applied)
	if err != nil {
		var of *kube.ObjectError
		if errors.As(err, &of) {
			if from, ok := origin[of.Object]; ok {
				var refused *kube.Refused
				field := ""
				if errors.As(err, &refused) {
					field = refused.Field
				}
				err = fmt.Errorf("%s: %w", from.OriginOf(field), err)
			}
		}
		return refusal(err)
	}
	if !w.ready {
		return nil
	}
	live := make([]*kube.Object, len(applied))
	changed := false
	for i, a := range applied {
		live[i] = a.After
		changed = changed || a.What != kube.Unchanged
	}
	r.live(c.Name, func() string { return "waiting in " + c.Name + " until what was applied is ready" })
	err = c.Ready(ctx, live, w.timeout, ready)
	if err == nil && changed {
		r.becameReady()
	}
	return late(err)
}

// ready is the rule for the objects of routing APIs.
func ready(object map[string]any) (kube.Readiness, bool) {
	r, known := route.Ready(object)
	return kube.Readiness(r), known
}

// refusal tells an API server that refuses what it was given, which is a
// failure of the step, from one that cannot be asked.
func refusal(err error) error {
	var none *kube.NoKind
	var refused *kube.Refused
	if errors.As(err, &none) || errors.As(err, &refused) {
		return fail(err)
	}
	return late(err)
}

// late tells a condition that did not come true, or cannot, which is a failure
// of the step, from one that could not be looked at.
func late(err error) error {
	var late *kube.NotYet
	var never *kube.Never
	if errors.As(err, &late) || errors.As(err, &never) {
		return fail(err)
	}
	return err
}
