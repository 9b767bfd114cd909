package verdict

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// counts are in the order of the shares, then errors, then other.
func countsOf(outcomes []int64, errors, other int64) Counts {
	return Counts{Outcomes: outcomes, Errors: errors, Other: other}
}

func TestStatesAndReasons(t *testing.T) {
	tutorial := canary(.03, .005, .001, .01)
	for _, tt := range []struct {
		name    string
		claim   Claim
		counts  Counts
		state   State
		because Cause
		reason  string
	}{
		{"nothing yet", tutorial, countsOf([]int64{0, 0, 0}, 0, 0), Undecided, "", "nothing was counted yet"},
		{"too few", tutorial, countsOf([]int64{40, 40, 20}, 0, 0), Undecided, "",
			"not decided after 100 answers: blue at 40.0 % is not yet told from 43 %; about 2,598 more would do"},
		{"right", tutorial, countsOf([]int64{4000, 4000, 2000}, 0, 0), Passed, "", "every share is within its tolerance after 10,000 answers"},
		{"above", tutorial, countsOf([]int64{1500, 1512, 1108}, 0, 0), Failed, BecauseShare, "canary is at 26.9 % of 4,120, above 23 %"},
		{"below", tutorial, countsOf([]int64{1200, 2000, 800}, 0, 0), Failed, BecauseShare, "blue is at 30.0 % of 4,000, below 37 %"},
		{"all below and above", tutorial, countsOf([]int64{417, 0, 0}, 0, 0), Failed, BecauseShare, "blue is at 100.0 % of 417, above 43 %"},
		{"not before 12.5/t", tutorial, countsOf([]int64{416, 0, 0}, 0, 0), Undecided, "",
			"not decided after 416 answers: blue at 100.0 % is above 43 %, which may be chance; about 1 more would do"},
		{"errors", tutorial, countsOf([]int64{101, 101, 51}, 13, 0), Failed, BecauseErrors, "errors are at 4.9 % of 266, above 0.5 %"},
		{"a few errors early", tutorial, countsOf([]int64{7, 7, 0}, 6, 0), Failed, BecauseErrors, "errors are at 30.0 % of 20, above 0.5 %"},
		{"an outcome that is not listed", tutorial, countsOf([]int64{45, 45, 22}, 0, 1), Failed, BecauseLeak, "1 of 113 answers are an outcome that no share names"},
		{"a leak", allBlue(0, .001, .01), countsOf([]int64{112, 0, 1}, 0, 0), Failed, BecauseLeak, "canary answered 1 of 113 and must never answer"},
		{"a tolerated leak", allBlue(.01, .001, .01), countsOf([]int64{5000, 0, 5}, 0, 0), Passed, "", "every share is within its tolerance after 5,005 answers"},
		{"never, and it did not", allBlue(0, .001, .01), countsOf([]int64{2000, 0, 0}, 0, 0), Passed, "",
			"every share is within its tolerance after 2,000 answers; green and canary never answered: below 0.5 %, with 99 %"},
		{"a leak too large", allBlue(.01, .001, .01), countsOf([]int64{970, 0, 30}, 0, 0), Failed, BecauseLeak, "canary is at 3.0 % of 1,000, above 1 %"},
		{"no error tolerated", canary(.03, 0, .001, .01), countsOf([]int64{5, 5, 1}, 1, 0), Failed, BecauseErrors, "1 of 12 requests failed, and no error is tolerated"},
		{"a twentieth of the tolerance above", evenly(.05, .005, .001, .01), countsOf([]int64{552_500_000, 447_500_000}, 0, 0), Failed, BecauseShare, "blue is at 55.2 % of 1,000,000,000, above 55 %"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := mustNew(t, tt.claim)
			if got := x.Update(tt.counts); got != tt.state {
				t.Errorf("Update says %s, want %s", got, tt.state)
			}
			r := x.Result()
			if r.State != tt.state || r.Because != tt.because || r.Reason != tt.reason || r.N != tt.counts.Total() {
				t.Errorf("got  %s, %q, %q, n %d\nwant %s, %q, %q, n %d", r.State, r.Because, r.Reason, r.N, tt.state, tt.because, tt.reason, tt.counts.Total())
			}
		})
	}
}

// From a hundred thousand to a thousand million answers the verdict is the
// same, and the intervals only get narrower.
func TestStableToAThousandMillion(t *testing.T) {
	for n := int64(100_000); n <= 1_000_000_000; n *= 10 {
		for _, tt := range []struct {
			outcomes []int64 // of 100
			errors   int64
			want     State
		}{{[]int64{40, 40, 20}, 0, Passed}, {[]int64{42, 38, 20}, 0, Passed}, {[]int64{46, 34, 20}, 0, Failed}, {[]int64{40, 39, 20}, 1, Failed}} {
			c := Counts{Errors: tt.errors * n / 100}
			for _, o := range tt.outcomes {
				c.Outcomes = append(c.Outcomes, o*n/100)
			}
			x := mustNew(t, canary(.05, .005, .001, .01))
			if got := x.Update(c); got != tt.want {
				t.Errorf("%v of %d: %s, want %s", tt.outcomes, n, got, tt.want)
			}
			for i, s := range x.Result().Shares {
				if !(s.Low <= s.Got && s.Got <= s.High) || s.High-s.Low > 20/float64(n)+.1 {
					t.Errorf("%v of %d: share %d: %g in [%g, %g]", tt.outcomes, n, i, s.Got, s.Low, s.High)
				}
			}
		}
	}
}

// An edge that was confirmed once stays confirmed: each is a claim of its own.
func TestLatching(t *testing.T) {
	// To and fro inside the box: at 1,000 answers the lower edge of blue is
	// confirmed and the upper is not, at 1,500 it is the other way round.
	x := mustNew(t, evenly(.05, .01, .001, .01))
	low, high := 1, 0
	if x.pass[high].upper == x.pass[low].upper || x.pass[low].category != 0 {
		t.Fatal("the order of edges changed")
	}
	x.Update(countsOf([]int64{510, 490}, 0, 0))
	if !x.latched[low] || x.latched[high] {
		t.Fatalf("at 51 %% of 1,000: latched %v", x.latched)
	}
	x.Update(countsOf([]int64{720, 780}, 0, 0))
	if e := &x.pass[low]; e.atLeast(720, 780, e.threshold) == 0 {
		t.Fatal("the lower edge is still confirmed by the counts: the test tests nothing")
	}
	if !x.latched[low] || x.state != Passed {
		t.Errorf("at 48 %% of 1,500: %s, latched %v", x.state, x.latched)
	}
}

// Counts of several samplers add up to the verdict of one that saw everything.
func TestMergeByAddition(t *testing.T) {
	one := mustNew(t, canary(.05, .005, .001, .01))
	var parts [3]Counts
	for i := range parts {
		parts[i].Outcomes = make([]int64, 3)
	}
	for n := 0; n < 1200; n++ {
		i := [...]int{0, 1, 2, 0, 1}[n%5]
		parts[n%3].Outcomes[i]++
		one.Observe(i)
	}
	parts[1].Errors++
	one.Observe(Error)
	var sum Counts
	for _, p := range parts {
		sum.Add(p)
	}
	if diff := cmp.Diff(one.Counts(), sum); diff != "" {
		t.Errorf("counts (-one +sum):\n%s", diff)
	}
	merged := mustNew(t, canary(.05, .005, .001, .01))
	merged.Update(sum)
	if diff := cmp.Diff(one.Result(), merged.Result()); diff != "" {
		t.Errorf("result (-one +merged):\n%s", diff)
	}
}

// What comes after the verdict is not counted: the counts are those judged.
func TestDecidedIsFinal(t *testing.T) {
	x := mustNew(t, allBlue(0, .001, .01))
	for _, i := range []int{0, 0, 2} {
		x.Observe(i)
		x.Look()
	}
	before := x.Result()
	x.Observe(0)
	x.Update(countsOf([]int64{1000000, 0, 0}, 0, 0))
	if diff := cmp.Diff(before, x.Result()); diff != "" || before.State != Failed {
		t.Errorf("%s; changed after the verdict:\n%s", before.State, diff)
	}
}

// Of a leak the first answer fails, at the very look.
func TestLeakFailsAtOnce(t *testing.T) {
	for _, leak := range []int{2, Unlisted} {
		x := mustNew(t, allBlue(0, .001, .01))
		for range 600 {
			x.Observe(0)
			x.Look()
		}
		x.Observe(leak)
		if got := x.Look(); got != Failed {
			t.Errorf("after answer %d: %s", leak, got)
		}
	}
}

func TestMisuseStops(t *testing.T) {
	x := mustNew(t, evenly(.05, .01, .001, .01))
	for name, f := range map[string]func(){
		"no share 2":         func() { x.Observe(2) },
		"no share -3":        func() { x.Observe(-3) },
		"counts of 3":        func() { x.Update(countsOf([]int64{1, 2, 3}, 0, 0)) },
		"negative":           func() { x.Update(countsOf([]int64{1, -2}, 0, 0)) },
		"counts of 1 outcom": func() { c := countsOf([]int64{1, 2}, 0, 0); c.Add(countsOf([]int64{1}, 0, 0)) },
	} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, name) {
					t.Errorf("want a panic about %q, got %q", name, text)
				}
			}()
			f()
		}()
	}
}

func TestObserveAndLookAllocateNothing(t *testing.T) {
	x := mustNew(t, canary(.05, .01, .001, .01))
	n := 0
	if a := testing.AllocsPerRun(500, func() {
		x.Observe([...]int{0, 1, 2, 0, 1}[n%5])
		x.evaluate()
		n++
	}); a != 0 {
		t.Errorf("%g allocations an answer", a)
	}
}

func TestResultAsJSON(t *testing.T) {
	x := mustNew(t, allBlue(0, .001, .01))
	x.Update(countsOf([]int64{1000, 0, 1}, 2, 0))
	r := x.Result()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"state":"failed"`, `"because":"leak"`, `"name":"canary"`, `"confidence":0.99`, `"tolerated":0.005`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("no %s in %s", want, data)
		}
	}
	var back Result
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r, back); diff != "" {
		t.Error(diff)
	}
	if err := json.Unmarshal([]byte(`{"state":"green"}`), &back); err == nil {
		t.Error("an unknown state was read")
	}
}

func TestStateOfEachShare(t *testing.T) {
	x := mustNew(t, canary(.05, .01, .001, .01))
	x.Update(countsOf([]int64{200, 220, 80}, 0, 0))
	r := x.Result()
	if r.State != Undecided || r.Errors.State != Undecided || r.Shares[2].State != Undecided {
		t.Errorf("%+v", r)
	}
	x.Update(countsOf([]int64{800, 800, 400}, 0, 0))
	for _, s := range x.Result().Shares {
		if s.State != Passed {
			t.Errorf("%s: %s", s.Name, s.State)
		}
	}
	x = mustNew(t, allBlue(0, .001, .01))
	x.Update(countsOf([]int64{1000, 0, 1}, 0, 0))
	if r := x.Result(); r.Shares[2].State != Failed || r.Shares[0].State == Failed {
		t.Errorf("%+v", r.Shares)
	}
}

// Edges that cannot be reached yet are not weighed, and Look leaves out the
// answers at which nothing can change; that changes nothing.
func TestPausesChangeNothing(t *testing.T) {
	claim := canary(.1, .01, .01, .05)
	x, y, z := mustNew(t, claim), mustNew(t, claim), mustNew(t, claim)
	for _, truth := range [][]float64{{.4, .39, .2}, {.45, .31, .22}, {.3, .3, .4}} {
		r := rand.New(rand.NewPCG(4, 4))
		for run := range 60 {
			x.restart()
			y.restart()
			z.restart()
			for x.state == Undecided && x.n < 1000 { // from 1,024 on Look looks more seldom
				i := draw(r, truth)
				x.Observe(i)
				y.Observe(i)
				z.Observe(i)
				clear(y.idlePass)
				clear(y.idleFail)
				x.evaluate()
				y.evaluate()
				z.Look()
				if !slices.Equal(x.latched, y.latched) || !slices.Equal(x.latched, z.latched) || x.state != y.state || x.state != z.state {
					t.Fatalf("%v, run %d, answer %d: %s, %s, %s; %v, %v, %v", truth, run, x.n, x.state, y.state, z.state, x.latched, y.latched, z.latched)
				}
			}
		}
	}
}

// benchmarkUpdate is one answer, counted and judged, of a mesh that is right;
// after a verdict it begins anew.
func benchmarkUpdate(b *testing.B, outcomes int) {
	c := canary(.03, .005, .001, .01)
	if outcomes != 3 {
		c.Shares = nil
		for i := range outcomes {
			c.Shares = append(c.Shares, Share{Name: string(rune('a' + i)), Want: 1 / float64(outcomes), Tolerance: .03})
		}
	}
	truth := moved(c, nil)
	r, m := rand.NewPCG(1, 1), newMesh(truth)
	answers := make([]int, 1<<16)
	for i := range answers {
		answers[i] = m.draw(r)
	}
	b.ReportAllocs()
	x, i := mustNew(b, c), 0
	for b.Loop() {
		x.Observe(answers[i&(len(answers)-1)])
		if i++; x.Look() != Undecided {
			x.restart()
		}
	}
}

func BenchmarkUpdate(b *testing.B) {
	for _, outcomes := range []int{2, 3, 5, 10} {
		b.Run(fmt.Sprint(outcomes), func(b *testing.B) { benchmarkUpdate(b, outcomes) })
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		mustNew(b, canary(.03, .005, .001, .01))
	}
}
