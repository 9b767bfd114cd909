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
		fmt.Printf("%-6s %.1f %% (%s)\n", s.Name, 100*s.Got, verdict.Known(s.Low, s.High, r.Confidence))
	}
	// Output:
	// passed - every share is within its tolerance after 2,000 answers
	// blue   40.6 % (36.4 % to 44.9 %, with 99 %)
	// green  39.5 % (35.3 % to 43.8 %, with 99 %)
	// canary 19.9 % (16.6 % to 23.5 %, with 99 %)
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

// Counts of several samplers are added up. Each call replaces what was counted
// before, and looks; more may come as long as it is undecided.
func ExampleTest_Update() {
	test, err := verdict.New(verdict.Claim{
		Shares: []verdict.Share{{Name: "blue", Want: .8, Tolerance: .05}, {Name: "canary", Want: .2, Tolerance: .05}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := verdict.Counts{Outcomes: []int64{160, 60}}
	second := verdict.Counts{Outcomes: []int64{150, 70}, Errors: 1}
	for range 3 {
		var all verdict.Counts
		all.Add(first)
		all.Add(second)
		test.Update(all)
		r := test.Result()
		fmt.Println(r.State, "-", r.Reason)
		first.Add(verdict.Counts{Outcomes: []int64{320, 120}})
		second.Add(verdict.Counts{Outcomes: []int64{300, 140}})
	}
	// Output:
	// undecided - not decided after 441 answers: blue at 70.3 % is below 75 %, which may be chance; about 1,190 more would do
	// undecided - not decided after 1,321 answers: blue at 70.4 % is below 75 %, which may be chance; about 436 more would do
	// failed - blue is at 70.4 % of 2,201, below 75 %
}

// Answers come back in any order and are judged in that of their requests.
func ExampleOrder() {
	order := verdict.NewOrder(100)
	for _, answer := range []struct {
		number  int64
		outcome int
	}{{1, 0}, {2, 1}, {0, verdict.Error}, {3, 0}} {
		order.Put(answer.number, answer.outcome)
		for outcome, ok := order.Take(); ok; outcome, ok = order.Take() {
			fmt.Print(outcome, " ") // test.Observe(outcome)
		}
	}
	// Output: -1 0 1 0
}

// Two samplers put their counts after every 50 answers of their own; a round is
// judged when both have put it.
func ExampleRounds() {
	rounds := verdict.NewRounds(2, 10)
	rounds.Put(0, verdict.Counts{Outcomes: []int64{40, 10}})
	rounds.Put(0, verdict.Counts{Outcomes: []int64{79, 21}}) // quick
	rounds.Put(1, verdict.Counts{Outcomes: []int64{31, 19}}) // it met the slow canary more often
	for c, ok := rounds.Take(); ok; c, ok = rounds.Take() {
		fmt.Println(c.Outcomes) // test.Update(c)
	}
	// Output: [71 29]
}

// While a change is on its way the first attempts may fail; each next one has
// stricter thresholds, so that trying again does not make a wrong verdict likelier.
func ExampleSettling() {
	s, err := verdict.NewSettling(verdict.Claim{
		Shares: []verdict.Share{{Name: "green", Want: 1}, {Name: "blue", Want: 0}},
		Errors: verdict.DefaultErrors, Alpha: verdict.DefaultAlpha, Beta: verdict.DefaultBeta,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for n := 0; s.Look() != verdict.Passed; n++ {
		if s.Look() == verdict.Failed {
			fmt.Printf("attempt %d: %s; wait %s\n", s.Attempt(), s.Result().Reason, s.Pause())
			s.Restart()
		}
		if n < 2 {
			s.Observe(1) // the old destination still answers
		} else {
			s.Observe(0)
		}
	}
	fmt.Printf("attempt %d: %s\n", s.Attempt(), s.Result().Reason)
	// Output:
	// attempt 0: blue answered 1 of 1 and must never answer; wait 100ms
	// attempt 1: blue answered 1 of 1 and must never answer; wait 200ms
	// attempt 2: every share is within its tolerance after 1,545 answers; blue never answered: below 0.5 %, with 99.9 %
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
