package sample

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// depthLimit is how deep arrays and objects may be nested: what encoding/json
// allows, so that both call the same texts valid.
const depthLimit = 10000

// A path leads to a value inside a JSON text.
type path []pathKey

// pathKey is one part of a path: the name of a member and, if it is a number,
// the index of an element.
type pathKey struct {
	name  string
	index int // -1: it is no number, and leads into no array
	// odd says that the name has what stands for broken text (U+FFFD), or is
	// broken itself: it must be compared rune by rune.
	odd bool
}

// newPath reads a dotted path, "color" or "a.0.b".
func newPath(dotted string) path {
	var p path
	for name := range strings.SplitSeq(dotted, ".") {
		k := pathKey{name: name, index: -1}
		if i, err := strconv.Atoi(name); err == nil && strconv.Itoa(i) == name && i >= 0 {
			k.index = i
		}
		k.odd = strings.ContainsRune(name, unicode.ReplacementChar) || !utf8.ValidString(name)
		p = append(p, k)
	}
	return p
}

// A found value is a piece of the text; nothing was found where end is 0.
type found struct {
	start, end int
	escapes    bool // it is a string with escapes in it
}

// find walks over the whole text and returns where the value at the path
// stands; false when the text is not one valid JSON value, whatever stands
// before the mistake. Of members with equal names the last one counts, as
// encoding/json has it; names are compared exactly.
func (p path) find(text []byte) (found, bool) {
	w := walk{text: text, path: p}
	end := w.value(w.space(0), 0, 0)
	if end < 0 || w.space(end) != len(text) {
		return found{}, false
	}
	return w.found, true
}

// A walk goes over a text once, from left to right. Its methods take the place
// where something begins and return the place after it, or -1 when it is not
// what it should be.
type walk struct {
	text []byte
	path path
	found
}

// off is the level of what is not on the path.
const off = -1

// value walks over any value. Level is how many parts of the path led to it.
func (w *walk) value(i, depth, level int) int {
	if i >= len(w.text) {
		return -1
	}
	end, plain := -1, true
	switch w.text[i] {
	case '{':
		end = w.object(i, depth+1, level)
	case '[':
		end = w.array(i, depth+1, level)
	case '"':
		end, plain = w.quoted(i)
	case 't':
		end = w.literal(i, "true")
	case 'f':
		end = w.literal(i, "false")
	case 'n':
		end = w.literal(i, "null")
	default:
		end = w.number(i)
	}
	if level == len(w.path) && end >= 0 {
		w.found = found{start: i, end: end, escapes: !plain}
	}
	return end
}

func (w *walk) object(i, depth, level int) int {
	if depth > depthLimit {
		return -1
	}
	if i = w.space(i + 1); w.at(i) == '}' {
		return i + 1
	}
	watched := level >= 0 && level < len(w.path)
	for {
		if w.at(i) != '"' {
			return -1
		}
		end, plain := w.quoted(i)
		if end < 0 {
			return -1
		}
		below := off
		if watched && w.path[level].is(w.text[i+1:end-1], plain) {
			// What an earlier member of this name led to no longer counts.
			below, w.found = level+1, found{}
		}
		if i = w.space(end); w.at(i) != ':' {
			return -1
		}
		if i = w.value(w.space(i+1), depth, below); i < 0 {
			return -1
		}
		switch i = w.space(i); w.at(i) {
		case ',':
			i = w.space(i + 1)
		case '}':
			return i + 1
		default:
			return -1
		}
	}
}

func (w *walk) array(i, depth, level int) int {
	if depth > depthLimit {
		return -1
	}
	if i = w.space(i + 1); w.at(i) == ']' {
		return i + 1
	}
	for n := 0; ; n++ {
		below := off
		if level >= 0 && level < len(w.path) && w.path[level].index == n {
			below = level + 1
		}
		if i = w.value(i, depth, below); i < 0 {
			return -1
		}
		switch i = w.space(i); w.at(i) {
		case ',':
			i = w.space(i + 1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// quoted walks over a string; plain says that it has no escapes.
func (w *walk) quoted(i int) (end int, plain bool) {
	for i++; i+8 <= len(w.text); i += 8 {
		m := unusual(binary.LittleEndian.Uint64(w.text[i:]))
		if m == 0 {
			continue
		}
		if i += bits.TrailingZeros64(m) / 8; w.text[i] == '"' {
			return i + 1, true
		}
		break
	}
	return w.slowly(i)
}

// unusual finds quotes, backslashes and control characters in eight bytes: the
// lowest bit that is set in the result is in the first of them. x-0x01… has the
// high bit of a byte set where that of x was 0 (or above 0x80, which &^x takes
// out), and a borrow can only spoil bytes after one that was truly 0.
func unusual(x uint64) uint64 {
	const ones = 0x0101010101010101
	quote, back := x^('"'*ones), x^('\\'*ones)
	return ((quote-ones)&^quote | (back-ones)&^back | (x-' '*ones)&^x) & (0x80 * ones)
}

// slowly walks over the rest of a string, byte by byte.
func (w *walk) slowly(i int) (end int, plain bool) {
	plain = true
	for i < len(w.text) {
		switch c := w.text[i]; {
		case c == '"':
			return i + 1, plain
		case c == '\\':
			plain = false
			if i = w.escape(i + 1); i < 0 {
				return -1, false
			}
		case c < ' ':
			return -1, false
		default:
			i++
		}
	}
	return -1, false
}

// escape walks over what follows a backslash.
func (w *walk) escape(i int) int {
	switch w.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		if _, ok := hex4(w.text[i+1:]); ok {
			return i + 5
		}
	}
	return -1
}

func (w *walk) literal(i int, word string) int {
	if end := i + len(word); end <= len(w.text) && string(w.text[i:end]) == word {
		return end
	}
	return -1
}

// number walks over -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
func (w *walk) number(i int) int {
	if w.at(i) == '-' {
		i++
	}
	whole := i
	if i = w.digits(i); i < 0 || w.text[whole] == '0' && i > whole+1 {
		return -1
	}
	if w.at(i) == '.' {
		if i = w.digits(i + 1); i < 0 {
			return -1
		}
	}
	if c := w.at(i); c == 'e' || c == 'E' {
		i++
		if c := w.at(i); c == '+' || c == '-' {
			i++
		}
		i = w.digits(i)
	}
	return i
}

// digits walks over at least one digit.
func (w *walk) digits(i int) int {
	start := i
	for i < len(w.text) && '0' <= w.text[i] && w.text[i] <= '9' {
		i++
	}
	if i == start {
		return -1
	}
	return i
}

// space walks over white space, if there is any.
func (w *walk) space(i int) int {
	for i < len(w.text) && w.text[i] <= ' ' && isSpace>>w.text[i]&1 == 1 {
		i++
	}
	return i
}

// isSpace has a bit set for each byte that is white space.
const isSpace = uint64(1<<' ' | 1<<'\t' | 1<<'\r' | 1<<'\n')

// at is the byte at i; 0, which stands nowhere in JSON, beyond the end.
func (w *walk) at(i int) byte {
	if i < len(w.text) {
		return w.text[i]
	}
	return 0
}

// is compares the name of a member, as it stands between its quotes.
func (k *pathKey) is(raw []byte, plain bool) bool {
	if plain && !k.odd {
		return string(raw) == k.name
	}
	rest := k.name
	for len(raw) > 0 {
		var r rune
		r, raw = nextRune(raw)
		var encoded [utf8.UTFMax]byte
		n := utf8.EncodeRune(encoded[:], r)
		if len(rest) < n || rest[:n] != string(encoded[:n]) {
			return false
		}
		rest = rest[n:]
	}
	return rest == ""
}

// scalar is the text of a string, or of a number or boolean as it stands;
// objects, arrays and null have none. The text is a part of v, unless it is a
// string that has to be rewritten: one with escapes, or one that is not UTF-8.
func scalar(v []byte, escapes bool) ([]byte, bool) {
	switch v[0] {
	case '{', '[', 'n':
		return nil, false
	case '"':
		raw := v[1 : len(v)-1]
		if !escapes && utf8.Valid(raw) {
			return raw, true
		}
		text := make([]byte, 0, len(raw))
		for len(raw) > 0 {
			var r rune
			r, raw = nextRune(raw)
			text = utf8.AppendRune(text, r)
		}
		return text, true
	}
	return v, true
}
