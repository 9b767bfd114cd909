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
	"unicode/utf8"

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
	// inLine says that the message comes only from the line that is wrong, never from
	// a file that just ends too early: the shortest beginning of the file that
	// gives it ends with that line.
	inLine bool
	// at finds what the column points at: the first group of the last match in the
	// line. Nil, or no match: the line's first character that is not a blank.
	at *regexp.Regexp
	// cases are tried first: one whose at matches the line says it better.
	cases []translation
}

var translations = []translation{
	{theirs: "found character that cannot start any token", inLine: true, text: "a value cannot begin like this", hint: "put it in quotes", at: regexp.MustCompile("(?:[ \\[{,-])([@`%|>])"), cases: []translation{
		{at: regexp.MustCompile(`^ *(\t)`), text: "a tab cannot indent", hint: "indent with spaces"},
		{at: regexp.MustCompile(`(?:^|[ \[{,-])(@)`), text: "a text cannot begin with @", hint: "put it in quotes"},
		{at: regexp.MustCompile("(?:^|[ \\[{,-])(`)"), text: "a text cannot begin with `", hint: "put it in quotes"},
		{at: regexp.MustCompile(`(?:^|[ \[{,-])(%)`), text: "a text cannot begin with %", hint: "put it in quotes"},
	}},
	{theirs: "found a tab character", inLine: true, text: "a tab is not allowed here", hint: "indent with spaces", at: regexp.MustCompile(`(\t)`)},
	{theirs: "mapping values are not allowed", inLine: true, text: "a key is not allowed here", hint: "indent the keys of one mapping alike; a key above may lack its colon", cases: []translation{
		{at: regexp.MustCompile(`^[^:#"']*:\s+([^\s"'\[{].*:(?:\s|$))`), text: "the colon in this text would begin a new key", hint: "put the text in quotes"},
	}},
	{theirs: "block sequence entries are not allowed", inLine: true, text: "a list entry is not allowed here", hint: "begin the list on a line of its own", at: regexp.MustCompile(`^[^#]*?(- )`)},
	{theirs: "mapping keys are not allowed", inLine: true, text: "a key is not allowed here", hint: "indent the keys of one mapping alike", at: regexp.MustCompile(`(\?)`)},
	{theirs: "could not find expected ':'", inLine: true, text: "the colon after this key is missing", hint: "write \"key: value\""},
	{theirs: "did not find expected key", inLine: true, text: "this is not a key of the mapping that began above", hint: "indent the keys of one mapping alike", cases: []translation{
		{at: regexp.MustCompile(`^\s*(:)(?:\s|$)`), text: "a key is missing before the colon"},
		{at: regexp.MustCompile(`^\s*(- )`), text: "a list entry is not allowed here", hint: "indent the entries of one list alike"},
		{at: regexp.MustCompile(`:\s+(?:"[^"]*"|'[^']*')\s*([^\s"'#])`), text: "nothing may follow the closing quote", hint: "put the whole text in quotes"},
	}},
	{theirs: "did not find expected '-' indicator", inLine: true, text: "this is not an entry of the list that began above", hint: "indent the entries of one list alike"},
	{theirs: "did not find expected ',' or '}'", text: "this { is not closed, or a comma after one of its values is missing", at: regexp.MustCompile(`(\{)`)},
	{theirs: "did not find expected ',' or ']'", text: "this [ is not closed, or a comma after one of its entries is missing", at: regexp.MustCompile(`(\[)`)},
	{theirs: "did not find expected node content", inLine: true, text: "a value is missing here", at: regexp.MustCompile(`[,:\[{]\s*([,\]}])`)},
	{theirs: "found unexpected end of stream", inLine: true, text: "the quote that begins here is not closed", at: regexp.MustCompile(`(["'])[^"']*$`)},
	{theirs: "found unexpected document indicator", inLine: true, text: "a quote above this line is not closed"},
	{theirs: "found unknown escape character", inLine: true, text: "there is no such escape in double quotes", hint: "write \\\\ for a backslash, or use single quotes", at: regexp.MustCompile(`(\\[^0abt\tnvfre "'/\\N_LPxuU])`)},
	{theirs: "did not find expected hexdecimal number", inLine: true, text: "this escape needs hexadecimal digits", hint: "write \\\\ for a backslash, or use single quotes", at: regexp.MustCompile(`(\\[xuU])`)},
	{theirs: "found invalid Unicode character escape", inLine: true, text: "there is no such character", at: regexp.MustCompile(`(\\[xuU])`)},
	{theirs: "did not find expected comment or line break", inLine: true, text: "nothing may follow here but a comment", cases: []translation{
		{at: regexp.MustCompile(`[|>][-+0-9]*\s+([^#\s])`), text: "nothing may follow | or > but a comment", hint: "begin the text on the next line"},
	}},
	{theirs: "did not find expected <document start>", inLine: true, text: "nothing may follow the document", hint: "indent the keys of one mapping alike"},
	{theirs: "unknown anchor", text: "aliases are not allowed", hint: "put a text that begins with * in quotes", at: regexp.MustCompile(`(?:^|[ \[{,])(\*)`)},
	{theirs: "did not find expected alphabetic or numeric character", inLine: true, text: "anchors and aliases are not allowed", hint: "put a text that begins with * or & in quotes", at: regexp.MustCompile(`(?:^|[ \[{,])([*&])`)},
	{theirs: "exceeded max depth", text: "mappings and lists are nested too deep"},
}

// syntaxMistake makes one Mistake with a line and a column of an error of yaml.v3.
func (f *file) syntaxMistake(source []byte, err error) Mistake {
	line, message := splitSyntaxError(err)
	at := slices.IndexFunc(translations, func(t translation) bool { return strings.HasPrefix(message, t.theirs) })
	if at < 0 {
		return f.explain(line, translation{text: "not YAML: " + message})
	}
	t := translations[at]
	switch {
	case t.inLine:
		return f.explain(f.shortest(source, message), t)
	case t.at == nil:
		return f.explain(line, t)
	case strings.HasPrefix(message, "unknown anchor"):
		return f.explain(1+slices.IndexFunc(f.lines, t.at.MatchString), t)
	}
	return f.unclosed(source, line+1, message, t)
}

// explain says what is wrong with a line in the words of a translation.
func (f *file) explain(line int, t translation) Mistake {
	line = max(1, min(line, len(f.lines)))
	text := f.lines[line-1]
	for _, c := range t.cases {
		if c.at.MatchString(text) {
			return f.explain(line, c)
		}
	}
	return f.mistakeAt(line, column(text, t.at), t.text).WithHint(t.hint)
}

// column is where the first group of the last match stands in a line, or else the
// line's first character that is not a blank.
func column(line string, at *regexp.Regexp) int {
	start := len(line) - len(strings.TrimLeft(line, " \t"))
	if start == len(line) {
		start = 0
	}
	if at != nil {
		if all := at.FindAllStringSubmatchIndex(line, -1); all != nil {
			start = all[len(all)-1][2]
		}
	}
	return utf8.RuneCountInString(line[:start]) + 1
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
	brackets := t.at.FindAllStringIndex(text, -1)
	moves := func(at int) bool {
		indent := "\n" + strings.Repeat(" ", utf8.RuneCountInString(text[:at])+1)
		moved := slices.Concat(source[:start+at], []byte(indent), source[start+at:])
		theirs, other := splitSyntaxError(syntaxError(moved))
		return other == message && theirs == line
	}
	last := sort.Search(len(brackets), func(i int) bool { return !moves(brackets[i][0]) }) - 1
	if last < 0 {
		return f.explain(line, t)
	}
	return f.mistakeAt(line, utf8.RuneCountInString(text[:brackets[last][0]])+1, t.text).WithHint(t.hint)
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
