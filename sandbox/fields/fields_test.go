package fields

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const schema = `
type: object
properties:
  name: {type: string}
  odd: {type: object, properties: {a: {type: string}, b: {type: object, properties: {c: {type: boolean}}}}}
  mode: {type: string, enum: ["", A, B, C]}
  all: {type: string, enum: [A, B]}
  list:
    type: array
    items: {type: object, properties: {number: {type: integer}, kind: {type: string}, only: {type: array, items: {type: string}}}}
  match: {type: object, additionalProperties: {type: object, properties: {exact: {type: string}, suffix: {type: string}}}}
  labels: {type: object, additionalProperties: {type: string}}
  ratio: {type: number}
  either: {x-kubernetes-int-or-string: true}
  empty: {type: object}
`

// read is a reader that does not honour odd, match's suffix, some values of
// mode, and number unless kind is known.
func read(spec map[string]any) []Refusal {
	var out []Refusal
	if spec["odd"] != nil {
		out = append(out, Refusal{Path: "spec.odd"})
	}
	if mode := spec["mode"]; mode == "B" || mode == "C" {
		out = append(out, Refusal{Path: "spec.mode", OfValue: true, Wanted: []string{"A"}})
	}
	if list, _ := spec["list"].([]any); len(list) > 0 {
		one := list[0].(map[string]any)
		if one["number"] != nil && one["kind"] != "known" {
			out = append(out, Refusal{Path: "spec.list[0].number"})
		}
		if kind := one["kind"]; kind != nil && kind != "known" {
			out = append(out, Refusal{Path: "spec.list[0].kind", OfValue: true, Wanted: []string{"known", "other"}})
		}
	}
	for key, m := range as(spec["match"]) {
		if as(m)["suffix"] != nil {
			out = append(out, Refusal{Path: "spec.match." + key + ".suffix"})
		}
	}
	return out
}

func as(v any) map[string]any { m, _ := v.(map[string]any); return m }

func kind(t *testing.T) Kind {
	k := Kind{Name: "Thing", Read: read, Bases: []map[string]any{{"list": []any{map[string]any{"kind": "known"}}}}}
	if err := yaml.Unmarshal([]byte(schema), &k.Schema); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOf(t *testing.T) {
	want := []Field{
		{"spec.all", true, nil},
		{"spec.either", true, nil},
		{"spec.empty", true, nil},
		{"spec.labels", true, nil},
		{"spec.list[].kind", true, []string{"known", "other"}},
		{"spec.list[].number", true, nil}, // where kind is known
		{"spec.list[].only", true, nil},
		{"spec.match.*.exact", true, nil},
		{"spec.match.*.suffix", false, nil},
		{"spec.mode", true, []string{"A"}},
		{"spec.name", true, nil},
		{"spec.odd", false, nil}, // as a whole
		{"spec.ratio", true, nil},
	}
	if diff := cmp.Diff(want, Of(kind(t))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPage(t *testing.T) {
	want := strings.Join([]string{
		"# Things", "", "## Thing", "", "Fields that are honoured: 11; refused: 2.", "",
		"| in | honoured | refused |", "|---|---|---|",
		"| `spec` | `all`, `either`, `empty`, `labels`, `mode` (only `A`), `name`, `ratio` | `odd` |",
		"| `spec.list[]` | `kind` (only `known`, `other`), `number`, `only` |  |",
		"| `spec.match.*` | `exact` | `suffix` |", ""}, "\n")
	if diff := cmp.Diff(want, Page("# Things\n", []Kind{kind(t)})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
