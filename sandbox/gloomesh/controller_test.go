package gloomesh

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/sandbox/resync"
)

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

		ofPolicy := map[string]*unstructured.Unstructured{}
		look := func() {
			ofPolicy["the DestinationRule for canary"] = m.two.object(t, "DestinationRule", "istio-system", "blue-green-canary-vm-blue-green-canary-cluster1")
			ofPolicy["the VirtualService for calls in cluster1"] = m.one.object(t, "VirtualService", "blue-green-canary", "blue-green-canary")
			ofPolicy["the VirtualService for calls in cluster2"] = m.two.object(t, "VirtualService", "istio-system", "blue-green-canary-blue-green-canary-cluster1")
		}
		look()
		for what, u := range ofPolicy {
			if u == nil {
				t.Fatalf("%s is not there", what)
			}
		}
		if got, want := ofPolicy["the VirtualService for calls in cluster2"].GetAnnotations(), map[string]string{
			"federation.networking.mesh.gloo.solo.io": "blue-green-canary.blue-green-canary.cluster1",
			"parents.networking.mesh.gloo.solo.io":    `{"networking.mesh.gloo.solo.io/v1, Kind=VirtualMesh":[{"name":"bgc-virtual-mesh","namespace":"gloo-mesh"}]}`,
		}; !maps.Equal(got, want) {
			t.Errorf("annotations %q, want %q", got, want)
		}
		m.mgmt.remove(t, "TrafficPolicy", "gloo-mesh", "blue-green-canary")
		settle()
		look()
		for what, u := range ofPolicy {
			if u != nil {
				t.Errorf("%s is still there without the policy", what)
			}
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

// What somebody else has under a name that Gloo Mesh writes becomes its own as a
// whole, as in Gloo Mesh: nothing of the other's is mixed with it.
func TestControllerReplacesWhatStandsUnderItsName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := startMesh(t)
		m.one.put(istioObject("VirtualService", "blue-green-canary", "blue-green-canary", map[string]any{
			"hosts": []any{"*"}, "gateways": []any{"bgc-gateway"}, "exportTo": []any{"*"}, "http": []any{},
		}))
		m.apply(t, virtualMeshFile, gatewayFile, divideFile)
		vs := m.one.object(t, "VirtualService", "blue-green-canary", "blue-green-canary")
		if got := slices.Sorted(maps.Keys(vs.Object["spec"].(map[string]any))); !slices.Equal(got, []string{"hosts", "http"}) {
			t.Errorf("its spec has %q, want hosts and http", got)
		}
		m.one.drain()
		m.apply(t, gatewayFile) // once more, with nothing new
		if more := m.one.drain(); len(more) > 0 {
			t.Errorf("it still writes: %q", more)
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
