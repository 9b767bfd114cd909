package proofread

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// makes notes a name that a command may make: it is not missed later.
func (r *reader) makes(w word) {
	for _, part := range strings.FieldsFunc(w.text, func(c rune) bool { return c == '/' || c == ':' || c == '=' }) {
		r.c.made[strings.TrimSuffix(part, ".git")] = true
	}
}

// cloned says whether a folder is the tutorial's own, which a command before has
// cloned: the reader is where its files are.
func (r *reader) cloned(w word) bool {
	name := filepath.Base(filepath.FromSlash(w.text))
	_, err := os.Stat(filepath.Join(r.folder, filepath.FromSlash(w.text)))
	return err != nil && w.known && name == filepath.Base(r.c.o.Home) && r.c.made[name]
}

// path is the path that a word means; "" when that is not known, or is nowhere
// below what is looked at.
func (r *reader) path(w word) string {
	path := filepath.FromSlash(w.text)
	switch {
	case !w.known || w.text == "" || w.text == "-" || strings.HasPrefix(w.text, "~") || strings.Contains(w.text, "://") || strings.ContainsAny(w.text, "*?"):
		return ""
	case !filepath.IsAbs(path) && r.folder == "":
		return ""
	case !filepath.IsAbs(path):
		path = filepath.Join(r.folder, path)
	}
	path = filepath.Clean(path)
	if !below(r.c.o.Home, path) && !below(r.c.o.Root, path) {
		return ""
	}
	return path
}

func below(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// exists reports a file or folder that a command names and that is not there,
// and returns its path; "" when there is none, or it is not known.
func (r *reader) exists(w word, what string) string {
	path := r.path(w)
	if path == "" || r.quiet {
		return path
	}
	_, err := os.Stat(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return path
	}
	relative, _ := filepath.Rel(r.c.o.Home, path)
	for _, part := range strings.Split(filepath.ToSlash(relative), "/") {
		if r.c.made[part] {
			return ""
		}
	}
	r.c.add(Missing, r.mistake(w, "no such %s: %s", what, filepath.ToSlash(relative)).WithHint(near(path, r.c.o.Home)), document.Pos{})
	return ""
}

// near is a file that was perhaps meant, or the folder that is missing itself.
func near(path, home string) string {
	folder := filepath.Dir(path)
	entries, err := os.ReadDir(folder)
	if err != nil {
		if relative, err := filepath.Rel(home, folder); err == nil && relative != "." {
			return "there is no folder " + filepath.ToSlash(relative) + " below TUTORIAL_HOME"
		}
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return document.DidYouMean(filepath.Base(path), names)
}
