package document

import (
	"fmt"
	"iter"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// Kind is what a Value is, as far as its spelling tells.
type Kind int

// The kinds. Absent is the zero Value and what Get returns for a key that is not
// there; Null is a value that is there and says nothing ("", "~", "null").
const (
	Absent Kind = iota
	Mapping
	Sequence
	Scalar
	Null
)

// String names the kind as messages do.
func (k Kind) String() string {
	return [...]string{"nothing", "a mapping", "a list", "a value", "nothing"}[k]
}

// file is what all Values of one document share.
type file struct {
	name    string
	lines   []string            // without line breaks
	refused map[*yaml.Node]bool // nodes that already have their mistake: nothing more is said of them
}

// Value is a cursor into a document: one value with its place, its path and the
// key that it stands under. It is small and is passed by value. The zero Value is
// absent, and so is whatever one Gets from it.
type Value struct {
	file *file
	node *yaml.Node // nil: absent
	key  *yaml.Node // nil: the document itself or an entry of a list
	path string
	near Pos // of an absent value: where it should have been
}

// Exists says whether the value is in the file.
func (v Value) Exists() bool { return v.node != nil }

// Path is where the value stands in its document, such as "steps[2].expect.shares.blu";
// "" for the document itself.
func (v Value) Path() string { return v.path }

// Kind tells what the value is.
func (v Value) Kind() Kind {
	if v.node == nil {
		return Absent
	}
	switch v.node.Kind {
	case yaml.MappingNode:
		return Mapping
	case yaml.SequenceNode:
		return Sequence
	}
	if isPlain(v.node) && isNull(v.node.Value) {
		return Null
	}
	return Scalar
}

// Pos is where the value begins. A value that is not written at all ("needs:") has
// the place of its key, an absent one the place of what it is missing from.
func (v Value) Pos() Pos {
	if v.node == nil {
		return v.near
	}
	if v.key != nil && v.Kind() == Null && v.node.Value == "" {
		return v.file.pos(v.key)
	}
	return v.file.pos(v.node)
}

// Key is the key that the value stands under; "" where it has none.
func (v Value) Key() string {
	if v.key == nil {
		return ""
	}
	return v.key.Value
}

// KeyPos is where the value's key begins, or the value where it has none.
func (v Value) KeyPos() Pos {
	if v.node == nil || v.key == nil {
		return v.Pos()
	}
	return v.file.pos(v.key)
}

// pos is a node's place, kept inside the file: the parser puts an empty value at the
// token that follows, which may be beyond the last line.
func (f *file) pos(n *yaml.Node) Pos {
	line := max(1, min(n.Line, len(f.lines)))
	col := n.Column
	if line != n.Line {
		col = 1
	}
	return Pos{File: f.name, Line: line, Col: max(1, min(col, utf8.RuneCountInString(f.lines[line-1])+1))}
}

// source is the file's line at p.
func (f *file) source(p Pos) string {
	if f == nil || p.Line < 1 || p.Line > len(f.lines) {
		return ""
	}
	return f.lines[p.Line-1]
}

// Get returns the value of a key of a mapping; absent where there is no such key or
// no mapping. Of a duplicate key it returns the first.
func (v Value) Get(key string) Value {
	for i := range v.pairs() {
		if v.node.Content[i].Value == key {
			return v.pair(i)
		}
	}
	return Value{file: v.file, path: join(v.path, key), near: v.KeyPos()}
}

// Index returns the entry of a list, counted from 0; absent beyond its end.
func (v Value) Index(i int) Value {
	path := v.path + "[" + strconv.Itoa(i) + "]"
	if v.Kind() != Sequence || i < 0 || i >= len(v.node.Content) {
		return Value{file: v.file, path: path, near: v.KeyPos()}
	}
	return Value{file: v.file, node: v.node.Content[i], path: path}
}

// Len is the number of a list's entries or of a mapping's different keys; 0 otherwise.
func (v Value) Len() int {
	switch v.Kind() {
	case Sequence:
		return len(v.node.Content)
	case Mapping:
		return len(v.Keys())
	}
	return 0
}

// Keys returns a mapping's keys in the file's order, each once.
func (v Value) Keys() []string {
	var keys []string
	seen := map[string]bool{}
	for i := range v.pairs() {
		if k := v.node.Content[i].Value; !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}

// Entries goes through a mapping in the file's order. A duplicate key comes twice.
func (v Value) Entries() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for i := range v.pairs() {
			if !yield(v.node.Content[i].Value, v.pair(i)) {
				return
			}
		}
	}
}

// pairs goes through the places of a mapping's keys in its node's content.
func (v Value) pairs() iter.Seq[int] {
	return func(yield func(int) bool) {
		if v.Kind() != Mapping {
			return
		}
		for i := 0; i+1 < len(v.node.Content); i += 2 {
			if !yield(i) {
				return
			}
		}
	}
}

func (v Value) pair(i int) Value {
	key := v.node.Content[i]
	return Value{file: v.file, node: v.node.Content[i+1], key: key, path: join(v.path, key.Value)}
}

// Text is a scalar's text without quotes; "" for anything else.
func (v Value) Text() string {
	if v.Kind() != Scalar {
		return ""
	}
	return v.node.Value
}

// Mistake says what is wrong with the value, at its place.
func (v Value) Mistake(format string, args ...any) Mistake {
	return v.mistake(v.Pos(), format, args...)
}

// KeyMistake says what is wrong with the value's key, at the key's place.
func (v Value) KeyMistake(format string, args ...any) Mistake {
	return v.mistake(v.KeyPos(), format, args...)
}

// PartMistake says what is wrong with a part of the value's text, at the place where
// that part is first written; at the value's place when it is written otherwise
// (by an escape).
func (v Value) PartMistake(part, format string, args ...any) Mistake {
	p := v.Pos()
	line := []rune(v.file.source(p))
	if from := min(p.Col-1, len(line)); from >= 0 && v.node != nil {
		rest := string(line[from:])
		if at := strings.Index(rest, part); at >= 0 {
			p.Col += utf8.RuneCountInString(rest[:at])
		}
	}
	return v.mistake(p, format, args...)
}

func (v Value) mistake(p Pos, format string, args ...any) Mistake {
	return Mistake{Pos: p, Path: v.path, Text: fmt.Sprintf(format, args...), Source: v.file.source(p)}
}

// Refused says that the value already has a mistake that makes it unreadable (an
// alias, a tag): nothing more should be said of it. Decode knows that by itself.
func (v Value) Refused() bool { return v.node != nil && v.file.refused[v.node] }

var simpleKey = regexp.MustCompile(`^[\pL\pN_/-][\pL\pN\pM_/-]*$`)

// join appends a key to a path; keys that would make the path hard to read are quoted.
func join(path, key string) string {
	if !simpleKey.MatchString(key) {
		return path + "[" + Quote(key) + "]"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
