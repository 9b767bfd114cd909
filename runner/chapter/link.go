package chapter

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// links takes in the links and images of a paragraph or heading, each at the
// line where its target stands. One whose target is defined elsewhere on the
// page ([text][name]) has no such line, and is left out.
func (p *pageParser) links(n ast.Node) {
	var lines []Line
	for i := range n.Lines().Len() {
		lines = append(lines, p.line(n.Lines().At(i)))
	}
	at, from := 0, 0 // links come in the order of the text
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		var target string
		image := false
		switch n := n.(type) {
		case *ast.Link:
			target = string(n.Destination)
		case *ast.Image:
			target, image = string(n.Destination), true
		}
		if entering || target == "" {
			return ast.WalkContinue, nil // an image inside a link comes before it
		}
		for i := at; i < len(lines); i++ {
			if i != at {
				from = 0
			}
			_, after, ok := strings.Cut(lines[i].Text[from:], "]("+target)
			if !ok {
				_, after, ok = strings.Cut(lines[i].Text[from:], "](<"+target)
			}
			if ok {
				end := len(lines[i].Text) - len(after)
				l := without(lines[i], lines[i].Text[:end-len(target)])
				p.page.Links = append(p.page.Links, Link{Target: target, Image: image, Line: l})
				at, from = i, end
				break
			}
		}
		return ast.WalkContinue, nil
	})
}

// own is an anchor that is written in HTML, or as Python-Markdown's attribute list.
var own = regexp.MustCompile(`<[^>]*\s(?:id|name)\s*=\s*["']?([^"'\s>]+)|\{:?\s*#([^\s}]+)[^}]*\}`)

func ownAnchors(lines []written) []string {
	var all []string
	for _, l := range lines {
		for _, m := range own.FindAllStringSubmatch(l.text, -1) {
			all = append(all, m[1]+m[2])
		}
	}
	return all
}
