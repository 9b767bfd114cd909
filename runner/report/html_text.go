package report

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How much of a text that came from outside a page shows, in characters.
const (
	longestName  = 80
	longestLine  = 400
	longestBlock = 4000
)

// oneLine is a text from outside as one line of at most so many characters.
// What a page would not show as it is (control characters, and those that turn
// the direction of a text or have no width) stands there by its number,
// <U+202E>. It does not escape: templates do, and inMarkdown.
func oneLine(text string, longest int) string { return bounded(text, longest, false) }

// block is a text of several lines, with tabs.
func block(text string) string { return bounded(text, longestBlock, true) }

// bounded shows the first characters of a text, and says how many bytes are
// left out. The work is bounded as well, whatever comes.
func bounded(text string, longest int, lines bool) string {
	var b strings.Builder
	shown := 0
	for i, r := range text {
		if shown == longest {
			fmt.Fprintf(&b, " … (%s)", plural(len(text)-i, "more byte"))
			break
		}
		shown++
		switch {
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r == '\n' || r == '\t' || r == ' ':
			b.WriteByte(' ')
		case hidden(r):
			fmt.Fprintf(&b, "<U+%04X>", r)
		default:
			b.WriteRune(r)
		}
	}
	return strings.ToValidUTF8(b.String(), string(utf8.RuneError))
}

func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp)
}

// some are the first of a list, and how many are left out.
func some[T any](list []T, most int) (first []T, more int) {
	if len(list) <= most {
		return list, 0
	}
	return list[:most], len(list) - most
}
