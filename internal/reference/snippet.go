package main

import (
	"fmt"
	"slices"
	"strings"
)

// snippets are the steps that an editor offers to write: each action with the keys
// that it cannot do without.
func snippets(actions []*action) []snippet {
	var all []snippet
	for _, a := range actions {
		var s sketch
		body := s.mapping(a.body)
		all = append(all, snippet{Label: a.name + ": " + strings.Join(s.top, ", "), Description: capital(summary(a.body.doc)) + ".", Body: ordered{{a.name, body}}})
	}
	return all
}

// sketch writes the bodies of snippets: plain data with places to fill in, which
// are written $1 or, with something to begin from, ${1:such}.
type sketch struct {
	places int
	depth  int
	top    []string // the keys of the outermost mapping
}

func (s *sketch) place(such string) string {
	s.places++
	if such == "" {
		return fmt.Sprintf("$%d", s.places)
	}
	return fmt.Sprintf("${%d:%s}", s.places, such)
}

// mapping takes the keys that are required, the first of those of which there must
// be one and, where that is none, the first of all.
func (s *sketch) mapping(m *mapping) ordered {
	var chosen []*key
	for _, k := range m.keys {
		first := slices.ContainsFunc(m.keys, func(o *key) bool { return o.or == k.name })
		if k.required || first {
			chosen = append(chosen, k)
		}
	}
	if len(chosen) == 0 {
		chosen = m.keys[:1]
	}
	s.depth++
	defer func() { s.depth-- }()
	var body ordered
	for _, k := range chosen {
		if s.depth == 1 {
			s.top = append(s.top, k.name)
		}
		body = append(body, entry{k.name, s.value(k.value)})
	}
	return body
}

func (s *sketch) value(v *value) any {
	switch v.kind {
	case keyed:
		return s.mapping(v.body)
	case list:
		return []any{s.value(v.of)}
	case table:
		return ordered{{s.place("NAME"), s.value(v.of)}}
	case data:
		body := ordered{{"apiVersion", s.place("")}, {"kind", s.place("")}}
		return append(body, entry{"metadata", ordered{{"name", s.place("")}}})
	}
	switch {
	case v.examples != nil:
		return s.place(v.examples[0])
	case v.form != nil && v.form.examples != nil:
		return s.place(v.form.examples[0])
	}
	return s.place("")
}

// ordered is a mapping in the order in which it is to be written.
type ordered []entry

type entry struct {
	name  string
	value any
}

// MarshalJSON writes it as an object.
func (o ordered) MarshalJSON() ([]byte, error) {
	return object(o, func(e entry) (string, any) { return e.name, e.value })
}
