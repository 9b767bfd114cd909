package fault

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/routing"
)

var both = []string{"cluster1", "cluster2"}

// object makes a Fault of a spec in JSON.
func object(t testing.TB, spec string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	text := fmt.Sprintf(`{"apiVersion":"sandbox.assay/v1","kind":"Fault","metadata":{"name":"f"},"spec":%s}`, spec)
	if err := u.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return u
}

func mustRead(t testing.TB, spec string) Fault {
	t.Helper()
	f, problems := Read(object(t, spec), both)
	if len(problems) > 0 {
		t.Fatalf("%s: %v", spec, problems)
	}
	return f
}

// canary is the tutorial's split, as the reader hands it over.
func canary(blue, green, canary uint64) []routing.Host {
	return []routing.Host{{Name: "*", Routes: []routing.Route{{Name: "r", Destinations: []routing.Destination{
		{Host: "blue-green-canary.blue-green-canary.svc.cluster.local", Subset: "version-blue", Version: "blue", Weight: blue},
		{Host: "blue-green-canary.blue-green-canary.svc.cluster2.global", Subset: "version-green", Version: "green", Weight: green},
		{Host: "blue-green-canary.vm-blue-green-canary.svc.cluster.local", Version: "canary", Weight: canary},
	}}}}}
}

// shares are the percentages of the first route's destinations.
func shares(hosts []routing.Host) []float64 {
	var sum float64
	var out []float64
	for _, d := range hosts[0].Routes[0].Destinations {
		sum += float64(d.Weight)
	}
	for _, d := range hosts[0].Routes[0].Destinations {
		out = append(out, math.Round(float64(d.Weight)/sum*1e10)/1e8)
	}
	return out
}

func TestWeights(t *testing.T) {
	for _, c := range []struct {
		spec string
		of   []routing.Host
		want []float64
	}{
		{`{"weights":{"points":6,"from":"canary","to":"blue"}}`, canary(40, 40, 20), []float64{46, 40, 14}},
		{`{"weights":{"points":6}}`, canary(40, 40, 20), []float64{46, 40, 14}},
		{`{"weights":{"points":6,"from":"blue"}}`, canary(40, 40, 20), []float64{34, 46, 20}},
		{`{"weights":{"points":6,"to":"green"}}`, canary(40, 40, 20), []float64{40, 46, 14}},
		{`{"weights":{"points":6,"to":"canary"}}`, canary(40, 40, 20), []float64{40, 34, 26}},
		{`{"weights":{"points":1.5,"from":"version-blue","to":"blue-green-canary.vm-blue-green-canary"}}`, canary(1, 1, 1), []float64{31.83333333, 33.33333333, 34.83333333}},
		{`{"weights":{"points":0.01,"from":"blue","to":"green"}}`, canary(7, 0, 6), []float64{53.83615385, 0.01, 46.15384615}},
		{`{"weights":{"points":50,"from":"canary","to":"blue"}}`, canary(40, 40, 20), []float64{60, 40, 0}}, // all that it has
		{`{"weights":{"points":6,"from":"canary","to":"blue"}}`, canary(100, 0, 0), []float64{100, 0, 0}},
		{`{"weights":{"points":2,"from":"blue","to":"canary"}}`, canary(100, 0, 0), []float64{98, 0, 2}}, // a leak
		{`{"weights":{"points":6,"from":"red","to":"blue"}}`, canary(40, 40, 20), []float64{40, 40, 20}},
		{`{"weights":{"points":6,"from":"red"}}`, canary(40, 40, 20), []float64{40, 40, 20}},
		{`{"weights":{"points":6,"to":"red"}}`, canary(40, 40, 20), []float64{40, 40, 20}},
	} {
		got := shares(Apply([]Fault{mustRead(t, c.spec)}, "cluster1", c.of))
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", c.spec, diff)
		}
	}
}

func TestWeightsOfASingleDestinationStay(t *testing.T) {
	one := []routing.Host{{Name: "*", Routes: []routing.Route{{Destinations: []routing.Destination{{Host: "a", Weight: 1}}}}}}
	if diff := cmp.Diff(one, Apply([]Fault{mustRead(t, `{"weights":{"points":6}}`)}, "cluster1", one)); diff != "" {
		t.Error(diff)
	}
}

// However many faults move however much, nothing is lost, nobody goes below
// nothing, and no number overflows.
func TestWeightsKeepTheSum(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := []string{"blue", "green", "canary"}
	for range 300 {
		hosts := canary(1+random.Uint64N(1<<31-1), random.Uint64N(1000), random.Uint64N(1<<31))
		want := shares(hosts)
		var faults []Fault
		for range 1 + random.IntN(8) {
			from, to := random.IntN(3), random.IntN(2)
			if to >= from {
				to++
			}
			points := float64(1+random.IntN(3000)) / 100
			faults = append(faults, mustRead(t, fmt.Sprintf(`{"weights":{"points":%v,"from":%q,"to":%q}}`, points, names[from], names[to])))
			moved := min(points, want[from])
			want[from] -= moved
			want[to] += moved
		}
		for i, got := range shares(Apply(faults, "cluster1", hosts)) {
			if math.Abs(got-want[i]) > 1e-6 {
				t.Fatalf("%s has %v %%, want %v %%", names[i], got, want[i])
			}
		}
	}
}

func TestRouteFaults(t *testing.T) {
	for _, c := range []struct {
		specs   []string
		cluster string
		choice  routing.Choice
		aborts  []routing.Abort
	}{
		{[]string{`{"sticky":{"by":"connection"}}`}, "cluster1", routing.Choice{Sticky: true}, nil},
		{[]string{`{"blocks":{"size":100}}`}, "cluster1", routing.Choice{Block: 100}, nil},
		{[]string{`{"blocks":{"size":100}}`, `{"sticky":{"by":"connection"}}`}, "cluster2", routing.Choice{Block: 100, Sticky: true}, nil},
		{[]string{`{"errors":{"percent":5}}`}, "cluster1", routing.Choice{}, []routing.Abort{{Share: .05, Status: 503}}},
		{[]string{`{"errors":{"percent":0.25,"status":500}}`, `{"errors":{"percent":1,"status":429}}`}, "cluster1", routing.Choice{},
			[]routing.Abort{{Share: .0025, Status: 500}, {Share: .01, Status: 429}}},
		{[]string{`{"clusters":["cluster2"],"blocks":{"size":7}}`}, "cluster2", routing.Choice{Block: 7}, nil},
		{[]string{`{"clusters":["cluster2"],"blocks":{"size":7}}`}, "cluster1", routing.Choice{}, nil},
		{[]string{`{"vmDown":{}}`}, "cluster1", routing.Choice{}, nil},
		{nil, "cluster1", routing.Choice{}, nil},
	} {
		var faults []Fault
		for _, s := range c.specs {
			faults = append(faults, mustRead(t, s))
		}
		before := canary(40, 40, 20)
		after := Apply(faults, c.cluster, before)
		if r := after[0].Routes[0]; r.Choice != c.choice || !slices.Equal(r.Aborts, c.aborts) {
			t.Errorf("%v at %s: %+v, %+v; want %+v, %+v", c.specs, c.cluster, r.Choice, r.Aborts, c.choice, c.aborts)
		}
		if diff := cmp.Diff(canary(40, 40, 20), before); diff != "" {
			t.Errorf("%v changed the routes that it was given:\n%s", c.specs, diff)
		}
	}
}

func TestSame(t *testing.T) {
	read := func(name string, generation int64, percent any) Fault {
		f, problems := Read(&unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name, "uid": "u", "generation": generation},
			"spec": map[string]any{"errors": map[string]any{"percent": percent}}}}, both)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return f
	}
	a, again, edited, other := read("a", 1, 5.0), read("a", 1, 5.0), read("a", 2, 6.0), read("b", 1, 5.0)
	for _, c := range []struct {
		a, b []Fault
		want bool
	}{
		{nil, []Fault{}, true}, {[]Fault{a}, []Fault{again}, true}, {[]Fault{a}, []Fault{edited}, false},
		{[]Fault{a}, []Fault{other}, false}, {[]Fault{a, other}, []Fault{other, a}, false}, {[]Fault{a}, nil, false},
	} {
		if got := Same(c.a, c.b); got != c.want {
			t.Errorf("Same(%v, %v) = %t", c.a, c.b, got)
		}
	}
}

func TestVMDown(t *testing.T) {
	down, other := mustRead(t, `{"vmDown":{}}`), mustRead(t, `{"blocks":{"size":9}}`)
	if VMDown(nil) || VMDown([]Fault{other}) || !VMDown([]Fault{other, down}) || !VMDown([]Fault{down, down}) {
		t.Error("the VM must be down as long as one fault says so, and no longer")
	}
}

func TestReadRefuses(t *testing.T) {
	for spec, want := range map[string][]string{
		`{}`: {"spec: want exactly one of weights, vmDown, sticky, blocks, errors, not 0"},
		`{"blocks":{"size":5},"vmDown":{}}`: {
			"spec: want exactly one of weights, vmDown, sticky, blocks, errors, not 2"},
		`{"clusters":["cluster3","cluster1"],"blocks":{"size":0}}`: {
			`spec.clusters[0]: no gateway in "cluster3" (there is one in cluster1, cluster2)`,
			"spec.blocks.size: 0 is not between 1 and 1000000"},
		`{"clusters":["cluster1"],"vmDown":{}}`: {"spec.clusters: the VM is one machine for all clusters"},
		`{"blocks":{}}`:                         {"spec.blocks.size: want how many requests make a block"},
		`{"blocks":{"size":1.5}}`:               {"spec.blocks.size: want an integer, not 1.5"},
		`{"blocks":[]}`:                         {"spec.blocks: want an object; {} will do where it has no fields"},
		`{"vmDown":null}`:                       {"spec.vmDown: want an object; {} will do where it has no fields"},
		`{"blocks":7}`:                          {"spec.blocks: want an object, not int64"},
		`{"sticky":{"by":"address"}}`:           {`spec.sticky.by: "address": the sandbox cannot tell clients apart by that (want connection)`},
		`{"sticky":{}}`:                         {`spec.sticky.by: "": the sandbox cannot tell clients apart by that (want connection)`},
		`{"weights":{"points":0}}`:              {"spec.weights.points: 0 is not between 0.01 and 100"},
		`{"weights":{"from":"a","to":"a"}}`:     {"spec.weights.points: want how many percentage points to move", `spec.weights.to: "a" is where the share comes from`},
		`{"errors":{"percent":101,"status":99}}`: {
			"spec.errors.percent: 101 is not between 0 and 100", "spec.errors.status: 99 is not between 200 and 599"},
		`{"errors":{}}`: {"spec.errors.percent: want how many per cent of the requests fail"},
		`{"flaps":{"every":"1s"},"vmDown":{"for":"1s"}}`: {
			"spec.vmDown.for: the sandbox does not honour this field", "spec.flaps: the sandbox does not honour this field"},
	} {
		_, got := Read(object(t, spec), both)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", spec, diff)
		}
	}
}

// Whatever stands in a Fault, reading it ends in a fault that a table can be
// made with, or in problems that say where.
func FuzzRead(f *testing.F) {
	for _, spec := range []string{`{"weights":{"points":6,"from":"canary","to":"blue"}}`, `{"clusters":["cluster1"],"errors":{"percent":5,"status":503}}`,
		`{"blocks":{"size":100}}`, `{"sticky":{"by":"connection"}}`, `{"vmDown":{}}`, `{"blocks":null}`, `[]`} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		var value any
		if json.Unmarshal([]byte(spec), &value) != nil {
			return
		}
		fault, problems := Read(&unstructured.Unstructured{Object: map[string]any{"spec": value}}, both)
		for _, p := range problems {
			if !strings.HasPrefix(p, "spec") || !strings.Contains(p, ": ") {
				t.Errorf("problem %q does not say where", p)
			}
		}
		if len(problems) > 0 {
			return
		}
		if _, err := routing.New(Apply([]Fault{fault}, "cluster1", canary(40, 40, 20))); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	})
}
