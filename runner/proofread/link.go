package proofread

import (
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// links finds links to pages, headings and files of the tutorial that are not
// there. Links to somewhere else, and to folders, of which only the one who
// builds the site knows what they become, are passed over.
func (c *checker) links(page *chapter.Page) {
	for _, l := range page.Links {
		if page.Skip != "" || l.Line.Heading != nil && l.Line.Heading.Skip != "" {
			continue
		}
		target, anchor, _ := strings.Cut(l.Target, "#")
		if path, err := url.PathUnescape(target); err == nil {
			target = path
		}
		if strings.ContainsAny(target, ":{}?*<") || strings.HasPrefix(target, "/") {
			continue
		}
		c.link1(page, l, target, anchor)
	}
}

func (c *checker) link1(page *chapter.Page, l chapter.Link, target, anchor string) {
	if target == "" {
		c.anchor(l, page, anchor)
		return
	}
	ending := strings.ToLower(filepath.Ext(target))
	if !slices.Contains(linkedEndings, ending) {
		return
	}
	// What a page includes is a part of it for MkDocs, and stays where it is for
	// GitHub.
	path := filepath.Join(filepath.Dir(page.File), filepath.FromSlash(target))
	if _, err := os.Stat(path); err != nil && l.Line.Pos.File != page.File {
		path = filepath.Join(filepath.Dir(l.Line.Pos.File), filepath.FromSlash(target))
	}
	if !below(c.o.Root, absolute(path)) {
		return
	}
	if _, err := os.Stat(path); err != nil {
		hint := near(absolute(path), c.o.Home)
		c.add(Link, l.Line.Mistake(l.Target, "the link %s leads to no file", l.Target).WithHint(hint), document.Pos{})
		return
	}
	if ending == ".md" && anchor != "" {
		c.anchor(l, c.pageAt(path), anchor)
	}
}

// linkedEndings are those of files that are there before a site is built.
var linkedEndings = []string{".md", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".yaml", ".yml", ".json", ".sh"}

// anchor reports a heading that a link leads to and that the page does not have.
func (c *checker) anchor(l chapter.Link, page *chapter.Page, anchor string) {
	if page == nil || anchor == "" || strings.HasPrefix(anchor, "fn") || page.Has(anchor) {
		return
	}
	m := l.Line.Mistake("#"+anchor, "the link %s leads to no heading of %s", l.Target, page.File)
	c.add(Link, m.WithHint(document.DidYouMean(anchor, page.Anchors())), document.Pos{File: page.File})
}

// pageAt is the page of a file, which is read when it is not among those that are
// compared; nil when it cannot be read.
func (c *checker) pageAt(path string) *chapter.Page {
	path = absolute(path)
	for _, p := range c.pages {
		if absolute(p.File) == path {
			return p
		}
	}
	if p, ok := c.linked[path]; ok {
		return p
	}
	p, _, err := chapter.Load(path, c.o.Root)
	if err != nil {
		p = nil
	} else {
		p.File = shownPath(path)
	}
	c.linked[path] = p
	return p
}
