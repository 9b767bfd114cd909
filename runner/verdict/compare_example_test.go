package verdict_test

import (
	"fmt"

	"github.com/meshassay/assay/runner/verdict"
)

// The counts of two stored runs, each stopped by its own verdict.
func ExampleCompareShares() {
	claim := verdict.Claim{
		Shares: []verdict.Share{
			{Name: "blue", Want: .8, Tolerance: .03},
			{Name: "canary", Want: .2, Tolerance: .03},
		},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	before := verdict.Run{Claim: claim, Counts: verdict.Counts{Outcomes: []int64{3204, 796}}}
	after := verdict.Run{Claim: claim, Counts: verdict.Counts{Outcomes: []int64{4127, 1073}}}
	for _, tolerance := range []float64{.05, .03} {
		c, err := verdict.CompareShares(before, after, tolerance)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(c.State, "-", c.Reason)
		for _, r := range c.Changes {
			fmt.Printf("%-6s %.1f %% -> %.1f %%: %+.1f points (%+.1f to %+.1f)\n", r.Name,
				100*r.Before.Got, 100*r.After.Got, 100*r.Got, 100*r.Low, 100*r.High)
		}
	}
	// Output:
	// passed - no share changed by more than 5 pp (4,000 answers before, 5,200 after)
	// blue   80.1 % -> 79.4 %: -0.7 points (-4.0 to +2.5)
	// canary 19.9 % -> 20.6 %: +0.7 points (-2.5 to +4.0)
	// undecided - not decided (4,000 answers before, 5,200 after): blue may have fallen by up to 4 pp; if nothing changed, so many answers would confirm 5.2 pp, and a change of 9.2 pp or more would have been noticed
	// blue   80.1 % -> 79.4 %: -0.7 points (-4.0 to +2.5)
	// canary 19.9 % -> 20.6 %: +0.7 points (-2.5 to +4.0)
}

// An old and a new gateway, asked in turn.
func ExamplePair() {
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: 1}, {Name: "canary"}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	pair, err := verdict.NewPair(claim, .01, .01, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := 1; pair.Look() == verdict.Undecided; n++ {
		pair.Observe(verdict.Before, 0)
		if n%20 == 0 {
			pair.Observe(verdict.After, verdict.Error) // the new one fails one time in 20
		} else {
			pair.Observe(verdict.After, 0)
		}
	}
	fmt.Println(pair.Result().Reason)
	// Output: the share of errors rose from 0 % to 5 %, by more than 1 pp (460 answers before, 460 after)
}
