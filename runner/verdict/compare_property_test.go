package verdict

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The best pair of shares that are d apart is the best of a fine grid.
func TestLikelihoodIsTheGreatest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 31))
	for range 300 {
		a, b := r.Int64N(40), r.Int64N(40)
		g := gap{before: word{float64(r.Int64N(a + 1)), float64(a)}, after: word{float64(b), float64(r.Int64N(b + 1))}}
		d := 2*r.Float64() - 1
		got, best := g.likelihood(d), math.Inf(-1)
		low, high := math.Max(0, -d), math.Min(1, 1-d)
		for i := range 2001 {
			x := low + (high-low)*float64(i)/2000
			y := math.Min(math.Max(x+d, 0), 1)
			best = math.Max(best, logLikelihood(x, g.before.hits, g.before.misses)+logLikelihood(y, g.after.hits, g.after.misses))
		}
		if got < best-1e-9 || got > best+.01 && !math.IsInf(best, -1) {
			t.Fatalf("%+v, %g apart: got %g, a grid has %g", g, d, got, best)
		}
	}
}

// randomRun has some shares, some counts.
func randomRun(r *rand.Rand) Run {
	claim := canary(.01+.09*r.Float64(), .001+.01*r.Float64(), .001, .01)
	n := int64(math.Exp(r.Float64() * 12))
	return Run{Claim: claim, Counts: Counts{
		Outcomes: []int64{r.Int64N(n + 1), r.Int64N(n + 1), r.Int64N(n + 1)}, Errors: r.Int64N(1 + n/50),
	}, Attempt: r.IntN(3)}
}

// What went up one way goes down the other way round; the change seen lies
// within its bounds; the tolerance that would have passed passes.
func TestCompareProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 31))
	for range scale(60) {
		a, b := randomRun(r), randomRun(r)
		b.Claim = a.Claim // the bets on one share for both are spread as before's claim says
		c, back := compareShares(t, a, b, .05), compareShares(t, b, a, .05)
		if c.State != back.State || math.Abs(c.Power.Within-back.Power.Within) > 1e-9 {
			t.Fatalf("%v %v: %s, and the other way %s", a, b, c.Reason, back.Reason)
		}
		for i, x := range c.Changes {
			y := back.Changes[i]
			if math.Abs(x.Low+y.High) > 1e-9 || math.Abs(x.High+y.Low) > 1e-9 {
				t.Fatalf("%v %v: %+v, and the other way %+v", a, b, x, y)
			}
			if !(x.Low <= x.Got && x.Got <= x.High) || x.Low < -1 || x.High > 1 {
				t.Fatalf("%v %v: %+v", a, b, x)
			}
			if x.Before.Low > x.Before.Got || x.Before.High < x.Before.Got {
				t.Fatalf("%v: %+v", a, x)
			}
		}
		if w := c.Power.Within; w > 1e-3 && w < .99 {
			if got := compareShares(t, a, b, w*1.0001); got.State != Passed {
				t.Fatalf("%v %v: a tolerance of %g is %s", a, b, w, got.Reason)
			}
			if got := compareShares(t, a, b, w*.999); got.State == Passed {
				t.Fatalf("%v %v: less than a tolerance of %g passed", a, b, w)
			}
		}
	}
}

// More answers of the same shares tell more.
func TestMoreAnswersTellMore(t *testing.T) {
	last := Power{Within: 1, Passes: 1, Notices: 1}
	for n := int64(100); n <= 1e9; n *= 10 {
		run := ofCanary(4*n/10, 4*n/10, 2*n/10)
		c := compareShares(t, run, run, .05)
		p := c.Power
		if p.Within >= last.Within || p.Passes >= last.Passes || n >= 1000 && (p.Notices >= last.Notices || p.Notices <= .05) {
			t.Errorf("n %d: %+v after %+v", n, p, last)
		}
		if p.Passes < p.Within {
			t.Errorf("n %d: bad luck does better than none: %+v", n, p)
		}
		if n >= 1000 {
			last = p
		}
	}
	if last.Within > 1e-3 || last.Notices > .0502 {
		t.Errorf("a milliard answers: %+v", last)
	}
}

// Claims need not be alike: an outcome that one run does not name had no
// answers there, or was among those that it had no name for.
func TestCompareUnequalClaims(t *testing.T) {
	two := Run{Claim: evenly(.05, .005, .001, .01), Counts: Counts{Outcomes: []int64{5000, 5000}}}
	three := ofCanary(4000, 4000, 2000)
	c := compareShares(t, two, three, .05)
	if c.State != Failed || len(c.Changes) != 3 {
		t.Fatalf("%+v", c)
	}
	added := c.Changes[2]
	if added.Name != "canary" || added.Before.Count != 0 || added.Before.High > .005 || added.After.Got != .2 || added.State != Failed {
		t.Errorf("%+v", added)
	}
	gone := compareShares(t, three, two, .05)
	if gone.State != Failed || gone.Changes[2].Got != -.2 {
		t.Errorf("%+v", gone)
	}

	// 2,500 answers had no name: canary may have been all of them, or none.
	two.Counts.Other = 2500
	c = compareShares(t, two, three, .15)
	if canary := c.Changes[2]; c.State != Undecided || canary.State != Undecided || canary.Low > 0 || canary.High < .2 || canary.Before.High < .2 {
		t.Errorf("%+v", c)
	}
	if last := c.Changes[len(c.Changes)-1]; last.Name != "not listed" || last.Before.Count != 0 || last.Before.High < .2 || last.After.Count != 0 || last.State == Failed {
		t.Errorf("%+v", last)
	}

	// The levels are the smaller ones.
	strict := three
	strict.Claim.Alpha, strict.Claim.Beta = .0001, .02
	if c := compareShares(t, three, strict, .05); c.Alpha != .0001 || c.Beta != .01 {
		t.Errorf("levels %g and %g", c.Alpha, c.Beta)
	}
}

// The same answers, of which one run has a name for some that the other has
// not, are no change; and more of them than there can have been before are.
func TestCompareNamesThatOneRunLacks(t *testing.T) {
	for _, leak := range []float64{0, .02} {
		claim := Claim{Shares: []Share{{Name: "blue", Want: 1}}, Errors: .01, Alpha: .001, Beta: .01}
		named := claim
		named.Shares = []Share{{Name: "blue", Want: 1}, {Name: "canary"}}
		claim, named = claim.With(0, leak), named.With(0, leak)
		run := func(c Claim, blue, canary int64) Run {
			counts, _, problems := c.Named(map[string]int64{"blue": blue, "canary": canary}, 0)
			if problems != nil {
				t.Fatal(problems)
			}
			return Run{Claim: c, Counts: counts}
		}
		for _, both := range [][2]Run{
			{run(claim, 9850, 150), run(named, 9850, 150)},
			{run(named, 9850, 150), run(claim, 9850, 150)},
		} {
			c := compareShares(t, both[0], both[1], .005)
			if c.State != Undecided {
				t.Errorf("leak %g: %s", leak, c.Reason)
			}
			for _, x := range c.Changes {
				if x.Low > 0 || x.High < 0 {
					t.Errorf("leak %g: nothing changed, and %+v", leak, x)
				}
			}
		}
		if c := compareShares(t, run(claim, 9850, 150), run(named, 9400, 600), .01); c.State != Failed || c.Changes[1].Low < .02 {
			t.Errorf("leak %g: %s, %+v", leak, c.Reason, c.Changes)
		}
		if c := compareShares(t, run(claim, 9995, 5), run(named, 9995, 5), .02); c.State != Passed {
			t.Errorf("leak %g: %s", leak, c.Reason)
		}
	}
}

// An attempt of several has less to say than the only one.
func TestCompareLaterAttempts(t *testing.T) {
	sum := 0.0
	for r := range 100000 {
		sum += math.Exp(attemptPart(r))
	}
	if sum > 1 || sum < .9999 {
		t.Errorf("the parts of all attempts sum to %g", sum)
	}
	run := ofCanary(4000, 4000, 2000)
	last := 0.0
	for run.Attempt = range 6 {
		c := compareShares(t, run, run, .05)
		if c.Power.Within <= last {
			t.Errorf("attempt %d tells as much as the one before", run.Attempt)
		}
		last = c.Power.Within
	}
}

// A share fails before it is looked at long enough only where it must not be
// at all: a gateway that deals in blocks looks outright wrong at first.
func TestCompareWaitsForBlocks(t *testing.T) {
	c := compareShares(t, ofCanary(80, 15, 5), ofCanary(0, 0, 100), .05)
	if c.State != Undecided {
		t.Errorf("%s", c.Reason)
	}
	c = compareShares(t, ofCanary(800, 150, 50), ofCanary(0, 0, 1000), .05)
	if c.State != Failed {
		t.Errorf("%s", c.Reason)
	}
}
