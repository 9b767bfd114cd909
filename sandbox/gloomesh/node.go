package gloomesh

import (
	"fmt"
	"regexp"
	"slices"
	"sort"
)

// A node is a value of an object, with its path. Reading it as the wrong type
// is a problem of the object, never a panic: the schema rules it out, but this
// code does not rely on that.
type node struct {
	path  string
	value any
	found *problems
}

// An object is a node with fields that remembers which of them were read: what
// close finds unread is a field that the API has and the sandbox does not model.
type object struct {
	path   string
	fields map[string]any
	read   []string
	found  *problems
}

// object reads n as an object; without a value it has no fields.
func (n node) object() *object {
	fields, ok := n.value.(map[string]any)
	if !ok && n.value != nil {
		n.wrong("an object")
	}
	return &object{path: n.path, fields: fields, found: n.found}
}

func (n node) wrong(want string) {
	n.found.invalidf(n.path, "want %s, got %v", want, n.value)
}

// is tells whether there is a value at all; {} is one.
func (n node) is() bool { return n.value != nil }

// field reads one field.
func (o *object) field(name string) node {
	o.read = append(o.read, name)
	return node{path: o.path + "." + name, value: o.fields[name], found: o.found}
}

// ignore says that fields are understood and change nothing here.
func (o *object) ignore(names ...string) { o.read = append(o.read, names...) }

// close reports every field that was not read. A field that says what would
// hold without it ("", 0, false, an empty list) is as good as absent; {} is not.
func (o *object) close() {
	var unread []string
	for name, value := range o.fields {
		if !slices.Contains(o.read, name) && !unset(value) {
			unread = append(unread, name)
		}
	}
	sort.Strings(unread)
	for _, name := range unread {
		o.found.notHonoured(o.path + "." + name)
	}
}

func unset(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case int64:
		return v == 0
	case float64:
		return v == 0
	case []any:
		return len(v) == 0
	}
	return false
}

func (n node) text() string {
	s, ok := n.value.(string)
	if !ok && n.is() {
		n.wrong("a string")
	}
	return s
}

// pattern reads a regular expression, which must be RE2 as Envoy's is.
func (n node) pattern() string {
	s := n.text()
	if _, err := regexp.Compile(s); err != nil {
		n.found.invalidf(n.path, "not a regular expression that Envoy knows (RE2): %v", err)
	}
	return s
}

func (n node) flag() bool {
	b, ok := n.value.(bool)
	if !ok && n.is() {
		n.wrong("true or false")
	}
	return b
}

// number reads a number that the API holds as uint32.
func (n node) number() int64 {
	var v int64
	switch x := n.value.(type) {
	case nil:
	case int64:
		v = x
	case float64: // how a value from JSON may come
		v = int64(x)
		if float64(v) != x {
			n.wrong("a whole number")
			return 0
		}
	default:
		n.wrong("a number")
	}
	if v < 0 || v > 1<<32-1 {
		n.found.invalidf(n.path, "want a number from 0 to 4294967295, got %d", v)
		return 0
	}
	return v
}

func (n node) list() []node {
	items, ok := n.value.([]any)
	if !ok && n.is() {
		n.wrong("a list")
	}
	out := make([]node, len(items))
	for i, item := range items {
		out[i] = node{path: fmt.Sprintf("%s[%d]", n.path, i), value: item, found: n.found}
	}
	return out
}

func (n node) texts() []string {
	var out []string
	for _, item := range n.list() {
		out = append(out, item.text())
	}
	return out
}

func (n node) textMap() map[string]string {
	o := n.object()
	if len(o.fields) == 0 {
		return nil
	}
	out := make(map[string]string, len(o.fields))
	for name := range o.fields {
		out[name] = o.field(name).text()
	}
	return out
}
