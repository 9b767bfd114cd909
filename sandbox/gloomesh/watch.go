package gloomesh

import (
	"context"
	"maps"
	"sort"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/tools/cache"
)

// A watched is a cluster with a copy of some of its resources.
type watched struct {
	client    dynamic.Interface
	informers map[schema.GroupVersionResource]cache.SharedIndexInformer
}

func newWatched(client dynamic.Interface) *watched {
	return &watched{client: client, informers: map[schema.GroupVersionResource]cache.SharedIndexInformer{}}
}

// add watches a resource in all namespaces, or what of it has a label.
func (w *watched) add(resource schema.GroupVersionResource, label string) {
	tweak := func(o *metav1.ListOptions) { o.LabelSelector = label }
	w.informers[resource] = dynamicinformer.NewFilteredDynamicInformer(w.client, resource, metav1.NamespaceAll, 0, cache.Indexers{}, tweak).Informer()
}

func (w *watched) start(ctx context.Context, changed func()) ([]cache.InformerSynced, error) {
	var synced []cache.InformerSynced
	for _, informer := range w.informers {
		err := informer.SetTransform(func(o any) (any, error) {
			if m, ok := o.(metav1.Object); ok {
				m.SetManagedFields(nil) // often more than the object itself, and nobody here reads it
			}
			return o, nil
		})
		if err != nil {
			return nil, err
		}
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { changed() },
			UpdateFunc: func(any, any) { changed() },
			DeleteFunc: func(any) { changed() },
		}); err != nil {
			return nil, err
		}
		synced = append(synced, informer.HasSynced)
		go informer.RunWithContext(ctx)
	}
	return synced, nil
}

// list gives the copies of a resource, which are not to be changed.
func (w *watched) list(resource schema.GroupVersionResource) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, o := range w.informers[resource].GetStore().List() {
		out = append(out, o.(*unstructured.Unstructured))
	}
	return out
}

func (w *watched) get(resource schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	o, ok, _ := w.informers[resource].GetStore().GetByKey(namespace + "/" + name)
	if !ok {
		return nil
	}
	return o.(*unstructured.Unstructured)
}

// snapshot is what all clusters say at the moment. What is being deleted in the
// management cluster counts as gone.
func (c *controller) snapshot() Snapshot {
	var s Snapshot
	for resource := range c.mgmt.informers {
		for _, u := range c.mgmt.list(resource) {
			if u.GetDeletionTimestamp() == nil {
				s.Objects = append(s.Objects, u)
			}
		}
	}
	for name, w := range c.clusters {
		cluster := Cluster{Name: name}
		for _, u := range w.list(services) {
			cluster.Services = append(cluster.Services, serviceOf(u))
		}
		sort.Slice(cluster.Services, func(i, j int) bool {
			a, b := cluster.Services[i], cluster.Services[j]
			return a.Namespace+"/"+a.Name < b.Namespace+"/"+b.Name
		})
		s.Clusters = append(s.Clusters, cluster)
	}
	sort.Slice(s.Clusters, func(i, j int) bool { return s.Clusters[i].Name < s.Clusters[j].Name })
	return s
}

// serviceOf takes from a Service what matters.
func serviceOf(u *unstructured.Unstructured) Service {
	s := Service{Namespace: u.GetNamespace(), Name: u.GetName(), Labels: maps.Clone(u.GetLabels())}
	s.Selector, _, _ = unstructured.NestedStringMap(u.Object, "spec", "selector")
	ports, _, _ := unstructured.NestedSlice(u.Object, "spec", "ports")
	for _, p := range ports {
		port, _ := p.(map[string]any)
		one := Port{}
		one.Name, _ = port["name"].(string)
		one.Number, _ = port["port"].(int64)
		one.TargetPort, _ = port["targetPort"].(int64) // a name stays 0
		s.Ports = append(s.Ports, one)
	}
	ingress, _, _ := unstructured.NestedSlice(u.Object, "status", "loadBalancer", "ingress")
	for _, i := range ingress {
		at, _ := i.(map[string]any)
		for _, field := range []string{"ip", "hostname"} {
			if address, _ := at[field].(string); address != "" {
				s.Addresses = append(s.Addresses, address)
				break
			}
		}
	}
	return s
}
