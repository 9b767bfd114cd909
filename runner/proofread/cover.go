package proofread

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// coverage finds sections and blocks of commands that no scenario proves. A
// section counts when it has commands of its own that do more than set up the
// shell; one without has nothing to prove.
func (c *checker) coverage(page *chapter.Page) {
	sections := append([]*chapter.Heading{nil}, page.Headings...)
	for _, h := range sections {
		if h != nil && h.Skip != "" || len(c.proving(h)) > 0 {
			continue
		}
		var bare []*chapter.Block
		covered := false
		for _, b := range page.Blocks {
			switch {
			case b.Heading != h || len(b.Commands) == 0 || b.Skip != "" || onlySetsUp(b):
			case c.runsOneOf(b):
				covered = true
			default:
				bare = append(bare, b)
			}
		}
		switch {
		case len(bare) == 0:
		case h == nil || covered:
			for _, b := range bare {
				c.add(Uncovered, firstCommand(b).Mistake("", "no scenario runs these commands").WithHint(howToCover), document.Pos{})
			}
		default:
			m := document.Mistake{
				Pos: h.Pos, Source: c.sourceOf(page, h), Hint: "give a scenario chapter: " + documentName(page) + "#" + h.Anchors[0] + ", or " + howToSkip,
				Text: fmt.Sprintf("no scenario proves the section %q, nor its commands (%s)", h.Text, linesOf(h, bare)),
			}
			c.add(Uncovered, m, document.Pos{})
		}
	}
}

const (
	howToSkip  = "say why not: <!-- assay: skip REASON -->"
	howToCover = "run them in a scenario, give one chapter: with this heading, or " + howToSkip
)

func documentName(p *chapter.Page) string {
	name := p.File[strings.LastIndexAny(p.File, `/\`)+1:]
	return strings.TrimSuffix(strings.TrimSuffix(name, ".md"), ".markdown")
}

func (c *checker) sourceOf(page *chapter.Page, h *chapter.Heading) string {
	for _, l := range page.Prose {
		if l.Pos == h.Pos {
			return l.Source
		}
	}
	return ""
}

// linesOf says where blocks are: "line 12" or, where another file was included, its name.
func linesOf(h *chapter.Heading, blocks []*chapter.Block) string {
	var all []string
	for _, b := range blocks {
		at := firstCommand(b).Pos
		text := fmt.Sprintf("line %d", at.Line)
		if at.File != h.Pos.File {
			text = at.String()
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

func firstCommand(b *chapter.Block) chapter.Line {
	for _, l := range b.Commands {
		if text := strings.TrimSpace(l.Text); text != "" && !strings.HasPrefix(text, "#") {
			return l
		}
	}
	return b.Commands[0]
}

// setUp are commands that change nothing outside of the reader's shell.
var setUp = []string{"cd", "export", "unset", "set", "source", ".", "alias", "echo", "printf", "pwd", "true", "clear", "pushd", "popd"}

// onlySetsUp says whether a block does nothing that anybody could prove.
func onlySetsUp(b *chapter.Block) bool {
	file, err := parseBash(b.Script())
	if err != nil {
		return false
	}
	only := true
	syntax.Walk(file, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			only = only && slices.Contains(setUp, call.Args[0].Lit())
		}
		return only
	})
	return only
}

// runsOneOf says whether a scenario runs a script that the block names.
func (c *checker) runsOneOf(b *chapter.Block) bool {
	r := c.reader(c.o.Home, nil)
	r.quiet = true
	r.text(b.Script(), nil)
	return slices.ContainsFunc(c.proofs, func(p *proof) bool {
		return slices.ContainsFunc(p.scripts, func(s string) bool { return slices.Contains(r.named, s) })
	})
}
