package runner

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/scenario"
)

// root is the folder that the present scenario's files may not leave.
func (p *planner) root() string {
	if p.engine.options.Root != "" {
		return p.engine.options.Root
	}
	return scenario.Root(p.step.Scenario.Scenario.Dir)
}

// find resolves a path that a scenario names, from the scenario's folder. It
// reports a mistake and returns "" when nothing of the wanted sort is there or
// it is outside the root.
func (p *planner) find(v document.Value, name string, folder bool) string {
	if name == "" {
		if v.Kind() == document.Scalar && v.Text() == "" {
			p.add(v.Mistake("the path is empty"))
		}
		return ""
	}
	if filepath.IsAbs(name) {
		p.add(v.Mistake("%s is an absolute path: paths are relative to the scenario's folder", name))
		return ""
	}
	path := filepath.Join(p.step.Scenario.Scenario.Dir, filepath.FromSlash(name))
	real, err := filepath.EvalSymlinks(path)
	if errors.Is(err, os.ErrNotExist) {
		p.add(v.Mistake("no such %s: %s", kindOf(folder), name).WithHint(p.near(name)))
		return ""
	}
	var info os.FileInfo
	if err == nil {
		info, err = os.Stat(real)
	}
	if err != nil {
		p.add(v.Mistake("%v", err))
		return ""
	}
	if !p.inside(real) {
		p.add(v.Mistake("%s leads out of the root %s", name, p.root()))
		return ""
	}
	switch {
	case folder && !info.IsDir():
		p.add(v.Mistake("%s is a file, want a folder with a kustomization", name))
		return ""
	case !folder && info.IsDir():
		p.add(v.Mistake("%s is a folder, want a file", name).WithHint("a folder with a kustomization is applied by kustomize: " + name))
		return ""
	}
	return path
}

func kindOf(folder bool) string {
	if folder {
		return "folder"
	}
	return "file"
}

func (p *planner) inside(real string) bool {
	root, err := filepath.EvalSymlinks(p.root())
	if err != nil {
		return false
	}
	if root, err = filepath.Abs(root); err != nil {
		return false
	}
	real, err = filepath.Abs(real)
	return err == nil && kube.Within(root, real)
}

// near says what was perhaps meant by a name that leads nowhere, and else where
// such a path begins.
func (p *planner) near(name string) string {
	dir := p.step.Scenario.Scenario.Dir
	path := filepath.Join(dir, filepath.FromSlash(name))
	if hint := document.DidYouMean(filepath.Base(path), namesIn(filepath.Dir(path))); hint != "" {
		return hint
	}
	// As it would be right for a program that is started here.
	if _, err := os.Stat(filepath.FromSlash(name)); err == nil {
		if here, err := filepath.Rel(dir, filepath.FromSlash(name)); err == nil {
			return "did you mean " + filepath.ToSlash(here) + "? A path begins at the scenario's folder"
		}
	}
	folder := filepath.Dir(path)
	for _, other := range namesIn(filepath.Dir(folder)) {
		meant := filepath.Join(filepath.Dir(folder), other, filepath.Base(path))
		if _, err := os.Stat(meant); err != nil || document.DidYouMean(filepath.Base(folder), []string{other}) == "" {
			continue
		}
		if here, err := filepath.Rel(dir, meant); err == nil {
			return "did you mean " + filepath.ToSlash(here) + "?"
		}
	}
	return "a path begins at the scenario's folder, " + filepath.ToSlash(dir)
}

// namesIn are the names of what is in a folder; none when it cannot be read.
func namesIn(folder string) []string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// files reads the manifests of a list of files.
func (p *planner) files(v document.Value, names []string) []kube.Manifest {
	var all []kube.Manifest
	for i, name := range names {
		item := v.Index(i)
		path := p.find(item, name, false)
		if path == "" {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			p.add(item.Mistake("%v", err))
			continue
		}
		text, err := p.env.Expand(string(source))
		if err != nil {
			p.undefined(path, string(source), err)
			continue
		}
		found, problems := kube.Decode(path, []byte(text))
		for _, problem := range problems {
			p.add(manifestMistake(problem, text))
		}
		all = append(all, found...)
	}
	return all
}

// undefinedLine is how environment.Expand says where a name stands.
var undefinedLine = regexp.MustCompile(`^line (\d+): (.*)$`)

// undefined places each ${NAME} that nobody defines in the manifest's file.
func (p *planner) undefined(path, source string, err error) {
	for _, line := range strings.Split(err.Error(), "\n") {
		problem := kube.Problem{File: path, Text: line}
		if m := undefinedLine.FindStringSubmatch(line); m != nil {
			problem.Line, _ = strconv.Atoi(m[1])
			problem.Text = m[2]
		}
		p.add(manifestMistake(problem, source))
	}
}

// manifestMistake places what is wrong with a manifest in the manifest's file.
func manifestMistake(problem kube.Problem, source string) document.Mistake {
	m := document.Mistake{Pos: document.Pos{File: problem.File}, Text: problem.Text}
	lines := strings.Split(source, "\n")
	if problem.Line > 0 && problem.Line <= len(lines) {
		line := strings.TrimRight(lines[problem.Line-1], "\r")
		m.Pos.Line, m.Source = problem.Line, line
		m.Pos.Col = 1 + len(line) - len(strings.TrimLeft(line, " "))
	}
	return m
}

// kustomize builds the objects of a folder.
func (p *planner) kustomize(v document.Value, name string) []kube.Manifest {
	folder := p.find(v, name, true)
	if folder == "" {
		return nil
	}
	manifests, err := kube.Kustomize(p.root(), folder, name, p.env.Expand)
	if err != nil {
		p.add(v.Mistake("%v", err))
	}
	return manifests
}

// inline makes objects of those that are written in the scenario itself.
func (p *planner) inline(v document.Value, objects []map[string]any) []kube.Manifest {
	var all []kube.Manifest
	for i, data := range objects {
		item := v.Index(i)
		before := len(p.mistakes)
		expanded, ok := p.expandAll(item, data).(map[string]any)
		if !ok || item.Kind() != document.Mapping || len(p.mistakes) > before {
			continue // it has its mistake
		}
		found, texts := kube.Check(expanded)
		for _, text := range texts {
			p.add(item.Mistake("%s", text))
		}
		for _, o := range found {
			all = append(all, kube.Manifest{Object: o, File: item.Pos().File, Line: item.Pos().Line})
		}
	}
	return all
}

// expandAll expands ${NAME} in every string of plain data.
func (p *planner) expandAll(v document.Value, data any) any {
	switch d := data.(type) {
	case map[string]any:
		m := make(map[string]any, len(d))
		for key, e := range d {
			m[key] = p.expandAll(v.Get(key), e)
		}
		return m
	case []any:
		s := make([]any, len(d))
		for i, e := range d {
			s[i] = p.expandAll(v.Index(i), e)
		}
		return s
	case string:
		text, err := p.env.Expand(d)
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				p.add(v.Mistake("%s", undefinedLine.ReplaceAllString(line, "$2")))
			}
		}
		return text
	}
	return data
}
