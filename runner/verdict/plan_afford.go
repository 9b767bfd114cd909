package verdict

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// enough is the part of the runs in which a budget must do where shares are
// concerned. The formula is not exact: at this part it tells for certain less
// than half of the runs from 99 % of them.
const enough = .75

// Affordable says by formula, in microseconds, what a budget of so many
// requests cannot decide although the mesh is right, and what would do: how
// many requests, or the smallest tolerance (leak, errors) that the budget can
// decide. A budget that it allows is decided in most runs; Forecast.Budget is
// the one that is decided in practically all. It returns none for a claim that
// is not valid: that has its problems already.
//
// For what is wanted at 0 the number is exact, if none is seen. For shares the
// evidence at each edge is taken as a random walk with drift, whose time to
// reach the threshold has the inverse Gaussian distribution (A. Wald,
// Sequential Analysis, 1947, appendix 5), and the edges as independent races.
func Affordable(c Claim, budget int64) []Problem {
	if len(c.Validate()) > 0 {
		return nil
	}
	ps := c.tooNarrow(budget)
	ps = append(ps, c.tooLittleLeak(budget)...)
	if need := c.withoutErrors(c.Errors); need > budget {
		what := "errors of " + percent(c.Errors)
		if c.Errors == 0 {
			what = fmt.Sprintf("%q (less than %s)", "no errors", percent(DefaultResolution))
		}
		ps = append(ps, Problem{"", undecidable(budget, what, need, ""), wouldDo("errors of ", percent, smallest(c.Errors, .5, func(x float64) bool { return c.withoutErrors(x) <= budget }))})
	}
	return ps
}

func undecidable(budget int64, what string, need int64, about string) string {
	requests := "requests"
	if budget == 1 {
		requests = "request"
	}
	return fmt.Sprintf("%s %s cannot decide %s: %s%s are needed", grouped(budget), requests, what, about, grouped(need))
}

func wouldDo(what string, format func(float64) string, x float64) string {
	if x == 0 {
		return "" // nothing would
	}
	return what + format(x) + " would do"
}

// tooNarrow looks at the tolerances. Where all are the same they are one problem.
func (c Claim) tooNarrow(budget int64) (ps []Problem) {
	if c.chance(float64(budget)) >= enough {
		return nil
	}
	need := c.neededForShares()
	between, same := c.between()
	if same {
		t := c.Shares[between[0]].Tolerance
		return []Problem{{"", undecidable(budget, "±"+points(t), need, "about "), wouldDo("±", points, c.wideEnough(between, budget))}}
	}
	narrow, wide := c.narrow(between, budget)
	slices.Sort(narrow)
	for _, i := range narrow {
		s := c.Shares[i]
		ps = append(ps, Problem{s.Name, undecidable(budget, percent(s.Want)+" ±"+points(s.Tolerance), need, "about "), wouldDo("±", points, wide)})
	}
	return ps
}

// between lists the shares strictly between 0 and 100 %, and says whether their
// tolerances are the same.
func (c Claim) between() (list []int, same bool) {
	same = true
	for i, s := range c.Shares {
		if s.Want > 0 && s.Want < 1 {
			list = append(list, i)
			same = same && s.Tolerance == c.Shares[list[0]].Tolerance
		}
	}
	return list, same
}

// narrow lists the shares whose tolerances are too narrow, and the tolerance
// that would do for all of them: those that are too narrow by themselves, and
// if that is not all, the next worst.
func (c Claim) narrow(between []int, budget int64) (narrow []int, wide float64) {
	own := make([]float64, len(c.Shares))
	for _, i := range between {
		own[i] = c.Shares[i].chance(float64(budget), -math.Log(c.Beta))
	}
	order := slices.Clone(between)
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(own[i], own[j]) })
	n := 1
	for n < len(order) && own[order[n]] < enough {
		n++
	}
	for ; n < len(order); n++ {
		if wide := c.wideEnough(order[:n], budget); wide > 0 {
			return order[:n], wide
		}
	}
	return order, c.wideEnough(order, budget)
}

// wideEnough is the smallest tolerance that does if these shares have no less;
// 0 if none does.
func (c Claim) wideEnough(narrow []int, budget int64) float64 {
	return smallest(c.Shares[narrow[0]].Tolerance, 1, func(x float64) bool { return c.decides(narrow, x, budget) })
}

// decides says whether the budget does when these shares have a tolerance of at
// least x. A tolerance that excludes nothing does not count.
func (c Claim) decides(narrow []int, x float64, budget int64) bool {
	d := c
	d.Shares = slices.Clone(c.Shares)
	for _, i := range narrow {
		d.Shares[i].Tolerance = math.Max(c.Shares[i].Tolerance, x)
	}
	return d.chance(float64(budget)) >= enough
}

// neededForShares is the least budget that does for the shares, to two figures.
func (c Claim) neededForShares() int64 {
	low, high := 0.0, 1.0
	for c.chance(high) < enough {
		low, high = high, 2*high
	}
	for high-low > high/1000 && high-low > .5 {
		if mid := (low + high) / 2; c.chance(mid) < enough {
			low = mid
		} else {
			high = mid
		}
	}
	return int64(math.Ceil(roundUp(high, 2)))
}

// chance is about how probable it is that n answers confirm all shares of a
// mesh that is right.
func (c Claim) chance(n float64) float64 {
	all, least, count, threshold := 1.0, 1.0, 0, -math.Log(c.Beta)
	for _, s := range c.Shares {
		if s.Want > 0 && s.Want < 1 {
			one := s.chance(n, threshold)
			all, least = all*one, math.Min(least, one)
			count++
		}
	}
	if count == 2 {
		return least // each share is the other's mirror
	}
	return all
}

// chance is about how probable it is that n answers confirm the share alone.
func (s Share) chance(n, threshold float64) float64 {
	p := 1.0
	for _, e := range []float64{s.upper(), s.lower()} {
		if e <= 0 || e >= 1 {
			continue
		}
		drift := divergence(s.Want, e)
		step := math.Log(s.Want/e) - math.Log((1-s.Want)/(1-e)) // what a hit adds over a miss
		// What is staked on shares between the one wanted and the edge delays
		// the rest: .3 is a fit to simulations from 50/50 to fifty times 2 %.
		far := threshold + .3
		p *= inverseGaussian(n, far/drift, far*far/(s.Want*(1-s.Want)*step*step))
	}
	if s.upper() >= 1 && s.lower() <= 0 {
		return 0 // a tolerance that excludes nothing confirms nothing
	}
	return p
}

// inverseGaussian is the probability that a walk with drift has arrived by x,
// when it takes mean on average.
func inverseGaussian(x, mean, shape float64) float64 {
	if x <= 0 {
		return 0
	}
	r := math.Sqrt(shape / x)
	p := normal(r * (x/mean - 1))
	if back := normal(-r * (x/mean + 1)); back > 0 {
		p += math.Exp(2*shape/mean + math.Log(back))
	}
	return math.Min(1, p)
}

// tooLittleLeak looks at the outcomes wanted at 0. Those that ask the same are
// one problem.
func (c Claim) tooLittleLeak(budget int64) (ps []Problem) {
	type asked struct{ leak, resolution float64 }
	names := make(map[asked][]string)
	var order []asked
	for _, s := range c.Shares {
		a := asked{s.Leak, s.resolution()}
		if s.Want > 0 || c.withoutLeak(a.leak, a.resolution) <= budget {
			continue
		}
		if names[a] == nil {
			order = append(order, a)
		}
		names[a] = append(names[a], s.Name)
	}
	for _, a := range order {
		who, what := names[a], "a leak of "+percent(a.leak)
		if a.leak == 0 {
			what = fmt.Sprintf("%q (less than %s)", "never", percent(a.resolution))
		}
		p := Problem{Share: who[0]}
		if len(who) > 1 {
			p.Share, what = "", what+" for "+strings.Join(who, ", ")
		}
		p.Text = undecidable(budget, what, c.withoutLeak(a.leak, a.resolution), "")
		p.Hint = wouldDo("a leak of ", percent, smallest(a.leak, .5, func(x float64) bool { return c.withoutLeak(x, a.resolution) <= budget }))
		ps = append(ps, p)
	}
	return ps
}

func (c Claim) withoutErrors(tolerated float64) int64 {
	return c.withoutLeak(tolerated, DefaultResolution)
}

// withoutLeak is how many answers, none of them a leak, confirm that there is none.
func (c Claim) withoutLeak(tolerated, resolution float64) int64 {
	e := newNeverEdge(0, resolution)
	if tolerated > 0 {
		e = newPassEdge(0, 0, tolerated, true)
	}
	return e.answersWithoutHit(-math.Log(c.Beta))
}

// smallest is the smallest number above low, and at most high, that will do,
// with two figures or, where these are too much, three; 0 if none does. What
// does not do for a number does not for a smaller one either.
func smallest(low, high float64, does func(float64) bool) float64 {
	low = math.Max(low, minimumTolerance)
	for !does(high) { // what is too large may not do either
		if high *= .99; high <= low {
			return 0
		}
	}
	for high > low*1.0001 {
		if mid := math.Sqrt(low * high); does(mid) {
			high = mid
		} else {
			low = mid
		}
	}
	for _, figures := range []float64{2, 3} {
		if x := roundUp(high, figures); does(x) {
			return x
		}
	}
	return 0
}

// roundUp rounds up to so many figures.
func roundUp(x, figures float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))+1-figures)
	return math.Ceil(x/unit-1e-9) * unit
}
