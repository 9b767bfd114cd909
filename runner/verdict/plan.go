package verdict

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// The most that Simulate takes: more would take minutes.
const (
	mostBudget = 100_000_000
	mostRuns   = 1_000_000
)

// Forecast is what simulations of the exact rule say of a claim: how many
// answers a mesh takes to be judged, and what comes of it.
type Forecast struct {
	// Right is a mesh that divides exactly as wanted, without errors.
	Right Outlook `json:"right"`
	// Half is a mesh that is off, but only by half of what is tolerated, and
	// has half of the leaks and errors that are tolerated: it should pass.
	Half Outlook `json:"half"`
	// Twice is a mesh that is off by twice of what is tolerated: it should fail.
	Twice Outlook `json:"twice"`
	// Runs is the number of simulated runs of each.
	Runs int `json:"runs"`
	// Budget is the number of answers suggested: 1.5 times the 99th percentile
	// of Right or its 99.9th, whichever is more. It does not depend on the
	// budget that was simulated.
	Budget int64 `json:"budget"`
}

// Outlook is what simulated runs of one mesh came to. A run that is not decided
// within the budget counts as having used all of it.
type Outlook struct {
	// Shares is the truth simulated, as fractions in the order of Claim.Shares;
	// Errors is its share of errors. They sum to 1.
	Shares []float64 `json:"shares"`
	Errors float64   `json:"errors"`
	// Mean, Median, P99 and P999 are answers used: the mean, and how many are
	// enough in 50 %, 99 % and 99.9 % of the runs.
	Mean   float64 `json:"mean"`
	Median int64   `json:"median"`
	P99    int64   `json:"p99"`
	P999   int64   `json:"p999"`
	// Passed, Failed and Undecided are fractions of the runs.
	Passed    float64 `json:"passed"`
	Failed    float64 `json:"failed"`
	Undecided float64 `json:"undecided"`
}

// Simulate plays the test of the claim, with its own alpha and beta and the
// same looks, on random answers of a mesh that is right, of one that is half a
// tolerance off and of one that is twice a tolerance off, so many runs of each
// with at most budget answers a run. 2,000 runs tell a 99th percentile to about
// 5 %. The same seed gives the same forecast, however many processors there are.
//
// The two meshes that are off are the slowest to be judged among those where
// one share moves up or down and the others make room in proportion.
//
// What a scenario's expectation runs is the first attempt of Settling, which
// has half of alpha and beta: simulate Attempt(c, 0) for it.
//
// The error is Problems: what is wrong with the claim, with the budget (1 to
// 100 million) or with the number of runs (1 to 1 million).
func Simulate(c Claim, budget int64, runs int, seed uint64) (Forecast, error) {
	if ps := simulable(c, budget, runs); len(ps) > 0 {
		return Forecast{}, Problems(ps)
	}
	_, half, twice := truths(c)
	f := simulateRight(c, budget, runs, seed)
	f.Half = outlook(half, endings(c, half, budget, runs, seed, 1), budget)
	f.Twice = outlook(twice, endings(c, twice, budget, runs, seed, 2), budget)
	return f, nil
}

// SimulateRight is Simulate of the mesh that is right only, which takes a
// fraction of the time: Half and Twice are left empty.
func SimulateRight(c Claim, budget int64, runs int, seed uint64) (Forecast, error) {
	if ps := simulable(c, budget, runs); len(ps) > 0 {
		return Forecast{}, Problems(ps)
	}
	return simulateRight(c, budget, runs, seed), nil
}

func simulateRight(c Claim, budget int64, runs int, seed uint64) Forecast {
	right, _, _ := truths(c)
	// It is followed further than the budget, or a small budget would suggest a
	// small budget.
	ends := endings(c, right, max(budget, 100*Estimate(c)), runs, seed, 0)
	return Forecast{Runs: runs, Budget: suggested(ends), Right: outlook(right, ends, budget)}
}

// Attempt is the claim as attempt number r of Settling tests it, from 0: with
// 1/((r+1)(r+2)) of alpha and of beta.
func Attempt(c Claim, r int) Claim {
	part := float64(r+1) * float64(r+2)
	c.Alpha, c.Beta = c.Alpha/part, c.Beta/part
	return c
}

func simulable(c Claim, budget int64, runs int) []Problem {
	ps := c.Validate()
	if len(ps) == 0 && Estimate(c) > mostBudget {
		ps = append(ps, Problem{"", fmt.Sprintf("it takes about %s answers, more than can be simulated", grouped(Estimate(c))), "a wider tolerance takes fewer"})
	}
	if budget < 1 || budget > mostBudget {
		ps = append(ps, Problem{"", fmt.Sprintf("a budget of %s cannot be simulated", grouped(budget)), "1 to " + grouped(mostBudget)})
	}
	if runs < 1 || runs > mostRuns {
		ps = append(ps, Problem{"", fmt.Sprintf("%s runs cannot be simulated", grouped(int64(runs))), "1 to " + grouped(mostRuns) + "; 2,000 are usual"})
	}
	return ps
}

// ending is how one simulated run ended, after how many answers.
type ending struct {
	n     int64
	state State
}

// endings plays runs in parallel. Each has random numbers of its own, so it
// does not matter who plays which.
func endings(c Claim, mesh truth, to int64, runs int, seed, stream uint64) []ending {
	ends := make([]ending, runs)
	players := min(runtime.GOMAXPROCS(0), runs)
	var all sync.WaitGroup
	for p := range players {
		all.Go(func() {
			for i := p; i < runs; i += players {
				ends[i] = play(c, mesh, to, rand.New(rand.NewPCG(seed, uint64(i)<<2|stream)))
			}
		})
	}
	all.Wait()
	return ends
}

// outlook sums up the runs as a budget would have cut them short.
func outlook(mesh truth, ends []ending, budget int64) Outlook {
	used := make([]int64, len(ends))
	o := Outlook{Shares: mesh.shares, Errors: mesh.errors}
	for i, e := range ends {
		if e.n > budget {
			e = ending{budget, Undecided}
		}
		used[i] = e.n
		o.Mean += float64(e.n)
		switch e.state {
		case Passed:
			o.Passed++
		case Failed:
			o.Failed++
		default:
			o.Undecided++
		}
	}
	runs := float64(len(ends))
	o.Mean, o.Passed, o.Failed, o.Undecided = o.Mean/runs, o.Passed/runs, o.Failed/runs, o.Undecided/runs
	slices.Sort(used)
	o.Median, o.P99, o.P999 = quantile(used, .5), quantile(used, .99), quantile(used, .999)
	return o
}

// suggested is the budget that such runs call for.
func suggested(ends []ending) int64 {
	used := make([]int64, len(ends))
	for i, e := range ends {
		used[i] = e.n
	}
	slices.Sort(used)
	return max(int64(math.Ceil(1.5*float64(quantile(used, .99)))), quantile(used, .999))
}

// quantile is the smallest value that a part q of the sorted ones do not exceed.
func quantile(sorted []int64, q float64) int64 {
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))-1e-9))-1)]
}
