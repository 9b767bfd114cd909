package gloomesh

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/meshassay/assay/sandbox/strict"
)

// A matcher is a condition on a request; all of its parts must hold.
type matcher struct {
	path    string
	uri     text
	method  string
	headers []fieldMatch
	query   []fieldMatch
}

// text compares a string: kind is exact, prefix or regex, or "" for no condition.
type text struct {
	kind, value string
	ignoreCase  bool
}

// A fieldMatch is a condition on a header or a query parameter: without a kind
// it must be there, whatever its value.
type fieldMatch struct {
	path string
	name string
	text
	invert bool
}

func decodeMatcher(o *strict.Object) matcher {
	defer o.Done()
	return decodeMatcherFields(o)
}

// decodeOlderMatcher reads a matcher of a TrafficPolicy, which may say the path
// in the older spelling as well: prefix instead of uri.prefix.
func decodeOlderMatcher(o *strict.Object) matcher {
	defer o.Done()
	m := decodeMatcherFields(o)
	for _, kind := range []string{"exact", "prefix", "regex"} {
		value := o.Text(kind)
		if value == "" {
			continue
		}
		if m.uri.kind != "" {
			o.Refuse(kind, "the path is given twice, by uri.%s as well", m.uri.kind)
		}
		if kind == "regex" {
			checkPattern(o, kind, value)
		}
		m.uri = text{kind: kind, value: value}
	}
	return m
}

// checkPattern holds a regular expression to RE2, which Envoy's are.
func checkPattern(o *strict.Object, name, value string) {
	if _, err := regexp.Compile(value); err != nil {
		o.Refuse(name, "not a regular expression that Envoy knows (RE2): %v", err)
	}
}

func decodeMatcherFields(o *strict.Object) matcher {
	o.Ignore("name") // only for access logs
	m := matcher{path: o.Path(), uri: decodeURI(o.Within("uri")), method: o.Text("method")}
	for _, h := range o.Objects("headers") {
		m.headers = append(m.headers, decodeFieldMatch(h))
	}
	for _, q := range o.Objects("queryParameters") {
		m.query = append(m.query, decodeFieldMatch(q))
	}
	return m
}

// decodeURI reads the path's condition. Istio has none on how a path ends, so
// a suffix becomes a regular expression.
func decodeURI(o *strict.Object) text {
	defer o.Done()
	t := text{ignoreCase: o.Flag("ignoreCase")}
	for _, kind := range []string{"exact", "prefix", "regex"} {
		value := o.Text(kind)
		if value == "" {
			continue
		}
		t.kind, t.value = kind, value
		if kind == "regex" {
			checkPattern(o, kind, value)
			t.ignoreCase = false // it says nothing about a regular expression
		}
	}
	if suffix := o.Text("suffix"); suffix != "" {
		t = text{kind: "regex", value: ".*" + regexp.QuoteMeta(suffix)}
		if o.Flag("ignoreCase") {
			t.value = "(?i)" + t.value
		}
	}
	if t.kind == "" {
		t.ignoreCase = false
	}
	return t
}

func decodeFieldMatch(o *strict.Object) fieldMatch {
	defer o.Done()
	f := fieldMatch{path: o.Path(), name: o.Text("name"), invert: o.Flag("invertMatch")}
	if f.name == "" {
		o.Refuse("name", "required")
	}
	value, regex := o.Text("value"), o.Flag("regex")
	f.text = text{kind: "exact", value: value}
	if value == "" {
		f.kind = ""
	} else if regex {
		checkPattern(o, "value", value)
		f.kind = "regex"
	}
	return f
}

// errDisjoint says that no request satisfies two conditions at once.
var errDisjoint = errors.New("no request satisfies both this and the condition of the route that it stands under")

// both is the condition that holds where a and b hold. Istio knows one condition
// on the path, and one on each header and parameter: what it cannot say is an
// error, and so is (errDisjoint) what no request satisfies.
func (a matcher) both(b matcher) (matcher, error) {
	out := matcher{path: b.path, method: a.method}
	uri, err := bothPaths(a.uri, b.uri)
	if err != nil {
		return out, fmt.Errorf("%s.uri: %w", b.path, err)
	}
	out.uri = uri
	if b.method != "" {
		if a.method != "" && a.method != b.method {
			return out, fmt.Errorf("%s.method: %w", b.path, errDisjoint)
		}
		out.method = b.method
	}
	if out.headers, err = bothFields(a.headers, b.headers, strings.EqualFold); err != nil {
		return out, err
	}
	out.query, err = bothFields(a.query, b.query, func(x, y string) bool { return x == y })
	return out, err
}

// bothPaths narrows a by b: one of them must be a prefix of the other, or equal.
func bothPaths(a, b text) (text, error) {
	switch {
	case a.kind == "" || a == b:
		return b, nil
	case b.kind == "":
		return a, nil
	case a.covers(b):
		return b, nil
	case b.covers(a):
		return a, nil
	case a.kind != "regex" && b.kind != "regex" && !a.folded().covers(b.folded()) && !b.folded().covers(a.folded()):
		return text{}, errDisjoint
	}
	return text{}, fmt.Errorf("%s %q and the route's %s %q cannot be said in one condition", b.kind, b.value, a.kind, a.value)
}

// covers tells whether every path that other allows is one that t allows, as
// far as that can be seen without comparing regular expressions.
func (t text) covers(other text) bool {
	if t.kind != "prefix" {
		return t.kind == "exact" && t == other
	}
	if t.value == "/" {
		return true // as every path does, whatever a regular expression says
	}
	if other.kind == "regex" || other.ignoreCase && !t.ignoreCase {
		return false
	}
	if t.ignoreCase {
		return strings.HasPrefix(strings.ToLower(other.value), strings.ToLower(t.value))
	}
	return strings.HasPrefix(other.value, t.value)
}

// folded is t without regard to case.
func (t text) folded() text {
	return text{kind: t.kind, value: strings.ToLower(t.value), ignoreCase: true}
}

func bothFields(a, b []fieldMatch, same func(x, y string) bool) ([]fieldMatch, error) {
	out := append([]fieldMatch(nil), a...)
	for _, f := range b {
		repeated := false
		for _, g := range a {
			if !same(f.name, g.name) || f.invert != g.invert {
				continue
			}
			switch {
			case f.text == g.text:
				repeated = true
			case f.kind == "exact" && g.kind == "exact" && !f.invert:
				return nil, fmt.Errorf("%s: %w", f.path, errDisjoint)
			default:
				return nil, fmt.Errorf("%s: the route has a condition on %s already, and Istio knows only one", f.path, f.name)
			}
		}
		if !repeated {
			out = append(out, f)
		}
	}
	return out, nil
}

// conjunctions is every way to satisfy one of a and one of b.
func conjunctions(a, b []matcher) ([]matcher, []error) {
	if len(a) == 0 {
		return b, nil
	}
	if len(b) == 0 {
		return a, nil
	}
	var out []matcher
	var errs []error
	for _, x := range a {
		for _, y := range b {
			m, err := x.both(y)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, m)
		}
	}
	return out, errs
}

// key is the same for matchers that say the same, in whatever order.
func key(matchers []matcher) string {
	var out []string
	for _, m := range matchers {
		b, _ := json.Marshal(m.istio()) // maps are written in the order of their keys
		out = append(out, string(b))
	}
	sort.Strings(out)
	return strings.Join(out, " ")
}

// istio is the HTTPMatchRequest of a VirtualService.
func (m matcher) istio() map[string]any {
	out := map[string]any{}
	if m.uri.kind != "" {
		out["uri"] = map[string]any{m.uri.kind: m.uri.value}
		if m.uri.ignoreCase {
			out["ignoreUriCase"] = true
		}
	}
	if m.method != "" {
		out["method"] = map[string]any{"exact": m.method}
	}
	for _, h := range m.headers {
		// Istio wants header names in lower case.
		put(out, map[bool]string{false: "headers", true: "withoutHeaders"}[h.invert], strings.ToLower(h.name), h.text)
	}
	for _, q := range m.query {
		put(out, "queryParams", q.name, q.text)
	}
	return out
}

// put adds one condition to a map of them. For presence Istio takes an empty
// condition on a header; on a query parameter it takes a pattern.
func put(out map[string]any, where, name string, t text) {
	conditions, _ := out[where].(map[string]any)
	if conditions == nil {
		conditions = map[string]any{}
		out[where] = conditions
	}
	switch {
	case t.kind != "":
		conditions[name] = map[string]any{t.kind: t.value}
	case where == "queryParams":
		conditions[name] = map[string]any{"regex": ".*"}
	default:
		conditions[name] = map[string]any{}
	}
}
