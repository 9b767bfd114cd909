package verdict

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// permutations is the number of permutations that a test looks at. With the
// answers as they came they are 1,000 equally probable orders if nothing
// depends on the order, so that the first of all is theirs in at most 1 of
// 1,000 cases (E. J. G. Pitman, Significance tests which may be applied to
// samples from any populations, Suppl. J. R. Stat. Soc. 4, 1937).
const permutations = 999

// connectionLook is what answers say of their connections.
type connectionLook struct {
	n, connections int64
	others         int64 // answers that are not of the commonest outcome

	same, expected, kappa float64
	again                 float64 // kappa of an answer and the one before on its connection
	squares               float64 // sum of squares of the connections' answers

	more, less bool // they agree more, or less, than chance explains
}

// designEffect is how many answers are worth one, by Kish's formula for groups
// of different sizes.
func (c *connectionLook) designEffect() float64 {
	if c.n == 0 {
		return 1
	}
	return max(1, 1+(c.squares/float64(c.n)-1)*c.kappa)
}

// grouped answers: the categories of each connection's answers, one connection
// after the other, those with several answers first.
type groups struct {
	categories []int32
	sizes      []int // of the connections with several answers
	multiple   int   // answers on these
	counts     []int64
	scratch    []int64 // per category
}

func groupByConnection(kept []answer) (g groups, connections int64) {
	order := make([]answer, 0, len(kept))
	for _, a := range kept {
		if a.outcome != Error {
			order = append(order, a)
		}
	}
	slices.SortStableFunc(order, func(a, b answer) int { return cmp.Compare(a.connection, b.connection) })
	number := make(map[int32]int32)
	category := func(outcome int32) int32 {
		c, ok := number[outcome]
		if !ok {
			c = int32(len(number))
			number[outcome] = c
			g.counts = append(g.counts, 0)
		}
		g.counts[c]++
		return c
	}
	var singles []int32
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && order[to].connection == order[from].connection && order[from].connection >= 0 {
			to++
		}
		if order[from].connection >= 0 {
			connections++
		}
		if to == from+1 {
			singles = append(singles, category(order[from].outcome))
		} else {
			g.sizes = append(g.sizes, to-from)
			for _, a := range order[from:to] {
				g.categories = append(g.categories, category(a.outcome))
			}
		}
		from = to
	}
	g.multiple = len(g.categories)
	g.categories = append(g.categories, singles...)
	g.scratch = make([]int64, len(g.counts))
	return g, connections
}

func lookAtConnections(kept []answer, seed uint64) connectionLook {
	g, connections := groupByConnection(kept)
	c := connectionLook{n: int64(len(g.categories)), connections: connections}
	if c.n == 0 {
		return c
	}
	c.others = c.n - slices.Max(g.counts)
	matching, pairs := int64(0), choose2(c.n)
	for _, x := range g.counts {
		matching += choose2(x)
	}
	c.expected = ratio(matching, pairs)
	within, withinPairs := g.matches(), int64(0)
	for _, m := range g.sizes {
		withinPairs += choose2(int64(m))
		c.squares += float64(m) * float64(m)
	}
	c.squares += float64(len(g.categories) - g.multiple)
	if withinPairs == 0 || c.others == 0 {
		return c
	}
	c.same = ratio(within, withinPairs)
	if pairs > withinPairs {
		c.kappa = agreement(c.same, ratio(matching-within, pairs-withinPairs))
	}
	c.again = agreement(g.again(), c.expected)
	c.more, c.less = g.test(within, seed)
	return c
}

// matches is the number of pairs on the same connection that are the same.
func (g *groups) matches() (sum int64) {
	at := 0
	for _, m := range g.sizes {
		group := g.categories[at : at+m]
		for _, x := range group {
			sum += g.scratch[x] // with each of those before it
			g.scratch[x]++
		}
		for _, x := range group {
			g.scratch[x] = 0
		}
		at += m
	}
	return sum
}

// again is the part of answers that are the same as the one before on their
// connection.
func (g *groups) again() float64 {
	same, pairs, at := int64(0), int64(0), 0
	for _, m := range g.sizes {
		for i := at + 1; i < at+m; i++ {
			if g.categories[i] == g.categories[i-1] {
				same++
			}
		}
		pairs += int64(m - 1)
		at += m
	}
	return ratio(same, pairs)
}

// test deals the answers to the connections by chance, again and again, and
// says whether every time fewer, or every time more, are the same on a
// connection than really are. It ends when neither can come out.
func (g *groups) test(within int64, seed uint64) (more, less bool) {
	r := rand.New(rand.NewPCG(seed, 1))
	more, less = true, true
	for range permutations {
		deal(g.categories, g.multiple, r)
		m := g.matches()
		more, less = more && m < within, less && m > within
		if !more && !less {
			break
		}
	}
	return more, less
}

// deal draws the first n of the values by chance, each order equally probable.
func deal(values []int32, n int, r *rand.Rand) {
	for i := range uint32(n) {
		j := i + r.Uint32N(uint32(len(values))-i)
		values[i], values[j] = values[j], values[i]
	}
}

func choose2(n int64) int64 { return n * (n - 1) / 2 }

// ratio is 0 when there is nothing to divide by.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

// agreement is kappa: how far a rate of matches lies above the one expected, as
// a part of how far it could; at least -1.
func agreement(rate, expected float64) float64 {
	if expected >= 1 {
		return 0
	}
	return max(-1, (rate-expected)/(1-expected))
}
