package runner

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/scenario"
)

// needsKubectl skips a test on a machine without it: nothing but Go is promised.
func needsKubectl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("needs kubectl")
	}
}

// What a script touches is put back exactly, who owns which field included, and
// what it touches without a word about it fails the run.
func TestWhatAScriptTouchesIsPutBack(t *testing.T) {
	needsKubectl(t)
	script := strings.Join([]string{
		`kubectl --context="$MGMT" create configmap assay-run-made --from-literal=a=b`,
		`kubectl --context="$MGMT" label configmap assay-run-theirs why=run`,
		`kubectl --context="$MGMT" delete configmap assay-run-gone`,
		`kubectl --context="$CLUSTER1" create namespace assay-run-left`,
	}, " && ")
	r := onSandbox(t, steps(t, fmt.Sprintf(`- run:
    command: %q
    output: {contains: labeled}
    touches:
    - mgmt/configmaps/default/assay-run-made
    - mgmt/configmaps/default/assay-run-theirs
    - mgmt/configmaps/default/assay-run-gone
    - mgmt/configmaps/default/assay-run-never
    - mgmt/namespaces/default
`, script)))
	c := r.clusters["mgmt"]
	before := make(map[string]*kube.Object)
	for _, name := range []string{"assay-run-theirs", "assay-run-gone"} {
		o := &kube.Object{Object: map[string]any{
			"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default"}, "data": map[string]any{"a": "b"},
		}}
		if _, err := c.Apply(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Delete(t.Context(), o) })
		before[name] = live(t, r, name)
	}
	namespace := &kube.Object{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "assay-run-left"}}}
	t.Cleanup(func() { _ = r.clusters["cluster1"].Delete(t.Context(), namespace) })
	got := wantStep(t, r, 0, record.Passed)
	var changes []string
	for _, change := range got.Changes {
		changes = append(changes, change.What+" "+change.Name)
	}
	if text := strings.Join(changes, ", "); text != "created assay-run-made, changed assay-run-theirs, deleted assay-run-gone, unchanged default" {
		t.Errorf("changes: %s", text)
	}
	if text := strings.Join(got.Notes, "\n"); text != "mgmt/configmaps/default/assay-run-never: it was not there, and is not" {
		t.Errorf("notes: %s", text)
	}
	if err := r.PutBack(t.Context(), r.plan.Scenarios[0]); err != nil {
		t.Fatal(err)
	}
	if o := live(t, r, "assay-run-made"); o != nil {
		t.Errorf("what it made is still there: %v", o)
	}
	for name, was := range before {
		is := live(t, r, name)
		if is == nil || !kube.Same(was, is) || strings.Join(fields(was), "\n") != strings.Join(fields(is), "\n") {
			t.Errorf("%s is not as it was:\n%v\nwant\n%v", name, is, was)
		}
	}
	r.inventoryLimit = 0
	if err := r.Verify(t.Context()); err == nil || !strings.Contains(err.Error(), "cluster1: namespace assay-run-left was not there before") {
		t.Errorf("what it touched without a word is not found: %v", err)
	}
}

// A script that fails in its midst, or is ended, has changed what it has changed.
func TestAScriptThatFailsIsPutBack(t *testing.T) {
	needsKubectl(t)
	r := onSandbox(t, steps(t, `- run:
    command: 'kubectl --context="$MGMT" create configmap assay-run-half; sleep 300'
    touches: [mgmt/configmaps/default/assay-run-half]
    timeout: 5s
- run: {command: ls}
`))
	got := wantStep(t, r, 0, record.Failed, "did not end within 5s")
	if len(got.Changes) != 1 || got.Changes[0].What != kube.Created {
		t.Fatalf("changes %+v: %s", got.Changes, got.Ran.Output)
	}
	wantStep(t, r, 1, record.Skipped)
	if err := r.PutBack(t.Context(), r.plan.Scenarios[0]); err != nil {
		t.Fatal(err)
	}
	if o := live(t, r, "assay-run-half"); o != nil {
		t.Errorf("it is still there: %v", o)
	}
}

func TestTouchesRefusesAMisplacedNamespace(t *testing.T) {
	r := onSandbox(t, steps(t, "- run: {command: ls, touches: [mgmt/configmaps/a]}\n"))
	got := wantStep(t, r, 0, record.Failed, "mgmt/configmaps/a: configmaps live in a namespace, and none is given")
	if got.Ran != nil {
		t.Error("it was run all the same")
	}
}

// A page's own commands are a change like any other: the expectation behind
// them waits until they are in force, and how they arrive is measured.
func TestAPageIsTheTest(t *testing.T) {
	needsKubectl(t)
	set, err := scenario.Load("../scenarios", "testdata/byscript")
	if err != nil || len(set.Broken) > 0 {
		t.Fatal(err, set.Broken)
	}
	chosen, err := set.Select("by-script")
	if err != nil {
		t.Fatal(err)
	}
	r := onSandbox(t, chosen)
	s := r.plan.Scenarios[len(r.plan.Scenarios)-1]
	for _, step := range s.Steps {
		if got := r.Step(t.Context(), step); got.State != record.Passed {
			t.Fatalf("%s: %s", got.State, got.Error)
		} else if step.Step.Action == "expect" && got.Samples[0].Propagation == nil {
			t.Error("how the change arrived is not in the record")
		}
	}
	for ; s != nil; s = s.Parent {
		if err := r.PutBack(t.Context(), s); err != nil {
			t.Error(err)
		}
	}
	if err := r.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
