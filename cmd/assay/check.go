package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// defaultScenarios is where a project keeps its scenarios.
const defaultScenarios = "scenarios"

func checkCommand() *cobra.Command {
	var name string
	var connects bool
	c := &cobra.Command{
		Use:   "check [PATH…]",
		Short: "Look for mistakes in scenarios, without a cluster",
		Long: `Look for mistakes in scenarios, without a cluster: unknown words, wrong values, files that are not there,
clusters and outcomes that the environment does not have, shares that contradict the manifest. All of them
are shown at once, each with its file, line and column. The exit code is 1 when there is one.

A PATH is a file or a folder; the default is ./scenarios. What its scenarios need is looked for in the folder
that holds the folder "environments", where the environment is found too.

--connect looks at the environment too, and changes nothing: does each cluster answer, with these credentials,
and serve the kinds that the scenarios apply; has each gateway an address, and does it answer; do clients work?
It is the thing to do before the first run on clusters of your own.`,
		Example: `  assay check                                   # everything in ./scenarios
  assay check scenarios/traffic-management      # a folder; what it needs is found above it
  assay check --environment tutorial            # as it would run on the tutorial's clusters
  assay check --environment tutorial --connect  # are those clusters and gateways there, and answer?
  assay check --environment my/environment.yaml other/scenarios`,
		ValidArgsFunction: completePaths,
		RunE: func(c *cobra.Command, paths []string) error {
			if !connects {
				return notWell(check(c.OutOrStdout(), paths, name, os.LookupEnv))
			}
			return notWell(checkAndConnect(c.Context(), c.OutOrStdout(), paths, name))
		},
	}
	environmentFlag(c, &name, "`NAME|FILE` of the environment to check against")
	c.Flags().BoolVar(&connects, "connect", false, "also look whether the environment's clusters, gateways and clients answer")
	c.Flags().SortFlags = false
	return c
}

// check reads and plans everything below paths, and says what is wrong with it.
func check(stdout io.Writer, paths []string, environmentName string, getenv func(string) (string, bool)) error {
	_, err := checked(stdout, paths, environmentName, getenv)
	return err
}

// soundness is what a check leaves behind for those who go on: nil where
// something is wrong with it.
type soundness struct {
	env    *environment.Environment
	engine *runner.Engine
	plan   *runner.Plan
}

func checked(stdout io.Writer, paths []string, environmentName string, getenv func(string) (string, bool)) (soundness, error) {
	var found soundness
	if len(paths) == 0 {
		paths = []string{defaultScenarios}
	}
	environments := environment.Folder(paths[0])
	set, asked, err := runner.ReadScenarios(filepath.Dir(environments), paths...)
	if err != nil {
		return found, orNew(err)
	}
	env, engine, err := engineFor(environmentName, environments, getenv)
	mistakes, err := mistakesOf(err)
	if err != nil {
		return found, err
	}
	found.env, found.engine = env, engine
	for _, b := range set.Broken {
		if asked(b.File) {
			mistakes = append(mistakes, b.Mistakes...)
			mistakes = append(mistakes, stepsOf(engine, b)...)
		}
	}
	mistakes = append(mistakes, misspelt(set, asked, environment.Names(environments))...)
	if engine != nil {
		plan, err := engine.Plan(withNeeds(set, asked))
		wrong, err := mistakesOf(err)
		if err != nil {
			return found, err
		}
		mistakes = append(mistakes, wrong...)
		found.plan = plan
	}
	mistakes = document.Sort(mistakes)
	if len(mistakes) == 0 {
		fmt.Fprintln(stdout, summary(found.plan, asked))
		return found, nil
	}
	found.plan = nil
	mistakes.Show(stdout)
	fmt.Fprintf(stdout, "\n%s in %s\n", count(len(mistakes), "mistake"), count(inFiles(mistakes), "file"))
	return found, outcome{}
}

// orNew says what a newcomer does where there are no scenarios yet.
func orNew(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) && at.Path == defaultScenarios && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no folder %s here; %s new scenario writes a first one, and scenarios elsewhere are named by their path", defaultScenarios, self())
	}
	return err
}

// inside says whether path is folder or below it.
func inside(folder, path string) bool {
	relative, err := filepath.Rel(absolute(folder), absolute(path))
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// absolute makes paths comparable.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// withNeeds returns the scenarios that were asked for with what they need.
func withNeeds(set scenario.Set, asked func(file string) bool) []*scenario.Scenario {
	needed := map[string]bool{}
	for _, s := range set.Scenarios {
		if asked(s.File) {
			needed[s.Name] = true
			for _, above := range set.Ancestors(s) {
				needed[above.Name] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(set.Scenarios), func(s *scenario.Scenario) bool { return !needed[s.Name] })
}

// engineFor makes an engine for an environment. The error is document.Mistakes
// where something is wrong with its file.
func engineFor(name, folder string, getenv func(string) (string, bool)) (*environment.Environment, *runner.Engine, error) {
	e, err := environment.Load(name, folder, getenv)
	if err != nil {
		return nil, nil, err
	}
	engine, err := runner.New(runner.Options{Environment: e})
	return e, engine, err
}

// misspelt finds environments of scenarios that are nearly called like one of
// those known: their scenario would be skipped everywhere, and nobody told. A
// name unlike any may be of an environment kept elsewhere.
func misspelt(set scenario.Set, asked func(file string) bool, known []string) document.Mistakes {
	var ms document.Mistakes
	for _, s := range set.Scenarios {
		for i, name := range s.Environments {
			if hint := document.DidYouMean(name, known); hint != "" && asked(s.File) && !slices.Contains(known, name) {
				ms = append(ms, s.Source.Get("environments").Index(i).Mistake("no environment is called %s", name).WithHint(hint))
			}
		}
	}
	return ms
}

// stepsOf returns the mistakes in the steps of a scenario that is broken elsewhere.
func stepsOf(engine *runner.Engine, b scenario.Broken) document.Mistakes {
	if engine == nil || b.Scenario == nil {
		return nil
	}
	return engine.Check(b.Scenario)
}

// mistakesOf parts the mistakes in files from an error that is none.
func mistakesOf(err error) (document.Mistakes, error) {
	var ms document.Mistakes
	if errors.As(err, &ms) {
		return ms, nil
	}
	return nil, err
}

// summary counts what was found to be right, of what was asked for.
func summary(p *runner.Plan, asked func(file string) bool) string {
	scenarios, steps, expectations, left := 0, 0, 0, 0
	for _, s := range p.Scenarios {
		if !asked(s.Scenario.File) {
			continue
		}
		scenarios++
		steps += len(s.Scenario.Steps)
		for _, step := range s.Steps {
			expectations += step.Expectations
		}
		if s.Skip != "" {
			left++
		}
	}
	text := fmt.Sprintf("%s, %s, %s: no mistakes", count(scenarios, "scenario"), count(steps, "step"), count(expectations, "expectation"))
	if left > 0 {
		text += fmt.Sprintf(" (%s not for this environment)", count(left, "scenario"))
	}
	return text
}

// inFiles is in how many files the mistakes are.
func inFiles(ms document.Mistakes) int {
	files := map[string]bool{}
	for _, m := range ms {
		files[m.Pos.File] = true
	}
	return len(files)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
