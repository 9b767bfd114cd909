package kube

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Sight is an object as it was seen.
type Sight struct {
	Resource string  // "trafficpolicies.networking.mesh.gloo.solo.io"
	Object   *Object // nil: it is not there
	Condition
}

// Condition is how an object is.
type Condition struct {
	// State is it in a few words: "ACCEPTED", "2 of 2 replicas are available";
	// "" where there is nothing to say.
	State string
	// Problems say what is not as it should be.
	Problems []string
}

// Look reads the object that another one names, by its kind, namespace and
// name, and says how it is: by the rule, where that knows its kind, and by its
// conditions. An object whose kind is not served is a *NoKind.
func (c *Cluster) Look(ctx context.Context, named *Object, rule Rule) (Sight, error) {
	resource, err := c.Of(named.GroupVersionKind())
	if err != nil {
		return Sight{}, err
	}
	namespace := named.GetNamespace()
	switch {
	case !resource.Namespaced:
		namespace = ""
	case namespace == "":
		namespace = "default"
	}
	s := Sight{Resource: resource.String()}
	if s.Object, err = c.Get(ctx, resource.Kind, namespace, named.GetName()); err != nil || s.Object == nil {
		return s, err
	}
	s.Condition = ConditionOf(s.Object, rule)
	if more := c.podsOf(ctx, s.Object); len(s.Problems) > 0 && more != "" {
		s.Problems = append(s.Problems, more)
	}
	return s, nil
}

// ConditionOf says how an object is, by the rule, where that knows its kind, or
// else by the rules of the built-in kinds, and by its conditions.
func ConditionOf(o *Object, rule Rule) Condition {
	c := Condition{State: stateOf(o)}
	r, known := Readiness{}, false
	if rule != nil {
		r, known = rule(o.Object)
	}
	if !known {
		r = builtin(o)
	}
	switch {
	case o.GetDeletionTimestamp() != nil:
		c.Problems = append(c.Problems, goingWhy(o))
	case !r.Ready:
		c.Problems = append(c.Problems, r.Why)
	}
	c.Problems = append(c.Problems, untrue(o, c.Problems)...)
	return c
}

// stateOf is an object's state in a few words.
func stateOf(o *Object) string {
	switch kind := o.GroupVersionKind().GroupKind(); {
	case kind.Group == "apps" && (kind.Kind == "Deployment" || kind.Kind == "StatefulSet"):
		return fmt.Sprintf("%d of %d replicas are ready", number(o, "status", "readyReplicas"), replicas(o))
	case kind == schema.GroupKind{Group: "apps", Kind: "DaemonSet"}:
		return fmt.Sprintf("%d of %d pods are ready", number(o, "status", "numberReady"), number(o, "status", "desiredNumberScheduled"))
	case kind == schema.GroupKind{Kind: "Service"} && Address(o) != "":
		return "at " + Address(o)
	}
	for _, field := range []string{"state", "phase"} {
		if s := text(o, "status", field); s != "" {
			return s
		}
	}
	return ""
}

// good are the conditions that are to be true. Of others (Degraded, Stalled,
// OutOfDisk …) it is good that they are not, or nobody knows.
var good = []string{
	"Ready", "Available", "Progressing", "ContainersReady", "PodScheduled", "Initialized", "Established", "NamesAccepted",
	"Accepted", "Programmed", "ResolvedRefs", "Reconciled", "Synced", "Healthy", "Scheduled", "Valid",
}

// untrue says which good conditions are not true, but for what is told already.
func untrue(o *Object, told []string) []string {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var all []string
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		name, _ := c["type"].(string)
		status, why := condition(o, name)
		if status == "True" || status == "" || !slices.Contains(good, name) {
			continue
		}
		if why != "" && slices.ContainsFunc(told, func(s string) bool { return strings.Contains(s, why) }) {
			continue
		}
		all = append(all, strings.TrimSuffix(fmt.Sprintf("%s is %s: %s", name, strings.ToLower(status), why), ": "))
	}
	return all
}

// ListKind is List of a kind in whatever version the API server prefers. One that is
// not served has no objects, and is no error.
func (c *Cluster) ListKind(ctx context.Context, kind schema.GroupKind, namespace string) ([]*Object, error) {
	m, err := c.api().RESTMapper().RESTMapping(kind)
	if isNoKind(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	objects, err := c.List(ctx, m.GroupVersionKind, namespace, nil)
	for _, o := range objects {
		o.SetGroupVersionKind(m.GroupVersionKind) // an item of a list need not say it
	}
	return objects, err
}
