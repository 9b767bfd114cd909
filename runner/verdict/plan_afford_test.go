package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Mistakes at the claim, with what would do.
func TestAffordable(t *testing.T) {
	// Numbers may differ a little: they follow from the bets that edges place.
	number := regexp.MustCompile(`[0-9][0-9,.]*`)
	like := func(got, want string) bool {
		if number.ReplaceAllString(got, "#") != number.ReplaceAllString(want, "#") {
			return false
		}
		g, w := number.FindAllString(got, -1), number.FindAllString(want, -1)
		for i := range g {
			x, _ := strconv.ParseFloat(strings.ReplaceAll(g[i], ",", ""), 64)
			y, _ := strconv.ParseFloat(strings.ReplaceAll(w[i], ",", ""), 64)
			if math.Abs(x-y) > .12*math.Abs(y) {
				return false
			}
		}
		return true
	}
	mixed := Claim{
		Shares: []Share{{Name: "blue", Want: .7, Tolerance: .05}, {Name: "green", Want: .2, Tolerance: .01}, {Name: "canary", Want: .1, Tolerance: .05}},
		Errors: .01, Alpha: .001, Beta: .01,
	}
	for _, tt := range []struct {
		name   string
		claim  Claim
		budget int64
		want   string
	}{
		{"three shares", canary(.03, .005, .001, .01), 100,
			"100 requests cannot decide ±3 pp: about 5,500 are needed (±22 pp would do)\n" +
				"100 requests cannot decide errors of 0.5 %: 1,034 are needed (errors of 5.1 % would do)"},
		{"enough for errors", canary(.03, .005, .001, .01), 2000, "2,000 requests cannot decide ±3 pp: about 5,500 are needed (±5 pp would do)"},
		{"enough", canary(.03, .005, .001, .01), 5500, ""},
		{"one tolerance is to blame", mixed, 2000, "green: 2,000 requests cannot decide 20 % ±1 pp: about 27,000 are needed (±3.7 pp would do)"},
		{"never", allBlue(0, .001, .01), 500,
			`500 requests cannot decide "never" (less than 0.5 %) for green, canary: 919 are needed (a leak of 1.1 % would do)` + "\n" +
				"500 requests cannot decide errors of 0.5 %: 1,034 are needed (errors of 1.1 % would do)"},
		{"one fewer than enough", allBlue(0, .001, .01), Estimate(allBlue(0, .001, .01)) - 1, "1,000 requests cannot decide errors of 0.5 %: 1,000 are needed (errors of 0.51 % would do)"},
		{"just enough", allBlue(0, .001, .01), Estimate(allBlue(0, .001, .01)), ""},
		{"leak of one", Claim{Shares: []Share{{Name: "blue", Want: 1}, {Name: "green", Leak: .001}}, Errors: .01, Alpha: .001, Beta: .01}, 1000,
			"green: 1,000 requests cannot decide a leak of 0.1 %: 5,175 are needed (a leak of 0.52 % would do)"},
		{"no errors", canary(.2, 0, .001, .01), 500, `500 requests cannot decide "no errors" (less than 0.5 %): 919 are needed (errors of 1.1 % would do)`},
		{"nothing would do", evenly(.05, .4, .001, .01), 2, "2 requests cannot decide ±5 pp: about 1,800 are needed\n2 requests cannot decide errors of 40 %: 11 are needed"},
		{"a budget of nothing", evenly(.05, .4, .001, .01), 0, "0 requests cannot decide ±5 pp: about 1,800 are needed\n0 requests cannot decide errors of 40 %: 11 are needed"},
		{"not valid", canary(0, .01, .001, .01), 10, ""},
	} {
		if got := Problems(Affordable(tt.claim, tt.budget)).Error(); !like(got, tt.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// grid is claims of all kinds.
func grid() []Claim {
	var all []Claim
	add := func(tolerance, errors, beta float64, percent ...int) {
		c := Claim{Errors: errors, Alpha: .001, Beta: beta}
		for i, p := range percent {
			s := Share{Name: fmt.Sprint("d", i), Want: float64(p) / 100}
			if p > 0 && p < 100 {
				s.Tolerance = tolerance
			}
			c.Shares = append(c.Shares, s)
		}
		all = append(all, c)
	}
	for _, beta := range []float64{.01, .001, .05} {
		add(.05, .01, beta, 50, 50)
		add(.05, .01, beta, 40, 40, 20)
		add(.1, .01, beta, 40, 40, 20) // errors take about as long
		add(.03, .01, beta, 90, 10)
		add(.02, .01, beta, 95, 5)
	}
	add(.03, .005, .01, 40, 40, 20)
	add(.009, .02, .01, 99, 1)
	add(.2, .3, .01, 50, 50) // a few dozen answers
	add(.09, .3, .01, 90, 10)
	add(.03, .01, .01, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10)
	add(.04, .05, .01, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5)
	add(.05, .01, .01, 70, 30, 0)
	add(0, .005, .01, 100, 0, 0)
	all = append(all, allBlue(.01, .001, .01))
	uneven := canary(.05, .01, .001, .01)
	uneven.Shares[2].Tolerance = .02
	return append(all, uneven)
}

// The estimate is within a quarter of the mean that simulations give. What is
// refused passes in less than 99 % of the simulated runs, and what passes in
// less than half of them is refused.
func TestFormulasAgreeWithSimulations(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("there is nothing to race, and few runs say too little")
	}
	const none = 1 << 40
	for i, c := range grid() {
		right, _, _ := truths(c)
		runs := scale(500)
		ends := endings(c, right, none, runs, uint64(i), 0)
		var used []int64
		for _, e := range ends {
			if e.state == Passed {
				used = append(used, e.n)
			} else {
				used = append(used, none)
			}
		}
		slices.Sort(used)
		mean := outlook(right, ends, none).Mean
		name := fmt.Sprintf("%d shares, first %s ±%s, beta %g", len(c.Shares), percent(c.Shares[0].Want), points(c.Shares[0].Tolerance), c.Beta)
		if ratio := float64(Estimate(c)) / mean; ratio < .8 || ratio > 1.25 {
			t.Errorf("%s: estimated %d, simulated %.0f", name, Estimate(c), mean)
		}
		half, most := quantile(used, .5)-1, quantile(used, .99)
		if Affordable(c, half) == nil {
			t.Errorf("%s: %d are allowed, and pass in less than half of the runs", name, half)
		}
		if ps := Affordable(c, most); ps != nil {
			t.Errorf("%s: %d are refused, and pass in 99 %% of the runs: %v", name, most, ps)
		}
	}
}

var (
	numberNeeded = regexp.MustCompile(`: (?:about )?([0-9,]+) are needed$`)
	wouldDoHint  = regexp.MustCompile(`^(±|errors of |a leak of )([0-9.]+) (?:pp|%) would do$`)
)

// follow does what the problems say would do: it returns the claim loosened as
// the hints say, and the number of requests that the texts say.
func follow(t *testing.T, c Claim, ps []Problem) (looser Claim, needed int64, hinted bool) {
	t.Helper()
	looser, hinted = c, true
	looser.Shares = slices.Clone(c.Shares)
	for _, p := range ps {
		m := numberNeeded.FindStringSubmatch(p.Text)
		if m == nil {
			t.Fatalf("no number: %s", p)
		}
		n, _ := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
		needed = max(needed, n)
		h := wouldDoHint.FindStringSubmatch(p.Hint)
		if h == nil {
			if p.Hint != "" {
				t.Fatalf("no hint: %s", p)
			}
			hinted = false
			continue
		}
		x, _ := strconv.ParseFloat(h[2], 64)
		x /= 100
		for i := range looser.Shares {
			s := &looser.Shares[i]
			switch {
			case p.Share != "" && p.Share != s.Name:
			case h[1] == "±" && s.Want > 0 && s.Want < 1:
				s.Tolerance = max(s.Tolerance, x)
			case h[1] == "a leak of " && s.Want == 0 && (p.Share != "" || strings.Contains(p.Text, s.Name)):
				s.Leak = x
			}
		}
		if h[1] == "errors of " {
			looser.Errors = x
		}
	}
	return looser, needed, hinted
}

// Whatever is claimed: more requests never make a problem, and who does what
// the problems say would do has none.
func TestWhatWouldDoDoes(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	problems, hints := 0, 0
	runs := scale(1500)
	for range runs {
		c := anyClaim(r)
		budget := int64(1) << r.IntN(15)
		ps := Affordable(c, budget)
		if ps == nil {
			if more := Affordable(c, budget+budget/7+1); more != nil {
				t.Fatalf("%+v\n%d are allowed, more are not: %v", c, budget, more)
			}
			continue
		}
		problems++
		looser, needed, hinted := follow(t, c, ps)
		if left := Affordable(c, needed); left != nil || needed <= budget {
			t.Fatalf("%+v\n%v\nwith %d: %v", c, Problems(ps), needed, left)
		}
		if !hinted {
			continue
		}
		hints++
		if invalid := looser.Validate(); invalid != nil {
			t.Fatalf("%+v\n%v\nlooser: %v", c, Problems(ps), Problems(invalid))
		}
		if left := Affordable(looser, budget); left != nil {
			t.Fatalf("%+v\n%v\nlooser: %v", c, Problems(ps), Problems(left))
		}
	}
	if problems < runs/5 || hints < runs/8 {
		t.Errorf("only %d problems, %d of them with hints", problems, hints)
	}
}

// Claims at the limits of what is valid end, and with a number that is enough.
func TestAffordableAtTheLimits(t *testing.T) {
	ten := func(want, tolerance float64) Claim {
		return Claim{Shares: []Share{{Name: "a", Want: want, Tolerance: tolerance}, {Name: "b", Want: 1 - want, Tolerance: tolerance}}, Errors: .5, Alpha: .001, Beta: .01}
	}
	narrow, sure := ten(.5, 1e-6), ten(.4, .05)
	sure.Alpha, sure.Beta, sure.Errors = 1e-300, 1e-300, 1e-6
	many := Claim{Errors: .01, Alpha: .001, Beta: .01}
	for i := range 1000 {
		many.Shares = append(many.Shares, Share{Name: fmt.Sprint("d", i), Want: .001, Tolerance: .0005})
	}
	for i, c := range []Claim{narrow, sure, many, ten(1e-6, 1e-6), ten(1e-12, .5), ten(1-1e-12, .5), ten(.5, .4999999)} {
		if ps := c.Validate(); ps != nil {
			t.Fatalf("%d: %v", i, ps)
		}
		for _, budget := range []int64{math.MinInt64, -1, 0, 1, 1000, math.MaxInt64} {
			ps := Affordable(c, budget)
			if ps == nil {
				continue
			}
			if _, needed, _ := follow(t, c, ps); Affordable(c, needed) != nil {
				t.Errorf("%d: %d would be needed: %v", i, needed, Affordable(c, needed))
			}
		}
		if ps := Affordable(c, math.MaxInt64); ps != nil {
			t.Errorf("%d: %v", i, ps)
		}
	}
}

func BenchmarkAffordable(b *testing.B) {
	c := canary(.03, .005, .001, .01)
	for name, budget := range map[string]int64{"enough": 100_000, "too few": 100} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Affordable(c, budget)
			}
		})
	}
}
