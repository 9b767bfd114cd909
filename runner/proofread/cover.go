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
// shell; one without has nothing to prove. Of a page that no scenario is about it
// says so once.
func (c *checker) coverage(page *chapter.Page) {
	var found []document.Mistake
	var bare []*chapter.Heading
	about := false
	for _, h := range append([]*chapter.Heading{nil}, page.Headings...) {
		if len(c.proving(h)) > 0 {
			about = true
			continue
		}
		ms, covered := c.uncovered(page, h)
		found, about = append(found, ms...), about || covered
		if len(ms) > 0 && h != nil {
			bare = append(bare, h)
		}
	}
	if !about && len(bare) > 1 {
		found = []document.Mistake{c.nothingAbout(page, bare)}
	}
	for _, m := range found {
		c.add(Uncovered, m, document.Pos{})
	}
}

// uncovered is what no scenario proves of a section that none is about, and
// whether some block of it runs what a scenario runs.
func (c *checker) uncovered(page *chapter.Page, h *chapter.Heading) (found []document.Mistake, covered bool) {
	if h != nil && h.Skip != "" {
		return nil, false
	}
	// The blocks of an included section are told once, whichever pages include it.
	told := h != nil && c.included[h.Pos]
	var all, own []*chapter.Block
	for _, b := range page.Blocks {
		switch {
		case b.Heading != h || len(b.Commands) == 0 || b.Skip != "" || onlySetsUp(b) || told && b.Pos.File == h.Pos.File:
		case c.runsOneOf(b):
			covered = true
		default:
			all = append(all, b)
			if h != nil && b.Pos.File == h.Pos.File {
				own = append(own, b)
			}
		}
	}
	if h != nil && h.Pos.File != page.File {
		c.included[h.Pos] = true
	}
	if h != nil && !covered && len(own) > 0 {
		found = append(found, document.Mistake{
			Pos: h.Pos, Source: c.sourceOf(page, h), Hint: "give a scenario chapter: " + documentName(page) + "#" + h.Anchors[0] + ", or " + howToSkip,
			Text: fmt.Sprintf("no scenario proves the section %q, nor its commands (%s)", h.Text, linesOf(h, all)),
		})
		return found, covered
	}
	for _, b := range all {
		found = append(found, firstCommand(b).Mistake("", "no scenario runs these commands").WithHint(howToCover))
	}
	return found, covered
}

// nothingAbout says that no scenario is about a page.
func (c *checker) nothingAbout(page *chapter.Page, bare []*chapter.Heading) document.Mistake {
	var anchors []string
	for _, h := range bare {
		anchors = append(anchors, "#"+h.Anchors[0])
	}
	const most = 6
	list := document.And(anchors)
	if len(anchors) > most {
		list = fmt.Sprintf("%s and %d more", strings.Join(anchors[:most], ", "), len(anchors)-most)
	}
	at := bare[0]
	if i := slices.IndexFunc(page.Headings, func(h *chapter.Heading) bool { return h.Pos.File == page.File }); i >= 0 {
		at = page.Headings[i]
	}
	return document.Mistake{
		Pos: at.Pos, Source: c.sourceOf(page, at),
		Text: fmt.Sprintf("no scenario is about the page %s: none of its %d sections with commands is proved (%s)", page.File, len(bare), list),
		Hint: "give scenarios chapter: " + documentName(page) + "#" + bare[0].Anchors[0] + " and so on, or say why not at the beginning of the page: <!-- assay: skip REASON -->",
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

// setUp are commands that change nothing outside of the reader's machine.
var setUp = []string{"cd", "export", "unset", "set", "source", ".", "alias", "echo", "printf", "pwd", "true", "clear", "pushd", "popd", "mkdir", "git", "direnv"}

// onlySetsUp says whether a block does nothing that anybody could prove. What
// is only kept in a variable is no more than that: IP=$(kubectl get …).
func onlySetsUp(b *chapter.Block) bool {
	file, err := parseBash(b.Script())
	if err != nil {
		return false
	}
	only := true
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Assign:
			return false
		case *syntax.CallExpr:
			if len(n.Args) > 0 {
				only = only && (slices.Contains(setUp, n.Args[0].Lit()) || configures(n.Args))
			}
		}
		return only
	})
	return only
}

// configures says whether a command is kubectl config, which changes a file of
// the reader's.
func configures(words []*syntax.Word) bool {
	return len(words) > 1 && words[0].Lit() == "kubectl" && words[1].Lit() == "config"
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
