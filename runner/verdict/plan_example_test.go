package verdict_test

import (
	"fmt"

	"github.com/meshassay/assay/runner/verdict"
)

// How many requests will it take to confirm that everything goes to green and
// nothing to blue?
func ExampleSimulate() {
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "green", Want: 1}, {Name: "blue", Want: 0}},
		Errors: .01, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	forecast, err := verdict.Simulate(claim, 100_000, 200, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("right: passed in %.0f %% of the runs, after %d requests\n", 100*forecast.Right.Passed, forecast.Right.Median)
	fmt.Printf("half of what is tolerated, %.1f %% errors: passed in %.0f %%\n", 100*forecast.Half.Errors, 100*forecast.Half.Passed)
	fmt.Printf("twice of it, %.0f %% errors: failed in %.0f %%\n", 100*forecast.Twice.Errors, 100*forecast.Twice.Failed)
	fmt.Printf("a budget of %d requests would do\n", forecast.Budget)
	// Output:
	// right: passed in 100 % of the runs, after 919 requests
	// half of what is tolerated, 0.5 % errors: passed in 100 %
	// twice of it, 2 % errors: failed in 100 %
	// a budget of 1379 requests would do
}

// A hundred requests are too few to tell three points.
func ExampleAffordable() {
	claim := verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .9, Tolerance: .03}, {Name: "green", Want: .1, Tolerance: .03}},
		Errors: .1, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	}
	for _, p := range verdict.Affordable(claim, 100) {
		fmt.Println(p)
	}
	fmt.Println(len(verdict.Affordable(claim, 5000)), "problems with 5,000")
	// Output:
	// 100 requests cannot decide ±3 pp: about 1,700 are needed (±14 pp would do)
	// 0 problems with 5,000
}
