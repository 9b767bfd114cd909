package gloomesh

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/sandbox/strict"
)

func readMatcher(t *testing.T, text string) matcher {
	t.Helper()
	var found problems
	m := decodeMatcher(strict.New("m", normalText(t, text), &found))
	if len(found) > 0 {
		t.Fatalf("%s: %q", text, found.texts())
	}
	return m
}

func normalText(t *testing.T, text string) map[string]any {
	t.Helper()
	return readObjects(t, []byte(text))[0].Object
}

func TestMatchersBecomeIstios(t *testing.T) {
	for _, c := range []struct {
		matcher string
		want    map[string]any
	}{
		{`uri: {prefix: /}`, map[string]any{"uri": map[string]any{"prefix": "/"}}},
		{`uri: {exact: /api, ignoreCase: true}`, map[string]any{"uri": map[string]any{"exact": "/api"}, "ignoreUriCase": true}},
		{`uri: {regex: "/a.*", ignoreCase: true}`, map[string]any{"uri": map[string]any{"regex": "/a.*"}}},
		{`{name: only-a-name, method: GET}`, map[string]any{"method": map[string]any{"exact": "GET"}}},
		{`headers: [{name: X-Version, value: v1}, {name: X-There}, {name: X-Like, value: v.*, regex: true}]`, map[string]any{"headers": map[string]any{
			"x-version": map[string]any{"exact": "v1"}, "x-there": map[string]any{}, "x-like": map[string]any{"regex": "v.*"}}}},
		{`headers: [{name: X-Not, value: v1, invertMatch: true}, {name: X-None, invertMatch: true}]`, map[string]any{"withoutHeaders": map[string]any{
			"x-not": map[string]any{"exact": "v1"}, "x-none": map[string]any{}}}},
		{`queryParameters: [{name: A, value: b}, {name: c}, {name: d, value: e+, regex: true}]`, map[string]any{"queryParams": map[string]any{
			"A": map[string]any{"exact": "b"}, "c": map[string]any{"regex": ".*"}, "d": map[string]any{"regex": "e+"}}}},
	} {
		if diff := cmp.Diff(c.want, readMatcher(t, c.matcher).istio()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.matcher, diff)
		}
	}
}

func TestBoth(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       string // a matcher, "never", or an error
	}{
		{"nothing else", `uri: {prefix: /}`, `headers: [{name: x}]`, `{uri: {prefix: /}, headers: [{name: x}]}`},
		{"the longer prefix", `uri: {prefix: /a}`, `uri: {prefix: /a/b}`, `uri: {prefix: /a/b}`},
		{"the longer prefix, whoever has it", `uri: {prefix: /a/b}`, `uri: {prefix: /a}`, `uri: {prefix: /a/b}`},
		{"exact below a prefix", `uri: {prefix: /a}`, `uri: {exact: /a/b}`, `uri: {exact: /a/b}`},
		{"any regular expression below the root", `uri: {prefix: /}`, `uri: {regex: "/x+"}`, `uri: {regex: "/x+"}`},
		{"a regular expression below more", `uri: {prefix: /x}`, `uri: {regex: "/x+"}`, `m.uri: regex "/x+" and the route's prefix "/x" cannot be said in one condition`},
		{"other paths", `uri: {prefix: /a}`, `uri: {prefix: /b}`, "never"},
		{"other exact paths", `uri: {exact: /a}`, `uri: {exact: /b}`, "never"},
		{"case matters to one only", `uri: {prefix: /a}`, `uri: {prefix: /A/b, ignoreCase: true}`, `m.uri: prefix "/A/b" and the route's prefix "/a" cannot be said in one condition`},
		{"case matters to none", `uri: {prefix: /a, ignoreCase: true}`, `uri: {prefix: /A/b, ignoreCase: true}`, `uri: {prefix: /A/b, ignoreCase: true}`},
		{"other methods", `method: GET`, `method: POST`, "never"},
		{"one header twice alike", `headers: [{name: X, value: v}]`, `headers: [{name: x, value: v}]`, `headers: [{name: X, value: v}]`},
		{"one header, other values", `headers: [{name: X, value: v}]`, `headers: [{name: x, value: w}]`, "never"},
		{"one header, two patterns", `headers: [{name: X, value: v.*, regex: true}]`, `headers: [{name: x, value: .*w, regex: true}]`, "m.headers[0]: the route has a condition on x already, and Istio knows only one"},
		{"there, but not with that value", `headers: [{name: X, value: v}]`, `headers: [{name: X, value: w, invertMatch: true}]`, `headers: [{name: X, value: v}, {name: X, value: w, invertMatch: true}]`},
		{"parameters", `queryParameters: [{name: a, value: b}]`, `queryParameters: [{name: A, value: c}]`, `queryParameters: [{name: a, value: b}, {name: A, value: c}]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readMatcher(t, c.a).both(readMatcher(t, c.b))
			switch {
			case c.want == "never":
				if !errors.Is(err, errDisjoint) {
					t.Errorf("got %v, %v", got.istio(), err)
				}
			case err != nil:
				if err.Error() != c.want {
					t.Errorf("got the error\n%v\nwant\n%s", err, c.want)
				}
			default:
				if diff := cmp.Diff(readMatcher(t, c.want).istio(), got.istio()); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

func TestDivide(t *testing.T) {
	service := func(name string) serviceRef { return serviceRef{"c", "n", name} }
	to := func(name string, weight int64) destination {
		return destination{service: service(name), weight: weight}
	}
	moves := func(d ...destination) *trafficPolicy { return &trafficPolicy{policy: policy{shift: d}} }
	for _, c := range []struct {
		name  string
		route []destination
		moved []*trafficPolicy
		want  map[string]int64
	}{
		{"not moved", []destination{to("a", 100)}, []*trafficPolicy{nil}, map[string]int64{"a": 100}},
		{"moved", []destination{to("a", 100)}, []*trafficPolicy{moves(to("a", 40), to("b", 60))}, map[string]int64{"a": 40, "b": 60}},
		{"one part moved", []destination{to("a", 40), to("b", 60)}, []*trafficPolicy{nil, moves(to("c", 50), to("d", 50))}, map[string]int64{"a": 40, "c": 30, "d": 30}},
		{"two parts to one place", []destination{to("a", 50), to("b", 50)}, []*trafficPolicy{nil, moves(to("a", 100))}, map[string]int64{"a": 100}},
		{"in tenths of a percent", []destination{to("a", 15), to("b", 85)}, []*trafficPolicy{moves(to("c", 33), to("d", 67)), nil}, map[string]int64{"c": 495, "d": 1005, "b": 8500}},
		{"nothing to one", []destination{to("a", 100)}, []*trafficPolicy{moves(to("a", 0), to("b", 100))}, map[string]int64{"a": 0, "b": 100}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := map[string]int64{}
			for _, d := range divide(c.route, c.moved) {
				got[d.service.name] = d.weight
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSubsetName(t *testing.T) {
	for _, c := range []struct {
		labels map[string]string
		want   string
	}{
		{map[string]string{"version": "green"}, "version-green"},
		{map[string]string{"version": "v1.2", "app": "A"}, "app-a-version-v1-2"},
	} {
		if got := subsetName(c.labels); got != c.want {
			t.Errorf("%v: got %s, want %s", c.labels, got, c.want)
		}
	}
}
