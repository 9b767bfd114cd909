package document

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// What a file may be at most. A file that people wrote stays far below; a file
// that is above was given by mistake, or to do harm.
const (
	maxSize  = 1 << 20 // bytes
	maxDepth = 100     // mappings and lists within each other
)

// Parse reads one YAML document. File is the name that positions carry. With
// mistakes in the document's structure the Value is returned all the same, so that
// what else is wrong in it can be said at once; it is absent where there is nothing
// to read (a syntax error, an empty file).
func Parse(name string, source []byte) (Value, Mistakes) {
	source = bytes.TrimPrefix(source, []byte("\ufeff")) // a byte-order mark is not a character of the text
	f := &file{name: name, lines: splitLines(source), refused: map[*yaml.Node]bool{}}
	if ms := f.checkText(source); len(ms) > 0 {
		return Value{}, Sort(ms)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	root, err := decodeNode(decoder)
	if errors.Is(err, io.EOF) {
		return Value{}, Mistakes{f.mistakeAt(1, 1, "the file says nothing")}
	}
	if err != nil {
		return Value{}, Mistakes{f.syntaxMistake(source, err)}
	}
	var ms Mistakes
	if second, err := decodeNode(decoder); !errors.Is(err, io.EOF) {
		ms = append(ms, f.secondDocument(root, second))
	}
	v := Value{file: f, node: root.Content[0]}
	if v.Kind() == Null {
		return Value{}, Mistakes{f.mistakeAt(1, 1, "the file says nothing")}
	}
	c := checker{file: f}
	c.check(v, 1)
	return v, Sort(append(ms, c.mistakes...))
}

// decodeNode reads the next document. The parser of yaml.v3 panics on some inputs
// that it did not expect; a panic there is a fault of the file for us, not a reason
// to end.
func decodeNode(d *yaml.Decoder) (n *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, errors.New("yaml: the parser cannot read this")
		}
	}()
	n = &yaml.Node{}
	if err := d.Decode(n); err != nil {
		return nil, err
	}
	if len(n.Content) == 0 {
		return nil, io.EOF
	}
	return n, nil
}

// splitLines returns the source's lines without their breaks; at least one.
func splitLines(source []byte) []string {
	lines := strings.Split(string(source), "\n")
	for i := range lines {
		lines[i] = strings.TrimSuffix(lines[i], "\r")
	}
	if n := len(lines); n > 1 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	return lines
}

func (f *file) mistakeAt(line, col int, text string) Mistake {
	p := Pos{File: f.name, Line: line, Col: col}
	return Mistake{Pos: p, Text: text, Source: f.source(p)}
}

// checkText refuses what is not text that an editor shows as it is: the first
// such place of each line.
func (f *file) checkText(source []byte) Mistakes {
	if len(source) > maxSize {
		return Mistakes{{Pos: Pos{File: f.name}, Text: "the file is larger than 1 MiB"}}
	}
	if bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff")) {
		return Mistakes{{Pos: Pos{File: f.name, Line: 1, Col: 1}, Text: "the file is in UTF-16", Hint: "save it as UTF-8"}}
	}
	var ms Mistakes
	for i, line := range f.lines {
		col := 1
		for at, r := range line {
			if text, hint := oddCharacter(line[at:], r); text != "" {
				ms = append(ms, f.mistakeAt(i+1, col, text).WithHint(hint))
				break
			}
			col++
		}
	}
	return ms
}

// oddCharacter says what is wrong with the character that rest begins with, and
// what would be right.
func oddCharacter(rest string, r rune) (text, hint string) {
	switch {
	case r == utf8.RuneError && !strings.HasPrefix(rest, "\uFFFD"):
		return "this is not UTF-8", "save the file as UTF-8"
	case r == '\r':
		return "a carriage return without a line feed", "end lines with a line feed"
	case r == '\u0085', r == '\u2028', r == '\u2029':
		// YAML 1.1 ends a line here and editors do not: line numbers would differ.
		return "a line break that editors do not show as one", "end lines with a line feed"
	case r == '\ufeff':
		return "a byte-order mark within the text", "remove it; it is not visible in most editors"
	case r != '\t' && (r < ' ' || r >= 0x7f && r < 0xa0), r >= 0xfffe && r <= 0xffff:
		return "a control character", "remove it, or write it as an escape such as \"\\x1b\""
	}
	return "", ""
}

// secondDocument says where a second document begins: at the last "---" before
// its content, or after the first document's content where it cannot be read.
func (f *file) secondDocument(first, second *yaml.Node) Mistake {
	from := first.Content[0].Line // lines count from 1, so this is the index of the line after
	markers := []int{}
	for i := from; i < len(f.lines); i++ {
		if isMarker(f.lines[i]) && (second == nil || i < second.Line || len(markers) == 0) {
			markers = append(markers, i+1)
		}
	}
	line := len(f.lines)
	if len(markers) > 0 && second != nil {
		line = markers[len(markers)-1]
	} else if len(markers) > 0 {
		line = markers[0]
	}
	return f.mistakeAt(line, 1, "a second document begins here").WithHint("one document a file: move it to a file of its own")
}

func isMarker(line string) bool {
	rest, ok := strings.CutPrefix(line, "---")
	return ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t')
}

// checker walks a document once and refuses what makes it read differently from
// how it looks.
type checker struct {
	file     *file
	mistakes Mistakes
}

func (c *checker) add(m Mistake) { c.mistakes = append(c.mistakes, m) }

// refuse says what is wrong with a value and keeps later checks from saying more.
func (c *checker) refuse(v Value, m Mistake) {
	c.add(m)
	c.file.refused[v.node] = true
}

func (c *checker) check(v Value, depth int) {
	n := v.node
	if depth > maxDepth {
		c.refuse(v, v.Mistake("mappings and lists are nested more than %d deep", maxDepth))
		// Nothing below is looked at, so nothing below may be read either.
		n.Content = nil
		return
	}
	if n.Kind == yaml.AliasNode {
		c.refuse(v, v.Mistake("aliases (*%s) are not allowed", n.Value).WithHint("write the value out"))
		// An alias may lead back to what it stands in. In its place stands nothing.
		*n = yaml.Node{Kind: yaml.ScalarNode, Line: n.Line, Column: n.Column}
		return
	}
	if n.Anchor != "" {
		c.add(v.Mistake("anchors (&%s) are not allowed", n.Anchor).WithHint("write the value out where it is needed"))
	}
	if n.Style&yaml.TaggedStyle != 0 {
		c.refuse(v, v.Mistake("tags (%s) are not allowed", n.Tag).WithHint("a text that looks like a number goes in quotes"))
	}
	switch v.Kind() {
	case Sequence:
		for i := range n.Content {
			c.check(v.Index(i), depth+1)
		}
	case Mapping:
		c.checkKeys(v)
		for _, entry := range v.Entries() {
			c.check(entry, depth+1)
		}
	}
}

// checkKeys refuses keys that are not plain words, merge keys and duplicates. Odd
// keys are dropped with their values, since no path could name them.
func (c *checker) checkKeys(v Value) {
	first := map[string]int{} // key -> line
	var kept []*yaml.Node
	for i := range v.pairs() {
		key, value := v.node.Content[i], v.node.Content[i+1]
		entry := v.pair(i)
		switch {
		case key.Kind == yaml.MappingNode && key.Style&v.node.Style&yaml.FlowStyle != 0:
			c.refuse(v, v.Mistake("there are no templates: {{ and }} mean nothing here").WithHint("write the value out"))
			v.node.Content = nil
			return
		case key.Kind != yaml.ScalarNode:
			at := Value{file: v.file, node: key, path: v.path}
			c.add(at.Mistake("a key must be a word, this is %s", at.Kind()))
			continue
		case key.Tag == "!!merge":
			c.add(entry.KeyMistake("merge keys (<<) are not allowed").WithHint("write the keys out"))
			continue
		case isPlain(key) && isNull(key.Value):
			at := Value{file: v.file, node: key, path: v.path}
			c.add(at.Mistake("a key is missing before the colon"))
			continue
		case key.Anchor != "" || key.Style&yaml.TaggedStyle != 0:
			c.add(entry.KeyMistake("anchors and tags are not allowed"))
		}
		if line, again := first[key.Value]; again {
			c.add(entry.KeyMistake("this key is already given in line %d", line).WithHint("keep one of them"))
		} else {
			first[key.Value] = v.file.pos(key).Line
		}
		kept = append(kept, key, value)
	}
	v.node.Content = slices.Clip(kept)
}
