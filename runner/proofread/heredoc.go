package proofread

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
)

// heredoc takes in a here-document: kubectl may read it as a manifest, through a
// pipe or by itself. The objects of one that goes somewhere else, such as into
// a file that is applied later, are known too.
func (r *reader) heredoc(redirect *syntax.Redirect) {
	if r.quiet || redirect.Hdoc == nil {
		return
	}
	from, to := int(redirect.Hdoc.Pos().Line())-1, int(redirect.Hdoc.End().Line())-1
	if from < 0 || to > len(r.lines) || from >= to {
		return
	}
	s := source{word: word{pos: redirect.Pos()}, lines: r.lines[from:to], tabs: redirect.Op == syntax.DashHdoc}
	r.piped = append(r.piped, s)
	found, _ := r.c.written(s)
	for _, m := range found {
		r.c.know(m.Object)
	}
}

// written reads the objects of a here-document, each at its place in the page or
// script. It is as the shell makes it, but for what only running could tell.
func (c *checker) written(s source) ([]kube.Manifest, []kube.Problem) {
	var text strings.Builder
	for _, l := range s.lines {
		line := l.Text
		if s.tabs {
			line = strings.TrimLeft(line, "\t")
		}
		text.WriteString(line + "\n")
	}
	expanded, _ := c.expand(text.String())
	found, problems := kube.Decode("", []byte(expanded))
	for i := range found {
		at := lineOf(s.lines, found[i].Line)
		found[i].File, found[i].Line = at.Pos.File, at.Pos.Line
	}
	return found, problems
}

// inline applies the objects of a here-document. One in which the shell puts
// something may only look broken, or be refused for what it does not say.
func (r *reader) inline(s source, cluster string, applies bool) {
	found, problems := r.c.written(s)
	if strings.ContainsAny(textOf(s.lines), "$`") {
		problems, cluster = nil, ""
	}
	for _, p := range problems {
		r.c.add(Unreadable, lineOf(s.lines, p.Line).Mistake("", "%s", p.Text), document.Pos{})
	}
	r.apply(found, s.word, s.lines[0].Pos.Line-1, cluster, applies)
}

func lineOf(lines []chapter.Line, number int) chapter.Line {
	return lines[min(max(number, 1), len(lines))-1]
}

func textOf(lines []chapter.Line) string {
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.Text + "\n")
	}
	return b.String()
}
