package proofread

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/chapter"
	"github.com/meshassay/assay/runner/document"
)

// runs reads a script that a command runs with some arguments, or that the shell
// itself reads.
func (r *reader) runs(w word, args []word, sourced bool) {
	path := r.exists(w, "script")
	if path == "" {
		return
	}
	r.named = append(r.named, path)
	if r.quiet || len(r.c.within) > deepest {
		return
	}
	within := r.c.reader(r.folder, r.vars)
	within.script, within.cluster = path, r.cluster
	call := path
	if within.clusters = r.clusters; !sourced || len(args) > 0 {
		call = within.takes(args, r)
	}
	if r.c.scripts[call] && !sourced {
		return
	}
	if !r.c.scripts[path] {
		r.c.result.Scripts++
	}
	r.c.scripts[path], r.c.scripts[call] = true, true
	r.c.within = append(r.c.within, path)
	defer func() { r.c.within = r.c.within[:len(r.c.within)-1] }()
	source, err := os.ReadFile(path)
	if err != nil || !isShell(string(source), path) {
		return
	}
	var lines []chapter.Line
	shown := shownPath(path)
	for i, text := range strings.Split(strings.ReplaceAll(string(source), "\r\n", "\n"), "\n") {
		lines = append(lines, chapter.Line{Text: text, Source: text, Pos: document.Pos{File: shown, Line: i + 1, Col: 1}})
	}
	within.text(string(source), lines)
	if sourced {
		for i := range 9 { // the arguments are the script's alone
			number := strconv.Itoa(i + 1)
			if delete(within.vars, number); r.vars[number] != "" {
				within.vars[number] = r.vars[number]
			}
		}
		r.vars, r.folder, r.cluster = within.vars, within.folder, within.cluster
	}
}

// takes gives a script its arguments, which the reader of the command knows, and
// returns the script with those of them that are known: it need not be read twice
// with the same.
func (r *reader) takes(args []word, from *reader) string {
	call := r.script
	r.clusters = make(map[string]string)
	for i := range 9 {
		number := strconv.Itoa(i + 1)
		delete(r.vars, number)
		if i >= len(args) {
			continue
		}
		if args[i].known {
			r.vars[number] = args[i].text
		}
		quiet := *from
		quiet.quiet = true
		r.clusters[number] = quiet.context(args[i])
		call += " " + r.vars[number] + "\x00" + r.clusters[number]
	}
	return call
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
