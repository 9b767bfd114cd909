package verdict_test

import (
	"fmt"

	"github.com/meshassay/assay/runner/verdict"
)

// Counts from anywhere are judged at once.
func Example() {
	test, err := verdict.New(verdict.Claim{
		Shares: []verdict.Share{
			{Name: "blue", Want: .4, Tolerance: .05},
			{Name: "green", Want: .4, Tolerance: .05},
			{Name: "canary", Want: .2, Tolerance: .05},
		},
		Errors: verdict.DefaultErrors,
		Alpha:  verdict.DefaultAlpha,
		Beta:   verdict.DefaultBeta,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	test.Update(verdict.Counts{Outcomes: []int64{812, 790, 398}})
	r := test.Result()
	fmt.Println(r.State, "-", r.Reason)
	for _, s := range r.Shares {
		fmt.Printf("%-6s %.1f %% (%.1f to %.1f)\n", s.Name, 100*s.Got, 100*s.Low, 100*s.High)
	}
	// Output:
	// passed - every share is within its tolerance after 2,000 answers
	// blue   40.6 % (36.5 to 44.8)
	// green  39.5 % (35.4 to 43.7)
	// canary 19.9 % (16.6 to 23.5)
}

// One answer after the other, until it is decided.
func ExampleTest_Observe() {
	test, err := verdict.New(verdict.Claim{
		Shares: []verdict.Share{{Name: "green", Want: 1}, {Name: "blue", Want: 0}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := 0; test.Look() == verdict.Undecided; n++ {
		if n == 112 {
			test.Observe(1) // blue, which must never answer
		} else {
			test.Observe(0)
		}
	}
	fmt.Println(test.Result().Reason)
	// Output: blue answered 1 of 113 and must never answer
}

// A claim that no number of requests can confirm is refused.
func ExampleNew_refused() {
	_, err := verdict.New(verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .4}, {Name: "green", Want: .5, Tolerance: .03}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	})
	fmt.Println(err)
	// Output:
	// blue: 40 % needs a tolerance: no number of requests confirms exactly 40 % (for example 3pp)
	// the shares sum to 90 %, not to 100 % (10 % is missing)
}
