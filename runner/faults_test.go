package runner

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
)

// tutorialScenarios is the scenario blue-green-canary with all that it needs. So that
// what is wrong is wrong after a second already, it converges faster; else it is
// the chapter's own and knows of no fault.
func tutorialScenarios(t *testing.T) []*scenario.Scenario {
	t.Helper()
	set, err := scenario.Load("../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	all, err := set.Select("blue-green-canary")
	if err != nil {
		t.Fatal(err)
	}
	last := all[len(all)-1]
	source, err := os.ReadFile(last.File)
	if err != nil {
		t.Fatal(err)
	}
	hasty := bytes.Replace(source, []byte("tolerance: 3pp}"), []byte("tolerance: 3pp, converge: 1s}"), 1)
	quick, ms := scenario.Parse(last.File, hasty)
	if len(ms) > 0 || bytes.Equal(hasty, source) {
		t.Fatal(ms, string(hasty))
	}
	return append(all[:len(all)-1:len(all)-1], quick)
}

// object makes an object of a cluster for a test, which is not a step's.
func object(kind, version, namespace, name string, more map[string]any) *kube.Object {
	o := &kube.Object{Object: map[string]any{"apiVersion": version, "kind": kind}}
	for key, value := range more {
		o.Object[key] = value
	}
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}

// What goes wrong behind a scenario's back is called by its name, and the report
// shows where to look and what to type.
func TestWhatGoesWrongInTheChapterIsCalledByItsName(t *testing.T) {
	if os.Getenv("ASSAY_SANDBOX") == "" {
		t.Skip("needs a running sandbox: set ASSAY_SANDBOX to its kubeconfig")
	}
	r := onSandbox(t, tutorialScenarios(t))
	r.engine.options.Again = func(name string) string { return CommandLine("assay", "run", name) }
	last := r.plan.Scenarios[len(r.plan.Scenarios)-1]
	if got := r.Step(t.Context(), last.Steps[0]); got.State != record.Passed || got.Objects != nil || got.Again != "" {
		t.Fatalf("%s: %s; want it passed, and nothing said beside it: %v, %q", got.State, got.Error, got.Objects, got.Again)
	}
	fault := func(spec map[string]any) func(t *testing.T) func() {
		return func(t *testing.T) func() {
			return applied(t, r, "mgmt", object("Fault", "sandbox.assay/v1", "", "behind-its-back", map[string]any{"spec": spec}))
		}
	}
	const stray = "! mgmt      fault behind-its-back"
	for _, tt := range []struct {
		name  string
		wrong func(t *testing.T) (mend func())
		state record.State
		kind  string   // how the diagnosis begins, of every gateway
		text  []string // of the report
	}{
		{"weights", fault(map[string]any{"weights": map[string]any{"points": int64(6), "from": "canary", "to": "blue"}}), record.Failed, "routing mistake: ",
			[]string{stray, `it came during the run: {"weights":{"from":"canary","points":6,"to":"blue"}}`, "trafficpolicy gloo-mesh/blue-green-canary", "ACCEPTED, says 40% blue, 40% green, 20% canary, generation 1",
				"blue: 1 of 1 pod ready", "green: 1 of 1 pod ready", "canary: WorkloadEntry blue-green-canary at 192.168.64.10", "<- failed", "answers over time"}},
		{"vmDown", fault(map[string]any{"vmDown": map[string]any{}}), record.Failed, "backend down: canary never answered",
			[]string{stray, "! cluster1  service vm-blue-green-canary/blue-green-canary", "canary: WorkloadEntry blue-green-canary at 192.168.64.10", "no cluster knows whether that machine runs", "Connection refused"}},
		{"errors", fault(map[string]any{"errors": map[string]any{"percent": int64(5)}}), record.Failed, "errors: ", []string{stray, "not only those of one destination", "fault filter abort"}},
		{"blocks", fault(map[string]any{"blocks": map[string]any{"size": int64(100)}}), record.Passed, "", nil},
		{"sticky", fault(map[string]any{"sticky": map[string]any{"by": "connection"}}), record.Passed, "",
			[]string{"stickiness: on 8 connections that were kept alive, requests reached the same backend 100 % of the time"}},
		{"a policy that somebody changes", changedPolicy(r), record.Failed, "routing mistake: ",
			[]string{"! mgmt      trafficpolicy gloo-mesh/blue-green-canary", "ACCEPTED, says 20% blue, 40% green, 40% canary, generation 2", "somebody has changed it since this run applied it: spec.policy.trafficShift.destinations[0].weight was 40, is 20; spec.policy.trafficShift.destinations[2].weight was 20, is 40"}},
		{"a backend that somebody stops", stopped(r), record.Failed, "backend down: green never answered",
			[]string{"! cluster2  deployment blue-green-canary/green", "is not there", "this run has applied it, and somebody has deleted it", "! cluster2  service blue-green-canary/blue-green-canary", "nothing stands behind it: no pod and no WorkloadEntry has the labels app=blue-green-canary,version=green"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mend := tt.wrong(t)
			defer mend()
			got := r.Step(t.Context(), last.Steps[1])
			delete(r.ended, last.Steps[1]) // it is looked at again
			text := report.StepText(got)
			t.Log(text)
			if got.State != tt.state || len(got.Samples) != 2 {
				t.Fatalf("%s with %d samples, want %s", got.State, len(got.Samples), tt.state)
			}
			for _, sample := range got.Samples {
				if !strings.HasPrefix(sample.Diagnosis, tt.kind) {
					t.Errorf("%s: %q, want it to begin with %q", sample.Gateway, sample.Diagnosis, tt.kind)
				}
			}
			for _, words := range tt.text {
				if !strings.Contains(text, words) {
					t.Errorf("it does not say %q", words)
				}
			}
			again := strings.Contains(text, "just this again: assay run blue-green-canary")
			if failed := tt.state != record.Passed; failed != again || failed != (len(got.Objects) > 0) {
				t.Errorf("it is %s, has %d objects, and says how to run it again: %v", got.State, len(got.Objects), again)
			}
		})
	}
}

// applied applies an object that no step knows of, and returns how to take it away.
func applied(t *testing.T, r *Run, cluster string, o *kube.Object) func() {
	t.Helper()
	c := r.clusters[cluster]
	a, err := c.Apply(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Ready(t.Context(), []*kube.Object{a.After}, 0, ready); err != nil {
		t.Fatal(err)
	}
	return func() {
		ctx := context.WithoutCancel(t.Context())
		if a.Before == nil {
			err = c.Delete(ctx, a.After)
		} else if err = c.Restore(ctx, a.Before); err == nil {
			err = c.Ready(ctx, []*kube.Object{a.Before}, 0, ready)
		}
		if err != nil {
			t.Error(err)
		}
	}
}

// changedPolicy turns the split round.
func changedPolicy(r *Run) func(t *testing.T) func() {
	return func(t *testing.T) func() {
		policy := object("TrafficPolicy", "networking.mesh.gloo.solo.io/v1", "gloo-mesh", "blue-green-canary", nil)
		live, err := r.clusters["mgmt"].Get(t.Context(), policy.GroupVersionKind(), "gloo-mesh", "blue-green-canary")
		if err != nil || live == nil {
			t.Fatal(live, err)
		}
		spec := live.DeepCopy().Object["spec"].(map[string]any)
		split := get(spec, "policy", "trafficShift", "destinations").([]any)
		split[0].(map[string]any)["weight"], split[2].(map[string]any)["weight"] = int64(20), int64(40)
		policy.Object["spec"] = spec
		return applied(t, r, "mgmt", policy)
	}
}

// stopped deletes green's Deployment.
func stopped(r *Run) func(t *testing.T) func() {
	return func(t *testing.T) func() {
		c := r.clusters["cluster2"]
		green := object("Deployment", "apps/v1", "blue-green-canary", "green", nil)
		live, err := c.Get(t.Context(), green.GroupVersionKind(), "blue-green-canary", "green")
		if err != nil || live == nil {
			t.Fatal(live, err)
		}
		if err := c.Delete(t.Context(), live); err != nil {
			t.Fatal(err)
		}
		return func() {
			ctx := context.WithoutCancel(t.Context())
			if err := c.Restore(ctx, live); err != nil {
				t.Fatal(err)
			}
			if err := c.Ready(ctx, []*kube.Object{live}, 0, ready); err != nil {
				t.Error(err)
			}
		}
	}
}

// A weights fault that names nobody is no fault.
func TestAFaultThatNamesNobodyFails(t *testing.T) {
	if os.Getenv("ASSAY_SANDBOX") == "" {
		t.Skip("needs a running sandbox: set ASSAY_SANDBOX to its kubeconfig")
	}
	wrong, ms := scenario.Parse("wrong.yaml", []byte(`apiVersion: assay/v1
kind: Scenario
name: wrong
needs: gateway
steps:
- apply: {cluster: mgmt, objects: [{apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: early}, spec: {weights: {points: 6, from: canary, to: blue}}}]}
- apply: {cluster: mgmt, objects: [{apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: wrong}, spec: {weights: {points: 6, from: canery, to: blue}}}]}
`))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	all := tutorialScenarios(t)
	r := onSandbox(t, append(all[:len(all)-1:len(all)-1], wrong))
	planned := r.plan.Scenarios[len(r.plan.Scenarios)-1]
	if got := r.Step(t.Context(), planned.Steps[0]); got.State != record.Passed {
		t.Errorf("a fault that has no effect yet: %s: %s", got.State, got.Error)
	}
	got := r.Step(t.Context(), planned.Steps[1])
	const want = `fault wrong: it is FAILED: spec.weights.from: no destination is called "canery" (there is blue, canary, green`
	if got.State != record.Failed || !strings.Contains(got.Error, want) {
		t.Errorf("%s: %s, want %q", got.State, got.Error, want)
	}
	t.Log(report.StepText(got))
	if len(got.Events) == 0 || got.Events[0].Object != "fault wrong" || got.Events[0].Type != "Warning" {
		t.Errorf("events %+v, want the warning of the fault", got.Events)
	}
	if len(got.Objects) == 0 || got.Objects[0].Name != "wrong" || got.Objects[0].State != "FAILED" {
		t.Errorf("objects %+v, want the fault first", got.Objects)
	}
}
