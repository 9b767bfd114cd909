package report

import (
	"fmt"
	"strings"

	"github.com/meshassay/assay/runner/verdict"
)

// Wanted is a claim on one line: "blue 80 % +- 5 pp, green 20 % +- 5 pp, pink
// never, errors <= 0.5 %".
func Wanted(c verdict.Claim) string {
	var parts []string
	for _, s := range c.Shares {
		parts = append(parts, s.Name+" "+wanted(verdict.ShareResult{Want: s.Want, Tolerance: s.Tolerance, Leak: s.Leak}))
	}
	return strings.Join(append(parts, "errors "+atMost(c.Errors)), ", ")
}

// Forecast is a table of how many requests it takes to judge a claim, within a
// budget: a line each for a mesh that is right, for one that is off as far as
// is tolerated by half, and for one that is off by twice of that.
func Forecast(c verdict.Claim, f verdict.Forecast, budget int64) string {
	rows := [][]string{{"a mesh that is", "median", "99th percentile", "passed", "failed", "undecided", "for example"}}
	for _, l := range []struct {
		name string
		o    verdict.Outlook
	}{{"right", f.Right}, {"off by half the tolerance", f.Half}, {"off by twice the tolerance", f.Twice}} {
		rows = append(rows, []string{l.name,
			within(l.o.Median, l.o.Undecided >= .5, budget), within(l.o.P99, l.o.Undecided >= .01, budget),
			part(l.o.Passed), part(l.o.Failed), part(l.o.Undecided), truth(c, l.o)})
	}
	return align(rows, 1)
}

// within is a number of requests, or that the budget does not do.
func within(n int64, beyond bool, budget int64) string {
	if beyond {
		return "> " + Count(budget)
	}
	return Count(n)
}

// part is a part of the simulated runs; one that is not none, or not all, does
// not read as if it were.
func part(x float64) string {
	switch {
	case x > 0 && x < .001:
		return "< 0.1 %"
	case x < 1 && x > .999:
		return "> 99.9 %"
	}
	return got(x)
}

// truth is the mesh that was simulated.
func truth(c verdict.Claim, o verdict.Outlook) string {
	var parts []string
	for i, s := range c.Shares {
		if i < len(o.Shares) && o.Shares[i] > 0 {
			parts = append(parts, s.Name+" "+Percent(o.Shares[i]))
		}
	}
	if o.Errors > 0 {
		parts = append(parts, "errors "+Percent(o.Errors))
	}
	return strings.Join(parts, ", ")
}

// Budgets is a line on whether a budget does: what would, and what it cannot
// decide.
func Budgets(c verdict.Claim, f verdict.Forecast, budget int64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "budget %s requests", Count(budget))
	if f.Budget > 0 {
		fmt.Fprintf(&b, "; %s do for practically every run of a mesh that is right", Count(f.Budget))
	}
	b.WriteString("\n")
	for _, p := range verdict.Affordable(c, budget) {
		b.WriteString("too small: " + p.String() + "\n")
	}
	return b.String()
}
