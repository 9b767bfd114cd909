package kube

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Backend is what stands behind a Service, or a part of it.
type Backend struct {
	Service *Object // nil: there is none
	// Pods are those that it selects, Ready how many of them are ready and
	// among the addresses that traffic goes to.
	Pods  []*Object
	Ready int
	// Entries are Istio's WorkloadEntries that it selects: machines outside the
	// cluster, of which the cluster does not know whether they answer.
	Entries []*Object
	// Selector are the labels that it goes by; none: it selects nothing itself.
	Selector map[string]string
}

var (
	kindService  = schema.GroupVersionKind{Version: "v1", Kind: "Service"}
	kindPod      = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	kindSlice    = schema.GroupVersionKind{Group: "discovery.k8s.io", Version: "v1", Kind: "EndpointSlice"}
	kindWorkload = schema.GroupKind{Group: "networking.istio.io", Kind: "WorkloadEntry"}
)

// Behind reads what stands behind a Service; with a subset, only what has its
// labels, too.
func (c *Cluster) Behind(ctx context.Context, namespace, name string, subset map[string]string) (Backend, error) {
	var b Backend
	var err error
	if b.Service, err = c.Get(ctx, kindService, namespace, name); err != nil || b.Service == nil {
		return b, err
	}
	own, _, _ := unstructured.NestedStringMap(b.Service.Object, "spec", "selector")
	if len(own) == 0 {
		return b, nil
	}
	b.Selector = maps.Clone(own)
	maps.Copy(b.Selector, subset)
	if b.Pods, err = c.List(ctx, kindPod, namespace, b.Selector); err != nil {
		return b, err
	}
	slices, err := c.List(ctx, kindSlice, namespace, map[string]string{"kubernetes.io/service-name": name})
	if err != nil {
		return b, err
	}
	serving := serving(slices)
	for _, p := range b.Pods {
		if podReady(p).Ready && serving[p.GetName()] {
			b.Ready++
		}
	}
	entries, err := c.ListKind(ctx, kindWorkload, namespace)
	if err != nil {
		return b, err
	}
	for _, e := range entries {
		of, _, _ := unstructured.NestedStringMap(e.Object, "spec", "labels")
		if labels.SelectorFromSet(b.Selector).Matches(labels.Set(of)) {
			b.Entries = append(b.Entries, e)
		}
	}
	return b, nil
}

// serving are the pods that slices give as ready addresses.
func serving(slices []*Object) map[string]bool {
	pods := make(map[string]bool)
	for _, s := range slices {
		endpoints, _, _ := unstructured.NestedSlice(s.Object, "endpoints")
		for _, e := range endpoints {
			e, _ := e.(map[string]any)
			name, _, _ := unstructured.NestedString(e, "targetRef", "name")
			ready, said, _ := unstructured.NestedBool(e, "conditions", "ready")
			pods[name] = pods[name] || ready || !said // not said means ready
		}
	}
	return pods
}

// Condition is how a backend is: whether anything can answer.
func (b Backend) Condition() Condition {
	switch {
	case b.Service == nil:
		return Condition{Problems: []string{"there is no such Service"}}
	case len(b.Selector) == 0:
		return Condition{State: "it selects no pods itself"}
	}
	var c Condition
	var parts []string
	if len(b.Pods) > 0 || len(b.Entries) == 0 {
		parts = append(parts, fmt.Sprintf("%d of %s ready", b.Ready, several(len(b.Pods), "pod")))
	}
	for _, e := range b.Entries {
		parts = append(parts, "WorkloadEntry "+e.GetName()+" at "+text(e, "spec", "address"))
	}
	c.State = strings.Join(parts, ", ")
	with := labels.Set(b.Selector).String()
	switch {
	case len(b.Pods) == 0 && len(b.Entries) == 0:
		c.Problems = append(c.Problems, "nothing stands behind it: no pod and no WorkloadEntry has the labels "+with)
	case b.Ready < len(b.Pods):
		c.Problems = append(c.Problems, fmt.Sprintf("%d of %s with the labels %s are ready to answer", b.Ready, several(len(b.Pods), "pod"), with))
	}
	return c
}

// Unready are the pods that are not ready, each with why.
func (b Backend) Unready() (pods []*Object, why []string) {
	pods = slices.DeleteFunc(slices.Clone(b.Pods), func(p *Object) bool { return podReady(p).Ready })
	for _, p := range pods {
		why = append(why, podWhy(p))
	}
	return pods, why
}

func several(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
