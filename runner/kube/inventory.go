package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
)

// Inventory is what a cluster holds of some kinds.
type Inventory struct {
	// Objects are what people and tools write of each object, by its Identity:
	// without status and the server's own bookkeeping. What another object's
	// controller has made of it is not in it.
	Objects map[string]*Object
	// Kinds are the kinds that were read, Unread those that could not be, with why.
	Kinds  map[schema.GroupKind]bool
	Unread map[schema.GroupKind]string
}

// inventoryLists is how many kinds are listed at once.
const inventoryLists = 8

// Inventory lists the objects of all kinds that the API server serves and that
// are relevant. A kind that cannot be listed (this user may not, or a webhook that
// converts its objects is down) is told, and no error.
func (c *Cluster) Inventory(ctx context.Context, relevant func(schema.GroupKind) bool) (*Inventory, error) {
	kinds, err := c.listable(relevant)
	if err != nil {
		return nil, fmt.Errorf("%s: what it serves cannot be read: %w", c.Name, err)
	}
	inventory := &Inventory{Objects: map[string]*Object{}, Kinds: map[schema.GroupKind]bool{}, Unread: map[schema.GroupKind]string{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	tickets := make(chan struct{}, inventoryLists)
	for _, kind := range kinds {
		tickets <- struct{}{}
		all.Go(func() {
			defer func() { <-tickets }()
			objects, err := c.listAgain(ctx, kind)
			mu.Lock()
			defer mu.Unlock()
			inventory.add(kind.GroupKind(), objects, err)
		})
	}
	all.Wait()
	return inventory, ctx.Err()
}

// listAgain is List that bears with a busy API server for a while.
func (c *Cluster) listAgain(ctx context.Context, kind schema.GroupVersionKind) (objects []*Object, err error) {
	err = c.Until(ctx, againLimit, func(ctx context.Context) (bool, string, error) {
		objects, err = c.List(ctx, kind, "", nil)
		return err == nil, "", err
	})
	return objects, err
}

func (i *Inventory) add(kind schema.GroupKind, objects []*Object, err error) {
	var none *NoKind
	switch {
	case errors.As(err, &none), apierrors.IsNotFound(err):
		return // it went between the two questions
	case err != nil:
		i.Unread[kind] = err.Error()
		return
	}
	i.Kinds[kind] = true
	for _, o := range objects {
		if !made(o) {
			i.Objects[Identity(o)] = written(o)
		}
	}
}

// discovered is the label of what Gloo Mesh makes, changes (by the pods' latest
// addresses) and deletes as it discovers what runs in the clusters. What people
// register by hand must not carry it.
const discovered = "owner.discovery.mesh.gloo.solo.io"

// made tells whether a controller has made an object of another, as long as that
// is there.
func made(o *Object) bool {
	if _, ok := o.GetLabels()[discovered]; ok {
		return true
	}
	return slices.ContainsFunc(o.GetOwnerReferences(), func(r metav1.OwnerReference) bool { return r.Controller != nil && *r.Controller })
}

// written is the content of an object without what a controller of Kubernetes
// counts in an annotation: it goes on counting when an object is put back.
func written(o *Object) *Object {
	c := &Object{Object: content(o)}
	unstructured.RemoveNestedField(c.Object, "metadata", "annotations", "deployment.kubernetes.io/revision")
	if len(c.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(c.Object, "metadata", "annotations")
	}
	return c
}

// listable are the relevant kinds that can be listed, each in the version that
// the API server prefers.
func (c *Cluster) listable(relevant func(schema.GroupKind) bool) ([]schema.GroupVersionKind, error) {
	client, err := discovery.NewDiscoveryClientForConfig(c.config)
	if err != nil {
		return nil, err
	}
	lists, err := client.ServerPreferredResources()
	if failed, partly := discovery.GroupDiscoveryFailedErrorGroups(err); partly {
		// An aggregated API that is down is nobody's business here, unless it
		// serves a kind that counts.
		for group, cause := range failed {
			if relevant(schema.GroupKind{Group: group.Group}) {
				return nil, cause
			}
		}
	} else if err != nil {
		return nil, err
	}
	var kinds []schema.GroupVersionKind
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			kind := version.WithKind(r.Kind)
			if !strings.Contains(r.Name, "/") && slices.Contains(r.Verbs, "list") && relevant(kind.GroupKind()) {
				kinds = append(kinds, kind)
			}
		}
	}
	return kinds, nil
}
