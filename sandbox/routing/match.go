package routing

import (
	"fmt"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Compile makes a regular expression that must match a whole string, as
// Envoy's safe_regex does.
func Compile(pattern string) (*regexp.Regexp, error) {
	// Parsed by itself first: wrapped in a group, "a)(b" would become valid.
	if _, err := syntax.Parse(pattern, syntax.Perl); err != nil {
		return nil, fmt.Errorf("not a regular expression (RE2): %w", err)
	}
	return regexp.Compile(`\A(?:` + pattern + `)\z`)
}

// text is a compiled Text.
type text struct {
	Text
	re *regexp.Regexp
}

func compileText(t Text) (text, error) {
	if t.Kind != Regex {
		return text{Text: t}, nil
	}
	re, err := Compile(t.Value)
	return text{t, re}, err
}

func (t *text) matches(s string) bool {
	switch t.Kind {
	case Exact:
		return s == t.Value
	case Prefix:
		return strings.HasPrefix(s, t.Value)
	case Regex:
		return t.re.MatchString(s)
	}
	return true
}

func (t *text) matchesFold(s string) bool {
	switch t.Kind {
	case Exact:
		return strings.EqualFold(s, t.Value)
	case Prefix:
		return len(s) >= len(t.Value) && strings.EqualFold(s[:len(t.Value)], t.Value)
	}
	return t.matches(s)
}

type field struct {
	name  string
	value text
}

// matcher is a compiled Match.
type matcher struct {
	path                      text
	ignoreCase                bool
	method, scheme, authority text
	headers, without, query   []field
}

func compileMatch(m Match) (*matcher, error) {
	c := &matcher{ignoreCase: m.IgnoreCase}
	for _, part := range []struct {
		name string
		from Text
		to   *text
	}{
		{"path", m.Path, &c.path}, {"method", m.Method, &c.method},
		{"scheme", m.Scheme, &c.scheme}, {"authority", m.Authority, &c.authority},
	} {
		var err error
		if *part.to, err = compileText(part.from); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
	}
	for _, part := range []struct {
		name   string
		from   []Field
		to     *[]field
		header bool
	}{
		{"header", m.Headers, &c.headers, true}, {"header", m.Without, &c.without, true},
		{"query parameter", m.Query, &c.query, false},
	} {
		for _, f := range part.from {
			value, err := compileText(f.Value)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", part.name, f.Name, err)
			}
			if part.header {
				f.Name = http.CanonicalHeaderKey(f.Name)
			}
			*part.to = append(*part.to, field{f.Name, value})
		}
	}
	return c, nil
}

func (m *matcher) matches(r *http.Request, path string) bool {
	if m.ignoreCase && !m.path.matchesFold(path) || !m.ignoreCase && !m.path.matches(path) {
		return false
	}
	if !m.method.matches(r.Method) || !m.scheme.matches("http") || !m.authority.matches(r.Host) {
		return false
	}
	for i := range m.headers {
		f := &m.headers[i]
		if value, ok := header(r, f.name); !ok || !f.value.matches(value) {
			return false
		}
	}
	for i := range m.without {
		f := &m.without[i]
		value, ok := header(r, f.name)
		if f.value.Kind == Any && !ok {
			continue // it must be absent, and is
		}
		if f.value.matches(value) {
			return false
		}
	}
	for i := range m.query {
		f := &m.query[i]
		if value, ok := parameter(r.URL.RawQuery, f.name); !ok || !f.value.matches(value) {
			return false
		}
	}
	return true
}

// rewrite gives the path to send on.
func (m *matcher) rewrite(path, with string) string {
	if with == "" {
		return path
	}
	switch m.path.Kind {
	case Prefix:
		return with + path[len(m.path.Value):]
	case Any: // Envoy is told of the prefix "/" then
		return with + strings.TrimPrefix(path, "/")
	}
	return with
}

// header gives a header's values as Envoy compares them, joined by commas.
func header(r *http.Request, name string) (string, bool) {
	if name == "Host" { // net/http takes it out of the header
		return r.Host, true
	}
	values := r.Header[name]
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return strings.Join(values, ","), true
}

// parameter finds the first value of a query parameter. Nothing is unescaped:
// Envoy compares what was sent.
func parameter(query, name string) (string, bool) {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if key == name && pair != "" {
			return value, true
		}
	}
	return "", false
}
