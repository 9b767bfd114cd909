package gloomesh

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

// A fakeCluster is client-go's fake with server-side apply by a single manager:
// what is applied becomes the object, its status stays.
type fakeCluster struct {
	*fake.FakeDynamicClient
	mu     sync.Mutex
	writes []string                 // "apply VirtualService gloo-mesh/x", "status …", "delete …"
	broken func(write string) error // nil: nothing is
}

func newFakeCluster(objects ...*unstructured.Unstructured) *fakeCluster {
	listKinds := map[schema.GroupVersionResource]string{services: "ServiceList"}
	for kind, resource := range kinds {
		listKinds[resource] = kind + "List"
	}
	for kind, resource := range istioKinds {
		listKinds[resource] = kind + "List"
	}
	for kind, resource := range discoveredKinds {
		listKinds[resource] = kind + "List"
	}
	f := &fakeCluster{FakeDynamicClient: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), listKinds)}
	f.PrependReactor("patch", "*", f.patch)
	f.PrependReactor("update", "*", f.update)
	f.PrependReactor("delete", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		d := a.(clienttesting.DeleteAction)
		err := f.note("delete " + kindOf(a.GetResource()) + " " + a.GetNamespace() + "/" + d.GetName())
		return err != nil, nil, err
	})
	for _, u := range objects {
		f.put(u)
	}
	return f
}

func kindOf(resource schema.GroupVersionResource) string {
	for _, set := range []map[string]schema.GroupVersionResource{kinds, discoveredKinds, istioKinds, {"Service": services}} {
		for kind, r := range set {
			if r == resource {
				return kind
			}
		}
	}
	return resource.Resource
}

func resourceOf(kind string) schema.GroupVersionResource {
	for _, set := range []map[string]schema.GroupVersionResource{kinds, discoveredKinds, istioKinds, {"Service": services}} {
		if r, ok := set[kind]; ok {
			return r
		}
	}
	panic("no resource for " + kind)
}

func (f *fakeCluster) note(write string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes = append(f.writes, write)
	if f.broken != nil {
		return f.broken(write)
	}
	return nil
}

// drain gives what was written since it was asked last.
func (f *fakeCluster) drain() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.writes = nil }()
	return f.writes
}

func (f *fakeCluster) breakWith(broken func(string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = broken
}

// put creates or replaces an object as a user would, with generation and version.
func (f *fakeCluster) put(u *unstructured.Unstructured) {
	u = u.DeepCopy()
	resource := resourceOf(u.GetKind())
	old, err := f.Tracker().Get(resource, u.GetNamespace(), u.GetName())
	if apierrors.IsNotFound(err) {
		u.SetUID(types.UID(u.GetKind() + u.GetName()))
		u.SetGeneration(1)
		u.SetResourceVersion("1")
		must(f.Tracker().Create(resource, u, u.GetNamespace()))
		return
	}
	must(err)
	before := old.(*unstructured.Unstructured)
	u.SetUID(before.GetUID())
	u.SetGeneration(before.GetGeneration() + 1)
	u.SetResourceVersion(next(before.GetResourceVersion()))
	u.Object["status"] = before.Object["status"]
	must(f.Tracker().Update(resource, u, u.GetNamespace()))
}

func next(version string) string {
	n, _ := strconv.Atoi(version)
	return strconv.Itoa(n + 1)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// patch is server-side apply.
func (f *fakeCluster) patch(a clienttesting.Action) (bool, runtime.Object, error) {
	p := a.(clienttesting.PatchAction)
	if p.GetPatchType() != types.ApplyPatchType {
		return true, nil, fmt.Errorf("want apply, got %s", p.GetPatchType())
	}
	verb := "apply"
	if a.GetSubresource() == "status" {
		verb = "status"
	}
	if err := f.note(verb + " " + kindOf(a.GetResource()) + " " + a.GetNamespace() + "/" + p.GetName()); err != nil {
		return true, nil, err
	}
	now := &unstructured.Unstructured{}
	must(json.Unmarshal(p.GetPatch(), &now.Object))
	normal(now.Object)
	old, err := f.Tracker().Get(a.GetResource(), a.GetNamespace(), p.GetName())
	switch {
	case apierrors.IsNotFound(err) && verb == "status":
		return true, nil, err
	case apierrors.IsNotFound(err):
		now.SetUID(types.UID(p.GetName()))
		now.SetGeneration(1)
		now.SetResourceVersion("1")
		must(f.Tracker().Create(a.GetResource(), now, a.GetNamespace()))
		return true, now, nil
	}
	must(err)
	u := old.(*unstructured.Unstructured).DeepCopy()
	if verb == "status" {
		u.Object["status"] = now.Object["status"]
	} else {
		spec, _ := u.Object["spec"].(map[string]any)
		if u.GetLabels()[ownerLabel] != ownerValue { // somebody else's fields stay
			spec = maps.Clone(spec)
			maps.Copy(spec, now.Object["spec"].(map[string]any))
			now.Object["spec"] = spec
		}
		u.Object["spec"] = now.Object["spec"]
		u.SetLabels(now.GetLabels())
		u.SetAnnotations(now.GetAnnotations())
	}
	if encoded(u.Object) != encoded(old.(*unstructured.Unstructured).Object) { // the same again changes nothing
		u.SetResourceVersion(next(u.GetResourceVersion()))
		must(f.Tracker().Update(a.GetResource(), u, a.GetNamespace()))
	}
	return true, u, nil
}

// update replaces an object, whoever says what of it.
func (f *fakeCluster) update(a clienttesting.Action) (bool, runtime.Object, error) {
	u := a.(clienttesting.UpdateAction).GetObject().(*unstructured.Unstructured).DeepCopy()
	if err := f.note("update " + u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()); err != nil {
		return true, nil, err
	}
	u.SetResourceVersion(next(u.GetResourceVersion()))
	must(f.Tracker().Update(a.GetResource(), u, a.GetNamespace()))
	return true, u, nil
}

func (f *fakeCluster) object(t *testing.T, kind, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	o, err := f.Tracker().Get(resourceOf(kind), namespace, name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return o.(*unstructured.Unstructured)
}

func (f *fakeCluster) remove(t *testing.T, kind, namespace, name string) {
	t.Helper()
	if err := f.Tracker().Delete(resourceOf(kind), namespace, name); err != nil {
		t.Fatal(err)
	}
}

// serviceObjects are a cluster's services as its API server would have them.
func serviceObjects(c Cluster) []*unstructured.Unstructured {
	var out []*unstructured.Unstructured
	for _, s := range c.Services {
		var ports, ingress []any
		for _, p := range s.Ports {
			ports = append(ports, map[string]any{"name": p.Name, "port": p.Number, "targetPort": p.TargetPort})
		}
		for _, a := range s.Addresses {
			ingress = append(ingress, map[string]any{"ip": a})
		}
		u := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "v1", "kind": "Service",
			"metadata": map[string]any{"namespace": s.Namespace, "name": s.Name},
			"spec":     map[string]any{"ports": ports, "selector": textsAny(s.Selector)},
			"status":   map[string]any{"loadBalancer": map[string]any{"ingress": ingress}},
		}}
		u.SetLabels(s.Labels)
		out = append(out, u)
	}
	return out
}

// mesh is a running controller and its clusters, in a bubble of fake time.
type mesh struct {
	mgmt, one, two *fakeCluster
}

func startMesh(t *testing.T) *mesh {
	clusters := tutorialClusters()
	m := &mesh{newFakeCluster(), newFakeCluster(serviceObjects(clusters[0])...), newFakeCluster(serviceObjects(clusters[1])...)}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	c := newController(m.mgmt, map[string]dynamic.Interface{"cluster1": m.one, "cluster2": m.two}, nil)
	if err := c.watch(ctx); err != nil {
		t.Fatal(err)
	}
	go c.run(ctx)
	t.Cleanup(func() { cancel(); synctest.Wait() })
	return m
}

// settle waits until nobody has anything to do at the moment.
func settle() {
	time.Sleep(10 * debounce) // of the bubble's time: no test waits for it
	synctest.Wait()
}

func (m *mesh) apply(t *testing.T, files ...string) {
	t.Helper()
	for _, u := range fromFiles(t, files...) {
		m.mgmt.put(u)
	}
	settle()
}

func (m *mesh) state(t *testing.T, kind, name string) string {
	t.Helper()
	u := m.mgmt.object(t, kind, "gloo-mesh", name)
	if u == nil {
		t.Fatalf("no %s %s", kind, name)
	}
	state, _, _ := unstructured.NestedString(u.Object, "status", "state")
	seen, _, _ := unstructured.NestedInt64(u.Object, "status", "observedGeneration")
	if seen != u.GetGeneration() {
		t.Errorf("%s %s: observedGeneration %d, want %d", kind, name, seen, u.GetGeneration())
	}
	return state
}
