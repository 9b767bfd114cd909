package suites

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/launch"
	"github.com/meshassay/assay/runner/scenario"
)

// sandboxEnvironment is the one that brings its clusters along.
const sandboxEnvironment = environment.Sandbox

// suite is one run of scenarios: what is known before Ginkgo builds its tree,
// and then what is running.
type suite struct {
	options Options
	given   settings

	// refused is set when there is nothing to build a tree of.
	refused error

	environment *environment.Environment
	engine      *runner.Engine
	plan        *runner.Plan
	broken      []scenario.Broken // each is a failing spec

	live live
}

// load reads and plans everything. A scenario that has a mistake does not keep
// the others from being planned.
func load(o Options, g settings, labelFilter string) (*suite, error) {
	s := &suite{options: o, given: g}
	folder := first(g.scenarios, o.Scenarios)
	set, err := scenario.Load(folder)
	if err != nil {
		return nil, fmt.Errorf("read the scenarios of %s: %w", absolute(folder), err)
	}
	if err := s.loadEnvironment(folder); err != nil {
		return nil, err
	}
	s.engine, err = runner.New(runner.Options{
		Environment: s.environment, Out: g.out, Alpha: o.Alpha, Beta: o.Beta, Seed: g.seed.number, Tool: tool(),
		Keep: g.keep || s.startsSandbox(), Again: g.again,
	})
	if err != nil {
		return nil, err
	}
	set.Broken = s.withSteps(set.Broken)
	wanted, err := choose(set, g.scenario, func(sc *scenario.Scenario) bool {
		return !heldBack(labelsOf(set, sc), o.OnRequest, labelFilter)
	})
	if err != nil {
		return nil, withBroken(err, set.Broken)
	}
	s.broken = concerned(set.Broken, g.scenario)
	if err := s.planRest(set, wanted); err != nil {
		return s, err
	}
	return s, s.keepable()
}

// startsSandbox says that the suite brings its own clusters, which go with it.
func (s *suite) startsSandbox() bool {
	return s.environment.Name == sandboxEnvironment && os.Getenv(launch.Attach) == ""
}

// keepable refuses --keep where it could not do what it says.
func (s *suite) keepable() error {
	if !s.given.keep {
		return nil
	}
	if s.startsSandbox() {
		return fmt.Errorf("--keep would keep nothing: this sandbox ends with the run; start one (go run ./cmd/assay sandbox) and set %s to its kubeconfig", launch.Attach)
	}
	var roots []string
	for _, p := range s.plan.Scenarios {
		if p.Parent == nil && p.Skip == "" {
			roots = append(roots, p.Scenario.Name)
		}
	}
	if len(roots) > 1 {
		return fmt.Errorf("--keep leaves what the last scenario changed, and which is last is not settled: %s need nothing of each other; name one with --scenario", document.And(roots))
	}
	return nil
}

func (s *suite) loadEnvironment(scenarios string) error {
	name := first(s.given.environment, s.options.Environment)
	folder := s.options.Environments
	if folder == "" {
		folder = environment.Folder(scenarios)
	}
	e, err := environment.Load(name, folder, os.LookupEnv)
	if err != nil {
		return fmt.Errorf("read the environment %s: %w", name, err)
	}
	s.environment = e
	return nil
}

// planRest plans the scenarios that have no mistake; one that has, and what
// needs it, becomes broken.
func (s *suite) planRest(set scenario.Set, wanted []*scenario.Scenario) error {
	var sound []*scenario.Scenario
	broken := map[string]bool{}
	for _, sc := range wanted {
		if broken[sc.Needs] {
			broken[sc.Name] = true
			because := sc.Source.Get("needs").Mistake("%s has mistakes", sc.Needs)
			s.broken = append(s.broken, scenario.Broken{File: sc.File, Name: sc.Name, Mistakes: document.Mistakes{because}})
			continue
		}
		_, err := s.engine.Plan(append(set.Ancestors(sc), sc))
		var mistakes document.Mistakes
		switch {
		case errors.As(err, &mistakes):
			broken[sc.Name] = true
			s.broken = append(s.broken, scenario.Broken{File: sc.File, Name: sc.Name, Mistakes: mistakes})
		case err != nil:
			return err
		default:
			sound = append(sound, sc)
		}
	}
	slices.SortFunc(s.broken, func(a, b scenario.Broken) int { return strings.Compare(a.File, b.File) })
	var err error
	s.plan, err = s.engine.Plan(sound)
	return err
}

// choose returns the scenarios to run with all that they need: those that are
// named, or else all those that are in general wanted.
func choose(set scenario.Set, names []string, inGeneral func(*scenario.Scenario) bool) ([]*scenario.Scenario, error) {
	if len(names) > 0 {
		return set.Select(names...)
	}
	needed := map[string]bool{}
	for _, sc := range set.Scenarios {
		if inGeneral(sc) {
			needed[sc.Name] = true
			for _, above := range set.Ancestors(sc) {
				needed[above.Name] = true
			}
		}
	}
	var chosen []*scenario.Scenario
	for _, sc := range set.Scenarios {
		if needed[sc.Name] {
			chosen = append(chosen, sc)
		}
	}
	return chosen, nil
}

// heldBack says whether a scenario runs only on request, and nobody asks: it
// has a label of that sort which the label filter does not mention.
func heldBack(labels, onRequest []string, filter string) bool {
	held := false
	for _, label := range onRequest {
		if slices.Contains(labels, label) {
			if mentions(filter, label) {
				return false
			}
			held = true
		}
	}
	return held
}

// mentions says whether a label filter speaks of a label, be it to leave it
// out: whether it does is then the filter's business.
func mentions(filter, label string) bool {
	return regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(label) + `($|[^\w.-])`).MatchString(filter)
}

// concerned returns the broken files that a run is about: all of them, or with
// names given those whose scenario may be one of the named.
func concerned(broken []scenario.Broken, names []string) []scenario.Broken {
	if len(names) == 0 {
		return slices.Clone(broken)
	}
	return slices.DeleteFunc(slices.Clone(broken), func(b scenario.Broken) bool {
		called := first(b.Name, strings.TrimSuffix(filepath.Base(b.File), filepath.Ext(b.File)))
		return !slices.ContainsFunc(names, func(glob string) bool {
			ok, err := path.Match(glob, called)
			return ok && err == nil
		})
	})
}

// withSteps adds the mistakes in the steps of files that are broken elsewhere,
// so that whoever mends one finds all of them.
func (s *suite) withSteps(broken []scenario.Broken) []scenario.Broken {
	for i, b := range broken {
		if b.Scenario != nil {
			broken[i].Mistakes = document.Sort(append(slices.Clone(b.Mistakes), s.engine.Check(b.Scenario)...))
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
		labels = append(labels, ownLabels(s)...)
	}
	return labels
}

// ownLabels are the labels of a scenario's container: its own and, for its
// chapter traffic-management#canary, traffic-management.
func ownLabels(sc *scenario.Scenario) []string {
	labels := slices.Clone(sc.Labels)
	if document, _, _ := strings.Cut(sc.Chapter, "#"); document != "" && !slices.Contains(labels, document) {
		labels = append(labels, document)
	}
	return labels
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// absolute is for messages: a relative path says little when the reader does
// not know from where.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
