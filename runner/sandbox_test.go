package runner

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
)

// onSandbox starts a run of steps on the sandbox whose kubeconfig is in
// $ASSAY_SANDBOX.
func onSandbox(t *testing.T, set []*scenario.Scenario) *Run {
	t.Helper()
	kubeconfig := os.Getenv("ASSAY_SANDBOX")
	if kubeconfig == "" {
		t.Skip("needs a running sandbox: set ASSAY_SANDBOX to its kubeconfig")
	}
	env, err := environment.Load("sandbox", "../scenarios/environments", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	env.Kubeconfig = kubeconfig
	e, err := New(Options{Environment: env, Out: t.TempDir(), Root: ".."})
	if err != nil {
		t.Fatal(err)
	}
	plan, err := e.Plan(set)
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Start(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // children first; what was put back already is passed over
		for _, s := range slices.Backward(plan.Scenarios) {
			if err := r.PutBack(context.WithoutCancel(t.Context()), s); err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

func steps(t *testing.T, text string) []*scenario.Scenario {
	t.Helper()
	s, ms := scenario.Parse("s.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: s\nsteps:\n"+text))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	return []*scenario.Scenario{s}
}

// runAll runs a scenario and its children in the tree's order, and puts each
// back.
func runAll(t *testing.T, r *Run, s *PlannedScenario) {
	t.Helper()
	if s.Skip != "" {
		t.Logf("%s: %s", s.Scenario.Name, s.Skip)
		return
	}
	for _, step := range s.Steps {
		got := r.Step(t.Context(), step)
		t.Logf("%s (%s)", report.StepText(got), got.Duration.Round(time.Millisecond))
		if got.State != record.Passed {
			t.Errorf("%s: %s", got.State, got.Error)
		}
	}
	for _, child := range s.Children {
		runAll(t, r, child)
	}
	began := time.Now()
	if err := r.PutBack(t.Context(), s); err != nil {
		t.Error(err)
	}
	t.Logf("%s put back in %s", s.Scenario.Name, time.Since(began).Round(time.Millisecond))
}

// TestTheChaptersOnTheSandbox runs every scenario of the repository, the
// faults included, and leaves the sandbox as it was.
func TestTheChaptersOnTheSandbox(t *testing.T) {
	set, err := scenario.Load("../scenarios")
	if err != nil || len(set.Broken) > 0 {
		t.Fatal(err, set.Broken)
	}
	r := onSandbox(t, set.Scenarios)
	for _, s := range r.plan.Scenarios {
		if s.Parent == nil {
			runAll(t, r, s)
		}
	}
	if err := r.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	rec, _, err := r.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rec.Scenarios {
		if s.PutBackError != "" {
			t.Errorf("%s: %s", s.Name, s.PutBackError)
		}
		for i, step := range s.Steps {
			if step.Action != "expect" || i == 0 || s.Steps[i-1].Action != "apply" {
				continue
			}
			for _, sample := range step.Samples {
				if sample.Propagation == nil {
					t.Errorf("%s: how the change reached %s is not in the record", step.Position, sample.Gateway)
				}
			}
		}
	}
}

// wantStep runs one step and compares how it ended.
func wantStep(t *testing.T, r *Run, i int, want record.State, texts ...string) record.Step {
	t.Helper()
	got := r.Step(t.Context(), r.plan.Scenarios[0].Steps[i])
	if got.State != want {
		t.Fatalf("step %d is %s, want %s: %s", i, got.State, want, got.Error)
	}
	for _, text := range texts {
		if !strings.Contains(got.Error, text) {
			t.Errorf("step %d: error %q, want %q in it", i, got.Error, text)
		}
	}
	return got
}

func TestApplyRefusesAnUnknownField(t *testing.T) {
	r := onSandbox(t, steps(t, `- apply:
    cluster: mgmt
    objects:
    - {apiVersion: v1, kind: ConfigMap, metadata: {name: assay-first, namespace: default}, data: {a: b}}
    - {apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: assay-typo, namespace: gloo-mesh}, spec: {policy: {trafficShfit: {}}}}
`))
	first := &kube.Object{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "assay-first", "namespace": "default"}}}
	if err := r.clusters["mgmt"].Delete(t.Context(), first); err != nil { // a test that was killed may have left it
		t.Fatal(err)
	}
	got := wantStep(t, r, 0, record.Failed, "s.yaml:9", "assay-typo", "spec.policy.trafficShfit: unknown field")
	if len(got.Changes) != 1 || got.Changes[0].Name != "assay-first" || got.Changes[0].What != record.Created {
		t.Errorf("changes %+v, want the one that was made before the refusal", got.Changes)
	}
	putBack(t, r, "default", "ConfigMap", "assay-first")
}

// putBack puts the scenario back and makes sure that an object is gone.
func putBack(t *testing.T, r *Run, namespace, kind, name string) {
	t.Helper()
	if err := r.PutBack(t.Context(), r.plan.Scenarios[0]); err != nil {
		t.Fatal(err)
	}
	o := &kube.Object{Object: map[string]any{"apiVersion": "v1", "kind": kind}}
	if live, err := r.clusters["mgmt"].Get(t.Context(), o.GroupVersionKind(), namespace, name); err != nil || live != nil {
		t.Errorf("%s %s/%s: %v, %v, want it gone", kind, namespace, name, live, err)
	}
}

// faults is a kind of which the test says itself when its objects are ready.
const faults = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: faults.sandbox.assay}
spec:
  group: sandbox.assay
  scope: Cluster
  names: {plural: faults, singular: fault, kind: Fault, listKind: FaultList}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
`

// What takes long to become ready shall have its whole time for settling, and
// so shall what is waited for.
func TestSettlingBeginsWhenWhatWasChangedIsReady(t *testing.T) {
	tests := []struct{ reason, step, waiting string }{
		{"applied", `apply: {cluster: cluster1, objects: [{apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: late}}]}`, "waiting in cluster1 until what"},
		{"waited for", `wait: {cluster: cluster1, resource: faults.sandbox.assay, object: late, until: object.status.state == "ACCEPTED"}`, "waiting in cluster1 for"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			r := onSandbox(t, steps(t, "- apply:\n    cluster: cluster1\n    objects:\n    - "+
				strings.ReplaceAll(strings.TrimSpace(faults), "\n", "\n      ")+"\n- "+tt.step+"\n"))
			wantStep(t, r, 0, record.Passed)
			var accepted time.Time
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				for !strings.Contains(r.Progress(), tt.waiting) {
					runtime.Gosched()
				}
				accepted = time.Now()
				manifest := &kube.Object{Object: map[string]any{
					"apiVersion": "sandbox.assay/v1", "kind": "Fault", "metadata": map[string]any{"name": "late"},
					"status": map[string]any{"state": "ACCEPTED", "observedGeneration": int64(2)}, // writing it is a change too
				}}
				if _, err := r.clusters["cluster1"].Apply(t.Context(), manifest); err != nil {
					t.Error(err)
				}
			}()
			wantStep(t, r, 1, record.Passed)
			<-ended
			if !r.lastChange().After(accepted) {
				t.Errorf("the time for settling begins %s before it was ready", accepted.Sub(r.lastChange()))
			}
		})
	}
}

func TestApplySaysWhyNothingBecomesReady(t *testing.T) {
	r := onSandbox(t, steps(t, `- apply:
    cluster: cluster1
    objects:
    - {apiVersion: v1, kind: Namespace, metadata: {name: assay-unready}}
    - apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web, namespace: assay-unready}
      spec:
        selector: {matchLabels: {app: web}}
        template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "example.com/no-such-image:1"}]}}
    timeout: 5s
`))
	got := wantStep(t, r, 0, record.Failed, "deployment assay-unready/web", "0 of 1 replicas are available", "container web waits, ErrImagePull")
	text := report.StepFailure(got)
	for _, words := range []string{"! cluster1  deployment assay-unready/web  0 of 1 replicas are ready", "container web waits, ErrImagePull", "cluster1, pod assay-unready/web-"} {
		if !strings.Contains(text, words) {
			t.Errorf("it does not say %q:\n%s", words, text)
		}
	}
	if len(got.Events) == 0 || got.Events[0].Type != "Warning" {
		t.Errorf("events %+v, want a warning first", got.Events)
	}
}

func TestWaitAndAssertOnTheSandbox(t *testing.T) {
	r := onSandbox(t, steps(t, `- wait: {clusters: [cluster1, cluster2], resource: services, namespace: istio-system, object: istio-ingressgateway, until: 'object.status.loadBalancer.ingress[0].ip == "127.0.0.1"'}
- wait: {cluster: mgmt, resource: namespaces, object: gloo-mesh, until: object.status.phase == "Active"}
- assert:
    clusters: [cluster1, cluster2]
    objects: [{apiVersion: v1, kind: Service, metadata: {namespace: istio-*, name: istio-ingressgateway}, spec: {type: LoadBalancer}}]
    count: 1
- assert: {cluster: mgmt, objects: [{apiVersion: example.com/v1, kind: Nothing}], count: 0}
- assert: {cluster: cluster1, objects: [{apiVersion: v1, kind: Service, metadata: {namespace: istio-system, name: istio-ingressgateway}, spec: {type: NodePort}}], within: 500ms}
`))
	for i := range 4 {
		wantStep(t, r, i, record.Passed)
	}
	wantStep(t, r, 4, record.Failed, "cluster1", "0 match, want at least 1", "service istio-system/istio-ingressgateway", `spec.type: got "LoadBalancer", want "NodePort"`)
}

func TestWaitTellsWhatIsThere(t *testing.T) {
	tests := []struct{ step, want string }{
		{`{cluster: mgmt, resource: namespaces, object: gloo-mesh, until: object.status.phase == "Gone", timeout: 300ms}`, `object.status.phase is "Active"`},
		{`{cluster: mgmt, resource: namespaces, object: nowhere, until: object.status.phase == "Active", timeout: 300ms}`, "there is no such object"},
		{`{cluster: mgmt, resource: nothings.example.com, object: x, until: object.status.ok, timeout: 300ms}`, "serves no resource nothings.example.com"},
		{`{cluster: mgmt, resource: namespaces, namespace: default, object: x, until: object.status.ok}`, "live in no namespace"},
		{`{cluster: mgmt, resource: services, object: x, until: object.status.ok}`, "live in a namespace"},
	}
	for _, tt := range tests {
		r := onSandbox(t, steps(t, "- wait: "+tt.step+"\n"))
		wantStep(t, r, 0, record.Failed, tt.want)
	}
}

func TestPutBackWorksAfterCtrlC(t *testing.T) {
	r := onSandbox(t, steps(t, "- apply: {cluster: mgmt, objects: [{apiVersion: v1, kind: ConfigMap, metadata: {name: assay-ctrl-c, namespace: default}}]}\n"))
	wantStep(t, r, 0, record.Passed)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.PutBack(ctx, r.plan.Scenarios[0]); err != nil {
		t.Fatal(err)
	}
	putBack(t, r, "default", "ConfigMap", "assay-ctrl-c")
}

// One step alone, as a suite's focus leaves it: what it builds on is brought
// about first, and nothing else is judged. And the fault must be caught.
func TestAWrongSplitFailsOnTheSandbox(t *testing.T) {
	set, err := scenario.Load("../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	all, err := set.Select("blue-green-canary")
	if err != nil {
		t.Fatal(err)
	}
	wrong, ms := scenario.Parse("wrong.yaml", []byte(`apiVersion: assay/v1
kind: Scenario
name: wrong
needs: blue-green-canary
steps:
- apply: {cluster: mgmt, objects: [{apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: wrong}, spec: {weights: {points: 6, from: canary, to: blue}}}]}
- expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 3pp, converge: 500ms}
`))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	r := onSandbox(t, append(all, wrong))
	planned := r.plan.Scenarios[len(all)]
	got := r.Step(t.Context(), planned.Steps[1])
	if got.State != record.Failed || !strings.HasPrefix(got.Error, "wrong.yaml:7:") || !strings.Contains(got.Error, "routing mistake") {
		t.Errorf("%s: %s, want failed at its line", got.State, got.Error)
	}
	t.Log(got.Error)
	rec, _, err := r.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range rec.Scenarios {
		for _, step := range s.Steps {
			if alone := s.Name == "wrong" && step.Index == 1; step.Reached == alone || step.Action != "apply" && !alone {
				t.Errorf("%s step %d (%s): reached %v", s.Name, step.Index, step.Action, step.Reached)
			}
		}
	}
}
