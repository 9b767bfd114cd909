package runner

import (
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/runner/kube"
)

func TestDiffer(t *testing.T) {
	tests := []struct{ reason, want, got, differences string }{
		{"a part is enough", "{a: 1}", "{a: 1, b: 2}", ""},
		{"nested", "{a: {b: x}}", "{a: {b: x, c: z}}", ""},
		{"another value", "{a: {b: x}}", "{a: {b: z}}", `a.b: got "z", want "x"`},
		{"missing", "{a: {b: x}}", "{a: {}}", `a.b: got nothing, want "x"`},
		{"null wants it absent", "{a: null}", "{b: 1}", ""},
		{"null and it is there", "{a: null}", "{a: 1}", "a: got 1, want nothing"},
		{"numbers by value", "{a: 1}", "{a: 1.0}", ""},
		{"a number is no text", `{a: "1"}`, "{a: 1}", `a: got 1, want "1"`},
		{"a star", `{hosts: ["*"]}`, "{hosts: [example.com]}", ""},
		{"a star itself", `{hosts: ['\*']}`, "{hosts: [example.com]}", `hosts[0]: got "example.com", want "\\*"`},
		{"a list longer", "{a: [1]}", "{a: [1, 2]}", "a: got [1,2] (2 entries), want [1] (1 entry)"},
		{"a list in part", "{a: [{b: 1}]}", "{a: [{b: 1, c: 2}]}", ""},
		{"a list in another order", "{a: [1, 2]}", "{a: [2, 1]}", "a[0]: got 2, want 1\na[1]: got 1, want 2"},
		{"not a mapping", "{a: {b: 1}}", "{a: [1]}", `a: got [1], want {"b":1}`},
		{"a key with dots", `{labels: {app.kubernetes.io/name: x}}`, "{labels: {}}", `labels["app.kubernetes.io/name"]: got nothing, want "x"`},
		{"a bool", "{a: true}", "{a: false}", "a: got false, want true"},
	}
	parse := func(text string) any {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			var lines []string
			for _, d := range differ("", parse(tt.want), parse(tt.got)) {
				lines = append(lines, d.String())
			}
			if got := strings.Join(lines, "\n"); got != tt.differences {
				t.Errorf("got %q, want %q", got, tt.differences)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "ab", false},
		{"*", "", true}, {"*", "a/b\nc", true},
		{"a*", "a", true}, {"a*", "ba", false}, {"*a", "ba", true}, {"*a", "ab", false},
		{"a*a", "a", false}, {"a*a", "aa", true}, {"a*b*c", "a-b-c", true}, {"a*b*c", "a-c-b", false},
		{"istio-system/bgc-*", "istio-system/bgc-12", true},
		{`\*`, "*", true}, {`\*`, "x", false}, {`a\b`, `a\b`, true}, {`a\\*`, `a\x`, true},
		{"**", "x", true}, {"a**b", "ab", true},
	}
	for _, tt := range tests {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("glob(%q, %q) = %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// A text always matches its own literal, and a star before and after it.
func FuzzGlob(f *testing.F) {
	f.Add("a*b", `c\d`)
	f.Fuzz(func(t *testing.T, pattern, text string) {
		glob(pattern, text)
		quoted := strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(text)
		for _, p := range []string{quoted, "*" + quoted, quoted + "*", "*" + quoted + "*"} {
			if !glob(p, text) {
				t.Errorf("glob(%q, %q) is false", p, text)
			}
		}
	})
}

func TestCondition(t *testing.T) {
	tests := []struct {
		reason, text, object string
		want                 bool
		why                  string
	}{
		{"true", `object.status.state == "ACCEPTED"`, "{status: {state: ACCEPTED}}", true, ""},
		{"false, with the value", `object.status.state == "ACCEPTED"`, "{status: {state: PENDING}}", false, `object.status.state is "PENDING"`},
		{"a key that is not there yet", `object.status.state == "ACCEPTED"`, "{status: {}}", false, "object.status.state is not there"},
		{"nothing there yet", `object.status.state == "ACCEPTED"`, "{}", false, "object.status.state is not there (there is no object.status)"},
		{"not yet of its kind", `object.status.ready > 1`, "{status: {ready: null}}", false, "object.status.ready is null"},
		{"several parts", `object.status.a == 1 && object.spec.b == 2`, "{status: {a: 1}, spec: {b: 3}}", false, "object.status.a is 1, object.spec.b is 3"},
		{"a list", `object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")`, "{status: {conditions: [{type: Ready, status: 'False'}]}}", false, `object.status.conditions is [{"status":"False","type":"Ready"}]`},
		{"has", `has(object.status.state)`, "{status: {}}", false, "object.status.state is not there"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			c, err := compile(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			var object map[string]any
			if err := yaml.Unmarshal([]byte(tt.object), &object); err != nil {
				t.Fatal(err)
			}
			got, why, err := c.holds(object)
			if err != nil || got != tt.want {
				t.Fatalf("holds = %v, %v, want %v", got, err, tt.want)
			}
			if !got && !strings.HasPrefix(why, tt.why) {
				t.Errorf("why %q, want %q", why, tt.why)
			}
		})
	}
}

func TestConditionMustGiveABool(t *testing.T) {
	c, err := compile("object.status.ready")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.holds(map[string]any{"status": map[string]any{"ready": "yes"}}); err == nil || !strings.Contains(err.Error(), "want true or false") {
		t.Errorf("got %v, want an error that ends the wait", err)
	}
}

// What a Secret holds is told neither by an assert nor by a wait.
func TestASecretIsNotTold(t *testing.T) {
	const hidden = "aHVudGVyMg=="
	o := &kube.Object{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret",
		"metadata": map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": hidden}}, "data": map[string]any{"a": hidden},
	}}
	want := map[string]any{"data": map[string]any{"a": "eA=="}, "metadata": map[string]any{"annotations": map[string]any{"kubectl.kubernetes.io/last-applied-configuration": "eA=="}}}
	told := ""
	for _, d := range differ("", want, o.Object) {
		told += d.of(o.GroupVersionKind().GroupKind()) + "\n"
	}
	for _, expression := range []string{`object.data.a == "x"`, "object.data.a"} {
		until, err := compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		done, why, err := (&waitWork{until: until}).holds(o)
		if done {
			t.Errorf("%s holds", expression)
		}
		told += why + fmt.Sprint(err) + "\n"
	}
	if strings.Contains(told, hidden) || !strings.Contains(told, "data.a: got something else") {
		t.Errorf("it tells\n%s", told)
	}
}
