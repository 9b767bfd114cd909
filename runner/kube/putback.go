package kube

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Delete deletes an object and waits until it is gone. One that is not there,
// or whose kind is not there, is no error.
func (c *Cluster) Delete(ctx context.Context, o *Object) error {
	return c.DeleteAll(ctx, []*Object{o})
}

// againLimit is how long the deletion of what could not be deleted at once (the
// API server is busy, a connection broke) is tried again.
const againLimit = 20 * time.Second

// DeleteAll deletes objects in their order, and then waits until all are gone,
// so that many take as long as the slowest. Only the context limits the wait.
// The errors (*ObjectError, joined) say which are still there and why.
func (c *Cluster) DeleteAll(ctx context.Context, objects []*Object) error {
	errs := make([]error, len(objects))
	for i, o := range objects {
		errs[i] = c.delete(ctx, o)
	}
	again, cancel := context.WithTimeout(ctx, againLimit)
	defer cancel()
	kinds := false
	for i, o := range objects {
		if errs[i] != nil && passes(errs[i]) {
			errs[i] = c.Until(again, 0, func(ctx context.Context) (bool, string, error) {
				err := c.delete(ctx, o)
				return err == nil, "", err
			})
		}
		if errs[i] == nil {
			errs[i] = c.Until(ctx, 0, func(ctx context.Context) (bool, string, error) { return c.gone(ctx, o) })
		}
		if errs[i] != nil {
			errs[i] = &ObjectError{Cluster: c.Name, Object: o, Err: errs[i]}
		}
		kinds = kinds || o.GroupVersionKind().GroupKind() == kindCRD.GroupKind()
	}
	if kinds {
		errs = append(errs, c.Refresh())
	}
	return errors.Join(errs...)
}

func (c *Cluster) delete(ctx context.Context, o *Object) error {
	// A workload goes when its pods are gone: "gone" shall mean that it answers
	// no more. Elsewhere there is nothing below to wait for.
	policy := metav1.DeletePropagationBackground
	switch o.GroupVersionKind().Group {
	case "apps", "batch":
		policy = metav1.DeletePropagationForeground
	}
	options := []client.DeleteOption{client.PropagationPolicy(policy)}
	if uid := o.GetUID(); uid != "" {
		// Somebody may have made another of the same name since: that is theirs.
		options = append(options, client.Preconditions{UID: &uid})
	}
	err := c.api().Delete(ctx, o.DeepCopy(), options...)
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) || isNoKind(err) {
		return nil
	}
	return plainly(err)
}

func (c *Cluster) gone(ctx context.Context, o *Object) (bool, string, error) {
	live, err := c.Get(ctx, o.GroupVersionKind(), o.GetNamespace(), o.GetName())
	var none *NoKind
	if errors.As(err, &none) {
		return true, "", nil
	}
	if err != nil {
		return false, "", err
	}
	if live == nil || (o.GetUID() != "" && live.GetUID() != o.GetUID()) {
		return true, "", nil
	}
	return false, goingWhy(live), nil
}

// Restore makes an object be again what it was: everything that people and
// tools write of it, and who owns which field. A deleted one is made anew
// (with another uid, as it must). Its status is its controller's business.
func (c *Cluster) Restore(ctx context.Context, before *Object) error {
	err := c.Until(ctx, 0, func(ctx context.Context) (bool, string, error) {
		live, err := c.settled(ctx, before)
		if err != nil {
			return false, "", err
		}
		if live == nil {
			live, err = c.recreate(ctx, before)
		} else {
			live, err = c.rewrite(ctx, before, live)
		}
		// A conflict (somebody wrote it in between) is looked at again.
		if err != nil {
			return false, err.Error(), err
		}
		return true, "", c.returnFields(ctx, before, live)
	})
	if err != nil {
		return &ObjectError{Cluster: c.Name, Object: before, Err: plainly(err)}
	}
	return nil
}

func (c *Cluster) recreate(ctx context.Context, before *Object) (*Object, error) {
	o := &Object{Object: content(before)}
	err := c.api().Create(ctx, o, client.FieldOwner(Manager))
	return o, err
}

func (c *Cluster) rewrite(ctx context.Context, before, live *Object) (*Object, error) {
	if Same(before, live) {
		return live, nil
	}
	o := &Object{Object: content(before)}
	o.SetResourceVersion(live.GetResourceVersion())
	o.SetUID(live.GetUID())
	if status, ok, _ := unstructured.NestedFieldCopy(live.Object, "status"); ok {
		o.Object["status"] = status // a kind without a status subresource would lose it
	}
	err := c.api().Update(ctx, o, client.FieldOwner(Manager))
	return o, err
}

// returnFields gives the fields back to those who owned them, so that the next
// `kubectl apply` of their owner does what it would have done.
func (c *Cluster) returnFields(ctx context.Context, before, live *Object) error {
	if len(before.GetManagedFields()) == 0 {
		return nil
	}
	patch, err := json.Marshal([]map[string]any{
		{"op": "replace", "path": "/metadata/managedFields", "value": before.GetManagedFields()},
		{"op": "replace", "path": "/metadata/resourceVersion", "value": live.GetResourceVersion()},
	})
	if err != nil {
		return err
	}
	return c.api().Patch(ctx, live.DeepCopy(), client.RawPatch(types.JSONPatchType, patch), client.FieldOwner(Manager))
}
