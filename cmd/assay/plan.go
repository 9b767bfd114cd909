package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// planFlags are what `assay plan` can be told.
type planFlags struct {
	claimFlags
	environment string
	budget      int64
	runs        int
	seed        uint64
	verbose     bool
	asJSON      bool
}

func planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "plan [SCENARIO|PATH…]",
		Short: "Say what scenarios will do, and how many requests that takes",
		Long: `Say what scenarios will do, step by step, without touching a cluster: which objects are changed in which
clusters, what is waited for, which gateways are asked, how many requests it takes to judge their answers and
how long that takes, and what is put back afterwards. With --expect: how many requests a claim takes.

A SCENARIO is a name or a glob, looked for in ./scenarios, a PATH a file or folder; what they need is
planned too, as it would run. The default is everything in ./scenarios.

How many requests it takes is simulated: the very test that will judge is run on random answers of a mesh
that divides as wanted. "Median" are enough in half of the runs, "99th percentile" in 99 of 100. --verbose
(and always for a claim) simulates two wrong meshes too: one that is off by half of what is tolerated, which
should pass, and one that is off by twice of it, which should fail.

` + claimHelp + `

Exit codes: 0, or 2 when something is wrong with what was given.`,
		Example: `  assay plan canary                            # a scenario and what it needs
  assay plan canary --verbose                  # how is a mesh that is wrong found out?
  assay plan 'blue-*' --environment tutorial   # as it would run on the tutorial's clusters
  assay plan scenarios/traffic-management --json | jq .total
  assay plan --expect blue=40%,green=40%,canary=20% --tolerance 3pp
  assay plan --expect stable=99%,canary=1% --tolerance 0.5pp --budget 5000   # is that enough?`,
		ValidArgsFunction: completeScenarios,
		RunE: func(c *cobra.Command, args []string) error {
			var claim []string
			for _, name := range []string{"expect", "tolerance", "leak", "errors", "alpha", "beta"} {
				if c.Flags().Changed(name) {
					claim = append(claim, "--"+name)
				}
			}
			if len(claim) > 0 {
				return f.ofClaim(c.OutOrStdout(), c.ErrOrStderr(), args, claim)
			}
			return f.ofScenarios(c.OutOrStdout(), c.ErrOrStderr(), args, c.Flags().Changed("budget"))
		},
	}
	f.add(c.Flags())
	environmentFlag(c, &f.environment, "`NAME|FILE` of the environment that scenarios would run in")
	c.Flags().Int64Var(&f.budget, "budget", defaultBudget, "`REQUESTS` that a run may take (default for a scenario: its own budget)")
	c.Flags().IntVar(&f.runs, "runs", 2000, "`NUMBER` of simulated runs of each mesh")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "`NUMBER` that the random answers begin with: the same one gives the same forecast")
	c.Flags().BoolVarP(&f.verbose, "verbose", "v", false, "simulate meshes that are wrong, too")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the plan, or the forecast of a claim, as JSON")
	c.Flags().SortFlags = false
	return c
}

// environmentFlag is the flag --environment, which several commands have.
func environmentFlag(c *cobra.Command, into *string, usage string) {
	c.Flags().StringVar(into, "environment", environment.Sandbox, usage)
	completes(c, "environment", completeEnvironments)
}

// defaultBudget is how many requests may be asked unless a user says.
const defaultBudget = 100_000

// planned is one forecast, as --json prints it.
type planned struct {
	Case     string           `json:"case,omitempty"`
	Gateways []string         `json:"gateways,omitempty"`
	Claim    verdict.Claim    `json:"claim"`
	Budget   int64            `json:"budget"`
	Time     time.Duration    `json:"timeNanos,omitempty"`
	Forecast verdict.Forecast `json:"forecast"`
}

// ofClaim plans what the flags say is wanted.
func (f *planFlags) ofClaim(stdout, stderr io.Writer, args, claimed []string) error {
	claim, mistakes := f.claim()
	if len(args) > 0 {
		mistakes = append(mistakes, document.Mistake{Path: strings.Join(args, " "), Text: "scenarios say themselves what they expect", Hint: "leave out " + strings.Join(claimed, " ")})
	}
	if len(mistakes) > 0 {
		return refused(stderr, "plan", mistakes)
	}
	forecast, err := verdict.Simulate(claim, f.budget, f.runs, f.seed)
	if err != nil {
		return unjudged(err)
	}
	p := planned{Claim: claim, Budget: f.budget, Forecast: forecast}
	if f.asJSON {
		return unjudged(printJSON(stdout, []planned{p}))
	}
	_, err = io.WriteString(stdout, p.table()+"\n"+f.simulated())
	return unjudged(err)
}

// table is a forecast in full.
func (p *planned) table() string {
	return fmt.Sprintf("wanted: %s\n%s%s", report.Wanted(p.Claim), report.Forecast(p.Claim, p.Forecast, p.Budget), report.Budgets(p.Claim, p.Forecast, p.Budget))
}

// simulated says how the forecasts were made.
func (f *planFlags) simulated() string {
	return fmt.Sprintf("simulated: %s runs of each mesh (seed %d)\n", report.Count(int64(f.runs)), f.seed)
}
