package istio

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	discoveryv1client "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// clients of one cluster.
type clients struct {
	dynamic   dynamic.Interface
	core      corev1client.CoreV1Interface
	discovery discoveryv1client.DiscoveryV1Interface
}

func newClients(config *rest.Config) (clients, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 200, 400 // statuses are written in bursts, to a server in the same process
	var c clients
	var err error
	if c.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return c, err
	}
	if c.core, err = corev1client.NewForConfig(config); err != nil {
		return c, err
	}
	c.discovery, err = discoveryv1client.NewForConfig(config)
	return c, err
}

// watcher keeps a copy of what matters in one cluster.
type watcher struct {
	name    string
	clients clients
	istio   map[string]cache.SharedIndexInformer // by resource
	core    map[string]cache.SharedIndexInformer // services, endpointslices, pods
}

// newWatcher begins to watch; changed is called, often, when anything is
// different.
func newWatcher(ctx context.Context, name string, c clients, changed func()) (*watcher, error) {
	w := &watcher{name: name, clients: c, istio: map[string]cache.SharedIndexInformer{}, core: map[string]cache.SharedIndexInformer{}}
	for _, k := range kinds {
		w.istio[k.gvr.Resource] = cache.NewSharedIndexInformer(dynamically(c.dynamic, k.gvr), &unstructured.Unstructured{}, 0, nil)
	}
	for resource, watched := range map[string]struct {
		lw      cache.ListerWatcher
		example runtime.Object
	}{
		"services":       {typed(c.core, c.core.Services("").List, c.core.Services("").Watch), &corev1.Service{}},
		"pods":           {typed(c.core, c.core.Pods("").List, c.core.Pods("").Watch), &corev1.Pod{}},
		"endpointslices": {typed(c.discovery, c.discovery.EndpointSlices("").List, c.discovery.EndpointSlices("").Watch), &discoveryv1.EndpointSlice{}},
	} {
		w.core[resource] = cache.NewSharedIndexInformer(watched.lw, watched.example, 0, nil)
	}
	for _, set := range []map[string]cache.SharedIndexInformer{w.istio, w.core} {
		for resource, informer := range set {
			if err := prepare(informer, changed); err != nil {
				return nil, fmt.Errorf("watch %s of %s: %w", resource, name, err)
			}
			go informer.RunWithContext(ctx)
		}
	}
	return w, nil
}

// prepare lets an informer report changes, and forget what nobody here reads.
func prepare(informer cache.SharedIndexInformer, changed func()) error {
	err := informer.SetTransform(func(o any) (any, error) {
		if m, ok := o.(metav1.Object); ok {
			m.SetManagedFields(nil)
		}
		if p, ok := o.(*corev1.Pod); ok {
			p.Spec, p.Status = corev1.PodSpec{}, corev1.PodStatus{}
		}
		return o, nil
	})
	if err != nil {
		return err
	}
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { changed() },
		UpdateFunc: func(any, any) { changed() },
		DeleteFunc: func(any) { changed() },
	})
	return err
}

// dynamically watches a resource of every namespace through the dynamic client.
func dynamically(c dynamic.Interface, gvr schema.GroupVersionResource) cache.ListerWatcher {
	return typed(c, c.Resource(gvr).List, c.Resource(gvr).Watch)
}

// typed watches a resource with a client's own methods. What the client is
// decides whether it can begin a watch with the objects that are there.
func typed[L runtime.Object](client any, list func(context.Context, metav1.ListOptions) (L, error),
	watches func(context.Context, metav1.ListOptions) (watch.Interface, error)) cache.ListerWatcher {
	return cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return list(ctx, o) },
		WatchFuncWithContext: watches,
	}, client)
}

func (w *watcher) synced() []cache.InformerSynced {
	var out []cache.InformerSynced
	for _, set := range []map[string]cache.SharedIndexInformer{w.istio, w.core} {
		for _, informer := range set {
			out = append(out, informer.HasSynced)
		}
	}
	return out
}

// snapshot reads everything there is.
func (w *watcher) snapshot() *snapshot {
	return &snapshot{
		gateways:         read(w, gateways, readGateway),
		virtualServices:  read(w, virtualServices, readVirtualService),
		destinationRules: read(w, destinationRules, readDestinationRule),
		serviceEntries:   read(w, serviceEntries, readServiceEntry),
		workloads:        read(w, workloadEntries, readWorkloadEntry),
		authentications:  read(w, peerAuthentications, readPeerAuthentication),
		authorizations:   read(w, authorizations, readAuthorizationPolicy),
		services: readServices(list[*corev1.Service](w.core["services"]),
			list[*discoveryv1.EndpointSlice](w.core["endpointslices"]), list[*corev1.Pod](w.core["pods"])),
	}
}

func read[T any](w *watcher, k kind, one func(*unstructured.Unstructured) T) []T {
	var out []T
	for _, u := range list[*unstructured.Unstructured](w.istio[k.gvr.Resource]) {
		if !own(u) {
			out = append(out, one(u))
		}
	}
	return out
}

func list[T any](informer cache.SharedIndexInformer) []T {
	var out []T
	for _, o := range informer.GetStore().List() {
		out = append(out, o.(T))
	}
	return out
}
