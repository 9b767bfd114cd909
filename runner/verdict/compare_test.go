package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// stopped runs a claim's test against the truth until its verdict or the
// budget: a stored run.
func stopped(t testing.TB, r *rand.Rand, c Claim, truth []float64, budget int64) Run {
	t.Helper()
	x := mustNew(t, c)
	for x.n < budget && x.Look() == Undecided {
		x.Observe(draw(r, truth))
	}
	return Run{Claim: c, Counts: x.Counts()}
}

// stateOf compares without what it could have seen, which takes longest.
func stateOf(rows []row, before, after Run, from int64) State {
	c := newComparison(before, after)
	for i := range rows {
		rows[i].weigh(c.Beta)
	}
	c.judge(rows, from)
	return c.State
}

// Both runs are stopped by their own verdict, and the change between them is
// just what is allowed, or none: wrong verdicts are as rare as asked, and the
// bounds of every row hold.
func TestCompareHoldsForRunsStoppedByTheirVerdict(t *testing.T) {
	const level = .05
	for i, tt := range []struct {
		name          string
		claim         Claim
		before, after []float64
		tolerance     float64
		budget        int64
		runs          int
	}{
		{"50/50, from edge to edge", evenly(.05, .01, level, level), []float64{.45, .55}, []float64{.55, .45}, .1, 4000, 400},
		{"50/50, from right to beyond", evenly(.05, .01, level, level), []float64{.5, .5}, []float64{.6, .4}, .1, 4000, 500},
		{"40/40/20, two shares", canary(.05, .01, level, level), []float64{.4, .4, .2}, []float64{.45, .35, .2}, .05, 4000, 300},
		{"40/40/20, to the canary", canary(.1, .01, level, level), []float64{.4, .4, .2}, []float64{.35, .35, .3}, .1, 2000, 500},
		{"100/0/0, a leak", allBlue(.02, level, level), []float64{.999, 0, 0}, []float64{.979, .02, 0}, .02, 3000, 500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 21))
			runs := scale(tt.runs)
			passed, failed, missed, answers := 0, 0, make([]int, len(tt.before)), int64(0)
			for range runs {
				a, b := stopped(t, r, tt.claim, tt.before, tt.budget), stopped(t, r, tt.claim, tt.after, tt.budget)
				answers += a.Counts.Total() + b.Counts.Total()
				rows := splitRows(a, b, tt.tolerance)
				switch stateOf(rows, a, b, failFrom(tt.tolerance)) {
				case Passed:
					passed++
				case Failed:
					failed++
				}
				for k := range tt.before {
					if d := tt.after[k] - tt.before[k]; d < rows[k].Low || d > rows[k].High {
						missed[k]++
					}
				}
			}
			t.Logf("passed %d, failed %d, bounds missed %d of %d, mean %d answers", passed, failed, missed, runs, answers/int64(2*runs))
			// A change of exactly the tolerance is on both edges.
			if exceeds(passed, runs, level) {
				t.Errorf("passed wrongly in %d of %d", passed, runs)
			}
			if exceeds(failed, runs, level) {
				t.Errorf("failed wrongly in %d of %d", failed, runs)
			}
			for k, n := range missed {
				if exceeds(n, runs, level) {
					t.Errorf("the bounds of share %d missed the truth in %d of %d", k, n, runs)
				}
			}
		})
	}
}

// The second run is stopped by somebody who wants the comparison to come out
// and looks at it all the time. A comparison made for fixed sizes gives way,
// this one does not.
func TestCompareHoldsAgainstAnImpatientReader(t *testing.T) {
	const level, tolerance = .05, .1
	for i, tt := range []struct {
		name       string
		want       State
		p, q       float64
		fixedWrong float64 // of the fixed-size comparison, at least
	}{
		{"wants it passed", Passed, .45, .55, .1},
		{"wants it failed", Failed, .45, .55, .1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 22))
			c := evenly(.05, .01, level, level)
			runs, wrong, fixed := scale(200), 0, 0
			for range runs {
				before := stopped(t, r, c, []float64{tt.p, 1 - tt.p}, 2000)
				after := Run{Claim: c, Counts: Counts{Outcomes: []int64{0, 0}}}
				gotWrong, gotFixed := false, false
				for n := int64(1); n <= 3000 && !(gotWrong && gotFixed); n++ {
					after.Counts.Outcomes[draw(r, []float64{tt.q, 1})]++
					if n%100 != 0 {
						continue
					}
					rows := []row{newRow("blue", tolerance, before.share("blue"), after.share("blue"))}
					gotWrong = gotWrong || stateOf(rows, before, after, 0) == tt.want
					gotFixed = gotFixed || fixedSize(before.Counts, after.Counts, tolerance) == tt.want
				}
				if gotWrong {
					wrong++
				}
				if gotFixed {
					fixed++
				}
			}
			t.Logf("wrong in %d of %d, for fixed sizes in %d", wrong, runs, fixed)
			if exceeds(wrong, runs, level) {
				t.Errorf("wrong in %d of %d", wrong, runs)
			}
			if float64(fixed) < tt.fixedWrong*float64(runs) {
				t.Errorf("the reader does no harm: a comparison for fixed sizes was wrong in %d of %d only", fixed, runs)
			}
		})
	}
}

// fixedSize is the usual comparison of two samples of fixed size at 5 %.
func fixedSize(a, b Counts, tolerance float64) State {
	p, q := float64(a.Outcomes[0])/float64(a.Total()), float64(b.Outcomes[0])/float64(b.Total())
	wide := 1.645 * math.Sqrt(p*(1-p)/float64(a.Total())+q*(1-q)/float64(b.Total()))
	switch d := math.Abs(q - p); {
	case d+wide < tolerance:
		return Passed
	case d-wide > tolerance:
		return Failed
	}
	return Undecided
}

// Errors: wrong verdicts at the edge, for runs stopped by their verdict.
func TestCompareErrorsHolds(t *testing.T) {
	const level = .05
	for i, tt := range []struct {
		before, after, rise float64 // shares of errors
	}{{0, .01, .01}, {.01, .03, .02}, {.002, .022, .02}} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(uint64(i), 23))
			c := evenly(.05, .02, level, level)
			runs, passed, failed := scale(600), 0, 0
			for range runs {
				a := stopped(t, r, c, []float64{.5 - tt.before/2, .5 - tt.before/2}, 3000)
				b := stopped(t, r, c, []float64{.5 - tt.after/2, .5 - tt.after/2}, 3000)
				switch stateOf([]row{errorsRow(a, b, tt.rise)}, a, b, 0) {
				case Passed:
					passed++
				case Failed:
					failed++
				}
			}
			t.Logf("passed %d, failed %d of %d", passed, failed, runs)
			if exceeds(passed, runs, level) || exceeds(failed, runs, level) {
				t.Errorf("wrong: passed %d, failed %d of %d", passed, failed, runs)
			}
		})
	}
}

// What Power says is so: nine times in ten, and not much more often.
func TestPowerIsWhatItSays(t *testing.T) {
	long := !raceEnabled && !testing.Short()
	claim := canary(.05, .01, .001, .01)
	truth := []float64{.4, .4, .2}
	const nA, nB = 3000, 5000
	expected := func(n int64, shares []float64) Run {
		run := Run{Claim: claim}
		for _, p := range shares {
			run.Counts.Outcomes = append(run.Counts.Outcomes, int64(math.Round(p*float64(n))))
		}
		return run
	}
	const tolerance = .05
	c, err := CompareShares(expected(nA, truth), expected(nB, truth), tolerance)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", c.Power)
	r := rand.New(rand.NewPCG(1, 24))
	rate := func(after []float64, tolerance float64, want State) float64 {
		runs, hits := scale(300), 0
		for range runs {
			a, b := fixedRun(r, claim, truth, nA), fixedRun(r, claim, after, nB)
			if stateOf(splitRows(a, b, tolerance), a, b, failFrom(tolerance)) == want {
				hits++
			}
		}
		return float64(hits) / float64(runs)
	}
	moved := func(d float64) []float64 { return []float64{.4 - d, .4, .2 + d} }
	for _, tt := range []struct {
		what      string
		got       float64
		low, high float64
	}{
		{"passes where nothing changed", rate(truth, c.Power.Passes, Passed), .87, 1},
		{"passes with 0.8 times that", rate(truth, .8*c.Power.Passes, Passed), 0, .87},
		{"fails at the change", rate(moved(c.Power.Notices), tolerance, Failed), .87, 1},
		{"fails at a little more than the tolerance", rate(moved(tolerance+.5*(c.Power.Notices-tolerance)), tolerance, Failed), 0, .8},
	} {
		t.Logf("%s: %.3f", tt.what, tt.got)
		if long && (tt.got < tt.low || tt.got > tt.high) {
			t.Errorf("%s: in %.3f of the runs, want from %g to %g", tt.what, tt.got, tt.low, tt.high)
		}
	}
	// And the errors: none before, and the rise that is said to be noticed.
	e, err := CompareErrors(expected(nA, truth), expected(nB, truth), .005)
	if err != nil {
		t.Fatal(err)
	}
	hits, runs := 0, scale(300)
	for range runs {
		d := e.Power.Notices
		a, b := fixedRun(r, claim, truth, nA), fixedRun(r, claim, []float64{.4 * (1 - d), .4 * (1 - d), .2 * (1 - d)}, nB)
		if stateOf([]row{errorsRow(a, b, .005)}, a, b, 0) == Failed {
			hits++
		}
	}
	if got := float64(hits) / float64(runs); long && (got < .85 || got > .97) {
		t.Errorf("a rise of %g is noticed in %.3f of the runs", e.Power.Notices, got)
	}
}

func fixedRun(r *rand.Rand, c Claim, truth []float64, n int) Run {
	run := Run{Claim: c, Counts: Counts{Outcomes: make([]int64, len(truth))}}
	for range n {
		if i := draw(r, truth); i == Error {
			run.Counts.Errors++
		} else {
			run.Counts.Outcomes[i]++
		}
	}
	return run
}

func compareShares(t testing.TB, before, after Run, tolerance float64) Comparison {
	t.Helper()
	c, err := CompareShares(before, after, tolerance)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func ofCanary(blue, green, yellow int64) Run {
	return Run{Claim: canary(.05, .005, .001, .01), Counts: Counts{Outcomes: []int64{blue, green, yellow}}}
}

// What is said in words.
func TestCompareSaysWhy(t *testing.T) {
	right := ofCanary(4020, 3990, 1990)
	short := ofCanary(82, 80, 38)
	other := right
	other.Counts.Other = 900
	some := right
	some.Counts.Errors = 30
	broken := right
	broken.Counts.Errors = 900
	for _, tt := range []struct {
		name          string
		before, after Run
		tolerance     float64
		state         State
		want          string
	}{
		{"the same", right, right, .05, Passed, "no share changed by more than 5 pp (10,000 answers before, 10,000 after)"},
		{"up", right, ofCanary(3500, 3500, 3000), .05, Failed, "canary rose from 19.9 % to 30 %, by more than 5 pp (10,000 answers before, 10,000 after)"},
		{"down", ofCanary(3500, 3500, 3000), right, .05, Failed, "canary fell from 30 % to 19.9 %, by more than 5 pp (10,000 answers before, 10,000 after)"},
		{"too short", short, short, .05, Undecided, "not decided (200 answers before, 200 after): blue may have risen by up to 17 pp; no share fails before 250 answers of each; if nothing changed, so many answers would confirm 29.1 pp, and no change would have been noticed"},
		{"not listed", right, other, .05, Failed, "the share of what is not listed rose from 0 % to 8.3 %, by more than 5 pp (10,000 answers before, 10,900 after)"},
		{"nothing before", ofCanary(0, 0, 0), right, .05, Undecided, "nothing was counted before"},
		{"nothing after", right, ofCanary(0, 0, 0), .05, Undecided, "nothing was counted after"},
		{"nothing", ofCanary(0, 0, 0), ofCanary(0, 0, 0), .05, Undecided, "nothing was counted before or after"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := compareShares(t, tt.before, tt.after, tt.tolerance)
			if got.State != tt.state || got.Reason != tt.want {
				t.Errorf("got  %s: %s\nwant %s: %s", got.State, got.Reason, tt.state, tt.want)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Error(err)
			}
		})
	}
	for _, tt := range []struct {
		name          string
		before, after Run
		state         State
		want          string
	}{
		{"none", right, right, Passed, "errors did not rise by more than 0.5 pp (10,000 answers before, 10,000 after)"},
		{"fewer", broken, right, Passed, "errors did not rise by more than 0.5 pp (10,900 answers before, 10,000 after)"},
		{"many", right, broken, Failed, "the share of errors rose from 0 % to 8.3 %, by more than 0.5 pp (10,000 answers before, 10,900 after)"},
		{"some", right, some, Undecided, "not decided (10,000 answers before, 10,030 after): the share of errors may have risen by up to 0.66 pp; if nothing changed, so many answers would confirm 0.33 pp, and a rise of 1.1 pp or more would have been noticed"},
	} {
		t.Run("errors: "+tt.name, func(t *testing.T) {
			got, err := CompareErrors(tt.before, tt.after, .005)
			if err != nil || got.State != tt.state || got.Reason != tt.want {
				t.Errorf("got  %s: %s %v\nwant %s: %s", got.State, got.Reason, err, tt.state, tt.want)
			}
		})
	}
}

// What cannot be compared is refused, all mistakes at once.
func TestCompareRefuses(t *testing.T) {
	right := ofCanary(400, 400, 200)
	bad := ofCanary(400, -1, 200)
	bad.Counts.Errors = -2
	bad.Attempt = -1
	for _, tt := range []struct {
		name          string
		before, after Run
		tolerance     float64
		want          string
	}{
		{"negative counts", right, bad, .05, "after: green: a count of -1 (counts are 0 or more)\nafter: counts of -2 errors and 0 others (counts are 0 or more)\nafter: attempt -1 (attempts are numbered from 0)"},
		{"other counts", Run{Claim: right.Claim}, right, .05, "before: counts of 0 outcomes for a claim of 3 (one count for each share, in the order of the shares)"},
		{"no claim", Run{}, right, .05, "before: no shares (name at least one outcome and its share)"},
		{"a tolerance of nothing", right, right, 0, "a tolerance of 0 pp cannot be judged (0.0001 to less than 100 points; no number of answers confirms that nothing at all changed)"},
		{"a tolerance of everything", right, right, 1, "a tolerance of 100 pp cannot be judged"},
		{"no number", right, right, math.NaN(), "a tolerance of NaN pp cannot be judged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := CompareShares(tt.before, tt.after, tt.tolerance)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := CompareErrors(right, right, 2); err == nil || !strings.HasPrefix(err.Error(), "a rise of 200 pp cannot be judged") {
		t.Errorf("got %v", err)
	}
}

// A stored result is enough to compare by.
func TestRunOfAResult(t *testing.T) {
	x := mustNew(t, allBlue(0, .001, .01))
	x.Update(countsOf([]int64{990, 0, 0}, 10, 0))
	run := x.Result().Run()
	want := Run{Claim: x.Claim(), Counts: x.Counts()}
	for i, s := range want.Claim.Shares {
		if s.Want == 0 && s.Leak == 0 {
			want.Claim.Shares[i].Resolution = DefaultResolution // what it means
		}
	}
	if fmt.Sprint(run) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", run, want)
	}
}
