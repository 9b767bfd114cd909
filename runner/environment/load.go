package environment

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/scenarios"
)

// Sandbox is the name of the default environment. It brings its clusters along,
// and its file is built in, for projects that have none of their own.
const Sandbox = "sandbox"

// builtIn stands for the path of a file that is built in.
const builtIn = Sandbox + ".yaml (built in)"

var ourKind = regexp.MustCompile(`(?m)^["']?kind["']?\s*:\s*["']?` + Kind + `\b`)

// Is says whether a file's text is meant as an environment, even if it does not parse.
func Is(source []byte) bool { return ourKind.Match(source) }

// Load reads an environment by its name, from NAME.yaml in dir, or from a file when
// the name is a path or ends in .yaml or .yml. Sandbox is there without a file, too.
// The error is document.Mistakes when the file is wrong.
func Load(nameOrFile, dir string, getenv func(string) (string, bool)) (*Environment, error) {
	file := nameOrFile
	isName := !strings.ContainsAny(nameOrFile, `/\`) && filepath.Ext(nameOrFile) != ".yaml" && filepath.Ext(nameOrFile) != ".yml"
	if isName {
		file = filepath.Join(dir, nameOrFile+".yaml")
	}
	source, err := os.ReadFile(file)
	if os.IsNotExist(err) && isName {
		if nameOrFile != Sandbox {
			return nil, unknown(nameOrFile, dir)
		}
		file, source, err = builtIn, scenarios.Sandbox, nil
	}
	if err != nil {
		return nil, fmt.Errorf("environment: %w", err)
	}
	e, ms := Parse(file, source, getenv)
	if isName && e != nil && e.Name != "" && e.Name != nameOrFile {
		m := e.Source.Get("name").Mistake("the file is called %s.yaml and the environment %s", nameOrFile, e.Name)
		ms = document.Sort(append(ms, m.WithHint("give both the same name")))
	}
	return e, ms.Err()
}

// Names returns the names of the environments in dir, sorted, and Sandbox, which is
// always there.
func Names(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "*.yaml")) // it fails for a bad pattern only
	names := []string{Sandbox}
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".yaml"))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown says that there is no environment of that name, and which there are.
func unknown(name, dir string) error {
	names := Names(dir)
	hint := document.DidYouMean(name, names)
	if hint == "" {
		hint = strings.TrimPrefix(document.OneOf(name, names)+fmt.Sprintf("; a file elsewhere is named by its path: ./%s.yaml", name), "; ")
	}
	return fmt.Errorf("no environment is called %s in %s (%s)", name, dir, hint)
}
