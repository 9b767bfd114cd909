package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Pos is a place in a file. Line and Col count from 1; Col counts characters
// (Unicode code points), a tab being one. The zero Pos is no place.
type Pos struct {
	File string
	Line int
	Col  int
}

// IsZero says whether p is no place at all.
func (p Pos) IsZero() bool { return p == Pos{} }

// String gives "file:line:col", what editors and terminals make clickable.
// A Pos without a line is the file as a whole.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Mistake is one thing that is wrong in a file.
type Mistake struct {
	Pos    Pos
	Path   string // where in the document, such as "steps[2].expect.shares.blu"; "" for the file as a whole
	Text   string // what is wrong
	Hint   string // what would be right, such as "did you mean blue?"; may be ""
	Source string // the file's line at Pos, without its line break
}

// Error gives "file:line:col: path: text (hint)" and leaves out what is empty.
func (m Mistake) Error() string {
	var b strings.Builder
	for _, part := range []string{m.Pos.String(), m.Path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	b.WriteString(m.Text)
	if m.Hint != "" {
		b.WriteString(" (" + m.Hint + ")")
	}
	return b.String()
}

// WithHint returns m with another hint.
func (m Mistake) WithHint(hint string) Mistake {
	m.Hint = hint
	return m
}

// Mistakes is everything that is wrong, as one error.
type Mistakes []Mistake

// Error gives one mistake a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.Error()
	}
	return strings.Join(lines, "\n")
}

// Err returns ms as an error, or nil when there is none. (A Mistakes that is
// empty, returned as an error, would not be nil.)
func (ms Mistakes) Err() error {
	if len(ms) == 0 {
		return nil
	}
	return ms
}

// Sort returns the mistakes in the order of the files' names, lines and columns,
// each once.
func Sort(ms Mistakes) Mistakes {
	sorted := slices.Clone(ms)
	slices.SortStableFunc(sorted, func(a, b Mistake) int {
		return cmp.Or(
			cmp.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Col, b.Pos.Col),
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Text, b.Text),
			cmp.Compare(a.Hint, b.Hint),
		)
	})
	return slices.Compact(sorted)
}
