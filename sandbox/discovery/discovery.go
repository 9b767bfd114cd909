// Package discovery stands in for the part of Gloo Mesh that looks at what runs
// in the workload clusters and tells it in the management cluster, by Workloads
// and Destinations in namespace gloo-mesh, which go when their Deployment or
// Service goes.
//
// It is for the sandbox's main program and for readers, who list these objects:
// nothing in the sandbox goes by them, but what Gloo Mesh says in statuses. What
// people have registered by hand under a name that discovery would give is theirs
// and stays as it is. Clusters and meshes themselves are registered from the start
// and not discovered.
package discovery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	appslisters "k8s.io/client-go/listers/apps/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/meshassay/assay/sandbox/resync"
)

// gather is how long changes are gathered: a deployment makes several.
const gather = 20 * time.Millisecond

var resources = map[string]schema.GroupVersionResource{
	"Workload":    {Group: group, Version: "v1", Resource: "workloads"},
	"Destination": {Group: group, Version: "v1", Resource: "destinations"},
}

// Options say which clusters there are.
type Options struct {
	Mgmt     dynamic.Interface
	Clusters map[string]kubernetes.Interface // the workload clusters by registered name
	Log      *slog.Logger
}

// A source is a copy of what matters in one workload cluster.
type source struct {
	name        string
	namespaces  corelisters.NamespaceLister
	services    corelisters.ServiceLister
	deployments appslisters.DeploymentLister
}

// What was written of an object, so that the same is not written again.
type written struct {
	text    string // the object as JSON
	version string // the resourceVersion that came of it
}

type controller struct {
	mgmt    dynamic.Interface
	stores  map[string]cache.Store // of the management cluster, by kind
	sources []source
	written map[string]written // by kind and name: what was written last
	loop    *resync.Loop       // of sync
}

// Start keeps the discovered objects as what runs, until ctx ends. It returns
// when those of what runs already are there; the CRDs must be there before.
func Start(ctx context.Context, o Options) error {
	c := &controller{mgmt: o.Mgmt, stores: map[string]cache.Store{}, written: map[string]written{}, loop: resync.New("discovery", gather, o.Log)}
	var synced []cache.InformerSynced
	watch := func(informer cache.SharedIndexInformer) error {
		err := informer.SetTransform(func(o any) (any, error) {
			if m, ok := o.(metav1.Object); ok {
				m.SetManagedFields(nil) // often more than the object itself, and nobody here reads it
			}
			return o, nil
		})
		if err != nil {
			return err
		}
		_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { c.loop.Changed() },
			UpdateFunc: func(any, any) { c.loop.Changed() },
			DeleteFunc: func(any) { c.loop.Changed() },
		})
		synced = append(synced, informer.HasSynced)
		go informer.RunWithContext(ctx)
		return err
	}
	for kind, resource := range resources {
		informer := dynamicinformer.NewFilteredDynamicInformer(o.Mgmt, resource, own, 0, cache.Indexers{}, nil).Informer()
		c.stores[kind] = informer.GetStore()
		if err := watch(informer); err != nil {
			return fmt.Errorf("discovery: %w", err)
		}
	}
	for name, client := range o.Clusters {
		f := informers.NewSharedInformerFactory(client, 0)
		namespaces, services, deployments := f.Core().V1().Namespaces(), f.Core().V1().Services(), f.Apps().V1().Deployments()
		c.sources = append(c.sources, source{name, namespaces.Lister(), services.Lister(), deployments.Lister()})
		for _, informer := range []cache.SharedIndexInformer{namespaces.Informer(), services.Informer(), deployments.Informer()} {
			if err := watch(informer); err != nil {
				return fmt.Errorf("discovery in %s: %w", name, err)
			}
		}
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("discovery: watch the clusters: %w", context.Cause(ctx))
	}
	if err := c.sync(ctx); err != nil {
		return fmt.Errorf("discovery: %w", err)
	}
	go c.loop.Run(ctx, c.sync)
	return nil
}

// sync makes the objects of the management cluster those of what runs.
func (c *controller) sync(ctx context.Context) error {
	wanted := map[string]bool{}
	var errs []error
	for _, s := range c.sources {
		found, err := s.cluster()
		if err != nil {
			return err
		}
		for _, u := range Objects(found) {
			wanted[key(u)] = true
			if err := c.write(ctx, u); err != nil {
				errs = append(errs, fmt.Errorf("write %s: %w", key(u), err))
			}
		}
	}
	for kind, store := range c.stores {
		for _, o := range store.List() {
			live := o.(*unstructured.Unstructured)
			if ours(live) && !wanted[key(live)] && live.GetDeletionTimestamp() == nil {
				if err := c.remove(ctx, kind, live); err != nil {
					errs = append(errs, fmt.Errorf("delete %s: %w", key(live), err))
				}
			}
		}
	}
	return errors.Join(errs...)
}

func (s source) cluster() (Cluster, error) {
	c := Cluster{Name: s.name}
	var errs [3]error
	c.Namespaces, errs[0] = s.namespaces.List(labels.Everything())
	c.Services, errs[1] = s.services.List(labels.Everything())
	c.Deployments, errs[2] = s.deployments.List(labels.Everything())
	// In an order of their own, so that the same is written the same.
	slices.SortFunc(c.Services, byName)
	slices.SortFunc(c.Deployments, byName)
	return c, errors.Join(errs[:]...)
}

func byName[O metav1.Object](a, b O) int {
	return slices.Compare([]string{a.GetNamespace(), a.GetName()}, []string{b.GetNamespace(), b.GetName()})
}

// ours tells what discovery looks after, as the label says that it does.
func ours(u *unstructured.Unstructured) bool { return u.GetLabels()[ownerLabel] == own }

// write applies an object unless it stands there so, or somebody has registered
// another by hand.
func (c *controller) write(ctx context.Context, u *unstructured.Unstructured) error {
	text, err := json.Marshal(u.Object)
	if err != nil {
		return err
	}
	if o, there, _ := c.stores[u.GetKind()].GetByKey(own + "/" + u.GetName()); there {
		live := o.(*unstructured.Unstructured)
		if !ours(live) || c.written[key(u)] == (written{string(text), live.GetResourceVersion()}) {
			return nil
		}
	}
	applied, err := c.mgmt.Resource(resources[u.GetKind()]).Namespace(own).Apply(ctx, u.GetName(), u, metav1.ApplyOptions{FieldManager: own, Force: true})
	if err == nil {
		c.written[key(u)] = written{string(text), applied.GetResourceVersion()}
	}
	return err
}

func (c *controller) remove(ctx context.Context, kind string, live *unstructured.Unstructured) error {
	delete(c.written, key(live))
	uid := live.GetUID()
	err := c.mgmt.Resource(resources[kind]).Namespace(own).Delete(ctx, live.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) { // gone, or another by now
		return nil
	}
	return err
}
