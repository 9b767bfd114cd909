package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

// difference is one place at which an object is not what was given in part.
type difference struct {
	path      string
	want, got string
}

func (d difference) String() string {
	return fmt.Sprintf("%s: got %s, want %s", d.path, d.got, d.want)
}

// of is the difference of an object of a kind. What a Secret holds, in its data
// or as annotations repeat it, is in no record.
func (d difference) of(kind schema.GroupKind) string {
	if isSecret(kind) {
		return d.path + ": got something else, which is not shown of a Secret"
	}
	return d.String()
}

func isSecret(kind schema.GroupKind) bool { return kind == schema.GroupKind{Kind: "Secret"} }

// absent is how a value that is not there is shown.
const absent = "nothing"

// differ compares what is given in part with what there is, and returns every
// difference, in the order of the keys.
func differ(path string, want, got any) []difference {
	switch want := want.(type) {
	case map[string]any:
		m, ok := got.(map[string]any)
		if !ok {
			return []difference{{path, short(want), shown(got)}}
		}
		var all []difference
		for _, key := range slices.Sorted(maps.Keys(want)) {
			v, there := m[key]
			at := under(path, key)
			switch {
			case want[key] == nil && there && v != nil:
				all = append(all, difference{at, absent, short(v)})
			case want[key] == nil:
			case !there:
				all = append(all, difference{at, short(want[key]), absent})
			default:
				all = append(all, differ(at, want[key], v)...)
			}
		}
		return all
	case []any:
		s, ok := got.([]any)
		if !ok {
			return []difference{{path, short(want), shown(got)}}
		}
		if len(s) != len(want) {
			return []difference{{path, fmt.Sprintf("%s (%s)", short(want), entries(len(want))), fmt.Sprintf("%s (%s)", short(s), entries(len(s)))}}
		}
		var all []difference
		for i := range want {
			all = append(all, differ(fmt.Sprintf("%s[%d]", path, i), want[i], s[i])...)
		}
		return all
	case string:
		if s, ok := got.(string); ok && glob(want, s) {
			return nil
		}
		return []difference{{path, short(want), shown(got)}}
	}
	if equal(want, got) {
		return nil
	}
	return []difference{{path, short(want), shown(got)}}
}

func entries(n int) string {
	if n == 1 {
		return "1 entry"
	}
	return fmt.Sprintf("%d entries", n)
}

func shown(v any) string {
	if v == nil {
		return absent
	}
	return short(v)
}

// under writes a key behind its path; a key with a dot in brackets.
func under(path, key string) string {
	switch {
	case strings.ContainsAny(key, "./"):
		return fmt.Sprintf("%s[%q]", path, key)
	case path == "":
		return key
	}
	return path + "." + key
}

// equal compares numbers by value, whichever way they were read.
func equal(a, b any) bool {
	x, isX := toFloat(a)
	y, isY := toFloat(b)
	if isX && isY {
		return x == y
	}
	return a == b
}

func toFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case int:
		return float64(n), true
	}
	return 0, false
}

// closer says which of two lists of differences is of the object that was more
// likely meant: one with the right name and namespace, then the shorter list.
func closer(a, b []difference) bool {
	wrongName := func(ds []difference) int {
		return len(slices.DeleteFunc(slices.Clone(ds), func(d difference) bool {
			return d.path != "metadata.name" && d.path != "metadata.namespace"
		}))
	}
	if x, y := wrongName(a), wrongName(b); x != y {
		return x < y
	}
	return len(a) < len(b)
}

// glob matches a text against a pattern in which * stands for any characters,
// slashes and line breaks included, and a backslash takes the meaning from the
// star or backslash behind it.
func glob(pattern, text string) bool {
	parts, stars := literal(pattern)
	if !stars {
		return parts[0] == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}

// literal cuts a pattern at its stars.
func literal(pattern string) (parts []string, stars bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '\\'):
			i++
			b.WriteByte(pattern[i])
		case c == '*':
			parts = append(parts, b.String())
			b.Reset()
			stars = true
		default:
			b.WriteByte(c)
		}
	}
	return append(parts, b.String()), stars
}
