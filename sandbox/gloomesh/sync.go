package gloomesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// manager is the field manager of everything that is written.
const manager = "gloo-mesh"

// An appliedObject is what was written of an object last, so that the same is
// not written again.
type appliedObject struct {
	text    string // the object as JSON
	version string // the resourceVersion that came of it
}

// sync brings every cluster to what Translate wants, then the statuses: who
// reads ACCEPTED finds the Istio objects there. An object whose Istio objects
// could not be written is FAILED, with the reason.
func (c *controller) sync(ctx context.Context) error {
	out := Translate(c.snapshot())
	var wg sync.WaitGroup
	var mu sync.Mutex
	failures := map[Parent][]string{}
	var errs []error
	for cluster, objects := range out.Objects {
		wg.Go(func() {
			err := c.syncCluster(ctx, cluster, objects, func(o Object, err error) {
				mu.Lock()
				defer mu.Unlock()
				for _, p := range o.Parents {
					failures[p] = append(failures[p], err.Error())
				}
			})
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	for _, s := range out.Statuses {
		if err := c.writeStatus(ctx, s, failures[s.Parent]); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// syncCluster writes in the order in which nothing that is in use is ever
// missing: first what routes point to, with what they pointed to before; then
// the routes; then away with what nobody points to any more.
func (c *controller) syncCluster(ctx context.Context, cluster string, objects []Object, failed func(Object, error)) error {
	var errs []error
	try := func(o Object, u *unstructured.Unstructured) {
		if err := c.apply(ctx, cluster, u); err != nil {
			err = fmt.Errorf("write %s %s/%s to %s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), cluster, err)
			failed(o, err)
			errs = append(errs, err)
		}
	}
	wanted := map[string]bool{}
	var later []Object
	for _, o := range objects {
		wanted[id(o.Unstructured)] = true
		both := c.withFormer(cluster, o)
		if o.GetKind() == "VirtualService" {
			continue
		}
		try(o, both)
		if both != o.Unstructured {
			later = append(later, o)
		}
	}
	for _, o := range objects {
		if o.GetKind() == "VirtualService" {
			try(o, o.Unstructured)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...) // what is in the way may still be in use
	}
	errs = append(errs, c.deleteRest(ctx, cluster, "VirtualService", wanted))
	for _, o := range later {
		try(o, o.Unstructured)
	}
	for _, kind := range []string{"AuthorizationPolicy", "Gateway", "DestinationRule", "ServiceEntry"} {
		errs = append(errs, c.deleteRest(ctx, cluster, kind, wanted))
	}
	return errors.Join(errs...)
}

func id(u *unstructured.Unstructured) string {
	return u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
}

// withFormer is o with the subsets, or the endpoints, that the object in the
// cluster has besides; o itself if there are none.
func (c *controller) withFormer(cluster string, o Object) *unstructured.Unstructured {
	field := map[string]string{"DestinationRule": "subsets", "ServiceEntry": "endpoints"}[o.GetKind()]
	live := c.clusters[cluster].get(istioKinds[o.GetKind()], o.GetNamespace(), o.GetName())
	if field == "" || live == nil {
		return o.Unstructured
	}
	wanted, _, _ := unstructured.NestedSlice(o.Object, "spec", field)
	former, _, _ := unstructured.NestedSlice(live.Object, "spec", field)
	both := slices.Clone(wanted)
	for _, f := range former {
		if !slices.ContainsFunc(both, func(w any) bool { return sameEntry(w, f) }) {
			both = append(both, f)
		}
	}
	if len(both) == len(wanted) {
		return o.Unstructured
	}
	u := o.DeepCopy()
	_ = unstructured.SetNestedSlice(u.Object, both, "spec", field) // spec is a map
	return u
}

// sameEntry tells whether two subsets have one name, or two endpoints are equal.
func sameEntry(a, b any) bool {
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	if name, ok := x["name"]; ok {
		return name == y["name"]
	}
	return encoded(a) == encoded(b)
}

func encoded(v any) string {
	b, _ := json.Marshal(v) // it came from JSON
	return string(b)
}

// apply writes an object unless it stands there as it was written last.
func (c *controller) apply(ctx context.Context, cluster string, u *unstructured.Unstructured) error {
	key, now := cluster+" "+id(u), encoded(u.Object)
	w, resource := c.clusters[cluster], istioKinds[u.GetKind()]
	live := w.get(resource, u.GetNamespace(), u.GetName())
	if last, ok := c.last(key); ok && live != nil && last.text == now &&
		(last.version == live.GetResourceVersion() || covers(live.Object, u.Object) && covers(u.Object["spec"], live.Object["spec"])) {
		return nil
	}
	client := w.client.Resource(resource).Namespace(u.GetNamespace())
	written, err := client.Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err == nil && !covers(u.Object["spec"], written.Object["spec"]) {
		// Somebody else's object stood there under this name. Gloo Mesh replaces
		// such a one, and does not mix what it says with its own.
		written.Object["spec"] = u.DeepCopy().Object["spec"]
		written, err = client.Update(ctx, written, metav1.UpdateOptions{FieldManager: manager})
	}
	if err != nil {
		c.remember(key, appliedObject{})
		return err
	}
	c.remember(key, appliedObject{now, written.GetResourceVersion()})
	return nil
}

func (c *controller) last(key string) (appliedObject, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.applied[key]
	return a, ok
}

// remember notes what was written; an empty one that nothing is known.
func (c *controller) remember(key string, a appliedObject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if a == (appliedObject{}) {
		delete(c.applied, key)
		return
	}
	c.applied[key] = a
}

// covers tells whether live has everything that wanted says. What a server adds
// (a status, a default) does not matter.
func covers(live, wanted any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for k, v := range w {
			if !covers(l[k], v) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		return ok && slices.EqualFunc(l, w, covers)
	}
	return live == wanted
}

// deleteRest deletes what Gloo Mesh wrote of a kind and does not want any more.
func (c *controller) deleteRest(ctx context.Context, cluster, kind string, wanted map[string]bool) error {
	w, resource := c.clusters[cluster], istioKinds[kind]
	var errs []error
	live := w.list(resource)
	slices.SortFunc(live, openFirst)
	for _, u := range live {
		if wanted[kind+" "+u.GetNamespace()+"/"+u.GetName()] || u.GetDeletionTimestamp() != nil {
			continue
		}
		uid := u.GetUID()
		err := w.client.Resource(resource).Namespace(u.GetNamespace()).Delete(ctx, u.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // gone, or another by now
			errs = append(errs, fmt.Errorf("delete %s %s/%s of %s: %w", kind, u.GetNamespace(), u.GetName(), cluster, err))
			continue
		}
		c.remember(cluster+" "+id(u), appliedObject{})
	}
	return errors.Join(errs...)
}

// writeStatus writes a status that is not there yet. An object that has changed
// since is left to the next round.
func (c *controller) writeStatus(ctx context.Context, s Status, failures []string) error {
	fields := maps.Clone(s.Fields)
	if len(failures) > 0 && fields["state"] == accepted {
		fields["state"], fields["errors"] = failed, listAny(failures)
	}
	resource := resourceFor(s.Kind)
	live := c.mgmt.get(resource, s.Namespace, s.Name)
	if live == nil || live.GetGeneration() != s.Generation || encoded(live.Object["status"]) == encoded(fields) {
		return nil
	}
	u := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": live.GetAPIVersion(),
		"kind":       s.Kind,
		"metadata":   map[string]any{"namespace": s.Namespace, "name": s.Name, "uid": string(live.GetUID())},
		"status":     fields,
	}}
	_, err := c.mgmt.client.Resource(resource).Namespace(s.Namespace).ApplyStatus(ctx, s.Name, u.DeepCopy(), metav1.ApplyOptions{FieldManager: manager, Force: true})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) { // gone, or another by now
		return fmt.Errorf("write the status of %s %s/%s: %w", s.Kind, s.Namespace, s.Name, err)
	}
	return nil
}
