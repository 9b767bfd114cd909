// Package strict reads Kubernetes objects that are plain maps, and keeps account
// of what was read: a field that nobody asked for is one that the sandbox does
// not honour, and is refused with its path instead of being ignored. It knows
// no kind; whoever reads a kind says what it wants, field by field. A value of
// the wrong type is a problem, never a panic: a schema rules that out, but
// nothing here relies on it.
package strict

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Problems is told what is wrong, with the path of the field.
type Problems interface {
	// Wrong says what is wrong with a field, and what would be right.
	Wrong(path, text string)
	// NotHonoured says that the sandbox does not model a field.
	NotHonoured(path string)
}

// Lines are Problems as text: "spec.http[0].mirror: …".
type Lines []string

// Wrong adds a line.
func (l *Lines) Wrong(path, text string) { *l = append(*l, path+": "+text) }

// NotHonoured adds a line.
func (l *Lines) NotHonoured(path string) { l.Wrong(path, "the sandbox does not honour this field") }

// Object is an object, or a part of one, that is being read.
type Object struct {
	path     string // "spec.http[0]"
	values   map[string]any
	read     map[string]bool
	problems Problems
}

// New begins to read an object; problems is told what is wrong with it.
func New(path string, values map[string]any, problems Problems) *Object {
	return &Object{path, values, map[string]bool{}, problems}
}

// RefuseAll notes what is wrong with the object as a whole.
func (o *Object) RefuseAll(format string, args ...any) {
	o.problems.Wrong(o.path, fmt.Sprintf(format, args...))
}

// NotHonoured notes that a field's value is one that the sandbox does not model.
func (o *Object) NotHonoured(name string) { o.problems.NotHonoured(o.At(name)) }

// Path is where the object stands: "spec.http[0]".
func (o *Object) Path() string { return o.path }

// At is the path of a field.
func (o *Object) At(name string) string { return o.path + "." + name }

// Refuse notes what is wrong with a field.
func (o *Object) Refuse(name, format string, args ...any) {
	o.problems.Wrong(o.At(name), fmt.Sprintf(format, args...))
}

// take gives a field's value; nil and empty lists and strings count as unset,
// as they do in protobuf.
func (o *Object) take(name string) (any, bool) {
	o.read[name] = true
	v, ok := o.values[name]
	return v, ok && !empty(v)
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// Has tells whether a field is there, be it empty. It does not read it.
func (o *Object) Has(name string) bool {
	_, ok := o.values[name]
	return ok
}

// Set tells whether a field has a value; {} is one. It does not read it.
func (o *Object) Set(name string) bool { return o.values[name] != nil }

// Ignore reads fields that are understood and change nothing in the sandbox.
func (o *Object) Ignore(names ...string) {
	for _, name := range names {
		o.read[name] = true
	}
}

// Keys gives the names of all fields, sorted, for objects that are maps. It
// does not read them.
func (o *Object) Keys() []string { return slices.Sorted(maps.Keys(o.values)) }

// Done refuses every field that was not read. One that says what holds without
// it ("", 0, false, an empty list) is as good as absent; {} is not.
func (o *Object) Done() {
	for _, name := range o.Keys() {
		if v := o.values[name]; !o.read[name] && !empty(v) && v != false && v != int64(0) && v != 0.0 {
			o.problems.NotHonoured(o.At(name))
		}
	}
}

// Text reads a string; unset is "".
func (o *Object) Text(name string) string {
	v, ok := o.take(name)
	if !ok {
		return ""
	}
	s, ok := v.(string)
	if !ok {
		o.Refuse(name, "want a string, not %T", v)
	}
	return s
}

// Number reads an integer within [low, high]; unset is 0.
func (o *Object) Number(name string, low, high int64) int64 {
	v, ok := o.take(name)
	if !ok {
		return 0
	}
	var n int64
	switch v := v.(type) {
	case int64:
		n = v
	case float64: // as encoding/json has it
		n = int64(v)
		if v != math.Trunc(v) || math.Abs(v) > 1<<53 {
			o.Refuse(name, "want an integer, not %v", v)
			return 0
		}
	default:
		o.Refuse(name, "want an integer, not %T", v)
		return 0
	}
	if n < low || n > high {
		o.Refuse(name, "%d is not between %d and %d", n, low, high)
		return 0
	}
	return n
}

// Decimal reads a number within [low, high]; unset is 0.
func (o *Object) Decimal(name string, low, high float64) float64 {
	v, ok := o.take(name)
	if !ok {
		return 0
	}
	var n float64
	switch v := v.(type) {
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		o.Refuse(name, "want a number, not %T", v)
		return 0
	}
	if !(n >= low && n <= high) {
		o.Refuse(name, "%v is not between %v and %v", n, low, high)
		return 0
	}
	return n
}

// Flag reads a boolean; unset is false.
func (o *Object) Flag(name string) bool {
	v, ok := o.take(name)
	if !ok {
		return false
	}
	b, ok := v.(bool)
	if !ok {
		o.Refuse(name, "want true or false, not %T", v)
	}
	return b
}

// Duration reads "1.5s"; unset is 0.
func (o *Object) Duration(name string) time.Duration {
	s := o.Text(name)
	if s == "" {
		return 0
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		o.Refuse(name, "%q is not a duration such as 1.5s", s)
		return 0
	}
	return d
}

// Object reads a nested object; nil if it is unset.
func (o *Object) Object(name string) *Object {
	v, ok := o.take(name)
	if !ok {
		return nil
	}
	m, ok := v.(map[string]any)
	if !ok {
		o.Refuse(name, "want an object, not %T", v)
		return nil
	}
	return New(o.At(name), m, o.problems)
}

// Within reads a nested object, without fields if it is unset.
func (o *Object) Within(name string) *Object {
	if nested := o.Object(name); nested != nil {
		return nested
	}
	return New(o.At(name), nil, o.problems)
}

// Objects reads a list of objects.
func (o *Object) Objects(name string) []*Object {
	var out []*Object
	for i, v := range o.list(name) {
		m, ok := v.(map[string]any)
		if !ok {
			o.Refuse(fmt.Sprintf("%s[%d]", name, i), "want an object, not %T", v)
			continue
		}
		out = append(out, New(fmt.Sprintf("%s[%d]", o.At(name), i), m, o.problems))
	}
	return out
}

// Texts reads a list of strings.
func (o *Object) Texts(name string) []string {
	var out []string
	for i, v := range o.list(name) {
		s, ok := v.(string)
		if !ok {
			o.Refuse(fmt.Sprintf("%s[%d]", name, i), "want a string, not %T", v)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (o *Object) list(name string) []any {
	v, ok := o.take(name)
	if !ok {
		return nil
	}
	l, ok := v.([]any)
	if !ok {
		o.Refuse(name, "want a list, not %T", v)
	}
	return l
}

// Labels reads a map of strings.
func (o *Object) Labels(name string) map[string]string {
	m := o.Object(name)
	if m == nil {
		return nil
	}
	out := map[string]string{}
	for _, key := range m.Keys() {
		out[key] = m.Text(key)
	}
	return out
}

// OneOf refuses a text that is not among the values.
func (o *Object) OneOf(name, why string, values ...string) string {
	s := o.Text(name)
	for _, v := range values {
		if s == v {
			return s
		}
	}
	named := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return v == "" })
	o.Refuse(name, "%q: %s (want %s)", s, why, strings.Join(named, ", "))
	return s
}
