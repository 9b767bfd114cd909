package kube

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeTellsLines(t *testing.T) {
	manifests, problems := Decode("m.yaml", []byte(`# first
---
apiVersion: v1
kind: Namespace
metadata: {name: one}
---
# nothing but a comment
--- # a comment behind the dashes
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: two, namespace: one}, data: {text: "--- in a text"}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: three, namespace: one}}
`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var got []string
	for _, m := range manifests {
		got = append(got, m.Origin()+" "+Describe(m.Object))
	}
	want := []string{"m.yaml:3 namespace one", "m.yaml:9 configmap one/two", "m.yaml:9 configmap one/three"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeKeepsABlockOfDashes(t *testing.T) {
	manifests, problems := Decode("m.yaml", []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  text: |\n    a\n    ---\n    b\n"))
	if len(problems) > 0 || len(manifests) != 1 {
		t.Fatalf("%d objects, %v", len(manifests), problems)
	}
	if got := get(manifests[0].Object.Object, "data", "text"); got != "a\n---\nb\n" {
		t.Errorf("text %q", got)
	}
}

func get(m map[string]any, path ...string) any {
	var v any = m
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func TestDecodeMakesWholeNumbersWhole(t *testing.T) {
	manifests, _ := Decode("m.yaml", []byte("apiVersion: v1\nkind: X\nmetadata: {name: x}\nspec: {num: 3, f: 0.5, big: 9007199254740993, list: [1]}\n"))
	spec := get(manifests[0].Object.Object, "spec").(map[string]any)
	if spec["num"] != int64(3) || spec["big"] != int64(9007199254740993) || spec["f"] != 0.5 || spec["list"].([]any)[0] != int64(1) {
		t.Errorf("spec %#v", spec)
	}
}

func TestDecodeSaysEverythingThatIsWrong(t *testing.T) {
	tests := []struct {
		reason, source string
		want           []string
	}{
		{"an empty file", "", []string{"m.yaml: holds no object"}},
		{"comments only", "# x\n---\n# y\n", []string{"m.yaml: holds no object"}},
		{"three mistakes in two documents", "kind: A\n---\napiVersion: v1\nmetadata: []\n", []string{
			"m.yaml:1: document 1: apiVersion is missing", "m.yaml:1: document 1: metadata.name is missing",
			"m.yaml:3: document 2: kind is missing", "m.yaml:3: document 2: metadata is not a mapping",
		}},
		{"a tab", "kind: A\napiVersion: v1\nmetadata: {name: x}\n---\nb:\n\tc: 1\n", []string{"m.yaml:6: document 2: found character that cannot start any token"}},
		{"a bad item of a list", "apiVersion: v1\nkind: List\nitems: [1, {kind: X}]\n", []string{
			"m.yaml:1: document 1: items[0] is not an object",
			"m.yaml:1: document 1: items[1].apiVersion is missing", "m.yaml:1: document 1: items[1].metadata.name is missing",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			_, problems := Decode("m.yaml", []byte(tt.source))
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the bytes are, there is an object or a reason.
func FuzzDecode(f *testing.F) {
	f.Add([]byte("apiVersion: v1\nkind: A\nmetadata: {name: x}\n---\n- a\n--- b\n"))
	f.Add([]byte("kind: List\nitems: {}\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		manifests, problems := Decode("m.yaml", source)
		if len(manifests) == 0 && len(problems) == 0 {
			t.Fatal("neither an object nor a problem")
		}
		lines := strings.Count(string(source), "\n") + 1
		for _, p := range problems {
			if p.Line < 0 || p.Line > lines+1 {
				t.Errorf("line %d of %d: %s", p.Line, lines, p.Text)
			}
		}
		for _, m := range manifests {
			if m.Object.GetName() == "" || m.Object.GetKind() == "" {
				t.Errorf("an object without a name or kind: %v", m.Object)
			}
		}
	})
}
