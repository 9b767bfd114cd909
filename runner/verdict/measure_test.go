package verdict

import (
	"flag"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// full makes the simulations as long as the tables of docs/verdict.md say.
var full = flag.Bool("full", false, "run the whole proof, as make bench-verdict does; with -update it writes the tables of docs/verdict.md")

// A mesh is how a simulated mesh divides its answers: by chance, what is left
// over being errors.
type mesh []uint64 // sums of shares, of 2^64

func newMesh(truth []float64) mesh {
	m, sum := make(mesh, len(truth)), 0.0
	for i, p := range truth {
		sum += p
		m[i] = math.MaxUint64
		if sum < 1-1e-12 {
			m[i] = uint64(sum * (1 << 64))
		}
	}
	return m
}

func (m mesh) draw(r *rand.PCG) int {
	u := r.Uint64()
	for i, sum := range m {
		if u < sum {
			return i
		}
	}
	return Error
}

// restart forgets all that was counted.
func (t *Test) restart() {
	clear(t.counts)
	clear(t.latched)
	clear(t.idlePass)
	clear(t.idleFail)
	t.n, t.next, t.state, t.cause = 0, 0, Undecided, ""
}

// measured is what a number of simulated runs came to.
type measured struct {
	passed, failed int
	used           []int64 // answers, per run
}

func (m measured) mean() float64 {
	sum := 0.0
	for _, n := range m.used {
		sum += float64(n)
	}
	return sum / float64(len(m.used))
}

// deviation is the standard error of the mean.
func (m measured) deviation() float64 {
	mean, sum := m.mean(), 0.0
	for _, n := range m.used {
		sum += (float64(n) - mean) * (float64(n) - mean)
	}
	return math.Sqrt(sum) / float64(len(m.used))
}

// p99 is what 99 % of the runs did not exceed.
func (m measured) p99() int64 {
	sorted := slices.Sorted(slices.Values(m.used))
	return sorted[(len(sorted)*99-1)/100]
}

// measure runs the claim's Test against the mesh, one Observe and one Look for
// every answer. Each hundred runs have random numbers of their own, so what
// comes out does not depend on who ran them.
func measure(c Claim, truth []float64, runs int, budget int64, seed uint64) measured {
	const chunk = 100
	chunks := (runs + chunk - 1) / chunk
	parts := make([]measured, chunks)
	m := newMesh(truth)
	var all sync.WaitGroup
	workers := min(chunks, runtime.GOMAXPROCS(0))
	for w := range workers {
		all.Go(func() {
			x, err := New(c)
			if err != nil {
				panic(err)
			}
			for i := w; i < chunks; i += workers {
				parts[i] = measureSome(x, m, min(chunk, runs-i*chunk), budget, rand.NewPCG(seed, uint64(i)))
			}
		})
	}
	all.Wait()
	var total measured
	for _, p := range parts {
		total.passed += p.passed
		total.failed += p.failed
		total.used = append(total.used, p.used...)
	}
	return total
}

func measureSome(x *Test, m mesh, runs int, budget int64, r *rand.PCG) (got measured) {
	for range runs {
		x.restart()
		for x.n < budget {
			x.Observe(m.draw(r))
			if x.Look() != Undecided {
				break
			}
		}
		switch x.state {
		case Passed:
			got.passed++
		case Failed:
			got.failed++
		}
		got.used = append(got.used, x.n)
	}
	return got
}
