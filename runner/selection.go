package runner

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// OnRequest are the labels of scenarios that run only when somebody asks for
// them: those that break a mesh on purpose, and those that need two versions of one.
var OnRequest = []string{"fault", "upgrade"}

// Selection says which scenarios run, and where. Names, Paths and Labels narrow
// it down; without any of them everything runs that is not held back.
type Selection struct {
	// Folder is where scenarios are, and what they need: a folder or a file.
	// Empty: the folder above the environments of the first of Paths.
	Folder string
	// Names are scenarios by name or glob ("canary*").
	Names []string
	// Paths are files of scenarios that run, and folders of which all do that
	// are not held back.
	Paths []string
	// Labels: a scenario must have one of them, as its own or inherited, or as
	// the document that it proves a heading of.
	Labels []string
	// OnRequest are the labels of scenarios that are held back unless Names, a
	// file among Paths, or Requested asks for them.
	OnRequest []string
	// Requested says whether a label is asked for. Nil: those in Labels are.
	Requested func(label string) bool
	// Environment is the name or file of the one to run in, Environments the
	// folder of those that have a name. Empty: found from Folder.
	Environment, Environments string
	// Throwaway says that the clusters of the environment sandbox would be the
	// run's own, and end with it.
	Throwaway bool
}

// Selected is what a selection comes to: an engine for the environment, and the
// plan of the scenarios that have no mistake.
type Selected struct {
	Environment *environment.Environment
	Engine      *Engine
	Plan        *Plan
	// Broken are the files that were asked for and cannot run, and what needs
	// them, by file.
	Broken []scenario.Broken
}

// Select reads and plans everything. A scenario that has a mistake does not
// keep the others from being planned: it is among those that are broken. The
// error, which holds document.Mistakes where it is about files, is for what
// leaves nothing to run. Of the options the environment is set here.
func Select(s Selection, o Options) (*Selected, error) {
	if s.Folder == "" && len(s.Paths) > 0 {
		s.Folder = filepath.Dir(environment.Folder(s.Paths[0]))
	}
	set, asked, err := ReadScenarios(s.Folder, s.Paths...)
	if err != nil {
		return nil, fmt.Errorf("read the scenarios of %s: %w", s.where(), err)
	}
	e, err := s.environment()
	if err != nil {
		return nil, err
	}
	keep := o.Keep
	o.Environment, o.Throwaway = e, s.Throwaway && e.Name == environment.Sandbox
	chosen := &Selected{Environment: e}
	if chosen.Engine, err = New(o); err != nil {
		return nil, err
	}
	set.Broken = chosen.Engine.withSteps(set.Broken)
	wanted, err := s.choose(set, asked)
	if err != nil {
		return nil, withBroken(err, set.Broken)
	}
	chosen.Broken = s.concerned(set.Broken, asked)
	if err := chosen.planRest(set, wanted); err != nil {
		return nil, err
	}
	if keep {
		return chosen, chosen.keepable()
	}
	return chosen, nil
}

// where is where scenarios are read from.
func (s Selection) where() string {
	paths := slices.Clone(s.Paths)
	if len(paths) == 0 {
		paths = []string{s.Folder}
	}
	for i, path := range paths {
		paths[i] = absolute(path)
	}
	return document.And(paths)
}

// absolute makes paths comparable, and tells the reader of a message from where
// a relative one is.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// ReadScenarios reads the scenarios of paths and those of folder, in which what
// they need is found. Asked tells which files are of paths; without paths all are.
func ReadScenarios(folder string, paths ...string) (set scenario.Set, asked func(file string) bool, err error) {
	if len(paths) == 0 {
		set, err = scenario.Load(folder)
		return set, func(string) bool { return true }, err
	}
	alone, err := scenario.Load(paths...)
	if err != nil {
		return set, nil, err
	}
	ofPaths := filesOf(alone)
	asked = func(file string) bool { return ofPaths[absolute(file)] }
	roots := slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return inside(folder, path) })
	if set, err = scenario.Load(append(roots, folder)...); err != nil {
		return set, nil, err
	}
	// A file that was named and is no scenario is passed over in a folder.
	seen := filesOf(set)
	for _, b := range alone.Broken {
		if !seen[absolute(b.File)] {
			set.Broken = append(set.Broken, b)
		}
	}
	return set, asked, nil
}

// filesOf are the files of a set, as absolute paths.
func filesOf(set scenario.Set) map[string]bool {
	all := make(map[string]bool)
	for _, s := range set.Scenarios {
		all[absolute(s.File)] = true
	}
	for _, b := range set.Broken {
		all[absolute(b.File)] = true
	}
	return all
}

// inside says whether path is folder or below it.
func inside(folder, path string) bool {
	relative, err := filepath.Rel(absolute(folder), absolute(path))
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// environment reads the environment to run in.
func (s Selection) environment() (*environment.Environment, error) {
	folder := s.Environments
	if folder == "" {
		folder = environment.Folder(s.Folder)
	}
	e, err := environment.Load(s.Environment, folder, os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("read the environment %s: %w", s.Environment, err)
	}
	return e, nil
}

// choose returns the scenarios to run for their own sake.
func (s Selection) choose(set scenario.Set, asked func(file string) bool) ([]*scenario.Scenario, error) {
	named := make(map[*scenario.Scenario]bool)
	if len(s.Names) > 0 {
		if _, err := set.Select(s.Names...); err != nil {
			return nil, err
		}
		for _, sc := range set.Scenarios {
			named[sc] = matches(s.Names, sc.Name)
		}
	}
	return slices.DeleteFunc(slices.Clone(set.Scenarios), func(sc *scenario.Scenario) bool {
		return !s.wants(sc, labelsOf(set, sc), named[sc], asked)
	}), nil
}

// withNeeds adds to scenarios what they need, parents first.
func withNeeds(set scenario.Set, scenarios []*scenario.Scenario) []*scenario.Scenario {
	needed := make(map[string]bool)
	for _, sc := range scenarios {
		needed[sc.Name] = true
		for _, above := range set.Ancestors(sc) {
			needed[above.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(set.Scenarios), func(sc *scenario.Scenario) bool { return !needed[sc.Name] })
}

// wants says whether a scenario is to run for its own sake.
func (s Selection) wants(sc *scenario.Scenario, labels []string, named bool, asked func(file string) bool) bool {
	if len(s.Labels) > 0 && !slices.ContainsFunc(s.Labels, func(l string) bool { return slices.Contains(labels, l) }) {
		return false
	}
	switch {
	case named || s.isFile(sc.File):
		return true
	case len(s.Names) > 0 && len(s.Paths) == 0:
		return false
	case len(s.Paths) > 0 && !asked(sc.File):
		return false
	}
	return !s.heldBack(labels)
}

// isFile says whether the paths name this very file.
func (s Selection) isFile(file string) bool {
	return slices.ContainsFunc(s.Paths, func(path string) bool { return absolute(path) == absolute(file) })
}

// heldBack says whether a scenario runs only on request, and nobody asks.
func (s Selection) heldBack(labels []string) bool {
	requested := s.Requested
	if requested == nil {
		requested = func(label string) bool { return slices.Contains(s.Labels, label) }
	}
	held := false
	for _, label := range s.OnRequest {
		if slices.Contains(labels, label) {
			if requested(label) {
				return false
			}
			held = true
		}
	}
	return held
}

// concerned returns the broken files that a run is about: all of them, or those
// that paths name or whose scenario may be one of the named.
func (s Selection) concerned(broken []scenario.Broken, asked func(file string) bool) []scenario.Broken {
	if len(s.Names)+len(s.Paths) == 0 {
		return slices.Clone(broken)
	}
	return slices.DeleteFunc(slices.Clone(broken), func(b scenario.Broken) bool {
		called := first(b.Name, strings.TrimSuffix(filepath.Base(b.File), filepath.Ext(b.File)))
		return !matches(s.Names, called) && (len(s.Paths) == 0 || !asked(b.File))
	})
}

// matches says whether one of the globs is of a name.
func matches(globs []string, name string) bool {
	return slices.ContainsFunc(globs, func(glob string) bool {
		ok, err := path.Match(glob, name)
		return ok && err == nil
	})
}

// planRest plans the wanted scenarios that have no mistake, with all that they
// need; one that has a mistake, and what needs it, becomes broken. What only these
// need does not run: it would change clusters to no end.
func (c *Selected) planRest(set scenario.Set, wanted []*scenario.Scenario) error {
	broken := map[string]bool{}
	for _, sc := range withNeeds(set, wanted) {
		if broken[sc.Needs] {
			broken[sc.Name] = true
			because := sc.Source.Get("needs").Mistake("%s has mistakes", sc.Needs)
			c.Broken = append(c.Broken, scenario.Broken{File: sc.File, Name: sc.Name, Mistakes: document.Mistakes{because}})
			continue
		}
		_, err := c.Engine.Plan(append(set.Ancestors(sc), sc))
		var mistakes document.Mistakes
		switch {
		case errors.As(err, &mistakes):
			broken[sc.Name] = true
			c.Broken = append(c.Broken, scenario.Broken{File: sc.File, Name: sc.Name, Mistakes: mistakes})
		case err != nil:
			return err
		}
	}
	sound := withNeeds(set, slices.DeleteFunc(wanted, func(sc *scenario.Scenario) bool { return broken[sc.Name] }))
	slices.SortFunc(c.Broken, func(a, b scenario.Broken) int { return strings.Compare(a.File, b.File) })
	var err error
	if c.Plan, err = c.Engine.Plan(sound); err != nil {
		return err
	}
	for _, b := range c.Broken {
		c.Plan.Broken = append(c.Plan.Broken, fmt.Sprintf("%s did not run: %v", b.File, b.Mistakes))
	}
	return nil
}

// keepable refuses to keep where that could not do what it says.
func (c *Selected) keepable() error {
	if c.Engine.options.Throwaway {
		return errors.New("--keep would keep nothing: this sandbox ends with the run; start one (go run ./cmd/assay sandbox) and set ASSAY_SANDBOX to its kubeconfig")
	}
	var roots []string
	for _, p := range c.Plan.Scenarios {
		if p.Parent == nil && p.Skip == "" {
			roots = append(roots, p.Scenario.Name)
		}
	}
	if len(roots) > 1 {
		return fmt.Errorf("--keep leaves what the last scenario changed, and which is last is not settled: %s need nothing of each other; name one", document.And(roots))
	}
	return nil
}

// withSteps adds the mistakes in the steps of files that are broken elsewhere,
// so that whoever mends one finds all of them.
func (e *Engine) withSteps(broken []scenario.Broken) []scenario.Broken {
	for i, b := range broken {
		if b.Scenario != nil {
			broken[i].Mistakes = document.Sort(append(slices.Clone(b.Mistakes), e.Check(b.Scenario)...))
		}
	}
	return broken
}

// withBroken adds to a failed choice what may be its cause, unless it tells it already.
func withBroken(err error, broken []scenario.Broken) error {
	var told document.Mistakes
	if errors.As(err, &told) {
		return err
	}
	for _, b := range broken {
		err = fmt.Errorf("%w\n%v", err, b.Mistakes)
	}
	return err
}

// labelsOf returns a scenario's labels with those that it inherits, and the
// documents whose headings it and they prove.
func labelsOf(set scenario.Set, sc *scenario.Scenario) []string {
	var labels []string
	for _, s := range append(set.Ancestors(sc), sc) {
		labels = append(labels, Labels(s)...)
	}
	return labels
}

// Labels are the labels of a scenario alone: its own and, for its chapter
// traffic-management#canary, traffic-management.
func Labels(sc *scenario.Scenario) []string {
	labels := slices.Clone(sc.Labels)
	if document, _, _ := strings.Cut(sc.Chapter, "#"); document != "" && !slices.Contains(labels, document) {
		labels = append(labels, document)
	}
	return labels
}
