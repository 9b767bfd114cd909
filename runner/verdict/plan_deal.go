package verdict

import (
	"math"
	"math/rand/v2"
)

// dealer draws the answers of a simulated mesh. Those that should not occur
// (outcomes wanted at 0, and errors) are rare: how long until the next is drawn
// at once, and the others are counts.
type dealer struct {
	random *rand.Rand

	common    []int     // categories wanted
	part      []float64 // of each common category: its share of it and those after it
	sum       []float64 // its share of the common ones and those before it
	rare      []int     // what Observe takes for each that should not occur
	rareSum   []float64 // its share and that of those before it
	rareShare float64   // of all of them
}

func newDealer(c Claim, m truth, r *rand.Rand) *dealer {
	d := &dealer{random: r}
	total := 0.0
	for i, s := range c.Shares {
		switch p := m.shares[i]; {
		case s.Want > 0:
			d.common = append(d.common, i)
			total += p
			d.sum = append(d.sum, total)
		case p > 0:
			d.addRare(i, p)
		}
	}
	if m.errors > 0 {
		d.addRare(Error, m.errors)
	}
	for j, i := range d.common {
		rest := total
		if j > 0 {
			rest -= d.sum[j-1]
		}
		part := 1.0
		if j < len(d.common)-1 && rest > 0 {
			part = math.Min(1, m.shares[i]/rest)
		}
		d.part = append(d.part, part)
	}
	for j := range d.sum {
		d.sum[j] /= total
	}
	return d
}

func (d *dealer) addRare(i int, p float64) {
	d.rareShare += p
	d.rare, d.rareSum = append(d.rare, i), append(d.rareSum, d.rareShare)
}

// nextRare is the number of the next answer after n that should not occur.
func (d *dealer) nextRare(n int64) int64 {
	if d.rareShare == 0 {
		return math.MaxInt64
	}
	return n + geometric(d.random, math.Log1p(-math.Min(1, d.rareShare)))
}

// rareOne is an answer that should not occur, as Observe takes it.
func (d *dealer) rareOne() int {
	j, u := 0, d.random.Float64()*d.rareShare
	for j < len(d.rareSum)-1 && u >= d.rareSum[j] {
		j++
	}
	return d.rare[j]
}

// deal counts n common answers.
func (d *dealer) deal(t *Test, n int64) {
	t.n += n
	if n < 16 {
		for range n {
			t.counts[d.one()]++
		}
		return
	}
	for j, i := range d.common {
		x := binomial(d.random, n, d.part[j])
		t.counts[i] += x
		n -= x
	}
}

func (d *dealer) one() int {
	u := d.random.Float64()
	last := len(d.common) - 1
	for j := range last {
		if u < d.sum[j] {
			return d.common[j]
		}
	}
	return d.common[last]
}

// geometric is the number of trials up to and with the first success, whose
// probability of a miss has this logarithm.
func geometric(r *rand.Rand, logMiss float64) int64 {
	if g := math.Log(1-r.Float64()) / logMiss; g < math.MaxInt64/2 {
		return int64(g) + 1
	}
	return math.MaxInt64 / 2
}

// binomial is the number of successes in n trials. Few are counted one by one,
// by the gaps between them; many are drawn by W. Hörmann's transformed rejection
// (The generation of binomial random variates, J. Stat. Comput. Simul. 46,
// 1993, algorithm BTRS), in constant time.
func binomial(r *rand.Rand, n int64, p float64) int64 {
	switch {
	case n == 0 || p <= 0:
		return 0
	case p >= 1:
		return n
	case p > .5:
		return n - binomial(r, n, 1-p)
	case float64(n)*p >= 10:
		return manySuccesses(r, float64(n), p)
	}
	successes, logMiss := int64(0), math.Log1p(-p)
	for at := geometric(r, logMiss); at <= n; at += geometric(r, logMiss) {
		successes++
	}
	return successes
}

func manySuccesses(r *rand.Rand, n, p float64) int64 {
	spread := math.Sqrt(n * p * (1 - p))
	b := 1.15 + 2.53*spread
	a := -.0873 + .0248*b + .01*p
	center := n*p + .5
	sure := .92 - 4.2/b
	for {
		u, v := r.Float64()-.5, r.Float64()
		edge := .5 - math.Abs(u)
		if edge == 0 {
			continue
		}
		k := math.Floor((2*a/edge+b)*u + center)
		if edge >= .07 && v <= sure {
			return int64(k)
		}
		if k < 0 || k > n {
			continue
		}
		mode := math.Floor((n + 1) * p)
		scale := (2.83 + 5.1/b) * spread
		if math.Log(v*scale/(a/(edge*edge)+b)) <= logChoose(n, k)-logChoose(n, mode)+(k-mode)*math.Log(p/(1-p)) {
			return int64(k)
		}
	}
}

// logChoose is log(n choose k) but for log(n!).
func logChoose(n, k float64) float64 {
	x, _ := math.Lgamma(k + 1)
	y, _ := math.Lgamma(n - k + 1)
	return -x - y
}
