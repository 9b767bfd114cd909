package main

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// language is all that can be written in scenarios and environments.
type language struct {
	scenario, step, environment *mapping
	actions                     []*action
}

// action is one kind of step.
type action struct {
	name    string
	changes bool
	body    *mapping
}

// mapping is a YAML mapping with keys of its own.
type mapping struct {
	doc  string
	from reflect.Type
	keys []*key
}

// key is one key of a mapping.
type key struct {
	name, doc string
	unsaid    string // what holds when the key is not given, in words
	required  bool
	value     *value
	// With whom it goes: the words of the tag "schema".
	or, unless    string
	without, with []condition
	// among is the struct that the key is declared in, when that one's keys
	// stand among others.
	among reflect.Type
}

// condition is a key that is there, or one that has a certain value.
type condition struct{ key, value string }

// kind is what a value is.
type kind int

const (
	text kind = iota
	whole
	truth
	quantity // a text with a unit
	list
	table // a mapping with any keys and values of one sort
	keyed // a mapping with keys of its own
	data  // an object of Kubernetes, or JSON
	named // an outcome, or a table of them
	steps // a step of a scenario
)

// value is what a key or an entry takes.
type value struct {
	kind     kind
	of       *value   // of a list or a table
	body     *mapping // of a keyed
	form     *form    // of a text, a quantity, or the entries; nil: any text
	keys     *form    // of a table
	sort     string   // of data: "manifest", "pattern" or ""
	scalar   bool     // a text that may be written as a number
	nonempty bool
	unique   bool
	positive bool
	min, max *int
	enum     []string
	examples []string
}

func readLanguage(root string) (*language, error) {
	r := reader{comments: &comments{root: root, of: map[string]string{}, read: map[string]bool{}}}
	scenarios, step := scenario.Frame()
	l := &language{scenario: r.mapping(scenarios), step: r.mapping(step), environment: r.mapping(environment.Frame())}
	for _, a := range runner.Reference() {
		if a.Fields == nil {
			r.fail("action %s names no fields in the table of actions", a.Name)
			continue
		}
		l.actions = append(l.actions, &action{name: a.Name, changes: a.Changes, body: r.mapping(a.Fields)})
	}
	return l, r.err
}

// reader makes the model of structs. It keeps the first error.
type reader struct {
	comments *comments
	err      error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// mapping reads what a struct takes.
func (r *reader) mapping(t reflect.Type) *mapping {
	doc, err := r.comments.typeDoc(t)
	if err != nil {
		r.fail("%w", err)
	}
	m := &mapping{from: t}
	m.doc, _ = described(doc)
	fields := document.Fields(t)
	demanded := map[string]bool{}
	for _, f := range fields {
		m.keys = append(m.keys, r.key(t, f, demanded))
	}
	for _, k := range m.keys {
		k.required = k.required || demanded[k.name]
	}
	return m
}

// key reads one field. It notes the keys that structs above it demand.
func (r *reader) key(t reflect.Type, f document.Field, demanded map[string]bool) *key {
	holder := t
	for _, i := range f.Index[:len(f.Index)-1] {
		if name, ok := strings.CutPrefix(holder.Field(i).Tag.Get("schema"), "require="); ok {
			demanded[name] = true
		}
		holder = holder.Field(i).Type
	}
	field := t.FieldByIndex(f.Index)
	doc, err := r.comments.fieldDoc(holder, field.Name)
	if err != nil {
		r.fail("%w", err)
	}
	k := &key{name: f.Key, required: f.Required, value: &value{scalar: f.Scalar}}
	k.doc, k.unsaid = described(doc)
	if holder != t {
		k.among = holder
	}
	where := t.Name() + "." + field.Name
	inner := r.value(k.value, field.Type, where)
	if tag := field.Tag.Get("schema"); tag != "" {
		for _, word := range strings.Split(tag, ",") {
			if err := k.word(word, inner); err != nil {
				r.fail("%s: schema:%q: %w", where, tag, err)
			}
		}
	}
	return k
}

// value reads a type into v, and returns the innermost value: the entries' of a
// list or a table.
func (r *reader) value(v *value, t reflect.Type, where string) *value {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[environment.Outcomes]():
		v.kind = named
		return v
	case t == reflect.TypeFor[document.Value]():
		v.kind = steps
		return v
	case document.Decodes(t) && t.PkgPath() == reflect.TypeFor[document.Percent]().PkgPath():
		unit, ok := units[t.Name()]
		if !ok {
			r.fail("%s: no form for the unit %s", where, t)
		}
		v.kind, v.form = quantity, &unit.form
		return v
	case document.Decodes(t) && t.Kind() != reflect.String:
		r.fail("%s: %s reads itself, and nothing says what it takes", where, t)
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.kind = text
	case reflect.Bool:
		v.kind = truth
	case reflect.Int, reflect.Int64:
		v.kind = whole
	case reflect.Struct:
		v.kind, v.body = keyed, r.mapping(t)
	case reflect.Slice:
		v.kind, v.of = list, &value{}
		return r.value(v.of, t.Elem(), where)
	case reflect.Map:
		if t.Elem().Kind() == reflect.Interface {
			v.kind = data
			return v
		}
		v.kind, v.of = table, &value{}
		return r.value(v.of, t.Elem(), where)
	default:
		r.fail("%s: no words for a %s", where, t)
	}
	return v
}

// word takes one word of the tag "schema". Inner is the innermost value.
func (k *key) word(word string, inner *value) error {
	name, argument, has := strings.Cut(word, "=")
	several := strings.Split(argument, "|")
	switch {
	case name == "keys":
		if k.value.keys = forms[argument]; k.value.keys == nil {
			return fmt.Errorf("there is no form %s", argument)
		}
	case name == "enum":
		inner.enum = several
	case name == "example":
		inner.examples = several
	case name == "min" || name == "max":
		n, err := strconv.Atoi(argument)
		if err != nil {
			return err
		}
		if name == "min" {
			inner.min = &n
		} else {
			inner.max = &n
		}
	case name == "or":
		k.or = argument
	case name == "unless":
		k.unless = argument
	case name == "without":
		k.without = conditions(several)
	case name == "with":
		k.with = conditions(several)
	case word == "positive":
		inner.positive = true
	case word == "nonempty":
		k.value.nonempty = true
	case word == "unique":
		k.value.unique = true
	case word == "manifest" || word == "pattern":
		inner.sort = word
	case word == "step" && inner.kind == steps:
	case !has && forms[word] != nil:
		inner.form = forms[word]
	default:
		return fmt.Errorf("%s is not known", word)
	}
	return nil
}

func conditions(words []string) []condition {
	var all []condition
	for _, w := range words {
		name, value, _ := strings.Cut(w, ":")
		all = append(all, condition{name, value})
	}
	return all
}
