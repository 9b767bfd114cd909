package gloomesh

import (
	"testing"

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
