package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// Propagation says in one line how long the change before a sample took to
// reach its answers: "propagation: first new answer (canary) after 120 ms, last
// old (blue) after 310 ms, no errors in between". It is "" where that was not
// measured.
func Propagation(s record.Sample) string {
	p := s.Propagation
	if p == nil {
		return ""
	}
	if len(p.New) == 0 && len(p.Old) == 0 && !p.Dead {
		return "propagation: not told apart: the same outcomes answer before and after the change" + meanwhile(p)
	}
	return "propagation: " + firstNew(p) + ", " + lastOld(s, p) + meanwhile(p)
}

func firstNew(p *record.Propagation) string {
	switch {
	case len(p.New) == 0:
		return "first new answer not told apart"
	case p.FirstNew == nil:
		return fmt.Sprintf("no new answer (%s) in %s", or(p.New), Duration(p.Watched))
	case p.AtOnce:
		return fmt.Sprintf("first new answer (%s) in < %s", or(p.New), moment(max(p.Every, *p.FirstNew)))
	}
	return fmt.Sprintf("first new answer (%s) after %s", or(p.New), moment(*p.FirstNew))
}

// ending is how near to the end of the watch an old answer says that more may
// come, unless the expectation has passed.
const ending = time.Second

func lastOld(s record.Sample, p *record.Propagation) string {
	what := "old (" + or(p.Old) + ")"
	if p.Dead {
		what = "failed request"
	}
	switch {
	case len(p.Old) == 0 && !p.Dead:
		return "last old not told apart"
	case p.LastOld == nil:
		return "no " + what + " after the change"
	case s.Result.State != verdict.Passed && p.Watched-*p.LastOld < ending:
		return fmt.Sprintf("%s still at the end, after %s", what, moment(*p.LastOld))
	}
	return fmt.Sprintf("last %s after %s", what, moment(*p.LastOld))
}

// meanwhile is the errors after the change. Where there was nothing else before
// it, they have been told as what is old.
func meanwhile(p *record.Propagation) string {
	switch {
	case p.Dead:
		return ""
	case p.Errors == 0:
		return ", no errors in between"
	case p.Errors == 1:
		return fmt.Sprintf(", 1 error after %s (%s)", moment(p.FirstError), tally(p.Faults))
	}
	return fmt.Sprintf(", %s errors from %s to %s (%s)", Count(p.Errors), moment(p.FirstError), moment(p.LastError), tally(p.Faults))
}

// moment writes a time after the change, up to a second in whole milliseconds:
// a probe that asks every 20 ms knows no more.
func moment(d time.Duration) string {
	if d >= time.Second {
		return Duration(d)
	}
	return fmt.Sprintf("%d ms", (d+time.Millisecond-1)/time.Millisecond)
}

func or(names []string) string { return strings.Join(names, " or ") }

// watchedFrom says what the line of the propagation rests on.
func watchedFrom(p *record.Propagation) string {
	before := make(map[string]int64)
	for name, n := range p.Before {
		before[name] = n
	}
	if p.FailedBefore > 0 {
		before["errors"] = p.FailedBefore
	}
	return fmt.Sprintf("  answers before the change: %s; watched for %s after it, with a request about every %s\n", tally(before), Duration(p.Watched), moment(p.Every))
}
