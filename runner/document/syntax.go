package document

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// syntaxLine is how yaml.v3 says where: "yaml: line 3: did not find expected key".
// It gives no column, and its line is one too low for what its parser finds (as
// against its scanner) and often only the beginning of what was not finished.
var syntaxLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)$`)

// translation is what a message of yaml.v3 means to people who write YAML.
type translation struct {
	theirs string // how their message begins
	text   string
	hint   string
	// atEnd says that the message comes only from the line that is wrong, never from
	// a file that just ends too early: the shortest beginning of the file that
	// gives it ends with that line.
	atEnd bool
	// sign is the character that the column points at; the first one of the line if "".
	sign string
}

var translations = []translation{
	{"found character that cannot start any token", "a value cannot begin with this character", "indent with spaces, not tabs; put a text that begins with @, ` or % in quotes", true, "odd"},
	{"found a tab character", "a tab is not allowed here", "indent with spaces", true, "\t"},
	{"mapping values are not allowed", "a key is not allowed here", "put a text that contains \": \" in quotes; indent keys of one mapping alike", true, ""},
	{"block sequence entries are not allowed", "a list entry is not allowed here", "begin the list on a line of its own", true, "-"},
	{"mapping keys are not allowed", "a key is not allowed here", "", true, "?"},
	{"could not find expected ':'", "the colon after this key is missing", "write \"key: value\"", true, ""},
	{"did not find expected key", "want a key of the mapping that began above", "indent keys of one mapping alike; put a text with quotes inside it in quotes as a whole", true, ""},
	{"did not find expected '-' indicator", "want the next entry of the list that began above", "indent \"- \" of one list alike", true, ""},
	{"did not find expected ',' or '}'", "this { is not closed, or a comma between its keys is missing", "", false, "{"},
	{"did not find expected ',' or ']'", "this [ is not closed, or a comma between its entries is missing", "", false, "["},
	{"did not find expected node content", "a value is missing here", "", true, ""},
	{"found unexpected end of stream", "the quote that begins here is not closed", "", true, "quote"},
	{"found unexpected document indicator", "the quote that begins here is not closed", "", true, "quote"},
	{"found unknown escape character", "there is no such escape in a text in double quotes", "write \\\\ for a backslash, or use single quotes", true, "\\"},
	{"did not find expected hexdecimal number", "this escape needs hexadecimal digits", "write \\\\ for a backslash, or use single quotes", true, "\\"},
	{"found invalid Unicode character escape", "there is no such character", "", true, "\\"},
	{"did not find expected comment or line break", "nothing may follow here but a comment", "", true, ""},
	{"did not find expected <document start>", "nothing may follow the document", "indent keys of one mapping alike", true, ""},
	{"unknown anchor", "aliases are not allowed", "put a text that begins with * in quotes", false, "*"},
	{"did not find expected alphabetic or numeric character", "anchors and aliases are not allowed", "put a text that begins with * or & in quotes", true, ""},
}

// syntaxMistake makes one Mistake with a line and a column of an error of yaml.v3.
func (f *file) syntaxMistake(source []byte, err error) Mistake {
	line, message := splitSyntaxError(err)
	at := slices.IndexFunc(translations, func(t translation) bool { return strings.HasPrefix(message, t.theirs) })
	if at < 0 {
		line = max(1, min(line, len(f.lines)))
		return f.mistakeAt(line, f.column(line, ""), "not YAML: "+message)
	}
	t := translations[at]
	switch {
	case t.atEnd:
		line = f.shortest(source, message)
	case t.sign == "*":
		line = 1 + max(0, slices.IndexFunc(f.lines, func(l string) bool { return strings.Contains(l, t.sign) }))
	default:
		return f.unclosed(source, line+1, message, t)
	}
	return f.mistakeAt(line, f.column(line, t.sign), t.text).WithHint(t.hint)
}

func splitSyntaxError(err error) (line int, message string) {
	m := syntaxLine.FindStringSubmatch(err.Error())
	if m == nil {
		return 0, err.Error()
	}
	line, _ = strconv.Atoi(m[1])
	return line, m[2]
}

// shortest returns the line that ends the shortest beginning of the file which
// gives the same message. Why not their line: it is where the unfinished mapping
// or list began, which may be a page above.
func (f *file) shortest(source []byte, message string) int {
	ends := lineEnds(source)
	n := sort.Search(len(ends), func(i int) bool { return syntaxOf(source[:ends[i]]) == message })
	return min(n+1, len(f.lines))
}

// unclosed finds which of the opening brackets of a line their error is about.
// Their line is where that bracket stands (counted from 0), and there may be several
// in it: a bracket at or before the one meant can be moved to a line of its own
// and the error's line moves with it.
func (f *file) unclosed(source []byte, line int, message string, t translation) Mistake {
	line = max(1, min(line, len(f.lines)))
	text := f.lines[line-1]
	start := 0
	if line > 1 {
		start = lineEnds(source)[line-2]
	}
	col := f.column(line, t.sign)
	for at := range text {
		if !strings.HasPrefix(text[at:], t.sign) {
			continue
		}
		indent := "\n" + strings.Repeat(" ", len([]rune(text[:at]))+1)
		moved := slices.Concat(source[:start+at], []byte(indent), source[start+at:])
		if theirs, message2 := splitSyntaxError(syntaxError(moved)); message2 == message && theirs == line {
			col = len([]rune(text[:at])) + 1
		}
	}
	return f.mistakeAt(line, col, t.text).WithHint(t.hint)
}

// lineEnds returns where each line ends, its break included.
func lineEnds(source []byte) []int {
	var ends []int
	for i, c := range source {
		if c == '\n' {
			ends = append(ends, i+1)
		}
	}
	if len(ends) == 0 || ends[len(ends)-1] < len(source) {
		ends = append(ends, len(source))
	}
	return ends
}

// syntaxError is what yaml.v3 says of the source's documents; never nil.
func syntaxError(source []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(source))
	for {
		if _, err := decodeNode(d); errors.Is(err, io.EOF) {
			return errors.New("")
		} else if err != nil {
			return err
		}
	}
}

func syntaxOf(source []byte) string {
	_, message := splitSyntaxError(syntaxError(source))
	return message
}

// column is where in a line the sign stands, or the line's first character that
// is not a blank.
func (f *file) column(line int, sign string) int {
	text := f.lines[line-1]
	first := len(text) - len(strings.TrimLeft(text, " \t"))
	if first == len(text) {
		first = 0
	}
	at := -1
	switch sign {
	case "":
	case "odd":
		at = oddStart(text)
	case "quote":
		at = strings.LastIndexAny(text, `"'`)
	default:
		at = strings.Index(text, sign)
	}
	if at < 0 {
		at = first
	}
	return len([]rune(text[:at])) + 1
}

var oddStartPattern = regexp.MustCompile("(?:^|[ \\[{,-])([\t@`%])")

// oddStart finds the character that no value may begin with.
func oddStart(text string) int {
	if m := oddStartPattern.FindStringSubmatchIndex(text); m != nil {
		return m[2]
	}
	return -1
}
