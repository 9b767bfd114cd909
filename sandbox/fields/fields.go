// Package fields finds out which fields of a resource the sandbox honours, by
// asking the code that decides: for every field of a schema it makes an object
// that has just that field, gives it to the reader of the kind, and sees
// whether the reader refuses it. There is no list to be kept beside the code.
//
// It is for the tests that write the pages of docs; the sandbox itself does not
// use it.
package fields

import (
	"maps"
	"slices"
	"strings"
)

// A Kind is what a page says of one kind of object.
type Kind struct {
	Name   string         // TrafficPolicy
	Schema map[string]any // OpenAPI, of the spec
	// Bases are specs in which a field may need to stand to have a meaning; it is
	// honoured if it is in any of them, or alone.
	Bases []map[string]any
	Read  Reader
}

// A Reader reads a spec and says what of it the sandbox does not honour.
type Reader func(spec map[string]any) []Refusal

// A Refusal is of a field, with everything below it: spec.http[0].delegate.
type Refusal struct {
	Path string
	// OfValue says that the field is refused only for what it says; Wanted are the
	// values that the sandbox honours, where the reader names them.
	OfValue bool
	Wanted  []string
}

// A Field is one field of a schema that has no fields of its own, or that is
// refused as a whole.
type Field struct {
	Path     string // spec.http[].retries.attempts, with * for a key that may be any
	Honoured bool
	Only     []string // the values that are honoured, if not all
}

// Of lists the fields of a kind in the order of their paths.
func Of(k Kind) []Field {
	found := map[string]Field{}
	w := walker{kind: k, found: found}
	w.walk(k.Schema, nil)
	return slices.SortedFunc(maps.Values(found), func(a, b Field) int { return strings.Compare(a.Path, b.Path) })
}

// A step leads to a field of an object, or to the first entry of a list.
type step struct {
	key  string
	list bool
	any  bool // the key is made up
}

type walker struct {
	kind  Kind
	found map[string]Field
}

func (w *walker) walk(schema map[string]any, at []step) {
	if properties, ok := schema["properties"].(map[string]any); ok && len(properties) > 0 {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			w.walk(properties[name].(map[string]any), append(slices.Clip(at), step{key: name}))
		}
		return
	}
	if items, ok := schema["items"].(map[string]any); ok && nested(items) {
		w.walk(items, append(slices.Clip(at), step{list: true}))
		return
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok && nested(values) {
		w.walk(values, append(slices.Clip(at), step{key: "x", any: true}))
		return
	}
	w.leaf(schema, at)
}

// nested tells whether a schema has fields of its own.
func nested(schema map[string]any) bool {
	for _, key := range []string{"properties", "items", "additionalProperties"} {
		if inner, ok := schema[key].(map[string]any); ok && len(inner) > 0 {
			return true
		}
	}
	return false
}

func (w *walker) leaf(schema map[string]any, at []step) {
	f := Field{Path: path(at, true)}
	values, enum := samples(schema)
	var refused string // with what stands around the field, if it is
	for _, value := range values {
		by, wanted, ofValue := w.judge(at, value)
		switch {
		case by == "":
			f.Honoured = true
			if s, ok := value.(string); ok && enum {
				f.Only = append(f.Only, s)
			}
		case ofValue:
			f.Honoured = f.Honoured || len(wanted) > 0
			f.Only = append(f.Only, wanted...)
		case len(by) > len(refused):
			refused = by
		}
	}
	slices.Sort(f.Only)
	f.Only = slices.Compact(f.Only)
	if enum && len(f.Only) == len(values) {
		f.Only = nil
	}
	if !f.Honoured && refused != "" {
		f.Path = refused
	}
	w.found[f.Path] = f
}

// judge asks the reader about one value in every context, and gives what it
// says in the one where it refuses least: the shown path that is refused, ""
// for nothing.
func (w *walker) judge(at []step, value any) (refused string, wanted []string, ofValue bool) {
	for i, base := range append([]map[string]any{nil}, w.kind.Bases...) {
		by, values, of := w.judgeIn(base, at, value)
		if by == "" {
			return "", nil, false
		}
		if i == 0 || len(by) > len(refused) || of && !ofValue {
			refused, wanted, ofValue = by, values, of
		}
	}
	return refused, wanted, ofValue
}

func (w *walker) judgeIn(base map[string]any, at []step, value any) (refused string, wanted []string, ofValue bool) {
	spec, _ := place(copied(base), at, value).(map[string]any)
	for _, r := range w.kind.Read(spec) {
		for i := range at {
			if r.Path != path(at[:i+1], false) {
				continue
			}
			if r.OfValue && i < len(at)-1 {
				continue // of something else that the field stands in
			}
			if shown := path(at[:i+1], true); refused == "" || len(shown) < len(refused) {
				refused, wanted, ofValue = shown, r.Wanted, r.OfValue
			}
		}
	}
	return refused, wanted, ofValue
}

// samples are values of a schema, none of which is as good as absent.
func samples(schema map[string]any) (values []any, enum bool) {
	if list, ok := schema["enum"].([]any); ok {
		for _, v := range list {
			if v != "" {
				values = append(values, v)
			}
		}
		return values, true
	}
	switch schema["type"] {
	case "boolean":
		return []any{true}, false
	case "integer":
		return []any{int64(1)}, false
	case "number":
		return []any{1.0}, false
	case "array":
		items, _ := schema["items"].(map[string]any)
		values, _ := samples(items)
		return []any{[]any{values[0]}}, false
	case "object":
		inner, ok := schema["additionalProperties"].(map[string]any)
		if !ok {
			return []any{map[string]any{}}, false
		}
		values, _ := samples(inner)
		return []any{map[string]any{"x": values[0]}}, false
	}
	if schema["x-kubernetes-int-or-string"] == true {
		return []any{int64(1)}, false
	}
	return []any{"x"}, false
}

// path writes steps; as shown to readers, or as readers of objects write it.
func path(at []step, shown bool) string {
	var b strings.Builder
	b.WriteString("spec")
	for _, s := range at {
		switch {
		case s.list && shown:
			b.WriteString("[]")
		case s.list:
			b.WriteString("[0]")
		case s.any && shown:
			b.WriteString(".*")
		default:
			b.WriteString("." + s.key)
		}
	}
	return b.String()
}

// place puts a value where the steps lead.
func place(in any, at []step, value any) any {
	if len(at) == 0 {
		return value
	}
	if at[0].list {
		list, _ := in.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[0] = place(list[0], at[1:], value)
		return list
	}
	object, _ := in.(map[string]any)
	if object == nil {
		object = map[string]any{}
	}
	object[at[0].key] = place(object[at[0].key], at[1:], value)
	return object
}

// copied is a deep copy.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, value := range v {
			out[key] = copied(value)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = copied(v[i])
		}
		return out
	}
	return v
}
