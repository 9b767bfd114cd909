package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/launch"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
)

// runFlags are what `assay run` can be told.
type runFlags struct {
	environment string
	scenarios   string
	labels      []string
	out         string
	seed        uint64
	keep        bool
	noRun       bool
	noLive      bool
	quiet       bool
	asJSON      bool
	junit       string
}

func runCommand() *cobra.Command {
	var f runFlags
	c := &cobra.Command{
		Use:   "run [SCENARIO|PATH…]",
		Short: "Run scenarios, on a sandbox of their own or on your clusters",
		Long: `Run scenarios: make their changes, ask the gateways until the answers decide, put everything back, and say what
passed, what failed and how sure that is. On a terminal it shows the shares as they come in.

A SCENARIO is a name or a glob, looked for in ./scenarios, a PATH a file or folder; what they need runs before
them. The default is all of ./scenarios, but for those that are labelled "fault" or "upgrade": they run when
they are named, or with --label.

The environment sandbox is started for the run and ends with it (the first time it is built, which takes 4 to
7 minutes and needs Go); with ASSAY_SANDBOX=KUBECONFIG a sandbox is used that runs already.

Ctrl-C ends a run in order: it stops asking, puts back what was changed, and writes record and report. A second
Ctrl-C ends it at once, and what was changed stays. The record and the reports made from it are below .assay,
or in --out; "assay report" shows them again.

` + exitCodesHelp + `
When no scenario is selected that is 2, too.`,
		Example: `  assay run                                    # everything in ./scenarios, on a sandbox of its own
  assay run canary                             # one scenario, with what it needs
  assay run 'blue-*' no-policy                 # by glob, and several
  assay run scenarios/traffic-management       # a folder, or a file
  assay run --label vm                         # what has a label
  assay run fault-blocks                       # a mesh that is broken on purpose
  assay run --environment tutorial canary      # on the tutorial's clusters
  ASSAY_SANDBOX=~/.kube/sandbox assay run canary --keep   # and leave it as it is then, to look at it
  assay run canary --json | jq .scenarios[].steps[].state`,
		ValidArgsFunction: completeScenarios,
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("seed") {
				f.seed = rand.Uint64()
			}
			return f.run(c.Context(), c.OutOrStdout(), c.ErrOrStderr(), args)
		},
	}
	environmentFlag(c, &f.environment, "`NAME|FILE` of the environment to run in")
	c.Flags().StringVar(&f.scenarios, "scenarios", "", "`DIR` of the scenarios that have a name (default scenarios)")
	c.Flags().StringArrayVar(&f.labels, "label", nil, "`LABEL` that a scenario must have to run (may be repeated: one of them)")
	c.Flags().StringVar(&f.out, "out", "", "`DIR` for the record and the reports (default .assay/TIME)")
	c.Flags().BoolVar(&f.noRun, "no-run", false, "execute no script or command of a scenario: scenarios with a run step, and what needs them, are skipped")
	c.Flags().BoolVar(&f.keep, "keep", false, "leave what the last scenario, and all that it needs, changed")
	c.Flags().Uint64Var(&f.seed, "seed", 0, "`NUMBER` for the record, for what is drawn by chance (default: a new one each time)")
	c.Flags().BoolVarP(&f.quiet, "quiet", "q", false, "tell only what does not pass, and what comes of it all")
	c.Flags().BoolVar(&f.noLive, "no-live", false, "do not show what is under way")
	c.Flags().StringVar(&f.junit, "junit", "", "`FILE` for a JUnit report, which CI servers read")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the record as JSON; all else goes to standard error")
	c.Flags().SortFlags = false
	return c
}

// run selects and runs.
func (f *runFlags) run(ctx context.Context, stdout, stderr io.Writer, args []string) error {
	chosen, err := f.choose(args)
	if err != nil {
		var mistakes document.Mistakes
		if errors.As(err, &mistakes) {
			return refused(stderr, "run", mistakes)
		}
		return unjudged(err)
	}
	for _, b := range chosen.Broken {
		b.Mistakes.Show(stderr)
	}
	if len(chosen.Plan.Scenarios) == 0 {
		return unjudged(f.nothing(chosen))
	}
	told := stdout
	if f.asJSON {
		told = stderr
	}
	return f.within(ctx, chosen, stdout, told, stderr)
}

// choose is what the arguments and flags select.
func (f *runFlags) choose(args []string) (*runner.Selected, error) {
	paths, names := parted(args)
	s := runner.Selection{
		Folder: f.scenarios, Paths: paths, Names: names, Labels: f.labels, OnRequest: runner.OnRequest,
		Environment: f.environment, Throwaway: os.Getenv(launch.Attach) == "",
	}
	if s.Folder == "" && (len(paths) == 0 || len(names) > 0) {
		s.Folder = defaultScenarios
	}
	var chosen *runner.Selected
	file := func(scenario string) string { // asked for when a step has failed
		for _, p := range chosen.Plan.Scenarios {
			if len(paths) > 0 && p.Scenario.Name == scenario {
				return p.Scenario.File
			}
		}
		return scenario
	}
	chosen, err := runner.Select(s, runner.Options{Out: f.out, Seed: f.seed, Keep: f.keep, NoRun: f.noRun,
		Again: func(scenario string) string { return f.again(file(scenario)) }})
	return chosen, orNew(err)
}

// again is the command that runs one scenario again, in the same way: by its
// file where paths were given, for its name alone may not be found then.
func (f *runFlags) again(scenario string) string {
	words := append(strings.Fields(self()), "run", scenario)
	if f.scenarios != "" {
		words = append(words, "--scenarios", f.scenarios)
	}
	if f.environment != environment.Sandbox {
		words = append(words, "--environment", f.environment)
	}
	return runner.CommandLine(words...)
}

// nothing says why no scenario is left to run.
func (f *runFlags) nothing(chosen *runner.Selected) error {
	switch {
	case len(chosen.Broken) > 0:
		return fmt.Errorf("nothing can run: %s", count(len(chosen.Broken), "file")+" with mistakes")
	case len(f.labels) > 0:
		return fmt.Errorf("nothing was selected: no scenario has the label %s", strings.Join(f.labels, " or "))
	}
	return fmt.Errorf("nothing was selected: all of it is for request only (label %s): name a scenario, or use --label", strings.Join(runner.OnRequest, " or "))
}

// within starts the sandbox if it is wanted, runs, and ends it.
func (f *runFlags) within(ctx context.Context, chosen *runner.Selected, stdout, told, stderr io.Writer) (err error) {
	// A reader that goes away (| head) shall not keep anything from being put back.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	var sandbox *launch.Sandbox
	if chosen.Environment.Name == environment.Sandbox {
		if sandbox, err = launch.Start(ctx, launch.Options{Log: stderr}); err != nil {
			return unjudged(err)
		}
		chosen.Environment.Kubeconfig = sandbox.Kubeconfig
		defer func() {
			if stopped := sandbox.Stop(context.WithoutCancel(ctx)); err == nil {
				err = unjudged(stopped)
			}
		}()
	}
	run, err := chosen.Engine.Start(ctx, chosen.Plan)
	if err != nil {
		return unjudged(fmt.Errorf("%s: environment %s: %w", chosen.Environment.File, chosen.Environment.Name, err))
	}
	if !f.quiet {
		fmt.Fprintf(stderr, "%s in the environment %s (%s)\n", count(len(chosen.Plan.Scenarios), "scenario"), chosen.Environment.Name, chosen.Environment.File)
	}
	n := newNarrator(newDisplay(told), stderr, chosen.Plan)
	n.live, n.quiet = !f.noLive, f.quiet
	n.stopped = func() bool { return ctx.Err() != nil }
	if n.quiet || f.noLive {
		n.aside = nil
	}
	r, path, failed := carryOut(ctx, run, n, func() {
		run.Abandon()
		fmt.Fprintln(stderr, "\nstopped at once: what was changed has not been put back")
		os.Exit(exitBadInput)
	})
	if r == nil {
		return unjudged(failed)
	}
	return f.tell(ctx, chosen, n, r, path, stdout, stderr, errors.Join(failed, gone(sandbox)))
}

// gone says of a sandbox that it has ended by itself.
func gone(sandbox *launch.Sandbox) error {
	if sandbox == nil || sandbox.Err() == nil {
		return nil
	}
	return fmt.Errorf("the sandbox has ended: %w", sandbox.Err())
}

// carryOut runs the whole plan and shows how it goes on. A second signal while
// it ends in order ends it at once.
func carryOut(ctx context.Context, run *runner.Run, n *narrator, atOnce func()) (*record.Record, string, error) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	over, stop := context.WithCancel(context.Background())
	var beside sync.WaitGroup
	beside.Go(func() { n.follow(over, run) })
	beside.Go(func() {
		select {
		case <-over.Done():
			return
		case <-ctx.Done():
			n.stops()
		}
		for i := 0; ; i++ {
			select {
			case <-over.Done():
				return
			case <-signals:
				if i > 0 { // the first is what has ended ctx
					atOnce()
				}
			}
		}
	})
	r, path, err := run.Whole(ctx, n)
	stop()
	beside.Wait()
	return r, path, err
}

// tell sums up, writes the reports and returns the exit code.
func (f *runFlags) tell(ctx context.Context, chosen *runner.Selected, n *narrator, r *record.Record, path string, stdout, stderr io.Writer, failed error) error {
	folder := filepath.Dir(path)
	failed = errors.Join(failed, report.WriteFiles(folder, r), f.writeJUnit(r))
	n.ends(r, report.Places(path))
	if f.asJSON {
		failed = errors.Join(failed, printJSON(stdout, r))
	}
	if len(chosen.Broken) > 0 {
		fmt.Fprintf(stderr, "did not run: %s with mistakes (see above)\n", count(len(chosen.Broken), "file"))
	}
	if failed != nil {
		fmt.Fprintf(stderr, "assay: %v\n", failed)
	}
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "interrupted: not everything was run")
	}
	code := exitOfRun(report.Overall(r).State)
	if code != exitFailed && (ctx.Err() != nil || failed != nil || len(chosen.Broken) > 0) {
		code = exitBadInput
	}
	if code == exitPassed {
		return nil
	}
	return outcome{code: code}
}

// writeJUnit writes the report for a CI server, where one is wanted.
func (f *runFlags) writeJUnit(r *record.Record) error {
	if f.junit == "" {
		return nil
	}
	var b bytes.Buffer
	if err := report.JUnit(&b, r); err != nil {
		return err
	}
	return os.WriteFile(f.junit, b.Bytes(), 0o644)
}

// exitOfRun is the exit code of what came of a run.
func exitOfRun(s record.State) int {
	switch s {
	case record.Passed:
		return exitPassed
	case record.Failed:
		return exitFailed
	case record.Undecided:
		return exitUndecided
	}
	return exitBadInput // errored, or nothing ran
}
