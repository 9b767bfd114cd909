package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestTruths(t *testing.T) {
	two := func(p, a, b float64) Claim {
		return Claim{Shares: []Share{{Name: "a", Want: p, Tolerance: a}, {Name: "b", Want: 1 - p, Tolerance: b}}, Errors: .01, Alpha: .001, Beta: .01}
	}
	for _, tt := range []struct {
		name        string
		claim       Claim
		half, twice []float64 // then errors
	}{
		{"even", evenly(.05, .01, .001, .01), []float64{.475, .52, .005}, []float64{.6, .4, 0}},
		{"three shares", canary(.03, .005, .001, .01), []float64{.415, .38833, .19417, .0025}, []float64{.46, .36, .18, 0}},
		{"no errors tolerated", canary(.03, 0, .001, .01), []float64{.415, .39, .195, 0}, []float64{.46, .36, .18, 0}},
		// Half of a's tolerance would carry b beyond half of its own.
		{"different tolerances", two(.7, .05, .02), []float64{.685, .31, .005}, []float64{.66, .34, 0}},
		{"near the end of the scale", two(.99, .008, .008), []float64{.986, .009, .005}, []float64{.974, .026, 0}},
		{"shares of 100 %, leaks tolerated", allBlue(.01, .001, .01), []float64{.9875, .005, .005, .0025}, []float64{.99, 0, 0, .01}},
		{"shares of 100 %, nothing tolerated", func() Claim { c := allBlue(0, .001, .01); c.Errors = 0; return c }(), []float64{1, 0, 0, 0}, []float64{.99, .01, 0, 0}},
	} {
		right, half, twice := truths(tt.claim)
		for i, s := range tt.claim.Shares {
			if right.shares[i] != s.Want || right.errors != 0 {
				t.Errorf("%s: right is %v", tt.name, right)
			}
		}
		for which, pair := range map[string]struct {
			got  truth
			want []float64
		}{"half": {half, tt.half}, "twice": {twice, tt.twice}} {
			got := append(slices.Clone(pair.got.shares), pair.got.errors)
			if len(got) != len(pair.want) || slices.ContainsFunc(got, func(x float64) bool { return x < 0 }) {
				t.Fatalf("%s: %s is %v", tt.name, which, got)
			}
			for i := range got {
				if math.Abs(got[i]-pair.want[i]) > 6e-5 {
					t.Errorf("%s: %s is %.5f, want %v", tt.name, which, got, pair.want)
					break
				}
			}
		}
	}
}

// anyClaim is a valid claim of up to six shares.
func anyClaim(r *rand.Rand) Claim {
	for {
		c := Claim{Alpha: math.Pow(10, -1-3*r.Float64()), Beta: math.Pow(10, -1-3*r.Float64())}
		if r.IntN(3) > 0 {
			c.Errors = math.Pow(10, -1-2*r.Float64())
		}
		left, tolerance := 100, .005+.2*r.Float64()
		for i := range 1 + r.IntN(6) {
			percent := r.IntN(left + 1)
			if r.IntN(3) == 0 {
				percent = 0
			}
			left -= percent
			c.Shares = append(c.Shares, Share{Name: fmt.Sprint("d", i), Want: float64(percent) / 100})
		}
		last := &c.Shares[len(c.Shares)-1]
		last.Want = (last.Want*100 + float64(left)) / 100
		for i := range c.Shares {
			s := &c.Shares[i]
			switch {
			case s.Want > 0 && s.Want < 1:
				if s.Tolerance = tolerance; r.IntN(4) == 0 {
					s.Tolerance *= .2 + r.Float64()
				}
			case s.Want == 0 && r.IntN(2) == 0:
				s.Leak = .001 + .1*r.Float64()
			}
		}
		if len(c.Validate()) == 0 {
			return c
		}
	}
}

// Whatever is claimed, half is well within it and twice is beyond.
func TestTruthsOfAnyClaim(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	for range 2000 {
		c := anyClaim(r)
		right, half, twice := truths(c)
		for which, m := range map[string]truth{"right": right, "half": half, "twice": twice} {
			sum := m.errors
			for _, x := range m.shares {
				sum += x
			}
			if math.Abs(sum-1) > 1e-9 || m.errors < 0 || slices.Min(m.shares) < 0 {
				t.Fatalf("%+v\n%s is %+v", c, which, m)
			}
		}
		beyond := false
		for i, s := range c.Shares {
			d := math.Abs(half.shares[i] - s.Want)
			if s.Want > 0 && s.Want < 1 && d > s.Tolerance/2+1e-9 || s.Want == 0 && half.shares[i] > s.Leak/2+1e-9 {
				t.Fatalf("%+v\nhalf is %+v", c, half)
			}
			beyond = beyond || s.Want < 1 && twice.shares[i] > s.upper()+s.Leak || s.Want > 0 && s.Want < 1 && twice.shares[i] < s.lower()
		}
		if half.errors > c.Errors/2+1e-12 || !beyond && twice.errors <= c.Errors {
			t.Fatalf("%+v\nhalf is %+v\ntwice is %+v", c, half, twice)
		}
	}
}

// The forecast is what simulations elsewhere gave: 50/50 at (.01, .01) also by
// an exact dynamic programme.
func TestSimulate(t *testing.T) {
	for _, tt := range []struct {
		name              string
		claim             Claim
		median, mean, p99 float64
	}{
		{"50/50 by 5 pp", evenly(.05, .01, .01, .01), 1218, 1383, 3181},
		{"40/40/20 by 5 pp", canary(.05, .01, .001, .01), 1394, 1530, 3229},
		{"90/10 by 3 pp", Claim{Shares: []Share{{Name: "a", Want: .9, Tolerance: .03}, {Name: "b", Want: .1, Tolerance: .03}}, Errors: .01, Alpha: .001, Beta: .01}, 1238, 1395, 3105},
		{"100/0/0, leak 1 %", Claim{Shares: allBlue(.01, 0, 0).Shares, Errors: .01, Alpha: .001, Beta: .01}, 512, 512, 512},
	} {
		f, err := Simulate(tt.claim, 100_000, scale(1000), 1)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: right %.0f (%d, %d), half %.0f, twice %.0f, budget %d", tt.name, f.Right.Mean, f.Right.Median, f.Right.P99, f.Half.Mean, f.Twice.Mean, f.Budget)
		if raceEnabled {
			continue
		}
		for what, pair := range map[string][2]float64{"median": {float64(f.Right.Median), tt.median}, "mean": {f.Right.Mean, tt.mean}, "p99": {float64(f.Right.P99), tt.p99}} {
			near := .08
			if what == "p99" {
				near = .2 // 1,000 runs do not tell it better
			}
			if math.Abs(pair[0]/pair[1]-1) > near {
				t.Errorf("%s: %s is %.0f, want about %.0f", tt.name, what, pair[0], pair[1])
			}
		}
		if f.Right.Passed < .999 || f.Half.Passed < .99 || f.Twice.Failed < .99 {
			t.Errorf("%s: %+v", tt.name, f)
		}
		if want := max(int64(math.Ceil(1.5*float64(f.Right.P99))), f.Right.P999); f.Budget != want {
			t.Errorf("%s: budget %d, want %d", tt.name, f.Budget, want)
		}
	}
}

// A budget that is too small leaves runs undecided, and the one suggested is
// the same.
func TestSimulateWithinABudget(t *testing.T) {
	claim := canary(.1, .01, .001, .01)
	large, err := Simulate(claim, 20_000, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	small, err := Simulate(claim, 300, 300, 1)
	if err != nil {
		t.Fatal(err)
	}
	if r := small.Right; r.Passed != 0 || r.Undecided != 1 || r.Median != 300 || r.P999 != 300 || r.Mean != 300 {
		t.Errorf("within 300: %+v", r)
	}
	if small.Budget != large.Budget || small.Budget <= large.Right.P99 {
		t.Errorf("suggested %d and %d, 99th percentile %d", small.Budget, large.Budget, large.Right.P99)
	}
}

// The same seed gives the same forecast, on any number of processors.
func TestSimulateIsDeterministic(t *testing.T) {
	forecast := func(seed uint64) Forecast {
		f, err := Simulate(canary(.1, .02, .001, .01), 5000, 60, seed)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	first := forecast(1)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if again := forecast(1); !reflect.DeepEqual(first, again) {
		t.Errorf("%+v\n%+v", first, again)
	}
	if other := forecast(2); reflect.DeepEqual(first, other) {
		t.Error("another seed gives the same forecast")
	}
}

func TestSimulateRefuses(t *testing.T) {
	good := canary(.05, .01, .001, .01)
	for _, tt := range []struct {
		claim  Claim
		budget int64
		runs   int
		want   string
	}{
		{canary(0, .01, .001, .01), 1000, 10, "blue: 40 % needs a tolerance"},
		{good, 0, 10, "a budget of 0 cannot be simulated (1 to 100,000,000)"},
		{good, 100_000_001, 10, "a budget of 100,000,001 cannot be simulated"},
		{good, 1000, 0, "0 runs cannot be simulated (1 to 1,000,000; 2,000 are usual)"},
		{canary(.0001, .01, .001, .01), 1000, 10, "more than can be simulated (a wider tolerance takes fewer)"},
	} {
		_, err := Simulate(tt.claim, tt.budget, tt.runs, 1)
		if _, ok := err.(Problems); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestAttempt(t *testing.T) {
	claim := canary(.05, .01, .001, .01)
	s, err := NewSettling(claim)
	if err != nil {
		t.Fatal(err)
	}
	for r := range 5 {
		if got, want := Attempt(claim, r), s.Claim(); !reflect.DeepEqual(got, want) {
			t.Errorf("attempt %d: %+v, want %+v", r, got, want)
		}
		s.Restart()
	}
}

func TestQuantile(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(i + 1)
	}
	for _, tt := range []struct {
		of   []int64
		q    float64
		want int64
	}{{hundred, .5, 50}, {hundred, .99, 99}, {hundred, .999, 100}, {hundred[:1], .5, 1}, {hundred[:2], .5, 1}, {hundred[:3], .5, 2}} {
		if got := quantile(tt.of, tt.q); got != tt.want {
			t.Errorf("%g of %d: %d, want %d", tt.q, len(tt.of), got, tt.want)
		}
	}
}

// apart is the largest distance of two empirical distributions (N. Smirnov,
// 1939) in units in which 1.95 is exceeded with probability .001.
func apart(a, b []int64) float64 {
	slices.Sort(a)
	slices.Sort(b)
	most, i, j := 0.0, 0, 0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] == x {
			i++
		}
		for j < len(b) && b[j] == x {
			j++
		}
		most = max(most, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return most * math.Sqrt(float64(len(a)*len(b))/float64(len(a)+len(b)))
}

// Drawing all answers up to the next look at once comes to the same as one
// answer after the other.
func TestPlayIsTheRule(t *testing.T) {
	claim := canary(.06, .01, .001, .01)
	_, half, twice := truths(claim)
	leaking := allBlue(.02, .001, .01)
	for name, tt := range map[string]struct {
		claim Claim
		mesh  truth
	}{
		"half": {claim, half}, "twice": {claim, twice},
		"leaking": {leaking, truth{[]float64{.985, .01, .005}, 0}},
		"a leak":  {allBlue(0, .001, .01), truth{[]float64{.998, .001, 0}, .001}},
	} {
		t.Run(name, func(t *testing.T) {
			const to = 6000
			var ended, one []int64
			var states, oneStates [3]int
			runs := scale(1000)
			for i := range runs {
				r := rand.New(rand.NewPCG(uint64(i), 1))
				e := play(tt.claim, tt.mesh, to, r)
				ended, states[e.state] = append(ended, e.n), states[e.state]+1

				x := mustNew(t, tt.claim)
				for x.Look() == Undecided && x.n < to {
					x.Observe(draw(r, tt.mesh.shares))
				}
				state := x.Result().State
				one, oneStates[state] = append(one, x.n), oneStates[state]+1
			}
			t.Logf("%v, one by one %v, apart %.2f", states, oneStates, apart(ended, one))
			if apart(ended, one) > 1.95 {
				t.Errorf("the distributions of the answers used are %.2f apart", apart(ended, one))
			}
			for s := range states {
				if d := math.Abs(float64(states[s] - oneStates[s])); d > 3.3*math.Sqrt(float64(runs)/2) {
					t.Errorf("%s in %d runs, one by one in %d of %d", State(s), states[s], oneStates[s], runs)
				}
			}
		})
	}
	if apart([]int64{1, 2, 3, 4}, []int64{1, 2, 3, 4}) != 0 || apart([]int64{1, 2}, []int64{3, 4}) != 1 {
		t.Error("the measure does not measure")
	}
}

// Binomial numbers have the binomial distribution, few or many.
func TestBinomial(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, tt := range []struct {
		n int64
		p float64
	}{{1, .3}, {20, .4}, {30, .4}, {40, .6}, {300, .02}, {1000, .2}, {100_000, .37}, {1_000_000, .999}} {
		runs := scale(20_000)
		got := make(map[int64]int)
		for range runs {
			x := binomial(r, tt.n, tt.p)
			if x < 0 || x > tt.n {
				t.Fatalf("%d of %d", x, tt.n)
			}
			got[x]++
		}
		// Pearson's chi-square over cells of some 20 or more.
		chi, cells := 0.0, 0.0
		want, seen := 0.0, 0
		probability := func(x int64) float64 {
			a, _ := math.Lgamma(float64(tt.n + 1))
			b, _ := math.Lgamma(float64(x + 1))
			c, _ := math.Lgamma(float64(tt.n - x + 1))
			return math.Exp(a - b - c + float64(x)*math.Log(tt.p) + float64(tt.n-x)*math.Log1p(-tt.p))
		}
		mean, sd := float64(tt.n)*tt.p, math.Sqrt(float64(tt.n)*tt.p*(1-tt.p))
		low, high := int64(max(0, mean-8*sd-2)), min(tt.n, int64(mean+8*sd+2))
		for x := low; x <= high; x++ {
			want, seen = want+float64(runs)*probability(x), seen+got[x]
			if want >= 20 || x == high {
				chi += (float64(seen) - want) * (float64(seen) - want) / max(want, 1)
				cells++
				want, seen = 0, 0
			}
		}
		// Wilson and Hilferty: the cube root is nearly normal.
		df := max(1, cells-1)
		if z := (math.Cbrt(chi/df) - (1 - 2/(9*df))) / math.Sqrt(2/(9*df)); z > 3.5 {
			t.Errorf("of %d at %g: chi-square %.1f in %.0f cells", tt.n, tt.p, chi, cells)
		}
	}
}

func TestGeometric(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, p := range []float64{1, .5, .01, 1e-5} {
		sum, runs := 0.0, 20_000
		for range runs {
			g := geometric(r, math.Log1p(-p))
			if g < 1 {
				t.Fatalf("%d trials", g)
			}
			sum += float64(g)
		}
		if mean := sum / float64(runs) * p; math.Abs(mean-1) > 5/math.Sqrt(float64(runs)) {
			t.Errorf("at %g: %g times the mean", p, mean)
		}
	}
	if g := geometric(r, -1e-300); g < 1 {
		t.Errorf("%d trials", g)
	}
}

func BenchmarkSimulate(b *testing.B) {
	for b.Loop() {
		if _, err := Simulate(canary(.03, .005, .001, .01), 100_000, 2000, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// The mesh that is right comes out the same by itself.
func TestSimulateRight(t *testing.T) {
	c := canary(.05, .01, .001, .01)
	all, err := Simulate(c, 3000, 50, 7)
	if err != nil {
		t.Fatal(err)
	}
	got, err := SimulateRight(c, 3000, 50, 7)
	all.Half, all.Twice = Outlook{}, Outlook{}
	if err != nil || !reflect.DeepEqual(got, all) {
		t.Errorf("got %+v and %v, want %+v", got, err, all)
	}
	if _, err := SimulateRight(c, 0, 50, 7); err == nil {
		t.Error("a budget of 0 is simulated")
	}
}
