package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// The exit codes of commands that judge nothing; judged.go has the others.
const (
	exitWell    = 0
	exitNotWell = 1 // mistakes, or something that could not be done
	exitMisused = 2 // an unknown command, flag or argument
)

// run is main with its surroundings as arguments.
func run(args []string, stdout, stderr io.Writer) int { return runFrom(os.Stdin, args, stdout, stderr) }

func runFrom(stdin io.Reader, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	var done outcome
	switch {
	case err == nil:
		return exitWell
	case errors.As(err, &done):
		if done.err != nil {
			fmt.Fprintf(stderr, "assay: %v\n", done.err)
		}
		return max(exitNotWell, done.code)
	default:
		fmt.Fprintf(stderr, "assay: %v\ntry: %s --help\n", err, c.CommandPath())
		return exitMisused
	}
}

// outcome is the error of a command that was asked for rightly but did not go
// well. Every other error is one of usage. A nil err was told already; a code
// is that of a command that was run.
type outcome struct {
	err  error
	code int
}

func (o outcome) Error() string { return fmt.Sprint(o.err) }

// notWell marks the error of a command that was asked for rightly.
func notWell(err error) error {
	var told outcome
	if err == nil || errors.As(err, &told) {
		return err
	}
	return outcome{err: err}
}

// The groups in which the root's help shows the commands. One that is in none of
// them is shown last.
const (
	groupWrite = "write"
	groupRun   = "run"
	groupJudge = "judge"
)

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "assay",
		Short: "Prove that a mesh divides its traffic as it was told to",
		Long: `Assay proves whether a service mesh divides its traffic as it was told to, and says how sure it is.

A scenario is a YAML file: what a chapter of a tutorial does, and what its reader should then see. An
environment says where scenarios run; the default is a sandbox on this machine that needs nothing but Go.`,
		Example: `  assay new scenario halves --expect blue=50%,green=50%   write a first scenario
  assay check                                             look for mistakes in ./scenarios, without a cluster
  assay plan halves                                       what will it do, and how long will that take?
  assay run halves                                        do it, on a sandbox of its own
  assay report -o report.html                             what came of it, as a page to look at
  assay sample http://gateway/api --answer json:color --expect blue=80%,green=20% --tolerance 3pp
  assay verdict --expect blue=80%,green=20% --tolerance 3pp blue=3201 green=799`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	explain(root)
	root.AddGroup(
		&cobra.Group{ID: groupWrite, Title: "Write scenarios:"},
		&cobra.Group{ID: groupRun, Title: "Run them:"},
		&cobra.Group{ID: groupJudge, Title: "Judge without a scenario:"},
	)
	for _, group := range []struct {
		id       string
		commands []*cobra.Command
	}{
		{groupWrite, []*cobra.Command{newCommand(), checkCommand(), planCommand(), schemaCommand(), docsCommand()}},
		{groupRun, []*cobra.Command{runCommand(), reportCommand(), sandboxCommand()}},
		{groupJudge, []*cobra.Command{sampleCommand(), verdictCommand()}},
	} {
		for _, c := range group.commands {
			c.GroupID = group.id
			root.AddCommand(c)
		}
	}
	root.AddCommand(completionCommand())
	return root
}
