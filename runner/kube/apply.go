package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What an apply did to an object. One that says the same as before and of which
// only the owners of fields are others is changed, too.
const (
	Created   = "created"
	Changed   = "changed"
	Unchanged = "unchanged"
)

// Applied is what came of applying one object.
type Applied struct {
	Resource string  // "trafficpolicies.networking.mesh.gloo.solo.io"
	What     string  // Created, Changed or Unchanged
	Before   *Object // as it was; nil when it was created
	After    *Object
}

var kindCRD = schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}

// Order returns objects in the order in which they must be applied: kinds
// (CustomResourceDefinitions), then namespaces, then everything else as given.
func Order(objects []*Object) []*Object {
	rank := func(o *Object) int {
		switch kind := o.GroupVersionKind().GroupKind(); {
		case kind == kindCRD.GroupKind():
			return 0
		case kind == schema.GroupKind{Kind: "Namespace"}:
			return 1
		}
		return 2
	}
	ordered := slices.Clone(objects)
	slices.SortStableFunc(ordered, func(a, b *Object) int { return rank(a) - rank(b) })
	return ordered
}

// ApplyAll applies objects in Order, and waits until every kind among them is
// established before it applies an object of that kind. What was applied
// before an error is returned with it, so that it can be put back. The error
// of an object names it (*ObjectError).
func (c *Cluster) ApplyAll(ctx context.Context, objects []*Object) ([]Applied, error) {
	var done []Applied
	kinds := 0
	for _, o := range Order(objects) {
		crd := o.GroupVersionKind().GroupKind() == kindCRD.GroupKind()
		if !crd && kinds > 0 {
			if err := c.established(ctx, done[:kinds]); err != nil {
				return done, err
			}
			kinds = 0
		}
		a, err := c.Apply(ctx, o)
		if a.What != "" {
			done = append(done, a)
		}
		if err != nil {
			return done, &ObjectError{Cluster: c.Name, Object: o, Err: err}
		}
		if crd {
			kinds++
		}
	}
	if kinds > 0 {
		return done, c.established(ctx, done[:kinds])
	}
	return done, nil
}

// ObjectError is an error of one object in one cluster.
type ObjectError struct {
	Cluster string
	Object  *Object
	Err     error
}

func (e *ObjectError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Cluster, Describe(e.Object), e.Err)
}

func (e *ObjectError) Unwrap() error { return e.Err }

// established waits until the kinds that were just applied can be used.
func (c *Cluster) established(ctx context.Context, crds []Applied) error {
	objects := make([]*Object, 0, len(crds))
	changed := false
	for _, a := range crds {
		objects = append(objects, a.After)
		changed = changed || a.What != Unchanged
	}
	if err := c.Ready(ctx, objects, 0, nil); err != nil {
		return err
	}
	if !changed {
		return nil
	}
	// Established says that the server will serve the kind; its discovery,
	// which the client learns from, may be a moment behind.
	return c.Until(ctx, 10*time.Second, func(context.Context) (bool, string, error) {
		if err := c.Refresh(); err != nil {
			return false, "", err
		}
		for _, o := range objects {
			for _, kind := range servedKinds(o) {
				if _, err := c.Of(kind); err != nil {
					return false, err.Error(), nil
				}
			}
		}
		return true, "", nil
	})
}

// servedKinds lists the kinds that a CustomResourceDefinition serves.
func servedKinds(crd *Object) []schema.GroupVersionKind {
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	var kinds []schema.GroupVersionKind
	for _, v := range versions {
		v, _ := v.(map[string]any)
		name, _ := v["name"].(string)
		if served, _ := v["served"].(bool); served {
			kinds = append(kinds, schema.GroupVersionKind{Group: group, Version: name, Kind: kind})
		}
	}
	return kinds
}

// Apply makes one object be what the manifest says: server-side apply, forced,
// by one field manager, after it took over what kubectl owned of the object,
// so that no field of an earlier manifest stays behind. An unknown field is an
// error that names its path. A namespaced object without a namespace goes to
// "default", whatever namespace the context prefers, so that a scenario means
// the same on every machine.
//
// Applied.What is empty when the object is as it was in spite of the error.
func (c *Cluster) Apply(ctx context.Context, manifest *Object) (Applied, error) {
	o := manifest.DeepCopy()
	resource, err := c.Of(o.GroupVersionKind())
	if err != nil {
		return Applied{}, err
	}
	switch {
	case resource.Namespaced && o.GetNamespace() == "":
		o.SetNamespace("default")
	case !resource.Namespaced && o.GetNamespace() != "":
		return Applied{}, fmt.Errorf("has metadata.namespace %q, but a %s lives in no namespace", o.GetNamespace(), o.GetKind())
	}
	before, err := c.settled(ctx, o)
	if err != nil {
		return Applied{}, err
	}
	done := Applied{Resource: resource.String(), What: Created, Before: before}
	if before != nil {
		done.What = Changed
		if err := c.takeOver(ctx, before.DeepCopy()); err != nil {
			return c.aftermath(ctx, done, o), fmt.Errorf("taking over the fields that kubectl owned: %w", err)
		}
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		return Applied{}, err
	}
	err = c.api().Patch(ctx, o, client.RawPatch(types.ApplyPatchType, body),
		client.FieldOwner(Manager), client.ForceOwnership, client.FieldValidation(metav1.FieldValidationStrict))
	if err != nil {
		return c.aftermath(ctx, done, o), plainly(err)
	}
	done.After = o
	if before != nil && untouched(before, o) {
		done.What = Unchanged
	}
	return done, nil
}

// aftermath says what an apply that ended with an error has done all the same:
// fields were taken over before it was refused, or the answer was lost (a
// connection, Ctrl-C) of what the server did. Where that cannot be read, the
// worst is assumed, for what is put back needlessly does no harm.
func (c *Cluster) aftermath(ctx context.Context, done Applied, o *Object) Applied {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	live, err := c.Get(ctx, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
	switch before := done.Before; {
	case err != nil:
		done.After = o
		return done
	case live == nil:
		return Applied{}
	case before == nil && !slices.ContainsFunc(owners(live), func(f string) bool { return strings.HasPrefix(f, Manager+" Apply ") }):
		return Applied{} // somebody else made it just now
	case before != nil && untouched(before, live):
		return Applied{}
	}
	done.After = live
	return done
}

// owners lists who owns which fields of an object, its status aside.
func owners(o *Object) []string {
	var all []string
	for _, f := range o.GetManagedFields() {
		if f.Subresource == "" && f.FieldsV1 != nil {
			all = append(all, fmt.Sprintf("%s %s %s", f.Manager, f.Operation, f.FieldsV1.GetRawString()))
		}
	}
	slices.Sort(all)
	return all
}

// settled reads the object as it is now. One that is on its way out (left by
// an earlier run, or deleted a moment ago) is waited for until it is gone:
// what is applied to it would go with it.
func (c *Cluster) settled(ctx context.Context, o *Object) (*Object, error) {
	var live *Object
	err := c.Until(ctx, 2*time.Minute, func(ctx context.Context) (bool, string, error) {
		var err error
		live, err = c.Get(ctx, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
		if err != nil || live == nil || live.GetDeletionTimestamp() == nil {
			return err == nil, "", err
		}
		return false, goingWhy(live), nil
	})
	return live, err
}

// lastApplied is the annotation by which kubectl's client-side apply remembers
// a manifest: whoever owns it applied the object.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// takeOver makes every field that kubectl owns ours, whichever of its commands
// wrote it (apply, apply --server-side, create, edit, patch, replace), and so
// the fields of objects older than field management. A field that we own and
// that the next apply does not mention is removed by the API server. Fields of
// controllers (an autoscaler's replicas, an injected CA) stay theirs.
func (c *Cluster) takeOver(ctx context.Context, live *Object) error {
	for {
		patch, err := takeOverPatch(live)
		if err != nil || patch == nil {
			return err
		}
		err = c.api().Patch(ctx, live.DeepCopy(), client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(Manager))
		if !apierrors.IsConflict(err) {
			return err
		}
		// Somebody wrote the object in between (a controller its status, mostly).
		again, err := c.Get(ctx, live.GroupVersionKind(), live.GetNamespace(), live.GetName())
		if err != nil || again == nil {
			return err
		}
		live = again
	}
}

func takeOverPatch(live *Object) ([]byte, error) {
	fields := slices.Clone(live.GetManagedFields())
	taken := sets.New[string]()
	for i := range fields {
		f := &fields[i]
		if f.Subresource != "" || !isTool(*f) {
			continue
		}
		// csaupgrade looks at updates only, and merges one for each manager. An
		// apply by another tool keeps its fields alive just the same, so every
		// entry is handed over as an update by a manager of its own.
		f.Operation = metav1.ManagedFieldsOperationUpdate
		f.Manager = fmt.Sprintf("%s/%d", f.Manager, i)
		taken.Insert(f.Manager)
	}
	if taken.Len() == 0 {
		return nil, nil
	}
	live.SetManagedFields(fields)
	return csaupgrade.UpgradeManagedFieldsPatch(live, taken, Manager)
}

// isTool reports whether an entry is of a tool by which people write manifests.
func isTool(f metav1.ManagedFieldsEntry) bool {
	switch {
	case f.Manager == Manager:
		return f.Operation == metav1.ManagedFieldsOperationUpdate
	case strings.HasPrefix(f.Manager, "kubectl"), f.Manager == "before-first-apply":
		return true
	}
	return f.FieldsV1 != nil && strings.Contains(string(f.FieldsV1.GetRawBytes()), `"f:`+lastApplied+`"`)
}

// Same reports whether two states of an object say the same, status and the
// server's own bookkeeping aside.
func Same(a, b *Object) bool {
	return Equal(content(a), content(b))
}

// Equal reports whether two values of objects are the same.
func Equal(a, b any) bool { return reflect.DeepEqual(a, b) }

// untouched reports whether two states of an object say the same, and the
// same owners of it: one who lost a field would find a conflict.
func untouched(a, b *Object) bool {
	return Same(a, b) && slices.Equal(owners(a), owners(b))
}

// content is the part of an object that people and tools write.
func content(o *Object) map[string]any {
	c := o.DeepCopy()
	unstructured.RemoveNestedField(c.Object, "status")
	for _, field := range []string{"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"} {
		unstructured.RemoveNestedField(c.Object, "metadata", field)
	}
	for _, field := range []string{"labels", "annotations", "finalizers", "ownerReferences"} {
		if v, ok, _ := unstructured.NestedFieldNoCopy(c.Object, "metadata", field); ok && reflect.ValueOf(v).Len() == 0 {
			unstructured.RemoveNestedField(c.Object, "metadata", field)
		}
	}
	return c.Object
}

// plainly shortens what an API server says of an object that it refuses to the
// part that helps: the path and what is wrong with it. Other errors it leaves.
func plainly(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return err
	}
	text := status.Status().Message
	// An apply that does not fit the kind's schema comes as an internal error.
	if _, rest, ok := strings.Cut(text, "failed to create typed patch object ("); ok {
		if _, rest, ok := strings.Cut(rest, "): "); ok {
			text, field := misfits(rest)
			return &Refused{Text: text, Field: field, Err: err}
		}
	}
	if passes(err) || apierrors.IsUnauthorized(err) || status.Status().Code >= 500 {
		return err
	}
	return &Refused{Text: strings.Replace(text, unchecked, "", 1), Field: firstField(status.Status().Details), Err: err}
}

// unchecked is what an API server adds when a kind has rules beyond its schema.
const unchecked = ", <nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

// firstField is the first field that a refusal is about; "" when it says none.
func firstField(d *metav1.StatusDetails) string {
	if d == nil {
		return ""
	}
	for _, cause := range d.Causes {
		if cause.Field != "" && cause.Field != "<nil>" {
			return cause.Field
		}
	}
	return ""
}

// misfits puts what does not fit a schema into plain words: one ".path: what", or
// "errors:" and a line for each. It returns the first path too.
func misfits(text string) (plain, first string) {
	var all []string
	for line := range strings.Lines(strings.TrimPrefix(text, "errors:\n")) {
		path, what, found := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "."), ": ")
		switch {
		case found && first == "":
			first = path
		case path == "" && !found:
			continue
		}
		if what == "field not declared in schema" {
			what = "unknown field"
		}
		if found {
			path += ": " + what
		}
		all = append(all, path)
	}
	return strings.Join(all, "; "), first
}

// Refused is an API server's refusal in plain words; it unwraps to the API's own error.
type Refused struct {
	Text  string
	Field string // the first field that it is about: "spec.policy.trafficShfit"; "" when not known
	Err   error
}

func (e *Refused) Error() string { return e.Text }
func (e *Refused) Unwrap() error { return e.Err }
