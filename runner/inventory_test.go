package runner

import (
	"context"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
)

// inventoryOf is an inventory of objects in YAML.
func inventoryOf(t *testing.T, objects ...string) *kube.Inventory {
	t.Helper()
	i := &kube.Inventory{Objects: map[string]*kube.Object{}, Unread: map[schema.GroupKind]string{}}
	for _, text := range objects {
		o := &kube.Object{}
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			t.Fatal(err)
		}
		i.Objects[kube.Identity(o)] = o
	}
	return i
}

func TestDifferences(t *testing.T) {
	const (
		policy  = "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: p, namespace: gloo-mesh, labels: {a: b}}, spec: {weight: 40}}"
		other   = "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: p, namespace: gloo-mesh, annotations: {c: d}}, spec: {weight: 50}}"
		config  = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: default}, data: {a: b}}"
		changed = "{apiVersion: v1, kind: ConfigMap, metadata: {name: c, namespace: default}, data: {a: c}}"
		secret  = "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}, data: {a: YQ==}}"
		told    = "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: default}, data: {a: Yg==}}"
	)
	plan := &Plan{named: map[string]bool{"Secret/default/s": true}}
	tests := []struct {
		reason        string
		before, after []string
		want          []string
	}{
		{"the same", []string{policy, config}, []string{policy, config}, nil},
		{"left behind", nil, []string{policy}, []string{"trafficpolicy gloo-mesh/p was not there before"}},
		{"lost", []string{policy}, nil, []string{"trafficpolicy gloo-mesh/p is gone"}},
		{"changed", []string{policy}, []string{other}, []string{
			`trafficpolicy gloo-mesh/p has changed: metadata.annotations was nothing, is {"c":"d"}; metadata.labels was {"a":"b"}, is nothing; spec.weight was 40, is 50`}},
		{"somebody's settings are not the run's", []string{config}, []string{changed}, nil},
		{"what the plan names is, and a secret stays one", []string{secret}, []string{told}, []string{"secret default/s has changed"}},
	}
	for _, tt := range tests {
		got := differences(inventoryOf(t, tt.before...), inventoryOf(t, tt.after...), plan.compared)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %q\nwant %q", tt.reason, got, tt.want)
		}
	}
	unread := inventoryOf(t)
	unread.Unread[schema.GroupKind{Group: "networking.mesh.gloo.solo.io", Kind: "TrafficPolicy"}] = "forbidden"
	if got := differences(unread, inventoryOf(t, policy), plan.compared); len(got) > 0 {
		t.Errorf("what could not be read before is taken for new: %q", got)
	}
	if err := unseen(unread, unread); err != nil {
		t.Errorf("what could be read at no time: %v", err)
	}
	read := &kube.Inventory{Kinds: map[schema.GroupKind]bool{{Group: "networking.mesh.gloo.solo.io", Kind: "TrafficPolicy"}: true}}
	if err := unseen(read, unread); err == nil || !strings.Contains(err.Error(), "list TrafficPolicy.networking.mesh.gloo.solo.io: forbidden") {
		t.Errorf("what can be read no more: %v, want an error", err)
	}
}

func TestWhatAnInventoryReads(t *testing.T) {
	plan := &Plan{kinds: map[schema.GroupKind]bool{{Kind: "ConfigMap"}: true}}
	for kind, want := range map[schema.GroupKind]bool{
		{Group: "networking.istio.io", Kind: "VirtualService"}:            true,
		{Group: "networking.enterprise.mesh.gloo.solo.io", Kind: "Route"}: true,
		{Group: "gateway.networking.k8s.io", Kind: "HTTPRoute"}:           true,
		{Group: "apps", Kind: "Deployment"}:                               true,
		{Kind: "ConfigMap"}:                                               true,
		{Group: "apps", Kind: "ReplicaSet"}:                               false,
		{Kind: "Pod"}:                                                     false,
		{Kind: "Secret"}:                                                  false,
		{Group: "notistio.io", Kind: "X"}:                                 false,
		{Group: "coordination.k8s.io", Kind: "Lease"}:                     false,
		{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: true,
	} {
		if got := plan.read(kind); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

// A whole change of mind: what is applied, changed and deleted is put back in
// reverse order, and the inventory says that nothing is left; then it finds what
// nobody owns up to.
func TestVerifyOnTheSandbox(t *testing.T) {
	policy := func(name string, weight string) string {
		return "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: " + name + ", namespace: gloo-mesh, labels: {weight: w" + weight + "}}}"
	}
	r := onSandbox(t, steps(t, `- apply: {cluster: mgmt, ready: false, objects: [`+policy("assay-one", "1")+`, `+policy("assay-two", "1")+`]}
- apply: {cluster: mgmt, ready: false, objects: [`+policy("assay-one", "2")+`]}
- delete: {cluster: mgmt, objects: [`+policy("assay-two", "1")+`]}
`))
	s := r.plan.Scenarios[0]
	for i := range s.Steps {
		wantStep(t, r, i, record.Passed)
	}
	if left, err := r.compare(t.Context()); err != nil || !slices.Equal(left, []string{"mgmt: trafficpolicy gloo-mesh/assay-one was not there before"}) {
		t.Fatalf("before it is put back: %q, %v", left, err)
	}
	if err := r.PutBack(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, c := range r.record.Scenarios[0].PutBack {
		order = append(order, c.What+" "+c.Name)
	}
	if got, want := strings.Join(order, ", "), "restored assay-two, restored assay-one, deleted assay-two, deleted assay-one"; got != want {
		t.Errorf("put back: %s, want %s", got, want)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as after Ctrl-C
	if err := r.Verify(ctx); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.record.Inventory, "all is as it was before the run: ") {
		t.Errorf("inventory %q", r.record.Inventory)
	}
	t.Log(r.record.Inventory)
}

// What nobody owns up to fails the run, and every report says it.
func TestVerifyFindsWhatIsLeft(t *testing.T) {
	r := onSandbox(t, steps(t, "- assert: {cluster: mgmt, objects: [{apiVersion: v1, kind: Namespace, metadata: {name: gloo-mesh}}]}\n"))
	for _, i := range r.before { // as if it had not been there before the run
		delete(i.Objects, "Namespace//gloo-mesh")
	}
	r.inventoryLimit = inventoryPause / 2
	err := r.Verify(t.Context())
	if err == nil || !strings.Contains(err.Error(), "mgmt: namespace gloo-mesh was not there before") {
		t.Fatalf("got %v", err)
	}
	if got := r.record.Scenarios[0].PutBackError; !strings.Contains(got, "namespace gloo-mesh was not there before") || r.record.Inventory != "not everything is as it was before the run" {
		t.Errorf("the record says %q and %q", got, r.record.Inventory)
	}
}
