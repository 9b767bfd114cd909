package chapter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// Load reads a page. What it includes is looked for in the page's folder, and
// then in each folder above it up to root, which no include leaves: MkDocs is
// told by its configuration where includes are, and that is one of these. The
// error is of the page itself; what is wrong in it are mistakes.
func Load(file, root string) (*Page, document.Mistakes, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	page, ms := Parse(file, source, opener(file, root))
	return page, ms, nil
}

func opener(file, root string) Open {
	return func(name string) (string, []byte, string, error) {
		if filepath.IsAbs(name) {
			return "", nil, "", errors.New("it is an absolute path")
		}
		for _, folder := range foldersUp(filepath.Dir(file), root) {
			path := filepath.Join(folder, filepath.FromSlash(name))
			info, err := os.Stat(path)
			if err != nil || info.IsDir() {
				continue
			}
			if !within(root, path) {
				return "", nil, "", fmt.Errorf("it leads out of %s", root)
			}
			source, err := os.ReadFile(path)
			return path, source, "", err
		}
		return "", nil, nearby(file, root, name), fmt.Errorf("there is no such file in %s or above", filepath.Dir(file))
	}
}

// foldersUp are a folder and those above it, up to root.
func foldersUp(folder, root string) []string {
	all := []string{folder}
	for at := folder; !same(at, root) && within(root, at); {
		up := filepath.Dir(at)
		if base := filepath.Base(at); base == "." || base == ".." {
			up = filepath.Join(at, "..")
		}
		if same(up, at) {
			break
		}
		at = up
		all = append(all, at)
	}
	return all
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path
}

func same(a, b string) bool { return absolute(a) == absolute(b) }

func within(root, path string) bool {
	relative, err := filepath.Rel(absolute(root), absolute(path))
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// nearby is a file that was perhaps meant.
func nearby(file, root, name string) string {
	var names []string
	for _, folder := range foldersUp(filepath.Dir(file), root) {
		entries, _ := os.ReadDir(filepath.Join(folder, filepath.FromSlash(filepath.Dir(name))))
		for _, e := range entries {
			if !e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	return document.DidYouMean(filepath.Base(filepath.FromSlash(name)), names)
}
