package gloomesh

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/strict"
)

func TestExpressions(t *testing.T) {
	labels := map[string]string{"app": "shop", "level": "5", "empty": ""}
	for expressions, want := range map[string]bool{
		"[]":                           true,
		"[{key: app, values: [shop]}]": true, // Equals
		"[{key: app, operator: Equals, values: [cart]}]":                 false,
		"[{key: app, operator: DoubleEquals, values: [shop]}]":           true,
		"[{key: app, operator: NotEquals, values: [shop]}]":              false,
		"[{key: app, operator: In, values: [cart, shop]}]":               true,
		"[{key: app, operator: NotIn, values: [cart, shop]}]":            false,
		"[{key: gone, operator: NotIn, values: [cart]}]":                 true,
		"[{key: empty, operator: Exists}]":                               true,
		"[{key: app, operator: DoesNotExist}]":                           false,
		"[{key: level, operator: GreaterThan, values: ['4']}]":           true,
		"[{key: level, operator: LessThan, values: ['5']}]":              false,
		"[{key: app, operator: Exists}, {key: b, operator: Exists}]":     false,
		"[{key: app, operator: Exists}, {key: level, operator: Exists}]": true,
	} {
		var list []any
		if err := yaml.Unmarshal([]byte(expressions), &list); err != nil {
			t.Fatal(err)
		}
		var found problems
		o := strict.New("spec", map[string]any{"s": map[string]any{"expressions": list, "namespaces": []any{"*"}}}, &found)
		s := decodeObjectSelector(o, "s")
		if got := s.selects("x", &meta{labels: labels}); got != want || len(found) > 0 {
			t.Errorf("%s: got %t, want %t (%q)", expressions, got, want, found.texts())
		}
	}
}

// A reference may leave out any part, which then may be anything.
func TestReferences(t *testing.T) {
	for ref, want := range map[string][]string{
		"{name: blue-green-canary}":                                                      {"blue-green-canary/blue-green-canary of cluster1", "vm-blue-green-canary/blue-green-canary of cluster1", "blue-green-canary/blue-green-canary of cluster2"},
		"{name: blue-green-canary, namespace: blue-green-canary}":                        {"blue-green-canary/blue-green-canary of cluster1", "blue-green-canary/blue-green-canary of cluster2"},
		"{clusterName: cluster1, namespace: vm-blue-green-canary}":                       {"vm-blue-green-canary/blue-green-canary of cluster1"},
		"{clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary}": {"blue-green-canary/blue-green-canary of cluster2"},
	} {
		var services map[string]any
		if err := yaml.Unmarshal([]byte("services: ["+ref+"]"), &services); err != nil {
			t.Fatal(err)
		}
		var found problems
		o := strict.New("spec", map[string]any{"s": []any{map[string]any{"kubeServiceRefs": services}}}, &found)
		snapshot := Snapshot{Clusters: tutorialClusters()}
		var got []string
		for _, r := range snapshot.selectServices(decodeServiceSelectors(o, "s"), &found) {
			got = append(got, r.String())
		}
		if diff := cmp.Diff(want, got); diff != "" || len(found) > 0 {
			t.Errorf("%s: %q, -want +got:\n%s", ref, found.texts(), diff)
		}
	}
}
