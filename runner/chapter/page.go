package chapter

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// Page is one Markdown file with everything that it includes, in the order in
// which a reader sees it.
type Page struct {
	File     string
	Title    string         // of the front matter, or else the first heading of level 1, or ""
	Front    map[string]any // the front matter; nil when there is none
	Headings []*Heading
	Blocks   []*Block
	Prose    []Line // paragraphs, list items and the text of headings, as they are written
	Includes []Include
	Links    []Link
	// Own are the anchors that the page itself puts somewhere else than on a
	// heading: <a id="green">, {#green} behind a paragraph.
	Own []string
	// Skip is the reason that a comment <!-- assay: skip REASON --> at the very
	// beginning gives, for the whole page; "" when there is none.
	Skip string
}

// Link is a link or an image of the page.
type Link struct {
	Target string // as it is written: "setup.md#tools", "images/all.png"
	Image  bool
	Line   Line
}

// Heading begins a section, which ends before the next heading of its own level
// or above.
type Heading struct {
	Level int
	Text  string // without markup
	Pos   document.Pos
	// Anchors are the fragments by which it is found: the page's own ({#id}),
	// MkDocs' and GitHub's, without the "#", each once.
	Anchors []string
	Above   *Heading // the section that this one is part of, or nil
	// Skip is the reason that a comment <!-- assay: skip REASON --> right below
	// the heading gives; "" when there is none.
	Skip string
}

// Within reports whether the section is other's or a part of it.
func (h *Heading) Within(other *Heading) bool {
	for ; h != nil; h = h.Above {
		if h == other {
			return true
		}
	}
	return false
}

// Block is a code block.
type Block struct {
	Language string // of the fence, in small letters: "bash", "yaml"; "" when none is said
	Title    string // of the fence (title="half.yaml"): the file that it shows; "" when none is said
	Pos      document.Pos
	Lines    []Line   // of the code
	Heading  *Heading // the innermost section that it is in; nil above the first
	// Commands are the lines that a reader types; none when it is no block of
	// commands, or says to be one and shows what a command prints. In a block with
	// prompts ("$ ") the prompts are left out.
	Commands []Line
	// Skip is the reason that a comment <!-- assay: skip REASON --> right before
	// the block, below the heading of a section around it, or at the beginning of
	// the page gives.
	Skip string
}

// Output are the lines that are shown and not typed.
func (b *Block) Output() []Line {
	if len(b.Commands) == 0 {
		return b.Lines
	}
	typed := make(map[document.Pos]bool)
	for _, l := range b.Commands {
		typed[document.Pos{File: l.Pos.File, Line: l.Pos.Line}] = true
	}
	var out []Line
	for _, l := range b.Lines {
		if !typed[document.Pos{File: l.Pos.File, Line: l.Pos.Line}] {
			out = append(out, l)
		}
	}
	return out
}

// Script is what a reader types, as text.
func (b *Block) Script() string { return join(b.Commands) }

// Line is one line of a page.
type Line struct {
	Text    string
	Pos     document.Pos // of its first character
	Source  string       // the whole line of the file
	Heading *Heading     // the innermost section that it is in
}

// Mistake says what is wrong with a part of the line, at the place where that
// part first stands in it; at the line's where it does not.
func (l Line) Mistake(part, format string, args ...any) document.Mistake {
	at := l.Pos
	if before, _, ok := strings.Cut(l.Text, part); ok && part != "" {
		at.Col += len([]rune(before))
	}
	return mistakeAt(at, l.Source, format, args...)
}

// Include is a place at which a page includes another file.
type Include struct {
	Name string // as it is written
	Pos  document.Pos
	File string // that was found; "" when it was not, or is on the network
	// Heading is that of the section that the include stands in; nil above the first.
	Heading *Heading
	before  int // lines of the page before it
}

func join(lines []Line) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Text
	}
	return strings.Join(texts, "\n")
}

// Find returns the heading that is meant by an anchor ("green", "#green") or by
// its text ("Blue <-- --> Green"); nil when there is none. Of several with the
// same text it is the first.
func (p *Page) Find(heading string) *Heading {
	anchor := strings.TrimPrefix(heading, "#")
	for _, h := range p.Headings {
		if slices.Contains(h.Anchors, anchor) {
			return h
		}
	}
	for _, h := range p.Headings {
		if h.Text == strings.TrimSpace(heading) {
			return h
		}
	}
	return nil
}

// Has reports whether a link to an anchor leads somewhere on the page. Of
// HTML's names the capitals count, of headings' anchors they do not for GitHub.
func (p *Page) Has(anchor string) bool {
	return slices.Contains(p.Own, anchor) || slices.ContainsFunc(p.Headings, func(h *Heading) bool {
		return slices.Contains(h.Anchors, anchor) || slices.Contains(h.Anchors, strings.ToLower(anchor))
	})
}

// Commands are the blocks of commands of a section, those of its subsections
// with them, but for those that a comment skips. A nil heading is the whole page.
func (p *Page) Commands(of *Heading) []*Block {
	var found []*Block
	for _, b := range p.Blocks {
		if len(b.Commands) > 0 && b.Skip == "" && (of == nil || b.Heading.Within(of)) {
			found = append(found, b)
		}
	}
	return found
}

// Anchors are the first anchor of each heading, for suggestions.
func (p *Page) Anchors() []string {
	var all []string
	for _, h := range p.Headings {
		if len(h.Anchors) > 0 {
			all = append(all, h.Anchors[0])
		}
	}
	return all
}

// Is reports whether the page is the document that a scenario's chapter names:
// its file's name, with or without folders before and the ending behind.
func (p *Page) Is(document string) bool {
	want, have := bare(document), bare(p.File)
	return want == have || strings.HasSuffix(have, "/"+want)
}

func bare(name string) string {
	name = filepath.ToSlash(filepath.Clean(name))
	return strings.TrimSuffix(strings.TrimPrefix(name, "./"), filepath.Ext(name))
}
