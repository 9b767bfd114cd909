package gloomesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
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

	"github.com/meshassay/assay/sandbox/resync"
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

func TestControllerFollowsWhatIsApplied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.apply(t, virtualMeshFile, gatewayFile, divideFile)
		for _, cluster := range []*fakeCluster{m.one, m.two} {
			vs := cluster.object(t, "VirtualService", "gloo-mesh", "bgc-virtualhost-gloo-mesh")
			if vs == nil {
				t.Fatal("no VirtualService")
			}
			http, _, _ := unstructured.NestedSlice(vs.Object, "spec", "http")
			if route := http[0].(map[string]any)["route"].([]any); len(route) != 3 {
				t.Errorf("got %d destinations, want 3", len(route))
			}
		}
		for kind, name := range map[string]string{"VirtualMesh": "bgc-virtual-mesh", "VirtualGateway": "bgc-virtualgateway",
			"VirtualHost": "bgc-virtualhost", "RouteTable": "blue-green-canary", "TrafficPolicy": "blue-green-canary"} {
			if got := m.state(t, kind, name); got != accepted {
				t.Errorf("%s is %s", kind, got)
			}
		}

		m.apply(t, canaryFile) // the same object again
		if got := m.state(t, "TrafficPolicy", "blue-green-canary"); got != accepted {
			t.Errorf("the policy is %s", got)
		}
		if m.one.object(t, "DestinationRule", "blue-green-canary", "blue-green-canary") != nil {
			t.Error("the DestinationRule for blue is still there, though nothing points to a subset of it")
		}

		m.mgmt.remove(t, "TrafficPolicy", "gloo-mesh", "blue-green-canary")
		settle()
		if m.two.object(t, "DestinationRule", "gloo-mesh", "blue-green-canary.vm-blue-green-canary.svc.cluster1.global") != nil {
			t.Error("the DestinationRule for canary is still there without the policy")
		}
		m.mgmt.remove(t, "VirtualGateway", "gloo-mesh", "bgc-virtualgateway")
		settle()
		if m.two.object(t, "VirtualService", "gloo-mesh", "bgc-virtualhost-gloo-mesh") != nil {
			t.Error("the VirtualService is still there without its gateway")
		}
	})
}

func TestControllerComesToRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.apply(t, virtualMeshFile, gatewayFile, divideFile)
		first := m.one.drain()
		seen := map[string]int{}
		for _, w := range first {
			seen[w]++
		}
		for w, n := range seen {
			if n > 2 { // once more, before its own write has come back, does no harm
				t.Errorf("%s: written %d times", w, n)
			}
		}
		m.mgmt.drain()
		m.two.drain()
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, cluster := range []*fakeCluster{m.mgmt, m.one, m.two} {
			if more := cluster.drain(); len(more) > 0 {
				t.Errorf("it still writes with nothing to do: %q", more)
			}
		}
	})
}

func TestControllerRepairsWhatOthersChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.apply(t, virtualMeshFile, gatewayFile)
		name := "bgc-virtualhost-gloo-mesh"
		vs := m.one.object(t, "VirtualService", "gloo-mesh", name).DeepCopy()
		must(unstructured.SetNestedSlice(vs.Object, []any{"elsewhere.example.com"}, "spec", "hosts"))
		m.one.put(vs)
		m.two.remove(t, "VirtualService", "gloo-mesh", name)
		settle()
		for _, cluster := range []*fakeCluster{m.one, m.two} {
			vs := cluster.object(t, "VirtualService", "gloo-mesh", name)
			if vs == nil {
				t.Fatal("the deleted VirtualService did not come back")
			}
			if hosts, _, _ := unstructured.NestedStringSlice(vs.Object, "spec", "hosts"); len(hosts) != 1 || hosts[0] != "*" {
				t.Errorf("got hosts %q, want *", hosts)
			}
		}
	})
}

// A subset that routes point to must be there before them and until after them.
func TestControllerWritesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.apply(t, virtualMeshFile, gatewayFile, divideFile)
		m.two.drain()
		check := func() {
			vs := m.two.object(t, "VirtualService", "gloo-mesh", "bgc-virtualhost-gloo-mesh")
			http, _, _ := unstructured.NestedSlice(vs.Object, "spec", "http")
			for _, r := range http {
				for _, d := range r.(map[string]any)["route"].([]any) {
					to := d.(map[string]any)["destination"].(map[string]any)
					if subset, ok := to["subset"].(string); ok && !m.declares(t, to["host"].(string), subset) {
						t.Errorf("a route points to subset %s of %s, which is not declared", subset, to["host"])
					}
				}
			}
		}
		m.two.breakWith(func(string) error { check(); return nil }) // before every write
		m.apply(t, canaryFile)
		m.apply(t, divideFile)
		teal, err := os.ReadFile(divideFile) // another subset of the same service
		if err != nil {
			t.Fatal(err)
		}
		m.mgmt.put(fromText(t, strings.ReplaceAll(string(teal), "version: green", "version: teal"))[0])
		settle()
		if m.declares(t, "blue-green-canary.blue-green-canary.svc.cluster.local", "version-green") {
			t.Error("the subset that nobody points to any more is still declared")
		}
		m.mgmt.remove(t, "TrafficPolicy", "gloo-mesh", "blue-green-canary")
		settle()
		check()
		if len(m.two.drain()) == 0 {
			t.Error("nothing was written")
		}
	})
}

func (m *mesh) declares(t *testing.T, host, subset string) bool {
	// Not through the client: it holds its lock while it asks here.
	list, err := m.two.Tracker().List(istioKinds["DestinationRule"], schema.GroupVersionKind{Group: "networking.istio.io", Version: "v1", Kind: "DestinationRule"}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list.(*unstructured.UnstructuredList).Items {
		h, _, _ := unstructured.NestedString(u.Object, "spec", "host")
		subsets, _, _ := unstructured.NestedSlice(u.Object, "spec", "subsets")
		for _, s := range subsets {
			if h == host && s.(map[string]any)["name"] == subset {
				return true
			}
		}
	}
	return false
}

func TestControllerSaysWhatItCouldNotWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.two.breakWith(func(write string) error {
			if write == "apply VirtualService gloo-mesh/bgc-virtualhost-gloo-mesh" {
				return errors.New("disk full")
			}
			return nil
		})
		m.apply(t, virtualMeshFile, gatewayFile)
		if got := m.state(t, "VirtualHost", "bgc-virtualhost"); got != failed {
			t.Errorf("the VirtualHost is %s, want FAILED while its VirtualService cannot be written", got)
		}
		u := m.mgmt.object(t, "VirtualHost", "gloo-mesh", "bgc-virtualhost")
		errs, _, _ := unstructured.NestedStringSlice(u.Object, "status", "errors")
		want := "write VirtualService gloo-mesh/bgc-virtualhost-gloo-mesh to cluster2: disk full"
		if len(errs) != 1 || errs[0] != want {
			t.Errorf("got errors %q, want %q", errs, want)
		}
		if got := m.state(t, "VirtualGateway", "bgc-virtualgateway"); got != accepted {
			t.Errorf("the VirtualGateway is %s, though only the VirtualService failed", got)
		}

		m.two.drain()
		time.Sleep(time.Minute)
		synctest.Wait()
		if tries := len(m.two.drain()); tries < 5 || tries > 20 {
			t.Errorf("tried %d times within a minute, want about ten, later each time", tries)
		}

		m.two.breakWith(nil)
		time.Sleep(resync.Longest)
		settle()
		if got := m.state(t, "VirtualHost", "bgc-virtualhost"); got != accepted {
			t.Errorf("the VirtualHost is %s after all was well again", got)
		}
	})
}

// The gateway's address comes later than the virtual mesh: nobody has to apply
// anything again.
func TestControllerFollowsServices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		service := m.two.object(t, "Service", "istio-system", "istio-ingressgateway").DeepCopy()
		without := service.DeepCopy()
		must(m.two.Tracker().Update(services, func() *unstructured.Unstructured { delete(without.Object, "status"); return without }(), "istio-system"))
		m.apply(t, virtualMeshFile)
		if got := m.state(t, "VirtualMesh", "bgc-virtual-mesh"); got != invalid {
			t.Errorf("the VirtualMesh is %s, want INVALID without an address of cluster2", got)
		}
		must(m.two.Tracker().Update(services, service, "istio-system"))
		settle()
		if got := m.state(t, "VirtualMesh", "bgc-virtual-mesh"); got != accepted {
			t.Errorf("the VirtualMesh is %s, want ACCEPTED once there is an address", got)
		}
	})
}
