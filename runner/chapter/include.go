package chapter

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// Open finds and reads a file that a page includes. The name is as the page
// has it. An error says what is wrong with it; a hint, what is there instead.
type Open func(name string) (file string, source []byte, hint string, err error)

// deepest is how far includes may be nested; mostIncludes and mostLines are how
// much a page may become by them: files that include several each would else
// multiply without end.
const (
	deepest      = 32
	mostIncludes = 2000
	mostLines    = 200_000
)

// Snippets of PyMdown (pymdownx.snippets): a pair of scissors with a file in
// quotes, or alone on a line before and after a list of files.
var (
	scissors = regexp.MustCompile(`^([ \t]*)(;*)(-+8<-+)(?:[ \t]+(?:"((?:\\"|[^"])+)"|'((?:\\'|[^'])+)'))?[ \t]*$`)
	marker   = regexp.MustCompile(`(?i)-+8<-+[ \t]+\[[ \t]*(start|end)[ \t]*:[ \t]*([a-z][-_0-9a-z]*)[ \t]*\]`)
	partOf   = regexp.MustCompile(`(?i)^(.+?):(?:([0-9]*)(?::([0-9]*))?|([a-z][-_0-9a-z]*))$`)
)

// written is a line as some file has it, before Markdown makes anything of it.
type written struct {
	text   string // with the indentation of the place that included it
	pos    document.Pos
	source string
	shift  int // how many characters of text are that indentation
}

// expander replaces includes by what they include.
type expander struct {
	open     Open
	lines    []written
	includes []Include
	begun    int // includes, those that are not at their end with them
	mistakes document.Mistakes
}

// file adds the lines of a file, from those of which the numbers are in [from, to).
func (e *expander) file(file string, lines []string, from, to int, indent string, above []string) {
	for i := from; i < to && i < len(lines); i++ {
		if len(e.lines) >= mostLines {
			return
		}
		text := lines[i]
		w := written{text: indent + text, pos: document.Pos{File: file, Line: i + 1, Col: 1}, source: text, shift: len([]rune(indent))}
		if strings.TrimSpace(text) == "" {
			w.text, w.shift = "", 0
		}
		m := scissors.FindStringSubmatch(text)
		switch {
		case m == nil && marker.MatchString(text) && !strings.Contains(text, ";-"):
			// The end of a part that other pages include: nobody sees it.
		case m == nil:
			e.lines = append(e.lines, w)
		case m[2] != "":
			w.text = strings.Replace(w.text, ";", "", 1)
			w.shift--
			e.lines = append(e.lines, w)
		case m[4] != "" || m[5] != "":
			name := strings.NewReplacer(`\"`, `"`, `\'`, `'`).Replace(m[4] + m[5])
			e.include(name, w.at(strings.Index(text, name)), text, indent+m[1], above)
		default:
			i = e.list(file, lines, i, to, indent+m[1], above)
		}
	}
}

// list includes the files that stand, one a line, between two pairs of
// scissors, and returns the index of the second.
func (e *expander) list(file string, lines []string, first, to int, indent string, above []string) int {
	for i := first + 1; i < to && i < len(lines); i++ {
		name := strings.TrimSpace(lines[i])
		m := scissors.FindStringSubmatch(lines[i])
		switch {
		case m != nil && m[4] == "" && m[5] == "":
			return i
		case name == "" || strings.HasPrefix(name, ";"):
		default:
			at := document.Pos{File: file, Line: i + 1, Col: 1 + strings.Index(lines[i], name)}
			e.include(name, at, lines[i], indent, above)
		}
	}
	at := document.Pos{File: file, Line: first + 1, Col: 1}
	e.mistakes = append(e.mistakes, mistakeAt(at, lines[first], "a list of includes begins here and does not end").
		WithHint("end it with the same line, or put the file in quotes behind the scissors"))
	return to
}

func (w written) at(i int) document.Pos {
	p := w.pos
	if i > 0 {
		p.Col += len([]rune(w.source[:i]))
	}
	return p
}

// include adds what one include names.
func (e *expander) include(name string, at document.Pos, line, indent string, above []string) {
	if e.begun++; e.begun > mostIncludes {
		if e.begun == mostIncludes+1 {
			e.mistakes = append(e.mistakes, mistakeAt(at, line, "there are more than %d includes, this one and more are left out", mostIncludes))
		}
		return
	}
	in := Include{Name: name, Pos: at, before: len(e.lines)}
	defer func() { e.includes = append(e.includes, in) }()
	if strings.HasPrefix(name, "http://") || strings.HasPrefix(name, "https://") {
		return // nothing is read from the network
	}
	wrong := func(hint, format string, args ...any) {
		e.mistakes = append(e.mistakes, mistakeAt(at, line, format, args...).WithHint(hint))
	}
	path, from, to, part := parted(name)
	file, source, hint, err := e.open(path)
	switch {
	case err != nil:
		wrong(hint, "the include %s cannot be read: %v", path, err)
		return
	case slices.Contains(above, file):
		wrong("", "%s includes itself: %s", file, strings.Join(append(above[slices.Index(above, file):], file), " includes "))
		return
	case len(above) >= deepest:
		wrong("", "includes are nested more than %d deep", deepest)
		return
	}
	in.File = file
	lines := split(source)
	if part != "" {
		var ok bool
		if from, to, ok = partLines(lines, part); !ok {
			wrong("it is marked by --8<-- [start:"+part+"] and [end:"+part+"]", "%s has no part %s", file, part)
			return
		}
	}
	if to == 0 || to > len(lines) {
		to = len(lines)
	}
	e.file(file, lines, from, to, indent, append(slices.Clone(above), file))
}

// parted parts FILE:FROM:TO and FILE:PART; the lines are [from, to), and a to
// of 0 is the end.
func parted(name string) (path string, from, to int, part string) {
	m := partOf.FindStringSubmatch(name)
	if m == nil {
		return name, 0, 0, ""
	}
	if m[4] != "" {
		return m[1], 0, 0, m[4]
	}
	if n, err := strconv.Atoi(m[2]); err == nil {
		from = max(n-1, 0)
	}
	if n, err := strconv.Atoi(m[3]); err == nil {
		to = max(n, from)
	}
	return m[1], from, to, ""
}

// partLines finds the lines of a marked part of a file.
func partLines(lines []string, part string) (from, to int, ok bool) {
	for i, text := range lines {
		m := marker.FindStringSubmatch(text)
		switch {
		case m == nil || m[2] != part:
		case strings.EqualFold(m[1], "start"):
			from, to, ok = i+1, len(lines), true
		case ok:
			return from, i, true
		}
	}
	return from, to, ok
}

// split cuts a text into lines without their ends.
func split(source []byte) []string {
	text := strings.ToValidUTF8(strings.TrimPrefix(string(source), "\uFEFF"), "\uFFFD")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\uFFFD").Replace(text)
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

func mistakeAt(at document.Pos, line, format string, args ...any) document.Mistake {
	m := (document.Value{}).Mistake(format, args...)
	m.Pos, m.Source = at, line
	return m
}
