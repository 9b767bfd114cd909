package route_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/runner/route"
)

func object(t *testing.T, source string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(source), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

const policy = `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata: {name: canary, generation: 3}
`

func TestReady(t *testing.T) {
	tests := []struct {
		reason, source string
		want           route.Readiness
		known          bool
	}{
		{"no controller has looked at it", policy, route.Readiness{Why: "it has no status yet"}, true},
		{"the status is of an earlier policy, however good", policy + "status: {observedGeneration: 2, state: ACCEPTED}",
			route.Readiness{Why: "its status is of generation 2, wanted 3"}, true},
		{"an earlier failure says nothing of this policy", policy + "status: {observedGeneration: 2, state: FAILED, errors: [old]}",
			route.Readiness{Why: "its status is of generation 2, wanted 3"}, true},
		{"accepted", policy + "status: {observedGeneration: 3, state: ACCEPTED}", route.Readiness{Ready: true}, true},
		{"refused, with the reasons", policy + "status: {observedGeneration: 3, state: INVALID, errors: [no such destination, weights sum to 90]}",
			route.Readiness{Failed: true, Why: "it is INVALID: no such destination; weights sum to 90"}, true},
		{"refused without a reason", policy + "status: {observedGeneration: 3, state: FAILED}",
			route.Readiness{Failed: true, Why: "it is FAILED (its status gives no errors)"}, true},
		{"still pending", policy + "status: {observedGeneration: 3, state: PENDING}",
			route.Readiness{Why: "its state is PENDING, wanted ACCEPTED (its status gives no errors)"}, true},
		{"looked at, not decided", policy + "status: {observedGeneration: 3}", route.Readiness{Why: "its status has no state yet"}, true},
		{"a fault of the sandbox", "apiVersion: sandbox.assay/v1\nkind: Fault\nmetadata: {generation: 1}\nstatus: {observedGeneration: 1, state: ACCEPTED}",
			route.Readiness{Ready: true}, true},
		{"a route table of the enterprise group", "apiVersion: networking.enterprise.mesh.gloo.solo.io/v1beta1\nkind: RouteTable\nmetadata: {generation: 1}",
			route.Readiness{Why: "it has no status yet"}, true},
		{"a route table of another group is not ours", "apiVersion: example.com/v1\nkind: RouteTable", route.Readiness{}, false},
		{"the core group", "apiVersion: v1\nkind: Service", route.Readiness{}, false},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			got, known := route.Ready(object(t, tt.source))
			if got != tt.want || known != tt.known {
				t.Errorf("Ready = %+v, %v, want %+v, %v", got, known, tt.want, tt.known)
			}
		})
	}
}

func TestSplitOf(t *testing.T) {
	o := object(t, policy+`
spec:
  policy:
    trafficShift:
      destinations:
      - kubeService: {clusterName: cluster1, namespace: bgc, name: web, subset: {version: blue}}
        weight: 80
      - kubeService: {clusterName: cluster2, namespace: bgc, name: web}
        weight: 20
`)
	want := route.Split{Targets: []route.Target{
		{Cluster: "cluster1", Namespace: "bgc", Name: "web", Subset: map[string]string{"version": "blue"}, Weight: 80},
		{Cluster: "cluster2", Namespace: "bgc", Name: "web", Weight: 20},
	}}
	got, ok := route.SplitOf(o)
	if !ok {
		t.Fatal("the policy states a split, and none was found")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("SplitOf (-want +got):\n%s", diff)
	}
}

func TestSplitOfConditionalPolicy(t *testing.T) {
	o := object(t, policy+`
spec:
  httpRequestMatchers: [{headers: [{name: User-Agent, value: ".*Firefox.*", regex: true}]}]
  policy: {trafficShift: {destinations: [{kubeService: {clusterName: cluster2, namespace: bgc, name: web}, weight: 100}]}}
`)
	got, ok := route.SplitOf(o)
	if !ok || !got.Conditional {
		t.Errorf("SplitOf = %+v, %v, want a split for some requests only", got, ok)
	}
}

func TestSplitOfWhatStatesNone(t *testing.T) {
	for _, source := range []string{
		policy + "spec: {policy: {requestTimeout: 3s}}",
		policy + "spec: {policy: 7}",
		"apiVersion: v1\nkind: Service\nspec: {policy: {trafficShift: {destinations: [{weight: 1}]}}}",
	} {
		if got, ok := route.SplitOf(object(t, source)); ok {
			t.Errorf("SplitOf(%s) = %+v, want none", source, got)
		}
	}
}
