package verdict

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func mustNewPair(t testing.TB, c Claim, tolerance, rise float64, ratio int) *Pair {
	t.Helper()
	p, err := NewPair(c, tolerance, rise, ratio)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every bet is unfavourable where it should be: a block multiplies its capital
// by 1 on average at most, for all shares of the null, at the ends of the scale
// too.
func TestPairBetsAreUnfavourable(t *testing.T) {
	for _, tolerance := range []float64{.001, .01, .05, .3, .9} {
		for _, ratio := range []float64{1, 3, 10} {
			for _, want := range []float64{0, .001, .2, .5, .98, 1} {
				for _, at := range []float64{tolerance, -tolerance} {
					what := fmt.Sprintf("%g by %g, ratio %g", want, at, ratio)
					unfavourable(t, "pass "+what, newSharePass(0, want, at, ratio), ratio, at > 0)
					unfavourable(t, "fail "+what, newShareFail(0, want, at, ratio), ratio, at < 0)
				}
			}
			what := fmt.Sprintf("errors by %g, ratio %g", tolerance, ratio)
			unfavourable(t, "pass "+what, newErrorsPass(0, tolerance, ratio), ratio, true)
			unfavourable(t, "fail "+what, newErrorsFail(0, tolerance, ratio), ratio, false)
		}
	}
}

// unfavourable tries shares whose difference is at the edge or above it (or
// below, if not above).
func unfavourable(t *testing.T, what string, e pairEdge, ratio float64, above bool) {
	t.Helper()
	if len(e.logW) == 0 {
		t.Fatalf("%s: no bets", what)
	}
	total := 0.0
	for i := range e.logW {
		total += math.Exp(e.logW[i])
		for a := 0.0; a <= 1; a += 1. / 64 {
			for _, more := range []float64{0, .003, .03, .2, .7} {
				b := a + e.at + more
				if !above {
					b = a + e.at - more
				}
				if b < 0 || b > 1 {
					continue
				}
				mean := math.Pow(factor(a, e.hitA[i], e.missA[i]), ratio) * factor(b, e.hitB[i], e.missB[i])
				if !(mean <= 1+1e-9) {
					t.Fatalf("%s, bet %d: at %g and %g a block multiplies it by %g", what, i, a, b, mean)
				}
			}
		}
	}
	if math.Abs(total-1) > 1e-9 {
		t.Fatalf("%s: the bets are %g in all", what, total)
	}
}

// factor is the mean of what an answer multiplies the capital by.
func factor(share, hit, miss float64) float64 {
	m := 0.0
	if share > 0 {
		m += share * math.Exp(hit)
	}
	if share < 1 {
		m += (1 - share) * math.Exp(miss)
	}
	return m
}

// pairPaths runs the pair so many times against two truths.
func pairPaths(t testing.TB, c Claim, tolerance, rise float64, ratio int, before, after []float64, runs, blocks int, seed uint64) (passed, failed int, mean float64) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 51))
	total := int64(0)
	for range runs {
		p := mustNewPair(t, c, tolerance, rise, ratio)
		for p.blocks < int64(blocks) && p.Look() == Undecided {
			for range ratio {
				p.Observe(Before, draw(r, before))
			}
			p.Observe(After, draw(r, after))
		}
		switch p.Look() {
		case Passed:
			passed++
		case Failed:
			failed++
		}
		total += p.blocks
	}
	return passed, failed, float64(total) / float64(runs)
}

// At the edges of what is allowed wrong verdicts are as rare as asked.
func TestPairErrorProbabilities(t *testing.T) {
	const level = .05
	two, three, zero := evenly(.05, .01, level, level), canary(.05, .01, level, level), allBlue(.01, level, level)
	for i, tt := range []struct {
		name            string
		claim           Claim
		tolerance, rise float64
		ratio           int
		before, after   []float64
		runs, blocks    int
	}{
		{"up by 10 pp", two, .1, 0, 1, []float64{.5, .5}, []float64{.6, .4}, 700, 1000},
		{"down by 10 pp, 3 to 1", two, .1, 0, 3, []float64{.5, .5}, []float64{.4, .6}, 400, 800},
		{"elsewhere than wanted", two, .1, 0, 1, []float64{.2, .8}, []float64{.3, .7}, 400, 1200},
		{"one of three", three, .1, .01, 1, []float64{.4, .4, .2}, []float64{.35, .35, .3}, 400, 1000},
		{"a leak", zero, .02, .02, 1, []float64{1, 0, 0}, []float64{.98, .02, 0}, 400, 1200},
		{"a leak that ends", zero, .02, .02, 1, []float64{.98, .02, 0}, []float64{1, 0, 0}, 400, 1200},
		{"not listed", zero, .02, 0, 1, []float64{.99, .01, 0}, []float64{.97, .01, .02}, 300, 1000},
		{"errors from none", two, 0, .01, 1, []float64{.5, .5}, []float64{.495, .495}, 600, 1500},
		{"errors from some", two, 0, .02, 1, []float64{.49, .49}, []float64{.48, .48}, 400, 1200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runs := scale(tt.runs)
			passed, failed, _ := pairPaths(t, tt.claim, tt.tolerance, tt.rise, tt.ratio, tt.before, tt.after, runs, tt.blocks, uint64(i))
			t.Logf("passed %d, failed %d of %d", passed, failed, runs)
			if exceeds(passed, runs, level) || exceeds(failed, runs, level) {
				t.Errorf("wrong: passed %d, failed %d of %d, more than %g", passed, failed, runs, level)
			}
		})
	}
}

// Where nothing changed it passes, where much changed it fails, after as many
// answers as the theory has.
func TestPairEfficiency(t *testing.T) {
	two, three, zero := Claim{Shares: []Share{{Name: "a", Want: .4, Tolerance: .05}, {Name: "b", Want: .6, Tolerance: .05}}, Errors: .01, Alpha: .001, Beta: .01}, canary(.05, .01, .001, .01), allBlue(.01, .001, .01)
	for i, tt := range []struct {
		name            string
		claim           Claim
		tolerance, rise float64
		ratio           int
		before, after   []float64
		want            State
		runs            int
		most            float64 // mean answers after
	}{
		{"40 % by 5 pp", two, .05, 0, 1, []float64{.4, .6}, []float64{.4, .6}, Passed, 200, 2681},
		{"40 % by 5 pp, 4 to 1", two, .05, 0, 4, []float64{.4, .6}, []float64{.4, .6}, Passed, 100, 1800},
		{"at 50 % although 40 % was wanted", two, .05, 0, 1, []float64{.5, .5}, []float64{.5, .5}, Passed, 100, 3200},
		{"40/40/20 and errors", three, .05, .01, 1, []float64{.4, .4, .2}, []float64{.4, .4, .2}, Passed, 100, 3300},
		{"100/0/0", zero, .01, .01, 1, []float64{1, 0, 0}, []float64{1, 0, 0}, Passed, 3, 540},
		{"errors, none", two, 0, .01, 1, []float64{.4, .6}, []float64{.4, .6}, Passed, 3, 540},
		{"errors, 1 % in both", two, 0, .01, 1, []float64{.396, .594}, []float64{.396, .594}, Passed, 150, 3000},
		{"15 points off", two, .05, 0, 1, []float64{.4, .6}, []float64{.55, .45}, Failed, 100, 1300},
		{"3 % errors", two, 0, .01, 1, []float64{.4, .6}, []float64{.388, .582}, Failed, 100, 1100},
		{"a leak of 5 %", zero, .01, .01, 1, []float64{1, 0, 0}, []float64{.95, .05, 0}, Failed, 50, 1250},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			runs := scale(tt.runs)
			passed, failed, mean := pairPaths(t, tt.claim, tt.tolerance, tt.rise, tt.ratio, tt.before, tt.after, max(runs, 1), 100000, uint64(i))
			t.Logf("passed %d, failed %d of %d, mean %.0f blocks", passed, failed, runs, mean)
			if got := map[State]int{Passed: passed, Failed: failed}[tt.want]; got < runs*99/100 {
				t.Errorf("%s in %d of %d runs", tt.want, got, runs)
			}
			if !raceEnabled && !testing.Short() && mean > 1.05*tt.most {
				t.Errorf("mean %.0f blocks, want at most %.0f", mean, tt.most)
			}
		})
	}
}

// What shifts both streams alike from time to time does not matter.
func TestPairIgnoresWhatBothShare(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 52))
	c := evenly(.05, .01, .001, .01)
	p := mustNewPair(t, c, .1, .01, 1)
	for p.blocks < 20000 && p.Look() == Undecided {
		share := .5 + .3*math.Sin(float64(p.blocks)/200)
		p.Observe(Before, draw(r, []float64{share, 1 - share}))
		p.Observe(After, draw(r, []float64{share, 1 - share}))
	}
	if p.Look() != Passed {
		t.Errorf("%s", p.Result().Reason)
	}
}

// In which order the two streams come does not matter, only the order in each.
func TestPairWaitsForTheOther(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 52))
	c := canary(.05, .01, .001, .01)
	for _, ratio := range []int{1, 3} {
		var before, after []int
		for range 1200 {
			after = append(after, draw(r, []float64{.4, .4, .19}))
			for range ratio {
				before = append(before, draw(r, []float64{.4, .4, .2}))
			}
		}
		inTurn := mustNewPair(t, c, .1, .01, ratio)
		for i := range after {
			for j := range ratio {
				inTurn.Observe(Before, before[i*ratio+j])
			}
			inTurn.Observe(After, after[i])
		}
		mixed := mustNewPair(t, c, .1, .01, ratio)
		for a, b := 0, 0; a < len(before) || b < len(after); {
			if b == len(after) || a < len(before) && r.IntN(5) > 0 {
				mixed.Observe(Before, before[a])
				a++
			} else {
				mixed.Observe(After, after[b])
				b++
			}
		}
		if x, y := fmt.Sprintf("%+v", inTurn.Result()), fmt.Sprintf("%+v", mixed.Result()); x != y {
			t.Errorf("ratio %d: in turn %s\nmixed %s", ratio, x, y)
		}
		if n := inTurn.Counts(Before).Total(); n != int64(ratio)*inTurn.Counts(After).Total() || n == 0 {
			t.Errorf("%d answers before, %d after", n, inTurn.Counts(After).Total())
		}
	}
}

func TestPairSaysWhy(t *testing.T) {
	feed := func(p *Pair, n int, before, after []int) *Pair {
		for i := range n {
			p.Observe(Before, before[i%len(before)])
			p.Observe(After, after[i%len(after)])
			p.Look()
		}
		return p
	}
	zero := allBlue(.01, .001, .01)
	blocks := []int{0, 0, 1, 1, 2}
	c := canary(.05, .01, .001, .01)
	for _, tt := range []struct {
		name  string
		pair  *Pair
		state State
		want  string
	}{
		{"nothing", mustNewPair(t, c, .05, .01, 1), Undecided, "nothing was counted before or after"},
		{"the same", feed(mustNewPair(t, c, .05, .01, 1), 5000, blocks, blocks), Passed, "no share changed by more than 5 pp and errors did not rise by more than 1 pp (1,854 answers before, 1,854 after)"},
		{"errors only", feed(mustNewPair(t, c, 0, .01, 1), 600, blocks, blocks), Passed, "errors did not rise by more than 1 pp (540 answers before, 540 after)"},
		{"few", feed(mustNewPair(t, c, .05, .01, 1), 500, blocks, blocks), Undecided, "not decided (500 answers before, 500 after): blue may have fallen by up to 11 pp"},
		{"fewer", feed(mustNewPair(t, c, .05, .01, 1), 100, blocks, blocks), Undecided, "not decided (100 answers before, 100 after): the share of errors may have risen by up to 5.9 pp; no share fails before 250 answers of each"},
		{"off", feed(mustNewPair(t, c, .05, .01, 1), 5000, blocks, []int{0, 1, 2, 2, 2}), Failed, "canary rose from 20 % to 60 %, by more than 5 pp (250 answers before, 250 after)"},
		{"not listed", feed(mustNewPair(t, zero, .01, .01, 1), 5000, []int{0}, []int{0, Unlisted}), Failed, "the share of what is not listed rose from 0 % to 50 %, by more than 1 pp (1,250 answers before, 1,250 after)"},
		{"not listed, and a leak tolerated", feed(mustNewPair(t, zero.With(0, .01), .01, .01, 1), 5000, []int{0}, []int{0, Unlisted, 3, 0}), Failed, "the share of what is not listed rose from 0 % to 50 %, by more than 1 pp (1,250 answers before, 1,250 after)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.pair.Result()
			if got.State != tt.state || got.Reason != tt.want || tt.pair.Look() != tt.state {
				t.Errorf("got  %s: %s\nwant %s: %s", got.State, got.Reason, tt.state, tt.want)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Error(err)
			}
			rows := 0
			for _, r := range got.Changes {
				if r.State == Failed {
					rows++
				}
				if r.State == Undecided && got.State == Passed {
					t.Errorf("passed although %s is undecided", r.Name)
				}
			}
			if (rows == 1) != (got.State == Failed) {
				t.Errorf("%s, and %d rows failed", got.State, rows)
			}
		})
	}
}

func TestNewPairRefuses(t *testing.T) {
	c := canary(.05, .01, .001, .01)
	for _, tt := range []struct {
		name            string
		claim           Claim
		tolerance, rise float64
		ratio           int
		want            string
	}{
		{"nothing to judge", c, 0, 0, 1, "neither a tolerance nor a rise is given (for example 0.05 and 0.005)"},
		{"too much", c, 1, math.NaN(), 1, "a tolerance of 100 pp cannot be judged (0.0001 to less than 100 points, or 0 where it is not judged)\na rise of NaN pp cannot be judged (0.0001 to less than 100 points, or 0 where it is not judged)"},
		{"no ratio", c, .05, .01, 0, "a ratio of 0 answers before for one after (1 to 1000)"},
		{"no claim", Claim{Alpha: .001, Beta: .01}, .05, .01, 1, "no shares (name at least one outcome and its share)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewPair(tt.claim, tt.tolerance, tt.rise, tt.ratio); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	p := mustNewPair(t, c, .05, .01, 1)
	for what, f := range map[string]func(){
		"no share 3 in a claim of 3": func() { p.Observe(Before, 3) },
		"no arm 2 in a pair":         func() { p.Observe(2, 0) },
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), what) {
					t.Errorf("got %v, want %s", r, what)
				}
			}()
			f()
		}()
	}
}

// An answer costs no memory when the streams come in turn.
func TestPairDoesNotAllocate(t *testing.T) {
	p := mustNewPair(t, canary(.001, .01, .001, .01), .001, .001, 1)
	i := 0
	if n := testing.AllocsPerRun(5000, func() {
		p.Observe(Before, i%3)
		p.Observe(After, (i+1)%3)
		p.Look()
		i++
	}); n > 0.1 {
		t.Errorf("%g allocations an answer", n)
	}
}

func BenchmarkPair(b *testing.B) {
	p := mustNewPair(b, canary(.001, .01, .001, .01), .001, .001, 1)
	r := rand.New(rand.NewPCG(1, 53))
	answers := make([]int, 1<<16)
	for i := range answers {
		answers[i] = draw(r, []float64{.4, .4, .2})
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.Observe(Before, answers[i&(1<<16-1)])
		p.Observe(After, answers[(i+77)&(1<<16-1)])
		p.Look()
	}
}
