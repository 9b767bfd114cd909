package shares_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/onsi/gomega"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/verdict"
	"github.com/meshassay/assay/suites/shares"
)

// assertion says what Gomega makes of it: "" for green, else the message.
func assertion(try func(g gomega.Gomega)) (message string) {
	g := gomega.NewGomega(func(text string, _ ...int) { message = text })
	try(g)
	return message
}

var tutorial = shares.Want{"blue": 40, "green": 40, "canary": 20}

// Neither To nor NotTo is green on doubt.
func TestThreeAnswers(t *testing.T) {
	right := map[string]int64{"blue": 812, "green": 790, "canary": 398}
	wrong := map[string]int64{"blue": 1240, "green": 1900, "canary": 860, "errors": 1}
	few := map[string]int64{"blue": 41, "green": 38, "canary": 21}
	var b strings.Builder
	for _, tt := range []struct {
		name      string
		counts    map[string]int64
		to, notTo bool // green
	}{{"right", right, true, false}, {"wrong", wrong, false, true}, {"few", few, false, false}} {
		to := assertion(func(g gomega.Gomega) { g.Expect(tt.counts).To(shares.Match(tutorial, shares.Within(5))) })
		notTo := assertion(func(g gomega.Gomega) { g.Expect(tt.counts).NotTo(shares.Match(tutorial, shares.Within(5))) })
		if (to == "") != tt.to || (notTo == "") != tt.notTo {
			t.Errorf("%s: To says %q, NotTo says %q", tt.name, to, notTo)
		}
		fmt.Fprintf(&b, "Expect(%s).To(Match)\n%s\n\nExpect(%s).NotTo(Match)\n%s\n\n", tt.name, green(to), tt.name, green(notTo))
	}
	// How good the estimate is, is a matter of the package verdict.
	golden.Compare(t, "testdata/three.golden", regexp.MustCompile(`about [0-9,]+ more`).ReplaceAllString(b.String(), "about N more"))
}

func green(message string) string {
	if message == "" {
		return "green"
	}
	return message
}

func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name    string
		counts  any
		want    shares.Want
		options []shares.Option
		says    string // "" for green
	}{
		{"int, and a type of one's own", map[color]int{"blue": 812, "green": 790, "canary": 398}, tutorial, []shares.Option{shares.Within(5)}, ""},
		{"unsigned", map[string]uint32{"blue": 812, "green": 790, "canary": 398}, tutorial, []shares.Option{shares.Within(5)}, ""},
		{"one share more exactly", map[string]int{"blue": 812, "green": 790, "canary": 398}, tutorial, []shares.Option{shares.Within(5), shares.WithinOf("canary", 2)}, "canary  20 % +- 2 pp"},
		{"no leak", map[string]int{"blue": 1500, "green": 3}, shares.Want{"blue": 100, "green": 0}, nil, "green answered 3 of 1,503 and must never answer"},
		{"a leak", map[string]int{"blue": 1500, "green": 3}, shares.Want{"blue": 100, "green": 0}, []shares.Option{shares.Leak(1)}, ""},
		{"a leak of others", map[string]int{"blue": 1500, "pink": 3}, shares.Want{"blue": 100}, []shares.Option{shares.Leak(1)}, ""},
		{"no errors", map[string]int{"blue": 1500, "errors": 1}, shares.Want{"blue": 100}, []shares.Option{shares.Errors(0)}, "1 of 1,501 requests failed, and no error is tolerated"},
		{"errors", map[string]int{"blue": 1500, "errors": 6}, shares.Want{"blue": 100}, []shares.Option{shares.Errors(2)}, ""},
		{"more sure", map[string]int{"blue": 812, "green": 790, "canary": 398}, tutorial, []shares.Option{shares.Within(5), shares.Beta(1e-4)}, "to decide: about"},
		{"sooner", map[string]int{"blue": 360, "green": 180, "canary": 100}, tutorial, []shares.Option{shares.Within(5), shares.Errors(20), shares.Alpha(.2)}, "at most 0.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := assertion(func(g gomega.Gomega) { g.Expect(tt.counts).To(shares.Match(tt.want, tt.options...)) })
			if !strings.Contains(got, tt.says) || tt.says == "" && got != "" {
				t.Errorf("got\n%s\nwant in it %q", got, tt.says)
			}
		})
	}
}

type color string

// What cannot be judged is red both ways, and says everything that is wrong.
func TestMisuse(t *testing.T) {
	claim := verdict.Claim{Shares: []verdict.Share{{Name: "blue", Want: 1}}, Errors: .005, Alpha: .001, Beta: .01}
	for _, tt := range []struct {
		counts  any
		matcher interface {
			Match(any) (bool, error)
		}
		says []string
	}{
		{"812", shares.Match(tutorial, shares.Within(5)), []string{`want counts by name such as map[string]int64{"blue": 812}, got string`}},
		{nil, shares.Match(tutorial, shares.Within(5)), []string{"got <nil>"}},
		{(*verdict.Counts)(nil), shares.MatchClaim(claim), []string{"got *verdict.Counts"}},
		{map[string]float64{"blue": 40}, shares.Match(tutorial, shares.Within(5)), []string{"got map[string]float64"}},
		{map[string]int{"blue": 1, "green": -2, "canry": 3, "errors": -1},
			shares.Match(shares.Want{"blue": 40, "green": 40, "canary": 10, "error": 5}, shares.Within(0), shares.WithinOf("pink", 3), shares.WithinOf("blue", -1)), []string{
				`"error" cannot name an outcome`, "shares.Within(0): no number of answers confirms that; for example 3",
				`shares.WithinOf("pink", 3): no such outcome is wanted (known are blue, green, canary and error)`, `shares.WithinOf("blue", -1)`,
				"the shares sum to 95 %, not to 100 % (5 % is missing)", "canary: has no count (one that is not wanted has: did you mean canry?)",
				`error: has no count ("error": 0 says that it never came)`, "green: -2: a count cannot be negative", "-1 errors: a count cannot be negative"}},
		{map[string]uint64{"blue": 1 << 63}, shares.Match(shares.Want{"blue": 100}), []string{"a count cannot be negative"}},
		{verdict.Counts{Outcomes: []int64{1}}, shares.Match(shares.Want{"blue": 100}), []string{"use shares.MatchClaim"}},
		{verdict.Counts{Outcomes: []int64{1, 2}}, shares.MatchClaim(claim), []string{"counts of 2 outcomes for a claim of 1"}},
		{verdict.Counts{Outcomes: []int64{-1}}, shares.MatchClaim(claim), []string{"a count cannot be negative"}},
		{verdict.Counts{}, shares.MatchClaim(verdict.Claim{}), []string{"no shares"}},
	} {
		ok, err := tt.matcher.Match(tt.counts)
		if ok || err == nil {
			t.Errorf("%v: no error", tt.counts)
			continue
		}
		for _, want := range tt.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: got\n%v\nwant in it %q", tt.counts, err, want)
			}
		}
	}
}

func TestMatchClaim(t *testing.T) {
	m := shares.MatchClaim(verdict.Claim{Shares: []verdict.Share{{Name: "blue", Want: 1}, {Name: "green"}}, Errors: .005, Alpha: .001, Beta: .01})
	for _, counts := range []any{
		verdict.Counts{Outcomes: []int64{1500, 0}}, &verdict.Counts{Outcomes: []int64{1500, 0}}, map[string]int{"blue": 1500, "green": 0},
	} {
		if ok, err := m.Match(counts); !ok || err != nil {
			t.Errorf("%v: %t, %v", counts, ok, err)
		}
	}
	if ok, err := m.Match(verdict.Counts{Outcomes: []int64{1500, 1}}); ok || err != nil {
		t.Errorf("a leak: %t, %v", ok, err)
	}
}

// Eventually goes on while it is undecided.
func TestEventually(t *testing.T) {
	polls := 0
	growing := func() map[string]int64 {
		polls++
		return map[string]int64{"blue": int64(polls) * 100, "green": int64(polls) * 100}
	}
	match := shares.Match(shares.Want{"blue": 50, "green": 50}, shares.Within(5))
	got := assertion(func(g gomega.Gomega) {
		g.Eventually(growing).WithTimeout(time.Minute).WithPolling(time.Microsecond).Should(match)
	})
	if got != "" || polls < 2 {
		t.Errorf("%d polls, %s", polls, got)
	}
	few := func() map[string]int64 { return map[string]int64{"blue": 1, "green": 1} }
	got = assertion(func(g gomega.Gomega) {
		g.Eventually(few).WithTimeout(time.Millisecond).WithPolling(time.Microsecond).Should(match)
	})
	if !strings.Contains(got, "to decide: about ") || strings.Contains(got, "record.Sample") {
		t.Errorf("of too few: %s", got)
	}
}
