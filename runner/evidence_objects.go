package runner

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/route"
	"github.com/meshassay/assay/runner/verdict"
)

// subject looks at an object that the step itself is about.
func (e *evidence) subject(ctx context.Context, of subject) ([]seen, error) {
	sight, err := e.run.clusters[of.cluster].Look(ctx, of.object, ready)
	switch {
	case isNoKind(err):
		o := seenAs(of.cluster, "", of.object, kube.Condition{})
		o.Missing, o.Generation = true, 0
		o.Messages = []string{shortened(err.Error())}
		return []seen{{Object: o}}, nil
	case err != nil:
		return nil, err
	case sight.Object == nil && of.absent:
		return nil, nil
	case sight.Object == nil:
		return []seen{{Object: missing(of.cluster, sight.Resource, of.object)}}, nil
	}
	o := seenAs(of.cluster, sight.Resource, sight.Object, sight.Condition)
	if of.absent {
		o.Messages = append(o.Messages, "it is there, and was to be gone")
	}
	return []seen{{Object: o}}, nil
}

func missing(cluster, resource string, named *kube.Object) record.Object {
	return record.Object{Cluster: cluster, Resource: resource, Kind: named.GetKind(), Namespace: named.GetNamespace(), Name: named.GetName(), Missing: true}
}

// touched looks at an object that the scenario, or one that it needs, has
// applied or deleted. What has no say in routing, or of which nobody says how
// it is, matters only when it deviates.
func (e *evidence) touched(ctx context.Context, t touched) ([]seen, error) {
	sight, err := e.run.clusters[t.cluster].Look(ctx, t.object, ready)
	switch {
	case isNoKind(err), err == nil && sight.Object == nil:
		if t.deleted {
			return nil, nil
		}
		o := missing(t.cluster, sight.Resource, t.object)
		o.Messages = []string{"this run has applied it, and somebody has deleted it"}
		return []seen{{Object: o}}, nil
	case err != nil:
		return nil, err
	}
	o := seenAs(t.cluster, sight.Resource, sight.Object, sight.Condition)
	o.State = strings.TrimPrefix(o.State+e.says(sight.Object), ", ")
	routes := route.Routes(sight.Object.Object)
	switch {
	case t.deleted:
		o.Messages = append(o.Messages, "this run has deleted it, and it is there again")
	case routes:
		was, is := get(t.object.Object, "spec"), get(sight.Object.Object, "spec")
		if !kube.Equal(was, is) {
			o.Messages = append(o.Messages, shortened("somebody has changed it since this run applied it: "+strings.Join(changedAt("spec", was, is), "; ")))
		}
	}
	return []seen{{Object: o, quiet: !routes || o.State == ""}}, nil
}

// says is the split that an object states, in the environment's words: ", says
// 40% blue, 60% green"; "" when it states none.
func (e *evidence) says(o *kube.Object) string {
	split, ok := route.SplitOf(o.Object)
	if !ok {
		return ""
	}
	shares, ok := sharesOf(split, e.run.env)
	if !ok {
		return ""
	}
	var parts []string
	for _, name := range e.run.env.Order.Destinations {
		if share, told := shares[name]; told {
			parts = append(parts, percent(share)+" "+name)
		}
	}
	text := ", says " + strings.Join(parts, ", ")
	if split.Conditional {
		text += " for some requests"
	}
	return text
}

// concerned are the destinations that matter to a step: of an expectation those
// that are wanted or have answered, of a call all; of other steps none.
func (r *Run) concerned(s *PlannedStep, samples []record.Sample) []string {
	switch w := s.work.(type) {
	case *expectWork:
		matters := make(map[string]bool)
		for _, c := range w.cases {
			mention(matters, c.claim.Shares)
		}
		for _, sample := range samples {
			for _, sh := range sample.Result.Shares {
				matters[sh.Name] = matters[sh.Name] || sh.Count > 0
			}
		}
		return slices.DeleteFunc(slices.Clone(r.env.Order.Destinations), func(name string) bool { return !matters[name] })
	case *callWork:
		return r.env.Order.Destinations
	}
	return nil
}

// silent says whether a destination hardly answered on some gateway, and errors
// came.
func silent(name string, samples []record.Sample) bool {
	return slices.ContainsFunc(samples, func(s record.Sample) bool {
		r := s.Result
		return r.State != verdict.Passed && r.Errors.Count > 0 && r.Errors.Got > r.Errors.Tolerated &&
			slices.ContainsFunc(r.Shares, func(sh verdict.ShareResult) bool {
				return sh.Name == name && sh.Want > 0 && sh.Got < sh.Want/10
			})
	})
}

func mention(matters map[string]bool, shares []verdict.Share) {
	for _, s := range shares {
		matters[s.Name] = matters[s.Name] || s.Want > 0
	}
}

// destination looks at what stands behind a destination: its Service and,
// where they are not ready, its pods.
func (e *evidence) destination(ctx context.Context, name string, d environment.Destination, silent bool) ([]seen, error) {
	namespace, service, _ := strings.Cut(d.Service, "/")
	b, err := e.run.clusters[d.Cluster].Behind(ctx, namespace, service, d.Subset)
	if err != nil {
		return nil, err
	}
	c := b.Condition()
	if b.Service == nil {
		o := record.Object{Cluster: d.Cluster, Resource: "services", Kind: "Service", Namespace: namespace, Name: service, Missing: true, State: name}
		return []seen{{Object: o}}, nil
	}
	c.State = strings.TrimSuffix(name+": "+c.State, ": ")
	switch {
	case !silent || len(c.Problems) > 0:
	case b.Ready > 0:
		c.Problems = append(c.Problems, "its pods are ready, and it hardly answered: look at what is between the gateway and them")
	case len(b.Entries) > 0:
		c.Problems = append(c.Problems, "it hardly answered, and no cluster knows whether that machine runs: look there")
	}
	all := []seen{{Object: seenAs(d.Cluster, "services", b.Service, c)}}
	pods, why := b.Unready()
	for i, p := range pods[:min(len(pods), mostMessages)] {
		all = append(all, seen{Object: seenAs(d.Cluster, "pods", p, kube.Condition{Problems: why[i : i+1]})})
	}
	return all, nil
}

// strays looks for objects of a cluster that have a say in routing, and that
// neither a step of the scenario, or of one that it needs, has applied nor a
// controller has made.
func (e *evidence) strays(ctx context.Context, c *kube.Cluster, named map[string]bool) ([]seen, error) {
	var all []seen
	for _, kind := range route.Routing() {
		objects, err := c.ListKind(ctx, schema.GroupKind{Group: kind.Group, Kind: kind.Name}, "")
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			continue // not everybody may list everything: what is named is looked at anyhow
		}
		for _, o := range objects {
			key := keyOf(c.Name, o)
			if _, ours := e.applied[key]; ours || named[key] || route.Translated(o.Object) || !route.Routes(o.Object) || len(all) >= mostStrays {
				continue
			}
			x := seenAs(c.Name, "", o, kube.ConditionOf(o, ready))
			if r, err := c.Of(o.GroupVersionKind()); err == nil {
				x.Resource = r.String()
			}
			x.Stray = true
			x.State = strings.TrimPrefix(x.State+e.says(o)+", "+e.origin(c.Name, o), ", ")
			all = append(all, seen{Object: x})
		}
	}
	return all, nil
}

// origin says where a stray object comes from and, when that is short, what
// it says.
func (e *evidence) origin(cluster string, o *kube.Object) string {
	text := "no step has applied it"
	if before := e.run.before[cluster]; before != nil {
		if _, there := before.Objects[kube.Identity(o)]; there {
			text += ", it was there before the run"
		} else {
			text += ", it came during the run"
		}
	}
	const short = 120
	if spec, err := json.Marshal(get(o.Object, "spec")); err == nil && len(spec) <= short {
		text += ": " + string(spec)
	}
	return text
}

// listeners read the events of the objects, and the warnings in the namespaces
// of their destinations: a pod that could not be made has left nothing else.
func (e *evidence) listeners(r *Run, s *PlannedStep, objects []record.Object) []task {
	namespaces := make(map[string]bool) // by cluster and namespace; true: warnings of whatever is there
	about := make(map[string]bool)
	for _, o := range objects {
		namespace, id := o.Namespace, o.Namespace+"/"+o.Name
		if namespace == "" {
			namespace, id = "default", o.Name // where events of what is in no namespace are
		}
		at := o.Cluster + " " + namespace
		namespaces[at] = namespaces[at] || o.Kind == "Service" || o.Kind == "Deployment" || o.Kind == "Pod"
		about[o.Cluster+" "+strings.ToLower(o.Kind)+" "+id] = true
	}
	var tasks []task
	for at, whole := range namespaces {
		cluster, namespace, _ := strings.Cut(at, " ")
		tasks = append(tasks, task{cluster: cluster, do: func(ctx context.Context) ([]seen, error) {
			relevant := func(object string, warning bool) bool { return about[cluster+" "+object] || whole && warning }
			return nil, e.listen(ctx, r.clusters[cluster], namespace, relevant)
		}})
	}
	return tasks
}

// listen reads the events of one namespace: since the run began, and warnings
// of a while before it.
func (e *evidence) listen(ctx context.Context, c *kube.Cluster, namespace string, relevant func(string, bool) bool) error {
	began := e.run.record.Started
	events, err := c.Events(ctx, namespace, began.Add(-eventsBefore), relevant)
	if err != nil {
		err = fmt.Errorf("events of %s: %w", namespace, err) // beside those that were read
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.over {
		return nil
	}
	for _, x := range events {
		if x.Type == "Normal" && x.Last.Before(began.Add(-time.Second)) { // events know whole seconds
			continue
		}
		e.events = append(e.events, record.Event{
			Cluster: c.Name, Object: shortened(x.Object), Type: x.Type, Reason: x.Reason, Message: shortened(x.Message), Count: x.Count, Last: x.Last,
		})
	}
	return err
}

// sortEvents puts warnings first, and the latest before the earlier.
func sortEvents(events []record.Event) {
	slices.SortStableFunc(events, func(a, b record.Event) int {
		if a.Type != b.Type {
			return strings.Compare(b.Type, a.Type)
		}
		if order := b.Last.Compare(a.Last); order != 0 {
			return order
		}
		return strings.Compare(a.Cluster+" "+a.Object+" "+a.Message, b.Cluster+" "+b.Object+" "+b.Message)
	})
}
