package chapter

import (
	"regexp"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// container is an admonition or a content tab: what is indented below its line
// is part of the page, code blocks and headings included.
type container struct{ ast.BaseBlock }

var kindContainer = ast.NewNodeKind("Container")

// Kind implements ast.Node.
func (*container) Kind() ast.NodeKind { return kindContainer }

// Dump implements ast.Node.
func (c *container) Dump(source []byte, level int) { ast.DumpHelper(c, source, level, nil, nil) }

// opens are the lines with which a container begins: !!! note "Title",
// !!!note, ??? tip, ???+ tip, === "Tab", ===! "Tab".
var opens = regexp.MustCompile(`^[ ]{0,3}(?:(?:!!!|\?\?\?\+?)[ \t]*[A-Za-z]|===[!+]*[ \t]+["'])`)

// containerParser implements parser.BlockParser.
type containerParser struct{}

const containerIndent = 4

func (containerParser) Trigger() []byte { return []byte{'!', '?', '='} }

func (containerParser) Open(_ ast.Node, reader text.Reader, _ parser.Context) (ast.Node, parser.State) {
	line, _ := reader.PeekLine()
	if !opens.Match(line) {
		return nil, parser.NoChildren
	}
	reader.AdvanceToEOL()
	return &container{}, parser.HasChildren
}

func (containerParser) Continue(_ ast.Node, reader text.Reader, _ parser.Context) parser.State {
	line, _ := reader.PeekLine()
	if util.IsBlank(line) {
		reader.AdvanceToEOL()
		return parser.Continue | parser.HasChildren
	}
	if indent, _ := util.IndentWidth(line, reader.LineOffset()); indent < containerIndent {
		return parser.Close
	}
	pos, padding := util.IndentPosition(line, reader.LineOffset(), containerIndent)
	reader.AdvanceAndSetPadding(pos, padding)
	return parser.Continue | parser.HasChildren
}

func (containerParser) Close(ast.Node, text.Reader, parser.Context) {}

func (containerParser) CanInterruptParagraph() bool { return true }

func (containerParser) CanAcceptIndentedLine() bool { return false }
