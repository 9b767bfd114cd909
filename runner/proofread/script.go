package proofread

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// runs reads a script that a command runs, or that the shell itself reads.
func (r *reader) runs(w word, sourced bool) {
	path := r.exists(w, "script")
	if path == "" {
		return
	}
	r.named = append(r.named, path)
	if r.quiet || r.c.scripts[path] && !sourced || len(r.c.within) > deepest {
		return
	}
	if !r.c.scripts[path] {
		r.c.result.Scripts++
	}
	r.c.scripts[path] = true
	r.c.within = append(r.c.within, path)
	defer func() { r.c.within = r.c.within[:len(r.c.within)-1] }()
	source, err := os.ReadFile(path)
	if err != nil || !isShell(string(source), path) {
		return
	}
	within := r.c.reader(r.folder, r.vars)
	within.script, within.cluster = path, r.cluster
	var lines []chapter.Line
	shown := shownPath(path)
	for i, text := range strings.Split(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n") {
		lines = append(lines, chapter.Line{Text: text, Source: text, Pos: document.Pos{File: shown, Line: i + 1, Col: 1}})
	}
	within.text(string(source), lines)
	if sourced {
		r.vars, r.folder, r.cluster = within.vars, within.folder, within.cluster
	}
}

// shownPath is a path as a reader would write it, from where they are.
func shownPath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if relative, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(relative, filepath.Join("..", "..", "..")) {
		return relative
	}
	return path
}

// deepest is how far scripts that read each other are followed.
const deepest = 8

// isShell says whether a script is one of a shell.
func isShell(source, path string) bool {
	first, _, _ := strings.Cut(source, "\n")
	if !strings.HasPrefix(first, "#!") {
		return strings.HasSuffix(path, ".sh") || filepath.Ext(path) == ""
	}
	return regexp.MustCompile(`\b(ba|z|da|k)?sh\b`).MatchString(first)
}
