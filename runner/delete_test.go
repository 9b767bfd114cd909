package runner

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/scenario"
)

var configMap = schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}

// live reads a ConfigMap of mgmt; nil when there is none.
func live(t *testing.T, r *Run, name string) *kube.Object {
	t.Helper()
	o, err := r.clusters["mgmt"].Get(context.WithoutCancel(t.Context()), configMap, "default", name)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// What a scenario deletes is, afterwards, as it was: labels, annotations, data
// and who owns which field; and what it made in between is gone.
func TestDeleteIsPutBack(t *testing.T) {
	r := onSandbox(t, steps(t, `- delete: {cluster: mgmt, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-delete}}, {apiVersion: v1, kind: ConfigMap, metadata: {name: assay-never, namespace: default}}]}
- assert: {cluster: mgmt, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-delete}}], count: 0}
- apply: {cluster: mgmt, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-delete, namespace: default}, data: {other: x}}]}
- delete: {cluster: mgmt, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-delete, namespace: default}}]}
`))
	c := r.clusters["mgmt"]
	theirs := &kube.Object{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{
			"name": "assay-delete", "namespace": "default",
			"labels": map[string]any{"team": "mesh"}, "annotations": map[string]any{"why": "a test"},
		},
		"data": map[string]any{"a": "b"},
	}}
	if _, err := c.Apply(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Delete(context.WithoutCancel(t.Context()), theirs) })
	before := live(t, r, "assay-delete")
	got := wantStep(t, r, 0, record.Passed)
	if len(got.Changes) != 1 || got.Changes[0].Name != "assay-delete" || got.Changes[0].What != record.Deleted {
		t.Errorf("changes %+v, want the one that was there", got.Changes)
	}
	if text := strings.Join(got.Notes, "\n"); text != "mgmt: configmap default/assay-never was not there" {
		t.Errorf("notes %q", text)
	}
	for i := 1; i < 4; i++ {
		wantStep(t, r, i, record.Passed)
	}
	if o := live(t, r, "assay-delete"); o != nil {
		t.Fatal("it is still there")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // as after Ctrl-C
	if err := r.PutBack(ctx, r.plan.Scenarios[0]); err != nil {
		t.Fatal(err)
	}
	after := live(t, r, "assay-delete")
	if after == nil || !kube.Same(before, after) {
		t.Fatalf("put back as %v, want %v", after, before)
	}
	if diff := cmp.Diff(fields(before), fields(after)); diff != "" {
		t.Errorf("owners of fields (-want +got):\n%s", diff)
	}
}

// fields are who owns what of an object.
func fields(o *kube.Object) []string {
	var all []string
	for _, f := range o.GetManagedFields() {
		all = append(all, f.Manager+" "+string(f.Operation)+" "+f.FieldsV1.GetRawString())
	}
	return all
}

// A kind that is not there is a mistake in the scenario, or the wrong cluster.
func TestDeleteRefusesAKindThatIsNotServed(t *testing.T) {
	r := onSandbox(t, steps(t, "- delete: {cluster: cluster1, objects: [{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: x, namespace: gloo-mesh}}]}\n"))
	wantStep(t, r, 0, record.Failed, "cluster1", "serves no networking.mesh.gloo.solo.io/v1 TrafficPolicy")
}

// A child deletes what its parent made: undone, it is another object of the same
// name, which the parent must find to take away.
func TestWhatIsMadeAnewIsTakenAwayByItsMaker(t *testing.T) {
	const object = "{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-anew, namespace: default}}"
	set := steps(t, "- apply: {cluster: mgmt, objects: ["+object+"]}\n")
	child, ms := scenario.Parse("child.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: child\nneeds: s\nsteps:\n- delete: {cluster: mgmt, objects: ["+object+"]}\n"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	r := onSandbox(t, append(set, child))
	parent := r.plan.Scenarios[0]
	for _, s := range r.plan.Scenarios {
		if got := r.Step(t.Context(), s.Steps[0]); got.State != record.Passed {
			t.Fatal(got.Error)
		}
	}
	if err := r.PutBack(t.Context(), r.plan.Scenarios[1]); err != nil {
		t.Fatal(err)
	}
	if live(t, r, "assay-anew") == nil {
		t.Fatal("the child's deletion is not undone")
	}
	if err := r.PutBack(t.Context(), parent); err != nil {
		t.Fatal(err)
	}
	if o := live(t, r, "assay-anew"); o != nil {
		t.Errorf("the parent left %v", o)
	}
}
