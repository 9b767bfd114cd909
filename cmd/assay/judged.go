package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/verdict"
)

// The exit codes of every command that judges.
const (
	exitPassed    = 0
	exitFailed    = 1
	exitBadInput  = 2 // asked wrongly, or nothing could be judged
	exitUndecided = 3
)

// exitCodesHelp says them in the help of those commands.
const exitCodesHelp = `Exit codes: 0 passed, 1 failed, 2 bad input (or it could not be judged), 3 undecided.`

// exitOf is the exit code of a verdict.
func exitOf(s verdict.State) int {
	switch s {
	case verdict.Passed:
		return exitPassed
	case verdict.Failed:
		return exitFailed
	}
	return exitUndecided
}

// ended is what a judging command returns after it has told its verdict.
func ended(s verdict.State) error {
	if code := exitOf(s); code != exitPassed {
		return outcome{code: code}
	}
	return nil
}

// unjudged marks an error because of which there is no verdict. It must not
// look like a verdict of failed, whose code is that of other errors elsewhere.
func unjudged(err error) error {
	if err == nil {
		return nil
	}
	return outcome{err: err, code: exitBadInput}
}

// refused tells all mistakes of a judging command at once.
func refused(stderr io.Writer, command string, ms document.Mistakes) error {
	ms.Show(stderr)
	fmt.Fprintf(stderr, "\n%s; try: assay %s --help\n", count(len(ms), "mistake"), command)
	return outcome{code: exitBadInput}
}

// judgement is what --json prints of counts that were judged. Its fields are
// called as those of a record's samples, so that readers of one read the other.
type judgement struct {
	Result    verdict.Result   `json:"result"`
	Counts    verdict.Counts   `json:"counts"`
	Unlisted  map[string]int64 `json:"unlisted,omitempty"`
	Diagnosis string           `json:"diagnosis,omitempty"`
}

// tellVerdict prints a verdict for people, or as JSON.
func tellVerdict(stdout io.Writer, s record.Sample, asJSON bool) error {
	if asJSON {
		return printJSON(stdout, judgement{Result: s.Result, Counts: s.Counts, Unlisted: s.Unlisted, Diagnosis: s.Diagnosis})
	}
	_, err := io.WriteString(stdout, report.SampleText(s)+report.ToDecide(s.Result))
	return err
}

func printJSON(stdout io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = stdout.Write(append(data, '\n'))
	return err
}
