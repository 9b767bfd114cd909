package main

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// schema is a JSON Schema of draft 7, the newest that yaml-language-server (the
// one behind YAML in VS Code, Neovim, JetBrains' plugin and others) reads in full.
// errorMessage, markdownDescription and defaultSnippets are that server's own;
// other programs skip them. Nothing is shared by $ref, so that the description of a
// key stands beside its form: draft 7 ignores all that stands beside a $ref. And
// what holds when a key is not given is in its description and the first of its
// examples, but no "default": a server writes all keys that have one into the file
// with every mapping that it completes.
type schema struct {
	Schema              string     `json:"$schema,omitempty"`
	Comment             string     `json:"$comment,omitempty"`
	Title               string     `json:"title,omitempty"`
	Description         string     `json:"description,omitempty"`
	MarkdownDescription string     `json:"markdownDescription,omitempty"`
	Type                any        `json:"type,omitempty"` // a string, or several
	Const               string     `json:"const,omitempty"`
	Enum                []string   `json:"enum,omitempty"`
	Examples            []any      `json:"examples,omitempty"`
	Pattern             string     `json:"pattern,omitempty"`
	MinLength           int        `json:"minLength,omitempty"`
	MaxLength           int        `json:"maxLength,omitempty"`
	Minimum             *int       `json:"minimum,omitempty"`
	Maximum             *int       `json:"maximum,omitempty"`
	MinItems            int        `json:"minItems,omitempty"`
	UniqueItems         bool       `json:"uniqueItems,omitempty"`
	Items               *schema    `json:"items,omitempty"`
	MinProperties       int        `json:"minProperties,omitempty"`
	PropertyNames       *schema    `json:"propertyNames,omitempty"`
	Required            []string   `json:"required,omitempty"`
	Properties          properties `json:"properties,omitempty"`
	More                any        `json:"additionalProperties,omitempty"` // false, or a schema
	AnyOf               []*schema  `json:"anyOf,omitempty"`
	OneOf               []*schema  `json:"oneOf,omitempty"`
	AllOf               []*schema  `json:"allOf,omitempty"`
	If                  *schema    `json:"if,omitempty"`
	Then                *schema    `json:"then,omitempty"`
	Else                *schema    `json:"else,omitempty"`
	ErrorMessage        string     `json:"errorMessage,omitempty"`
	Snippets            []snippet  `json:"defaultSnippets,omitempty"`
	never               bool
}

// snippet is what an editor writes when a key is chosen.
type snippet struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Body        any    `json:"body"`
}

// never is the schema that nothing fits.
var never = &schema{never: true}

// MarshalJSON writes never as false.
func (s *schema) MarshalJSON() ([]byte, error) {
	if s.never {
		return []byte("false"), nil
	}
	type plain schema
	return compact((*plain)(s))
}

// property is one key of an object.
type property struct {
	name  string
	value *schema
}

// properties keep the order of the struct's fields.
type properties []property

// MarshalJSON writes them as an object.
func (ps properties) MarshalJSON() ([]byte, error) {
	return object(ps, func(p property) (string, any) { return p.name, p.value })
}

// object writes a JSON object whose keys have an order.
func object[E any](entries []E, of func(E) (string, any)) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		name, value := of(e)
		text, err := compact(value)
		if err != nil {
			return nil, err
		}
		b.WriteString(strconv.Quote(name) + ":")
		b.Write(text)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// compact is json.Marshal that leaves < and > as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimSpace(b.Bytes()), err
}

func marshal(s *schema) []byte {
	text, err := compact(s)
	if err != nil {
		panic(err) // there is nothing in a schema that has no JSON
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		panic(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

const (
	draft     = "http://json-schema.org/draft-07/schema#"
	notByHand = "Generated from the structs that assay decodes files into: make generate. Not edited by hand."
)

// scenarioSchema is the schema of a scenario's file.
func (l *language) scenarioSchema() *schema {
	s := l.mapping(l.scenario)
	s.Schema, s.Comment, s.Title = draft, notByHand, "Assay scenario"
	s.describe("Steps that bring about a state of the clusters, and say what should then be seen.")
	return s
}

// environmentSchema is the schema of an environment's file.
func (l *language) environmentSchema() *schema {
	s := l.mapping(l.environment)
	s.Schema, s.Comment, s.Title = draft, notByHand, "Assay environment"
	s.describe("Where scenarios run: clusters by name, gateways, clients, destinations, and how an answer tells who gave it.")
	return s
}

// describe sets the description, which is Markdown; some editors show it as it is.
func (s *schema) describe(text string) {
	s.Description = strings.ReplaceAll(text, "`", "")
	if s.MarkdownDescription = ""; s.Description != text {
		s.MarkdownDescription = text
	}
}

// mapping is the schema of a mapping with keys of its own.
func (l *language) mapping(m *mapping) *schema {
	s := &schema{Type: "object", More: false}
	s.describe(m.doc)
	for _, k := range m.keys {
		property := l.value(k.value)
		what := k.doc
		if k.unsaid != "" {
			what += " Default: " + k.unsaid + "."
			property.offer(k.value.defaults(k.unsaid))
		}
		property.name(k.name)
		if k.value.kind == keyed && what == "" {
			what = property.Description
		}
		property.describe(what)
		s.add(k.name, property)
		if k.required {
			s.Required = append(s.Required, k.name)
		}
	}
	s.AllOf = relations(m)
	return s
}

// name gives a mapping, or the mappings of a list or a table, the title that
// editors show: the name of the key.
func (s *schema) name(key string) {
	if entries, ok := s.More.(*schema); ok && entries != nil && entries.Properties != nil {
		entries.Title = "one of " + key
	}
	if s.Items != nil && s.Items.Properties != nil && s.Items.Title == "" {
		s.Items.Title = "one of " + key
	}
	if s.Properties != nil {
		s.Title = key
	}
}

func (s *schema) add(name string, value *schema) {
	s.Properties = append(s.Properties, property{name, value})
}

// step is the schema of a step: a name, and exactly one action.
func (l *language) stepSchema() *schema {
	s := l.mapping(l.step)
	var names []string
	for _, a := range l.actions {
		body := l.mapping(a.body)
		body.Title = a.name
		s.add(a.name, body)
		names = append(names, a.name)
	}
	s.Title, s.Snippets = "step", snippets(l.actions)
	s.AllOf = append(s.AllOf, exactlyOne(names, "a step has exactly one action: "+or(names)))
	return s
}

// value is the schema of what a key or an entry takes.
func (l *language) value(v *value) *schema {
	s := &schema{}
	switch v.kind {
	case text, quantity:
		l.text(s, v)
	case whole:
		s.Type, s.Minimum, s.Maximum = "integer", v.min, v.max
		for _, e := range v.examples {
			if n, err := strconv.Atoi(e); err == nil {
				s.Examples = append(s.Examples, n)
			}
		}
	case truth:
		s.Type = "boolean"
	case list:
		s.Type, s.Items, s.UniqueItems = "array", l.value(v.of), v.unique
		s.MinItems = atLeast(v.nonempty)
	case table:
		s.Type, s.More, s.MinProperties = "object", l.value(v.of), atLeast(v.nonempty)
		s.PropertyNames = l.form(v.keys)
	case keyed:
		s = l.mapping(v.body)
		s.MinProperties = atLeast(v.nonempty)
	case data:
		s.Type, s.MinProperties = "object", atLeast(v.nonempty)
		s.object(v.sort)
	case named:
		names := &schema{Type: "object", More: l.form(v.form), MinProperties: atLeast(v.nonempty)}
		s.OneOf = []*schema{l.form(v.form), names}
	case steps:
		return l.stepSchema()
	}
	return s
}

func atLeast(nonempty bool) int {
	if nonempty {
		return 1
	}
	return 0
}

func (l *language) text(s *schema, v *value) {
	if v.form != nil {
		*s = *l.form(v.form)
	}
	s.Type = "string"
	if v.scalar {
		s.Type = []string{"string", "integer"}
	}
	if v.positive && v.kind == quantity {
		for _, u := range units {
			if u.one == v.form.one && u.positive != "" {
				s.Pattern, s.ErrorMessage = u.positive, u.wanted+", above 0"
			}
		}
	}
	s.MinLength = atLeast(v.nonempty)
	if s.Enum = v.enum; len(v.enum) == 1 {
		s.Enum, s.Const = nil, v.enum[0]
	}
	if v.examples != nil {
		s.Examples = all(v.examples)
	}
}

// form is the schema of a text of a form; nil for any text.
func (l *language) form(f *form) *schema {
	if f == nil {
		return nil
	}
	return &schema{Type: "string", Pattern: f.pattern, ErrorMessage: f.wanted, MaxLength: f.longest, Examples: all(f.examples)}
}

func all(words []string) []any {
	var list []any
	for _, w := range words {
		list = append(list, w)
	}
	return list
}

// object says what an object of Kubernetes must have. A manifest may be a List of
// such objects; a pattern has what it has, but its kind.
func (s *schema) object(sort string) {
	if sort == "" {
		return
	}
	full := func(what string) *schema {
		s := &schema{Type: "string", Pattern: `^[^*]+$`, ErrorMessage: "want it in full"}
		s.describe(what)
		return s
	}
	s.add("apiVersion", full("The object's API version: `v1`, `apps/v1`."))
	s.add("kind", full("The object's kind: `ConfigMap`, `Deployment`."))
	metadata := &schema{}
	metadata.add("name", &schema{})
	metadata.add("namespace", &schema{})
	s.add("metadata", metadata)
	if sort == "pattern" {
		s.Required = []string{"apiVersion", "kind"}
		return
	}
	metadata.Type = "object"
	s.Required = []string{"kind"}
	single := &schema{Required: []string{"apiVersion", "metadata"}}
	single.add("metadata", &schema{Required: []string{"name"}})
	s.AllOf = []*schema{{If: &schema{Required: []string{"items"}}, Else: single}}
}

// offer puts an example before the others.
func (s *schema) offer(example any) {
	if example == nil || s.Enum != nil || s.Type == "boolean" {
		return
	}
	s.Examples = append([]any{example}, slices.DeleteFunc(slices.Clone(s.Examples), func(e any) bool { return e == example })...)
}

// defaults is the default as a value, where its words are one.
func (v *value) defaults(words string) any {
	switch v.kind {
	case whole:
		if n, err := strconv.Atoi(words); err == nil {
			return n
		}
	case truth:
		if b, err := strconv.ParseBool(words); err == nil {
			return b
		}
	case quantity:
		if matches(v.form, words) {
			return words
		}
	case text:
		if slices.Contains(v.enum, words) || v.enum == nil && matches(v.form, words) && !strings.Contains(words, " ") {
			return words
		}
	}
	return nil
}

func or(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Replace(document.And(words), " and ", " or ", 1)
}
