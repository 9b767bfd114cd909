package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
	"github.com/meshassay/assay/runner/verdict"
)

// planFlags are what `assay plan` can be told.
type planFlags struct {
	claimFlags
	environment string
	budget      int64
	runs        int
	seed        uint64
	asJSON      bool
}

func planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan [SCENARIO|PATH…]",
		Short: "Simulate how many requests it takes to judge",
		Long: `Simulate how many requests it takes to judge: what a scenario expects, or what --expect says. The very test
that will judge is run on random answers of three meshes: one that divides as wanted, one that is off by
half of what is tolerated (it should pass), and one that is off by twice of it (it should fail). For each
it shows how many requests are enough in half of the runs and in 99 % of them, and what comes of it.

A SCENARIO is a name or a glob, looked for in ./scenarios, a PATH a file or folder; what they need is
planned too, as it would run. The default is everything in ./scenarios.

Of a claim: ` + claimHelp + `

Exit codes: 0, or 2 when something is wrong with what was given.`,
		Example: `  assay plan --expect blue=40%,green=40%,canary=20% --tolerance 3pp
  assay plan --expect stable=99%,canary=1% --tolerance 0.5pp --budget 5000   # is that enough?
  assay plan canary                            # a scenario and what it needs
  assay plan 'blue-*' --environment tutorial   # as it would run on the tutorial's clusters
  assay plan scenarios/traffic-management`,
		RunE: func(c *cobra.Command, args []string) error {
			var claim []string
			for _, name := range []string{"expect", "tolerance", "leak", "errors", "alpha", "beta"} {
				if c.Flags().Changed(name) {
					claim = append(claim, "--"+name)
				}
			}
			return f.run(c.OutOrStdout(), c.ErrOrStderr(), args, claim, c.Flags().Changed("budget"))
		},
	}
	f.add(c.Flags())
	c.Flags().StringVar(&f.environment, "environment", environment.Sandbox, "`NAME|FILE` of the environment that scenarios would run in")
	c.Flags().Int64Var(&f.budget, "budget", defaultBudget, "`REQUESTS` that a run may take (default for a scenario: its own budget)")
	c.Flags().IntVar(&f.runs, "runs", 2000, "`NUMBER` of simulated runs of each mesh")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "`NUMBER` that the random answers begin with: the same one gives the same forecast")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the forecasts as JSON")
	c.Flags().SortFlags = false
	return c
}

// defaultBudget is how many requests may be asked unless a user says.
const defaultBudget = 100_000

// planned is one forecast, as --json prints it.
type planned struct {
	Scenario string           `json:"scenario,omitempty"`
	Step     string           `json:"step,omitempty"`
	Position string           `json:"position,omitempty"` // file:line:col
	Case     string           `json:"case,omitempty"`
	Gateways []string         `json:"gateways,omitempty"`
	Claim    verdict.Claim    `json:"claim"`
	Budget   int64            `json:"budget"`
	Time     time.Duration    `json:"timeNanos,omitempty"`
	Forecast verdict.Forecast `json:"forecast"`
}

func (f *planFlags) run(stdout, stderr io.Writer, args, claimed []string, budgeted bool) error {
	var all []planned
	var mistakes document.Mistakes
	if len(claimed) > 0 {
		claim, wrong := f.claim()
		mistakes = append(mistakes, wrong...)
		if len(args) > 0 {
			mistakes = append(mistakes, document.Mistake{Path: strings.Join(args, " "), Text: "scenarios say themselves what they expect", Hint: "leave out " + strings.Join(claimed, " ")})
		}
		all = []planned{{Claim: claim, Budget: f.budget}}
	} else {
		found, err := f.scenarios(args)
		if mistakes, err = mistakesOf(err); err != nil {
			return unjudged(err)
		}
		if budgeted {
			for i := range found {
				found[i].Budget = f.budget
			}
		}
		all = found
	}
	if len(mistakes) > 0 {
		return refused(stderr, "plan", mistakes)
	}
	if err := f.simulate(all); err != nil {
		return unjudged(err)
	}
	if f.asJSON {
		return unjudged(printJSON(stdout, all))
	}
	_, err := io.WriteString(stdout, f.text(all))
	return unjudged(err)
}

// simulate makes the forecasts; what is expected several times is simulated once.
func (f *planFlags) simulate(all []planned) error {
	known := make(map[string]verdict.Forecast)
	for i := range all {
		p := &all[i]
		key := fmt.Sprintf("%+v %d", p.Claim, p.Budget)
		forecast, ok := known[key]
		if !ok {
			var err error
			if forecast, err = verdict.Simulate(p.Claim, p.Budget, f.runs, f.seed); err != nil {
				return err
			}
			known[key] = forecast
		}
		p.Forecast = forecast
	}
	return nil
}

// text is all forecasts for people.
func (f *planFlags) text(all []planned) string {
	var b strings.Builder
	mean := 0.0
	for _, p := range all {
		if p.Scenario != "" {
			title := p.Step
			if p.Case != "" {
				title += ", " + p.Case
			}
			fmt.Fprintf(&b, "%s: %s: %s, asked of %s\n", p.Position, p.Scenario, title, document.And(p.Gateways))
		}
		fmt.Fprintf(&b, "wanted: %s\n%s%s\n", report.Wanted(p.Claim), report.Forecast(p.Claim, p.Forecast, p.Budget), report.Budgets(p.Claim, p.Forecast, p.Budget))
		mean += p.Forecast.Right.Mean * float64(max(1, len(p.Gateways)))
	}
	if len(all) > 1 {
		fmt.Fprintf(&b, "all %s together: %s requests on average when everything is right\n", count(len(all), "expectation"), report.Count(int64(mean+.5)))
	}
	fmt.Fprintf(&b, "simulated: %s runs of each mesh (seed %d)\n", report.Count(int64(f.runs)), f.seed)
	return b.String()
}

// scenarios plans what args name. The error is document.Mistakes where
// something is wrong with the files.
func (f *planFlags) scenarios(args []string) ([]planned, error) {
	paths, names := parted(args)
	roots := slices.Clone(paths)
	if len(names) > 0 || len(args) == 0 {
		roots = append(roots, defaultScenarios)
	}
	environments := environment.Folder(roots[0])
	set, _, err := load(roots, filepath.Dir(environments))
	if err != nil {
		return nil, err
	}
	engine, err := engineFor(f.environment, environments, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	named := make(map[string]bool)
	if len(names) > 0 {
		chosen, err := set.Select(names...)
		if err != nil {
			return nil, err
		}
		for _, s := range chosen {
			named[s.File] = true
		}
	}
	asked := func(file string) bool {
		return len(args) == 0 || named[file] || slices.ContainsFunc(paths, func(path string) bool { return inside(path, file) })
	}
	return expectations(engine, set, asked)
}

// parted tells files and folders from names and globs.
func parted(args []string) (paths, names []string) {
	for _, arg := range args {
		_, err := os.Stat(arg)
		if err == nil || strings.ContainsRune(arg, filepath.Separator) || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") {
			paths = append(paths, arg)
		} else {
			names = append(names, arg)
		}
	}
	return paths, names
}

// expectations are those of the scenarios asked for and of what they need.
func expectations(engine *runner.Engine, set scenario.Set, asked func(file string) bool) ([]planned, error) {
	var mistakes document.Mistakes
	for _, b := range set.Broken {
		if asked(b.File) {
			mistakes = append(append(mistakes, b.Mistakes...), stepsOf(engine, b)...)
		}
	}
	plan, err := engine.Plan(withNeeds(set, asked))
	wrong, err := mistakesOf(err)
	if err != nil {
		return nil, err
	}
	if mistakes = document.Sort(append(mistakes, wrong...)); len(mistakes) > 0 {
		return nil, mistakes
	}
	var all []planned
	for _, s := range plan.Scenarios {
		for _, step := range s.Steps {
			for _, c := range plan.Claims(step) {
				all = append(all, planned{
					Scenario: s.Scenario.Name, Step: step.Title, Position: step.Position(), Case: c.Case,
					Gateways: c.Gateways, Claim: c.Claim, Budget: c.Requests, Time: c.Time,
				})
			}
		}
	}
	if len(all) == 0 {
		return nil, errors.New("none of these scenarios expects anything of answers in this environment")
	}
	return all, nil
}
