package chapter

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// Load reads a page. What it includes is looked for in the folders that the
// nearest mkdocs.yml names for it, in the page's own, and then in each folder
// above it up to root, which no include leaves. The error is of the page itself;
// what is wrong in it are mistakes.
func Load(file, root string) (*Page, document.Mistakes, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	page, ms := Parse(file, source, opener(file, root))
	return page, ms, nil
}

func opener(file, root string) Open {
	own := snippetFolders(file, root)
	folders := append(slices.Clone(own), foldersUp(filepath.Dir(file), root)...)
	return func(name string) (string, []byte, string, error) {
		if filepath.IsAbs(name) {
			return "", nil, "", errors.New("it is an absolute path")
		}
		for _, folder := range folders {
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
		where := filepath.Dir(file) + " or above"
		if len(own) > 0 {
			where = document.And(own) + ", nor in " + where
		}
		return "", nil, nearby(folders, name), fmt.Errorf("there is no such file in %s", where)
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
func nearby(folders []string, name string) string {
	var names []string
	for _, folder := range folders {
		entries, _ := os.ReadDir(filepath.Join(folder, filepath.FromSlash(filepath.Dir(name))))
		for _, e := range entries {
			if !e.IsDir() {
				names = append(names, e.Name())
			}
		}
	}
	return document.DidYouMean(filepath.Base(filepath.FromSlash(name)), names)
}
