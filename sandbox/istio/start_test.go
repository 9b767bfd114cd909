package istio

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/fake"
	corefake "k8s.io/client-go/kubernetes/typed/core/v1/fake"
	discoveryfake "k8s.io/client-go/kubernetes/typed/discovery/v1/fake"
	"k8s.io/client-go/rest"
	clienttest "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/fault"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/vm"
	sandbox "github.com/meshassay/assay/sandbox/workload"
)

// Fakes cannot begin a watch with what is there, and have to say so.
type (
	fakeCore      struct{ corefake.FakeCoreV1 }
	fakeDiscovery struct{ discoveryfake.FakeDiscoveryV1 }
)

func (*fakeCore) IsWatchListSemanticsUnSupported() bool      { return true }
func (*fakeDiscovery) IsWatchListSemanticsUnSupported() bool { return true }

// fakeCluster serves the objects of a file, and tells of every status written.
func fakeCluster(t *testing.T, file string, statuses chan<- *unstructured.Unstructured) clients {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, discoveryv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	tracker := clienttest.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	core := &clienttest.Fake{}
	core.AddReactor("*", "*", clienttest.ObjectReaction(tracker))
	core.AddWatchReactor("*", func(a clienttest.Action) (bool, watch.Interface, error) {
		w, err := tracker.Watch(a.GetResource(), a.GetNamespace())
		return true, w, err
	})
	lists := map[schema.GroupVersionResource]string{fault.Resource: "FaultList"}
	for _, k := range kinds {
		lists[k.gvr] = k.kind + "List"
	}
	d := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists)
	if file != "" {
		for _, doc := range bytes.Split(readFile(t, file), []byte("\n---\n")) {
			add(t, doc, d, tracker)
		}
	}
	d.PrependReactor("patch", "*", func(a clienttest.Action) (bool, runtime.Object, error) {
		p := a.(clienttest.PatchAction)
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(p.GetPatch(), &u.Object); err != nil {
			t.Error(err)
		}
		u.SetName(p.GetName())
		statuses <- u
		return false, nil, nil
	})
	return clients{d, &fakeCore{corefake.FakeCoreV1{Fake: core}}, &fakeDiscovery{discoveryfake.FakeDiscoveryV1{Fake: core}}}
}

func add(t *testing.T, doc []byte, d *fake.FakeDynamicClient, tracker clienttest.ObjectTracker) {
	t.Helper()
	u := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(doc, &u.Object); err != nil {
		t.Fatal(err)
	}
	var typed runtime.Object
	switch u.GetKind() {
	case "Service":
		typed = &corev1.Service{}
	case "Pod":
		typed = &corev1.Pod{}
	case "EndpointSlice":
		typed = &discoveryv1.EndpointSlice{}
	default:
		for _, k := range kinds {
			if k.kind == u.GetKind() {
				if err := d.Tracker().Create(k.gvr, u, u.GetNamespace()); err != nil {
					t.Fatal(err)
				}
			}
		}
		return
	}
	if err := yaml.UnmarshalStrict(doc, typed); err != nil {
		t.Fatal(err)
	}
	if err := tracker.Add(typed); err != nil {
		t.Fatal(err)
	}
}

// The tutorial's clusters, whole but for the API servers: objects to watch,
// gateways, services, the VM, faults.
func TestStart(t *testing.T) {
	n := network.New()
	for ip, color := range map[string]string{"10.244.1.1": "blue", "10.244.1.2": "blue", "10.244.129.1": "green"} {
		s, err := sandbox.Start(sandbox.Spec{Image: "blue-green-canary", Env: map[string]string{"BLUE_GREEN_CANARY_COLOR": color}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		n.Register(ip, 3000, s.Addr())
	}
	machine, err := vm.Start("192.168.64.10", n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { machine.Close() })

	statuses := make(chan *unstructured.Unstructured, 100)
	faults := make(chan *unstructured.Unstructured, 100)
	byHost := map[string]clients{
		"cluster1": fakeCluster(t, "testdata/tutorial/cluster1.yaml", statuses),
		"cluster2": fakeCluster(t, "testdata/tutorial/cluster2.yaml", statuses),
		"mgmt":     fakeCluster(t, "", faults),
	}
	o := Options{Network: n, VM: machine, Mgmt: &rest.Config{Host: "mgmt"}}
	for _, name := range []string{"cluster1", "cluster2"} {
		g, err := gateway.Listen(name, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Close() })
		o.Clusters = append(o.Clusters, Cluster{name, &rest.Config{Host: name}, g})
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := start(ctx, o, func(c *rest.Config) (clients, error) { return byHost[c.Host], nil }); err != nil {
		t.Fatal(err)
	}
	one, two := o.Clusters[0].Gateway, o.Clusters[1].Gateway

	// Dealt in blocks, the shares are exact; ACCEPTED says that it is in force.
	lie(t, byHost["mgmt"], faults, "blocks", map[string]any{"blocks": map[string]any{"size": int64(10)}})
	if got := colors(t, one, 20); got != "bbbbggggyybbbbggggyy" {
		t.Errorf("cluster1 answers %s", got)
	}
	if got := colors(t, two, 20); got != "bbbbgggg..bbbbgggg.." { // nobody federated the VM's service there
		t.Errorf("cluster2 answers %s", got)
	}
	lie(t, byHost["mgmt"], faults, "vm", map[string]any{"vmDown": map[string]any{}})
	if got := colors(t, one, 10); got != "bbbbggggxx" {
		t.Errorf("with the VM down cluster1 answers %s", got)
	}

	// Every object that is not the sandbox's own is reported on, once.
	for seen := 0; seen < 12; seen++ {
		u := <-statuses
		if c, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions"); len(c) != 1 || c[0].(map[string]any)["status"] != "True" {
			t.Errorf("%s is reported as %v", u.GetName(), c)
		}
	}

	// An object that changes changes the routes.
	vs := byHost["cluster1"].dynamic.Resource(virtualServices.gvr).Namespace("gloo-mesh")
	u, err := vs.Get(ctx, "bgc-virtualhost-gloo-mesh", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	u.SetGeneration(7)
	routes, _, _ := unstructured.NestedSlice(u.Object, "spec", "http")
	routes[0].(map[string]any)["route"] = routes[0].(map[string]any)["route"].([]any)[1:2]
	if err := unstructured.SetNestedSlice(u.Object, routes, "spec", "http"); err != nil {
		t.Fatal(err)
	}
	if _, err := vs.Update(ctx, u, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	for got := ""; got != "gggggggggg"; { // or the test hangs
		got = colors(t, one, 10)
	}
}

func TestChangesAreGathered(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	for _, test := range []struct {
		name    string
		changes []int // ms
		want    int
	}{
		{"one change waits for what belongs to it", []int{1000}, 1010},
		{"the last of several counts", []int{1000, 1002, 1009}, 1019},
		{"changes that never end are built all the same", []int{1000, 1009, 1018, 1027, 1036, 1045}, 1050},
	} {
		var g gathering
		for _, ms := range test.changes {
			g.add(at(ms))
		}
		if got := g.end(); !got.Equal(at(test.want)) || !g.first.Equal(at(1000)) {
			t.Errorf("%s: got the end at %d ms from %d, want %d from 1000", test.name, got.UnixMilli(), g.first.UnixMilli(), test.want)
		}
	}
}

// lie creates a Fault and waits until it is in force.
func lie(t *testing.T, mgmt clients, faults <-chan *unstructured.Unstructured, name string, spec map[string]any) {
	t.Helper()
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "sandbox.assay/v1", "kind": "Fault", "metadata": map[string]any{"name": name}, "spec": spec}}
	if _, err := mgmt.dynamic.Resource(fault.Resource).Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for got := range faults {
		if state, _, _ := unstructured.NestedString(got.Object, "status", "state"); got.GetName() == name {
			if state != "ACCEPTED" {
				t.Fatalf("fault %s is %s", name, state)
			}
			return
		}
	}
}

// colors asks a gateway so many times: the answers' first letters, x for a
// service that is down and . for one that is unknown.
func colors(t *testing.T, g *gateway.Gateway, n int) string {
	t.Helper()
	var b strings.Builder
	for range n {
		resp, err := http.Get("http://" + g.Addr() + "/api")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		var a struct{ Color string }
		switch {
		case resp.StatusCode == 200 && json.Unmarshal(body, &a) == nil && a.Color != "":
			b.WriteString(a.Color[:1])
		case strings.Contains(string(body), "Connection refused"):
			b.WriteString("x")
		case resp.StatusCode == 503 && len(body) == 0:
			b.WriteString(".")
		default:
			b.WriteString("?")
		}
	}
	return b.String()
}
