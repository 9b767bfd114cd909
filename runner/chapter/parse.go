package chapter

import (
	"fmt"
	"regexp"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"gopkg.in/yaml.v3"

	"github.com/meshassay/assay/runner/document"
)

// Parse reads a page. Open is asked for what it includes; nil means that
// nothing can be included. The page holds what could be read, whatever the
// mistakes.
func Parse(file string, source []byte, open Open) (*Page, document.Mistakes) {
	if open == nil {
		open = func(string) (string, []byte, string, error) {
			return "", nil, "", fmt.Errorf("nothing can be included here")
		}
	}
	e := &expander{open: open}
	lines := split(source)
	p := &pageParser{page: &Page{File: file}, anchors: newAnchors()}
	rest := p.front(file, lines)
	e.file(file, lines, rest, len(lines), "", []string{file})
	p.mistakes = append(p.mistakes, e.mistakes...)
	p.page.Includes = e.includes
	p.lines = e.lines
	p.markdown()
	p.page.Own = ownAnchors(p.lines)
	for i := range p.page.Includes {
		p.page.Includes[i].Heading = p.headingAt(p.page.Includes[i].before)
	}
	if title, ok := p.page.Front["title"].(string); ok {
		p.page.Title = title
	}
	for _, h := range p.page.Headings {
		if p.page.Title == "" && h.Level == 1 {
			p.page.Title = h.Text
		}
	}
	return p.page, document.Sort(p.mistakes)
}

// pageParser makes a page of its lines.
type pageParser struct {
	page     *Page
	lines    []written
	starts   []int // the offset of each line in source
	source   []byte
	anchors  *anchors
	mistakes document.Mistakes

	begun bool       // something of the page was read
	open  []*Heading // the sections that the present place is in
	from  []int      // the line of each of the page's headings in lines
	skip  *comment   // the last comment, until something else comes
	last  *Heading   // the heading that came right before the present place
}

// comment is a <!-- assay: … --> on its own.
type comment struct{ reason string }

var ours = regexp.MustCompile(`<!--\s*assay:\s*(\S*)\s*([^>]*?)\s*-->`)

// front reads the YAML between two lines of dashes at the very beginning, and
// returns the index of the first line behind it. What stands between two lines
// of +++ is TOML, and passed over.
func (p *pageParser) front(file string, lines []string) int {
	fence := strings.TrimRight(lines[0], " \t")
	if fence != "---" && fence != "+++" {
		return 0
	}
	for i := 1; i < len(lines); i++ {
		if end := strings.TrimRight(lines[i], " \t"); end != fence && (fence == "+++" || end != "...") {
			continue
		}
		if fence == "+++" {
			return i + 1
		}
		err := decodeFront(strings.Join(lines[1:i], "\n"), &p.page.Front)
		if err != nil {
			at := document.Pos{File: file, Line: 1, Col: 1}
			p.mistakes = append(p.mistakes, mistakeAt(at, lines[0], "the front matter is not YAML: %v", err))
		}
		return i + 1
	}
	return 0 // a line across the page, and no front matter
}

// decodeFront reads YAML; a panic of the parser is an error like any other.
func decodeFront(source string, into *map[string]any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return yaml.Unmarshal([]byte(source), into)
}

// markdown parses the page's lines and walks through the blocks.
func (p *pageParser) markdown() {
	var b strings.Builder
	for _, l := range p.lines {
		p.starts = append(p.starts, b.Len())
		b.WriteString(l.text + "\n")
	}
	p.source = []byte(b.String())
	blocks := append(parser.DefaultBlockParsers(), util.Prioritized(containerParser{}, 550))
	md := parser.NewParser(parser.WithBlockParsers(blocks...),
		parser.WithInlineParsers(parser.DefaultInlineParsers()...), parser.WithParagraphTransformers(parser.DefaultParagraphTransformers()...))
	_ = ast.Walk(md.Parse(text.NewReader(p.source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		return p.node(n), nil
	})
}

// node takes in one node. What is inside a block of text is read with it.
func (p *pageParser) node(n ast.Node) ast.WalkStatus {
	switch n := n.(type) {
	case *ast.Heading:
		p.heading(n)
	case *ast.FencedCodeBlock:
		p.code(n, p.info(n), n.Lines())
	case *ast.CodeBlock:
		p.code(n, fence{}, n.Lines())
	case *ast.HTMLBlock:
		p.html(n)
	case *ast.Paragraph, *ast.TextBlock:
		p.prose(n.Lines())
		p.links(n)
	default:
		return ast.WalkContinue
	}
	return ast.WalkSkipChildren
}

// at is the line that an offset of the source is in, and its place.
func (p *pageParser) at(offset int) (written, document.Pos) {
	i := p.index(offset)
	w := p.lines[i]
	col := utf8.RuneCount(p.source[p.starts[i]:max(offset, p.starts[i])]) - w.shift
	pos := w.pos
	pos.Col = max(col, 0) + 1
	return w, pos
}

func (p *pageParser) index(offset int) int { return max(sort.SearchInts(p.starts, offset+1)-1, 0) }

// headingAt is the heading of the section that begins before a line.
func (p *pageParser) headingAt(line int) *Heading {
	if i := sort.SearchInts(p.from, line); i > 0 {
		return p.page.Headings[i-1]
	}
	return nil
}

func (p *pageParser) line(s text.Segment) Line {
	w, pos := p.at(s.Start)
	return Line{Text: strings.TrimSuffix(string(s.Value(p.source)), "\n"), Pos: pos, Source: w.source, Heading: p.present()}
}

func (p *pageParser) present() *Heading {
	if len(p.open) == 0 {
		return nil
	}
	return p.open[len(p.open)-1]
}

// ownAnchor is {#id} or {: #id .class } at the end of a heading.
var ownAnchor = regexp.MustCompile(`\s*\{:?\s*([^{}]*)\}\s*$`)

func (p *pageParser) heading(n *ast.Heading) {
	p.skip, p.begun = nil, true
	if n.Lines().Len() == 0 {
		return // nobody can link to it, nor see it
	}
	line := p.line(n.Lines().At(0))
	content, own := plain(n, p.source), ""
	if m := ownAnchor.FindStringSubmatchIndex(content); m != nil {
		for _, word := range strings.Fields(content[m[2]:m[3]]) {
			if id, ok := strings.CutPrefix(word, "#"); ok {
				own = id
			}
		}
		content = content[:m[0]]
	}
	for len(p.open) > 0 && p.present().Level >= n.Level {
		p.open = p.open[:len(p.open)-1]
	}
	h := &Heading{Level: n.Level, Text: content, Pos: line.Pos, Anchors: p.anchors.of(content, own), Above: p.present(), Skip: p.page.Skip}
	if h.Above != nil {
		h.Skip = h.Above.Skip
	}
	p.open = append(p.open, h)
	p.last = h
	p.from = append(p.from, p.index(n.Lines().At(0).Start))
	p.page.Headings = append(p.page.Headings, h)
	line.Heading = h
	p.page.Prose = append(p.page.Prose, line)
	p.links(n)
}

// plain is the text of a heading without markup.
func plain(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(literal(n, source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.AutoLink:
			b.Write(n.Label(source))
		case *ast.Image:
			return ast.WalkSkipChildren, nil
		}
		return ast.WalkContinue, nil
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

// literal is a text as a reader sees it: without backslashes, and with the
// characters that entities stand for; in code both are what they are.
func literal(n *ast.Text, source []byte) []byte {
	text := n.Segment.Value(source)
	if _, ok := n.Parent().(*ast.CodeSpan); ok {
		return text
	}
	return util.ResolveEntityNames(util.ResolveNumericReferences(util.UnescapePunctuations(text)))
}

func (p *pageParser) code(n ast.Node, of fence, segments *text.Segments) {
	b := &Block{Language: of.language, Title: of.title, Heading: p.present(), Skip: p.page.Skip}
	_, b.Pos = p.at(max(n.Pos(), 0))
	for i := range segments.Len() {
		b.Lines = append(b.Lines, p.line(segments.At(i)))
	}
	if b.Heading != nil {
		b.Skip = b.Heading.Skip
	}
	if p.skip != nil {
		b.Skip = p.skip.reason
	}
	p.skip, p.last, p.begun = nil, nil, true
	b.Commands = commandsOf(of, b.Lines)
	p.page.Blocks = append(p.page.Blocks, b)
}

// html looks for a comment that is meant for us.
func (p *pageParser) html(n *ast.HTMLBlock) {
	lines := n.Lines()
	for i := range lines.Len() {
		line := p.line(lines.At(i))
		m := ours.FindStringSubmatch(line.Text)
		switch {
		case m == nil:
		case m[1] != "skip":
			p.mistakes = append(p.mistakes, line.Mistake(m[1], "want <!-- assay: skip REASON -->, got assay: %s", m[1]))
		case m[2] == "":
			p.mistakes = append(p.mistakes, line.Mistake(m[0], "say why it is skipped").WithHint("<!-- assay: skip REASON -->"))
		case p.last != nil:
			p.last.Skip = m[2] // right below a heading: the whole section
		case !p.begun && !before(n):
			p.page.Skip = m[2]
		default:
			p.skip = &comment{m[2]}
		}
	}
}

// before says whether a block of code comes right behind a node.
func before(n ast.Node) bool {
	switch n.NextSibling().(type) {
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return true
	}
	return false
}

func (p *pageParser) prose(segments *text.Segments) {
	p.skip, p.last, p.begun = nil, nil, true
	for i := range segments.Len() {
		p.page.Prose = append(p.page.Prose, p.line(segments.At(i)))
	}
}
