package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// interpreted is how a script is run: by itself, or by bash when it may not be
// executed or does not say by what.
func interpreted(file string) ([]string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	begins := make([]byte, 2)
	n, _ := f.Read(begins)
	if runtime.GOOS != "windows" && info.Mode()&0o111 != 0 && string(begins[:n]) == "#!" {
		return []string{file}, nil
	}
	return []string{"bash", file}, nil
}

// pageCommands are the commands of a section of a page.
type pageCommands struct {
	blocks []*chapter.Block
}

// mostText is how long the text of a section may be: a system bounds the
// arguments of a program (Linux: 128 KiB each).
const mostText = 100 << 10

// page reads the commands of a page's section. What the section includes and is
// not there is a mistake in the page; other sections' are for assay docs check.
func (p *planner) page(body document.Value, f runFields, w *runWork) {
	v := body.Get("chapter")
	path := p.find(v, f.Chapter, false)
	if path == "" {
		return
	}
	page, mistakes, err := chapter.Load(path, p.root())
	if err != nil {
		p.add(v.Mistake("%v", err))
		return
	}
	at := body.Get("section")
	if !at.Exists() {
		p.add(v.KeyMistake("section is missing: the commands of which heading are to be run?").WithHint(headings(page)))
		return
	}
	section := page.Find(f.Section)
	if section == nil {
		hint := document.DidYouMean(strings.ToLower(strings.TrimPrefix(f.Section, "#")), page.Anchors())
		if hint == "" {
			hint = headings(page)
		}
		p.add(at.Mistake("%s has no heading %s", f.Chapter, document.Quote(f.Section)).WithHint(hint))
		return
	}
	p.add(mistakesIn(page, section, mistakes)...)
	w.what, w.folder = f.Chapter+"#"+section.Anchors[0], w.root
	w.page = &pageCommands{blocks: page.Commands(section)}
	switch {
	case section.Skip != "":
		p.add(at.Mistake("%s says of this section: skip %s", section.Pos, section.Skip))
	case len(w.page.blocks) == 0:
		p.add(at.Mistake("the section at %s has no commands", section.Pos).WithHint("they stand in a block that begins with ```bash"))
	case len(w.page.text()) > mostText:
		p.add(at.Mistake("the commands of the section are longer than %d KiB", mostText>>10))
	}
}

// mistakesIn are those of a page's mistakes that make a section another one than its
// reader has: what is wrong elsewhere on the page does not matter to it.
func mistakesIn(page *chapter.Page, section *chapter.Heading, all document.Mistakes) (in document.Mistakes) {
	for _, m := range all {
		i := slices.IndexFunc(page.Includes, func(i chapter.Include) bool { return i.Pos == m.Pos })
		if i < 0 || page.Includes[i].Heading.Within(section) {
			in = append(in, m)
		}
	}
	return in
}

func headings(p *chapter.Page) string {
	if len(p.Anchors()) == 0 {
		return "the page has no heading"
	}
	return "it has " + document.And(p.Anchors())
}

// noteBlock is the variable with the file into which a page's shell writes which
// block it is about to run.
const noteBlock = "ASSAY_BLOCK"

// text is what the shell runs.
func (p *pageCommands) text() string {
	var b strings.Builder
	for i, block := range p.blocks {
		fmt.Fprintf(&b, "echo %d >\"$%s\"\n%s\n\n", i, noteBlock, block.Script())
	}
	return b.String()
}

// blockNote tells which block of a page is being run; nil for what is no page.
type blockNote struct {
	page *pageCommands
	file string
}

// variable is what the shell needs for it.
func (n *blockNote) variable() []string {
	if n == nil {
		return nil
	}
	return []string{noteBlock + "=" + n.file}
}

// begun is the index of the last block that was begun; -1 when that is not known.
func (n *blockNote) begun() int {
	text, err := os.ReadFile(n.file)
	i, wrong := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || wrong != nil || i < 0 || i >= len(n.page.blocks) {
		return -1
	}
	return i
}

// block is where that block stands: "page.md:12:1"; "" when that is not known.
func (n *blockNote) block() string {
	if n == nil || n.begun() < 0 {
		return ""
	}
	return n.page.place(n.begun())
}

func (p *pageCommands) place(i int) string { return p.blocks[i].Commands[0].Pos.String() }

// leftOut says which block was never begun although the shell ended well: after
// an exit or exec, or where a here-document that nothing ends has swallowed it.
// A section of which half was run proves nothing.
func (n *blockNote) leftOut() error {
	if n == nil || n.begun() == len(n.page.blocks)-1 {
		return nil
	}
	i := n.begun() + 1
	return failf("%s: this block was not run: the shell ended well before it (exit, exec, or a here-document without its end)", n.page.place(i))
}

// commandLine is what to execute, how to see where in a page it is, and what to
// do when it has ended.
func (w *runWork) commandLine() (command []string, at *blockNote, done func(), err error) {
	if w.page == nil {
		return w.command, nil, func() {}, nil
	}
	folder, err := os.MkdirTemp("", "assay-page-")
	if err != nil {
		return nil, nil, nil, err
	}
	at = &blockNote{page: w.page, file: filepath.Join(folder, "block")}
	return shellOf(w.page.text()), at, func() { _ = os.RemoveAll(folder) }, nil
}

func (w *runWork) outline(_ *Plan, s *PlannedStep, o *Outline) {
	o.Runs, o.Within = w.what, w.timeout
	for _, t := range w.touches {
		if !slices.Contains(o.Clusters, t.cluster) {
			o.Clusters = append(o.Clusters, t.cluster)
		}
		o.Objects = append(o.Objects, OutlinedObject{Kind: t.Resource, Namespace: t.Namespace, Name: t.Name, Cluster: t.cluster, From: s.Step.Body.Get("touches").Pos().String()})
	}
	if len(w.touches) > 0 {
		o.Changes = "touched"
	}
	o.Until = fmt.Sprintf("it has ended with exit status %d", w.exit)
	if len(w.touches) > 0 && w.ready {
		o.Until += ", and what it touched is ready"
	}
}
