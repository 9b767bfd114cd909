package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// verdictFlags are what `assay verdict` can be told.
type verdictFlags struct {
	claimFlags
	file   string
	asJSON bool
}

func verdictCommand() *cobra.Command {
	var f verdictFlags
	c := &cobra.Command{
		Use:   "verdict --expect NAME=SHARE,… [NAME=COUNT…]",
		Short: "Judge counts, wherever they come from",
		Long: `Judge counts, wherever they come from: say passed, failed or undecided, why, and how sure that is.

` + claimHelp + `

The counts are arguments, or a file (--file, - is standard input), or both; without either, standard input.
A file has lines of "blue=812", "blue 812" or "812 blue" (what uniq -c writes), or is a JSON object of
counts, or what assay sample and assay verdict print with --json. Every name that is expected needs a count,
be it 0, so that a slip of the pen is not judged. errors=3 counts failed requests (the name is kept for
them); left out, there were none.

What the counts must be: those of the first answers, all of them, up to any moment that you like. You may
look as often as you want and stop when you want, also because of what you saw; the stated probabilities of
error hold all the same. They do not hold when counts were chosen in another way: some answers left out, the
best of several runs taken, or shares and tolerance chosen after a look. One request on each connection
makes the answers independent; count them in the order of asking, for slow backends come late. (Counts of one
moment know less than assay sample, which looks at every answer: they may be undecided where it was not.)

` + exitCodesHelp + `
With --json the verdict is .result.state and its reason .result.reason; the other fields are those of a
sample in a run's record.`,
		Example: `  assay verdict --expect blue=40%,green=40%,canary=20% --tolerance 5pp blue=812 green=790 canary=398
  assay verdict --expect green=100%,blue=0% green=1402 blue=0 errors=2
  assay verdict --expect stable=99%,canary=1% --tolerance 0.5pp --file counts.json --json | jq -r .result.state
  for i in $(seq 2000); do curl -s http://gateway/api | jq -r .color; done | sort | uniq -c |
    assay verdict --expect blue=80%,green=20%+-4pp --tolerance 5pp`,
		RunE: func(c *cobra.Command, args []string) error {
			return f.run(c.InOrStdin(), c.OutOrStdout(), c.ErrOrStderr(), args)
		},
	}
	f.add(c.Flags())
	c.Flags().StringVar(&f.file, "file", "", "`FILE` of counts, or - for standard input")
	c.Flags().BoolVar(&f.asJSON, "json", false, "print the verdict as JSON")
	c.Flags().SortFlags = false
	return c
}

func (f *verdictFlags) run(stdin io.Reader, stdout, stderr io.Writer, args []string) error {
	claim, mistakes := f.claim()
	var known []string
	for _, s := range claim.Shares {
		known = append(known, s.Name)
	}
	found := newCounted(known)
	if err := f.read(found, stdin, args); err != nil {
		return unjudged(err)
	}
	mistakes = append(mistakes, found.mistakes...)
	counts, unlisted, problems := claim.Named(found.counts, found.errors)
	if len(found.mistakes) == 0 { // else what is missing was misread
		mistakes = append(mistakes, uncounted(problems, slices.Sorted(maps.Keys(unlisted)))...)
	}
	if len(mistakes) > 0 {
		return refused(stderr, "verdict", mistakes)
	}
	test, err := verdict.New(claim)
	if err != nil {
		return unjudged(err)
	}
	test.Update(counts)
	s := record.Sample{Result: test.Result(), Counts: counts, Unlisted: unlisted}
	s.Diagnosis = report.Diagnose(s)
	if err := tellVerdict(stdout, s, f.asJSON); err != nil {
		return unjudged(err)
	}
	return ended(s.Result.State)
}

// read reads the counts from where they are.
func (f *verdictFlags) read(into *counted, stdin io.Reader, args []string) error {
	into.arguments(args)
	switch {
	case f.file == "-", f.file == "" && len(args) == 0 && piped(stdin):
		text, err := io.ReadAll(stdin)
		if err != nil {
			return fmt.Errorf("standard input: %w", err)
		}
		into.file("standard input", text)
	case f.file != "":
		text, err := os.ReadFile(f.file)
		if err != nil {
			return err
		}
		into.file(f.file, text)
	case len(args) == 0:
		into.mistakes = append(into.mistakes, document.Mistake{Text: "no counts are given", Hint: "for example blue=812 green=790"})
	}
	return nil
}

// piped says whether there is something to read from standard input: a person
// at a terminal would wait for the command, and it for them.
func piped(stdin io.Reader) bool {
	file, ok := stdin.(*os.File)
	if !ok {
		return true
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice == 0
}

// uncounted tells what is wrong with counts that could be read, with the name
// that was probably meant.
func uncounted(problems []verdict.Problem, unlisted []string) document.Mistakes {
	var ms document.Mistakes
	for _, p := range problems {
		m := document.Mistake{Path: p.Share, Text: p.Text, Hint: p.Hint}
		if p.Text == verdict.NoCount {
			m.Hint = fmt.Sprintf("if it never came, say %s=0", p.Share)
			if near := document.DidYouMean(p.Share, unlisted); near != "" {
				m.Hint = "one that is not expected has: " + near
			}
		}
		ms = append(ms, m)
	}
	return ms
}
