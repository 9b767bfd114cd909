package document

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// shownWidth is how many characters of a source line Show prints at most: a line
// that is longer is cut to a window around the column.
const shownWidth = 160

// Show prints each mistake, the file's line that it is about, and a caret under
// the column:
//
//	canary.yaml:9:45: steps[1].expect.shares.blu: unknown outcome (did you mean blue?)
//	  9 | - expect: {request: {path: /api}, shares: {blu: 40%}, tolerance: 3pp}
//	    |                                            ^
//
// The rule that puts the caret right: the line under the source repeats the
// source's tabs, has two spaces for a character that terminals draw two cells wide
// (East Asian wide and most emoji), nothing for one that joins the character
// before it (accents, joiners), and one space for every other. Characters that a
// terminal would obey rather than draw are shown as U+FFFD.
func (ms Mistakes) Show(w io.Writer) {
	for _, m := range ms {
		fmt.Fprintln(w, m.Error())
		if m.Pos.Line == 0 || m.Source == "" {
			continue
		}
		line, col := window([]rune(strings.ToValidUTF8(m.Source, "\uFFFD")), m.Pos.Col-1)
		number := fmt.Sprint(m.Pos.Line)
		fmt.Fprintf(w, "  %s | %s\n", number, printable(line))
		fmt.Fprintf(w, "  %s | %s^\n", strings.Repeat(" ", len(number)), under(line[:col]))
	}
}

// window cuts a long line to shownWidth characters around col and returns it with
// the column's new place. An ellipsis stands where something was cut off.
func window(line []rune, col int) ([]rune, int) {
	col = max(0, min(col, len(line)))
	if len(line) <= shownWidth {
		return line, col
	}
	from := max(0, min(col-shownWidth/2, len(line)-shownWidth))
	to := from + shownWidth
	cut := append([]rune(nil), line[from:to]...)
	if from > 0 {
		cut[0] = '…'
	}
	if to < len(line) {
		cut[len(cut)-1] = '…'
	}
	return cut, col - from
}

// printable replaces what a terminal would obey instead of drawing it.
func printable(line []rune) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return unicode.ReplacementChar
		}
		return r
	}, string(line))
}

// under returns blanks that are as wide as the given text.
func under(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t':
			b.WriteByte('\t')
		case unicode.Is(unicode.Bidi_Control, r): // drawn as U+FFFD
			b.WriteByte(' ')
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		case isWide(r):
			b.WriteString("  ")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func isWide(r rune) bool {
	k := width.LookupRune(r).Kind()
	return k == width.EastAsianWide || k == width.EastAsianFullwidth
}
