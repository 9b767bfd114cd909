package proofread

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
)

// homes finds the other names that pages have for TUTORIAL_HOME: a variable that
// no page sets, and below which stands, in a block of commands, a file that is
// below TUTORIAL_HOME ($DEMO_HOME/bin/call.sh).
func (c *checker) homes() {
	var all strings.Builder
	for _, page := range c.pages {
		for _, b := range page.Blocks {
			if b.Skip == "" && len(b.Commands) > 0 {
				all.WriteString(b.Script() + "\n")
			}
		}
	}
	for _, m := range inFolder.FindAllStringSubmatch(all.String(), -1) {
		name := m[1]
		if _, ok := c.o.Environment.Vars[name]; ok || name == "HOME" || name == "PWD" || c.home[name] {
			continue
		}
		info, err := os.Stat(filepath.Join(c.o.Home, filepath.FromSlash(m[2])))
		if err == nil && info.Mode().IsRegular() && !regexp.MustCompile(`\b`+name+`=`).MatchString(all.String()) {
			c.home[name] = true
		}
	}
}

var inFolder = regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?"?/([A-Za-z0-9_./-]+)`)

// shownFiles takes in the files that a page shows whole: a block that includes a
// manifest, one whose fence has a file's name as its title, and one of which the
// text right above says that the reader writes it. What only the page has is not
// missed, and its objects are known.
func (c *checker) shownFiles(page *chapter.Page) {
	for _, b := range page.Blocks {
		if b.Skip != "" || len(b.Lines) == 0 || len(b.Commands) > 0 {
			continue
		}
		names := told(page, b)
		if b.Title != "" {
			names = append(names, b.Title)
		}
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(c.o.Home, filepath.FromSlash(name))); err == nil {
				continue // it can be compared
			}
			c.made[filepath.Base(filepath.FromSlash(name))] = true
			c.knowBlock(b)
		}
		if from := b.Lines[0].Pos.File; from != page.File && slices.Contains(manifestEndings, strings.ToLower(filepath.Ext(from))) {
			c.knowBlock(b)
		}
	}
}

var manifestEndings = []string{".yaml", ".yml", ".json"}

func (c *checker) knowBlock(b *chapter.Block) {
	found, _ := c.written(source{lines: b.Lines})
	for _, m := range found {
		c.know(m.Object)
	}
}

var (
	fileName = regexp.MustCompile("`([A-Za-z0-9_.-]+\\.(?:ya?ml|json|sh|env|conf))`")
	// writes are the words of a text that has its reader make a file.
	writes = regexp.MustCompile(`(?i)\b(?:create|save|write|put|copy|paste|add|named|called)\b`)
)

// told are the files that the paragraph right above a block has the reader make.
func told(page *chapter.Page, b *chapter.Block) (names []string) {
	near := func(l chapter.Line) bool {
		return l.Pos.File == b.Pos.File && l.Pos.Line < b.Pos.Line && b.Pos.Line-l.Pos.Line <= 4
	}
	var text string
	for _, l := range page.Prose {
		if near(l) {
			text += " " + l.Text
		}
	}
	if writes.MatchString(text) {
		for _, m := range fileName.FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
	}
	return names
}
