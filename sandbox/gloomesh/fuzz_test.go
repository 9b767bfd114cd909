package gloomesh

import (
	"encoding/json"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Whatever an object says, Translate answers for it, with a state and without a
// panic, and says the same again.
func FuzzTranslate(f *testing.F) {
	for _, u := range fromFiles(f, virtualMeshFile, gatewayFile, divideFile, "testdata/browsers.yaml", "testdata/delegation.yaml", "testdata/edition-1.1.yaml", "testdata/policy.yaml", "testdata/options.yaml", "testdata/access.yaml", closedMeshFile, bgcFile, fromVMFile) {
		spec, err := json.Marshal(u.Object["spec"])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(u.GetKind(), string(spec))
	}
	f.Add("TrafficPolicy", `{"policy":{"trafficShift":{"destinations":[{"kubeService":7,"weight":"x"}]}},"routeSelector":"x"}`)
	f.Add("RouteTable", `{"routes":[{"delegateAction":{"selector":{}}}]}`)
	base := fromFiles(f, virtualMeshFile, gatewayFile, divideFile)
	f.Fuzz(func(t *testing.T, kind, spec string) {
		if _, ok := kinds[kind]; !ok {
			return
		}
		var fields map[string]any
		if json.Unmarshal([]byte(spec), &fields) != nil {
			return
		}
		u := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "x/v1", "kind": kind, "metadata": map[string]any{"namespace": "gloo-mesh", "name": "fuzzed"}, "spec": normal(fields)}}
		if fields == nil {
			delete(u.Object, "spec")
		}
		in := Snapshot{Clusters: tutorialClusters(), Objects: append(append([]*unstructured.Unstructured{}, base...), u)}
		out := Translate(in)
		status := statusOf(t, out, kind, "fuzzed")
		switch status["state"] {
		case accepted:
			if status["errors"] != nil {
				t.Errorf("accepted with errors %q", status["errors"])
			}
		case invalid, failed:
			if status["errors"] == nil {
				t.Errorf("%s without a word", status["state"])
			}
			mustHaveNoEffect(t, out, kind, "fuzzed")
		default:
			t.Errorf("got state %v", status["state"])
		}
		if one, two := asJSON(t, out), asJSON(t, Translate(in)); one != two {
			t.Error("the same snapshot gave two outputs")
		}
	})
}

// asJSON writes an output where YAML could not: it has no control characters.
func asJSON(t *testing.T, out Output) string {
	t.Helper()
	text, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
