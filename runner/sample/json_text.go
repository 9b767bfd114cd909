package sample

import (
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// nextRune reads the first rune of what stands between the quotes of a valid
// JSON string, and returns what follows. What is no rune, a byte that is not
// UTF-8 or half of a surrogate pair, is U+FFFD, as encoding/json has it.
func nextRune(raw []byte) (rune, []byte) {
	if raw[0] != '\\' {
		r, size := utf8.DecodeRune(raw)
		return r, raw[size:]
	}
	switch raw[1] {
	case 'u':
		r, _ := hex4(raw[2:])
		raw = raw[6:]
		if !utf16.IsSurrogate(r) {
			return r, raw
		}
		if len(raw) >= 6 && raw[0] == '\\' && raw[1] == 'u' {
			second, _ := hex4(raw[2:])
			if both := utf16.DecodeRune(r, second); both != unicode.ReplacementChar {
				return both, raw[6:]
			}
		}
		return unicode.ReplacementChar, raw
	case 'b':
		return '\b', raw[2:]
	case 'f':
		return '\f', raw[2:]
	case 'n':
		return '\n', raw[2:]
	case 'r':
		return '\r', raw[2:]
	case 't':
		return '\t', raw[2:]
	}
	return rune(raw[1]), raw[2:]
}

// hex4 reads the four digits of a \u escape.
func hex4(s []byte) (rune, bool) {
	if len(s) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range s[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
