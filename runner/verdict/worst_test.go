package verdict

import "fmt"

// A worstPoint is a mesh where a wrong verdict is likeliest: on an edge of what
// is tolerated, or in a corner of several.
type worstPoint struct {
	k        int
	split    string // and its tolerance
	where    string
	claim    Claim
	truth    []float64 // the rest are errors
	mayPass  bool      // the mesh is not out of tolerance by any edge: passing is not wrong
	mustFail bool      // it is out: failing is not wrong
	budget   int64
}

func splitOf(errors, tolerance float64, percent ...float64) Claim {
	c := Claim{Errors: errors, Alpha: .01, Beta: .01}
	for i, p := range percent {
		s := Share{Name: string(rune('a' + i)), Want: p / 100, Tolerance: tolerance}
		switch p {
		case 0:
			s.Tolerance, s.Leak = 0, tolerance
		case 100:
			s.Tolerance = 0
		}
		c.Shares = append(c.Shares, s)
	}
	return c
}

// usual is the claim at the default error probabilities.
func usual(c Claim) Claim {
	c.Alpha, c.Beta = DefaultAlpha, DefaultBeta
	return c
}

// moved puts some shares (by place) elsewhere, in percent; those that are not
// named make room in proportion.
func moved(c Claim, to map[int]float64) []float64 {
	rest, free := 1.0, 0.0
	for i, s := range c.Shares {
		if p, ok := to[i]; ok {
			rest -= p / 100
		} else {
			free += s.Want
		}
	}
	truth := make([]float64, len(c.Shares))
	for i, s := range c.Shares {
		if p, ok := to[i]; ok {
			truth[i] = p / 100
		} else if free > 0 {
			truth[i] = s.Want * rest / free
		}
	}
	return truth
}

// failing makes the part e of the answers errors.
func failing(e float64, truth []float64) []float64 {
	less := make([]float64, len(truth))
	for i, p := range truth {
		less[i] = p * (1 - e)
	}
	return less
}

func worstPoints() []worstPoint {
	even := splitOf(.02, .1, 50, 50)
	uneven := splitOf(.01, .05, 90, 10)
	three := splitOf(.02, .1, 40, 40, 20)
	near := usual(splitOf(.01, .05, 40, 40, 20))
	five := splitOf(.02, .06, 40, 25, 15, 10, 10)
	ten := splitOf(.02, .06, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10)
	all2, all3 := splitOf(.01, .01, 100, 0), splitOf(.01, .01, 100, 0, 0)
	all10 := splitOf(.02, .02, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	never := splitOf(.01, 0, 100, 0, 0)
	points := []worstPoint{
		{2, "50/50 ±10", "60/40", even, moved(even, map[int]float64{0: 60}), false, false, 5000},
		{2, "50/50 ±10", "corner 58/40 and 2 % errors", even, []float64{.58, .40}, false, false, 5000},
		{2, "50/50 ±10", "2 % errors", even, failing(.02, []float64{.5, .5}), false, false, 5000},
		{2, "90/10 ±5", "85/15", uneven, moved(uneven, map[int]float64{0: 85}), false, false, 5000},
		{2, "90/10 ±5", "95/5", uneven, moved(uneven, map[int]float64{0: 95}), false, false, 5000},
		{2, "100/0, leak 1 %", "99/1", all2, []float64{.99, .01}, false, false, 5000},
		{2, "100/0, leak 1 %", "1 % errors", all2, []float64{.99, 0}, false, false, 5000},

		{3, "40/40/20 ±10", "a at 50 %", three, moved(three, map[int]float64{0: 50}), false, false, 5000},
		{3, "40/40/20 ±10", "a at 30 %", three, moved(three, map[int]float64{0: 30}), false, false, 5000},
		{3, "40/40/20 ±10", "c at 30 %", three, moved(three, map[int]float64{2: 30}), false, false, 5000},
		{3, "40/40/20 ±10", "c at 10 %", three, moved(three, map[int]float64{2: 10}), false, false, 5000},
		{3, "40/40/20 ±10", "corner 50/30/20", three, []float64{.5, .3, .2}, false, false, 5000},
		{3, "40/40/20 ±10", "corner 50/40/10", three, []float64{.5, .4, .1}, false, false, 5000},
		{3, "40/40/20 ±10", "just beyond: 50.1/30/19.9", three, []float64{.501, .3, .199}, false, true, 5000},
		{3, "40/40/20 ±10", "2 % errors", three, failing(.02, []float64{.4, .4, .2}), false, false, 5000},
		{3, "40/40/20 ±5, at the defaults", "45/35/20", near, []float64{.45, .35, .2}, false, false, 12000},
		{3, "40/40/20 ±5, at the defaults", "c at 25 %", near, moved(near, map[int]float64{2: 25}), false, false, 12000},
		{3, "40/40/20 ±5, at the defaults", "right", near, []float64{.4, .4, .2}, true, false, 20000},
		{3, "100/0/0, leak 1 %", "98/1/1", all3, []float64{.98, .01, .01}, false, false, 5000},
		{3, "100/0/0, leak 1 %", "99/1/0", all3, []float64{.99, .01, 0}, false, false, 5000},
		{3, "100/0/0, no leak", "99.5/0.5/0", never, []float64{.995, .005, 0}, false, true, 4000},

		{5, "40/25/15/10/10 ±6", "a at 46 %", five, moved(five, map[int]float64{0: 46}), false, false, 5000},
		{5, "40/25/15/10/10 ±6", "e at 16 %", five, moved(five, map[int]float64{4: 16}), false, false, 5000},
		{5, "40/25/15/10/10 ±6", "e at 4 %", five, moved(five, map[int]float64{4: 4}), false, false, 5000},
		{5, "40/25/15/10/10 ±6", "corner 46/19/21/4/10", five, []float64{.46, .19, .21, .04, .10}, false, false, 5000},

		{10, "ten times 10 ±6", "a at 16 %", ten, moved(ten, map[int]float64{0: 16}), false, false, 5000},
		{10, "ten times 10 ±6", "a at 4 %", ten, moved(ten, map[int]float64{0: 4}), false, false, 5000},
		{10, "ten times 10 ±6", "corner: five at 16 %, five at 4 %", ten, []float64{.16, .04, .16, .04, .16, .04, .16, .04, .16, .04}, false, false, 5000},
		{10, "100 and nine times 0, leak 2 %", "nine at 2 %", all10, []float64{.82, .02, .02, .02, .02, .02, .02, .02, .02, .02}, false, false, 5000},
	}
	for i, p := range points {
		sum := 0.0
		for _, x := range p.truth {
			sum += x
		}
		if sum > 1+1e-9 {
			panic(fmt.Sprint(i, " ", p.where, " sums to ", sum))
		}
	}
	return points
}
