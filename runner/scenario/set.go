package scenario

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// Set is the scenarios of some files and folders, as the tree that their needs make.
type Set struct {
	Scenarios []*Scenario // those that can run: each before its children, siblings by name
	Broken    []Broken    // those that cannot, by file
}

// Broken is a file that cannot run, and everything that is wrong with it.
type Broken struct {
	File     string
	Name     string // as far as it could be read; may be ""
	Mistakes document.Mistakes
	// Scenario is what could be read all the same, so that its steps can be
	// checked too; nil when nothing could.
	Scenario *Scenario
}

// Load reads scenarios from files and folders. A folder is walked, hidden folders
// apart, for *.yaml and *.yml files that are scenarios; environments and manifests
// are passed over. A file that is named must be a scenario. The mistakes of one file
// do not hide another's: they are in the set. The error is for what cannot be
// read and for finding nothing.
func Load(paths ...string) (Set, error) {
	files, err := find(paths)
	if err != nil {
		return Set{}, err
	}
	var t tree
	for _, file := range files {
		source, err := os.ReadFile(file.path)
		if err != nil {
			return Set{}, err
		}
		if !file.named && !Is(source) {
			continue
		}
		s, ms := Parse(file.path, source)
		t.add(file.path, source, s, ms)
	}
	if len(t.entries) == 0 {
		return Set{}, fmt.Errorf("%s: no scenario found", strings.Join(paths, ", "))
	}
	return t.set(), nil
}

// beginning is a line at the left margin that only our files have.
var (
	ourVersion = regexp.MustCompile(`(?m)^(\{\s*)?["']?apiVersion["']?\s*:\s*["']?assay/`)
	ourKind    = regexp.MustCompile(`(?m)^["']?kind["']?\s*:\s*["']?` + Kind + `\b`)
	otherKind  = regexp.MustCompile(`(?m)^["']?kind["']?\s*:\s*["']?Environment\b`)
)

// Is says whether a file's text is meant as a scenario. It looks at the text and not
// at the parsed document, so that a scenario that does not parse is still one, and a
// manifest of ours or of others, which may be anything, is never parsed.
func Is(source []byte) bool {
	return ourKind.Match(source) || ourVersion.Match(source) && !otherKind.Match(source)
}

type found struct {
	path  string
	named bool // given as a file
}

// find lists the files to read, sorted, each once.
func find(paths []string) ([]found, error) {
	if len(paths) == 0 {
		return nil, errors.New("no file or folder is given")
	}
	named := map[string]bool{}
	for _, root := range paths {
		err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && file != root && strings.HasPrefix(entry.Name(), "."):
				return filepath.SkipDir
			case entry.IsDir():
			case file == root:
				named[filepath.Clean(file)] = true
			case filepath.Ext(file) == ".yaml" || filepath.Ext(file) == ".yml":
				named[filepath.Clean(file)] = named[filepath.Clean(file)]
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	files := make([]found, 0, len(named))
	for file, n := range named {
		files = append(files, found{file, n})
	}
	slices.SortFunc(files, func(a, b found) int { return cmp.Compare(a.path, b.path) })
	return files, nil
}

// Root returns the nearest folder at or above dir that holds .git, or else dir
// itself, as an absolute path. Files that scenarios name must be below it.
func Root(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return filepath.Clean(dir)
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// Find returns the scenario of that name, or nil.
func (s Set) Find(name string) *Scenario {
	for _, sc := range s.Scenarios {
		if sc.Name == name {
			return sc
		}
	}
	return nil
}

// Children returns the scenarios that need the one of that name, by name; those that
// need nothing for "".
func (s Set) Children(name string) []*Scenario {
	var children []*Scenario
	for _, sc := range s.Scenarios {
		if sc.Needs == name {
			children = append(children, sc)
		}
	}
	return children
}

// Ancestors returns what a scenario builds on, the outermost first, without itself.
func (s Set) Ancestors(of *Scenario) []*Scenario {
	var above []*Scenario
	for p := s.Find(of.Needs); p != nil; p = s.Find(p.Needs) {
		above = append(above, p)
	}
	slices.Reverse(above)
	return above
}

// Select returns the scenarios that are named, or matched by a glob ("canary*", as
// in path.Match), and everything that they need, in the set's order. Without globs
// it returns all. A glob that matches nothing is an error, and so is one that
// matches nothing but broken scenarios.
func (s Set) Select(globs ...string) ([]*Scenario, error) {
	if len(globs) == 0 {
		return s.Scenarios, nil
	}
	chosen := map[string]bool{}
	var errs []error
	for _, glob := range globs {
		names, err := s.match(glob)
		errs = append(errs, err)
		for _, name := range names {
			for _, above := range s.Ancestors(s.Find(name)) {
				chosen[above.Name] = true
			}
			chosen[name] = true
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(s.Scenarios), func(sc *Scenario) bool { return !chosen[sc.Name] }), nil
}

// match returns the names of the scenarios that a glob matches.
func (s Set) match(glob string) (names []string, err error) {
	if _, err := path.Match(glob, ""); err != nil {
		return nil, fmt.Errorf("scenario %q: not a glob: a [ is not closed, or it ends in a backslash", glob)
	}
	var all []string
	for _, sc := range s.Scenarios {
		all = append(all, sc.Name)
		if ok, _ := path.Match(glob, sc.Name); ok {
			names = append(names, sc.Name)
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	for _, b := range s.Broken {
		if ok, _ := path.Match(glob, b.Name); ok && b.Name != "" {
			return nil, fmt.Errorf("scenario %s cannot run:\n%w", b.Name, b.Mistakes)
		}
	}
	if hint := document.OneOf(glob, all); hint != "" {
		return nil, fmt.Errorf("no scenario is called %s (%s)", glob, hint)
	}
	return nil, fmt.Errorf("no scenario is called %s", glob)
}
