package document

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const good = `# A file with one value of each kind.
name: canary
text: "40"
port: 8080
flag: true
count: -12
small: 0x10
factor: 1.5e3
list: [a, "b", 'c']
labels:
  app.kubernetes.io/name: blue
  date: 2026-01-31
shares: {blue: 40%, green: 40 %, canary: 20.0%, none: 0%}
share: 100%
margin: 3pp
timeout: 1m30s
rate: 0.5/s
optional: 7
from: here
inner: {cluster: c1, files: []}
inners:
- {cluster: c1, files: [a], ready: true}
- cluster: c2
  files:
  - b
object:
  kind: Fault
  spec: {percent: 3, ratio: 0.5, on off: "on", mode: 0o644, none: null, list: [1, a, true, [], {}], 1: one}
raw: [anything, {at: all}]
`

func TestDecode(t *testing.T) {
	got, ms := parseEverything("good.yaml", []byte(good))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	seven := 7
	want := everything{
		Name: "canary", Text: "40", Port: "8080", Flag: true, Count: -12, Small: 16, Factor: 1500,
		List:   []string{"a", "b", "c"},
		Labels: map[string]string{"app.kubernetes.io/name": "blue", "date": "2026-01-31"},
		Shares: map[string]Percent{"blue": .4, "green": .4, "canary": .2, "none": 0},
		Share:  1, Margin: .03, Timeout: Duration(90e9), Rate: .5, Optional: &seven,
		Inner:  inner{Cluster: "c1", Files: []string{}},
		Inners: []inner{{"c1", []string{"a"}, true}, {"c2", []string{"b"}, false}},
		Object: map[string]any{"kind": "Fault", "spec": map[string]any{
			"percent": int64(3), "ratio": .5, "on off": "on", "mode": int64(0o644), "none": nil,
			"list": []any{int64(1), "a", true, []any{}, map[string]any{}}, "1": "one",
		}},
		together: together{From: "here"},
	}
	raw, self := got.Raw, got.Self
	got.Raw, got.Self = Value{}, Value{}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(everything{}), cmp.Comparer(func(a, b Value) bool { return a.Exists() == b.Exists() }),
		cmp.Comparer(func(a, b func()) bool { return true })); diff != "" {
		t.Errorf("decoded otherwise (-want +got):\n%s", diff)
	}
	if raw.Index(0).Text() != "anything" || raw.Pos().Line != 29 {
		t.Errorf("raw is %q at %s", raw.Index(0).Text(), raw.Pos())
	}
	if self.Get("name").Text() != "canary" || self.Path() != "" {
		t.Errorf("self is not the document: %q", self.Path())
	}
}

// TestPositions asks for the place of every kind of value, and of what is absent.
func TestPositions(t *testing.T) {
	root, ms := Parse("f.yaml", []byte(good+"nothing:\nblock:\n  deep: |\n    text\n"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	tests := []struct {
		value    Value
		path     string
		pos, key string
		kind     Kind
	}{
		{root, "", "f.yaml:2:1", "f.yaml:2:1", Mapping},
		{root.Get("name"), "name", "f.yaml:2:7", "f.yaml:2:1", Scalar},
		{root.Get("list").Index(1), "list[1]", "f.yaml:9:11", "f.yaml:9:11", Scalar},
		{root.Get("labels"), "labels", "f.yaml:11:3", "f.yaml:10:1", Mapping},
		{root.Get("labels").Get("app.kubernetes.io/name"), `labels["app.kubernetes.io/name"]`, "f.yaml:11:27", "f.yaml:11:3", Scalar},
		{root.Get("shares").Get("green"), "shares.green", "f.yaml:13:28", "f.yaml:13:21", Scalar},
		{root.Get("inners").Index(1).Get("files").Index(0), "inners[1].files[0]", "f.yaml:25:5", "f.yaml:25:5", Scalar},
		{root.Get("nothing"), "nothing", "f.yaml:30:1", "f.yaml:30:1", Null},
		{root.Get("block").Get("deep"), "block.deep", "f.yaml:32:9", "f.yaml:32:3", Scalar},
		{root.Get("inner").Get("absent"), "inner.absent", "f.yaml:20:1", "f.yaml:20:1", Absent},
		{root.Get("inner").Get("absent").Get("more").Index(3), "inner.absent.more[3]", "f.yaml:20:1", "f.yaml:20:1", Absent},
		{root.Get("list").Index(3), "list[3]", "f.yaml:9:1", "f.yaml:9:1", Absent},
		{root.Get("list").Index(-1), "list[-1]", "f.yaml:9:1", "f.yaml:9:1", Absent},
		{Value{}.Get("a").Index(0), "a[0]", "", "", Absent},
	}
	for _, tt := range tests {
		v := tt.value
		if v.Path() != tt.path || v.Pos().String() != tt.pos || v.KeyPos().String() != tt.key || v.Kind() != tt.kind {
			t.Errorf("got %q at %s, key at %s, %s; want %q at %s, key at %s, %s",
				v.Path(), v.Pos(), v.KeyPos(), v.Kind(), tt.path, tt.pos, tt.key, tt.kind)
		}
		if v.Exists() != (tt.kind != Absent) {
			t.Errorf("%s: Exists is %v", tt.path, v.Exists())
		}
	}
}

func TestCursor(t *testing.T) {
	root, ms := Parse("f.yaml", []byte("a: {x: 1, y: 2, x: 3}\nb: [1, 2, 3]\n"))
	if len(ms) != 1 {
		t.Fatalf("want one mistake about the duplicate key, got %v", ms)
	}
	a := root.Get("a")
	if got := a.Keys(); !slices.Equal(got, []string{"x", "y"}) {
		t.Errorf("keys are %v", got)
	}
	if got := a.Get("x").Text(); got != "1" {
		t.Errorf("the first of two equal keys counts, got %s", got)
	}
	if a.Len() != 2 || root.Get("b").Len() != 3 || root.Get("b").Index(0).Len() != 0 {
		t.Errorf("lengths are %d, %d, %d", a.Len(), root.Get("b").Len(), root.Get("b").Index(0).Len())
	}
	var all []string
	for key, entry := range a.Entries() {
		all = append(all, key+"="+entry.Text()+" "+entry.Key())
	}
	if got := strings.Join(all, ", "); got != "x=1 x, y=2 y, x=3 x" {
		t.Errorf("entries are %s", got)
	}
}

func TestDecodeOfAbsentValues(t *testing.T) {
	root, _ := Parse("f.yaml", []byte("a: 1\n"))
	var text string
	if got := root.Get("b").Decode(&text).Error(); got != "f.yaml:1:1: b: is missing" {
		t.Errorf("got %s", got)
	}
	if got := (Value{}).Decode(&text).Error(); got != "is missing" {
		t.Errorf("got %s", got)
	}
}

func TestDecodePanicsOnFaultsOfTheProgram(t *testing.T) {
	root, _ := Parse("f.yaml", []byte("a: 1\n"))
	targets := map[string]any{
		"not a pointer": everything{},
		"nil pointer":   (*everything)(nil),
		"a channel": new(struct {
			A chan int `yaml:"a"`
		}),
		"no name": new(struct {
			A int `yaml:",required"`
		}),
		"one name twice": new(struct {
			A int `yaml:"a"`
			B int `yaml:"a"`
		}),
	}
	for name, into := range targets {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "document: ") {
					t.Errorf("want a panic that names the package, got %v", p)
				}
			}()
			root.Decode(into)
		})
	}
}

func TestPartMistake(t *testing.T) {
	root, _ := Parse("f.yaml", []byte("a: \"é ${MGMT} ${C1}\"\nb: \"\\u0024{X}\"\n"))
	for part, want := range map[string]string{"${MGMT}": "f.yaml:1:7: a: no", "${C1}": "f.yaml:1:15: a: no", "${X}": "f.yaml:1:4: a: no"} {
		if got := root.Get("a").PartMistake(part, "no").Error(); got != want {
			t.Errorf("%s: got %s, want %s", part, got, want)
		}
	}
	if got := root.Get("b").PartMistake("${X}", "no").Pos.String(); got != "f.yaml:2:4" {
		t.Errorf("a part that is written by an escape: got %s", got)
	}
}
