package routing

import (
	"math/rand/v2"
	"slices"
	"sync"
)

// Connection is what a gateway remembers of a client's connection. The zero
// Connection is ready; the requests of one are served one after the other.
type Connection struct {
	kept map[*Rule]int
}

// chooser picks one of a rule's targets, by index.
type chooser interface {
	choose(c *Connection) int
}

func newChooser(rule *Rule, weights []uint64, how Choice) chooser {
	var c chooser = newDraw(weights)
	if how.Block > 0 {
		c = newDeal(weights, how.Block)
	}
	if how.Sticky {
		c = &sticky{rule, c}
	}
	return c
}

// draw picks each time anew, independently at random by the weights.
type draw struct {
	upTo []uint64 // cumulative weights
}

func newDraw(weights []uint64) *draw {
	d := &draw{}
	var sum uint64
	for _, w := range weights {
		sum += w
		d.upTo = append(d.upTo, sum)
	}
	return d
}

func (d *draw) choose(*Connection) int {
	if len(d.upTo) == 1 {
		return 0
	}
	return d.at(rand.Uint64N(d.upTo[len(d.upTo)-1]))
}

// at gives the target in whose part of [0, sum of weights) the ticket falls.
// A scan, not a search: routes have a handful of destinations.
func (d *draw) at(ticket uint64) int {
	for i, end := range d.upTo {
		if ticket < end {
			return i
		}
	}
	return len(d.upTo) - 1
}

// deal serves the targets in runs: of every block of so many requests the
// first go to the first target, and so on, each as many as its weight says.
// What does not come out even is carried over to the next block, so that the
// long run is exact for every size.
type deal struct {
	share []float64 // of each target, in requests of a block
	block int

	mu   sync.Mutex
	owed []float64 // what earlier blocks left
	left []int     // still to be dealt of this block
}

func newDeal(weights []uint64, block int) *deal {
	var sum uint64
	for _, w := range weights {
		sum += w
	}
	d := &deal{block: block, owed: make([]float64, len(weights)), left: make([]int, len(weights))}
	for _, w := range weights {
		d.share = append(d.share, float64(w)/float64(sum)*float64(block))
	}
	return d
}

func (d *deal) choose(*Connection) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		for i, n := range d.left {
			if n > 0 {
				d.left[i]--
				return i
			}
		}
		d.shuffle()
	}
}

// shuffle fills left for the next block, by largest remainders.
func (d *deal) shuffle() {
	rest := d.block
	for i := range d.left {
		d.owed[i] += d.share[i]
		// A hair above: 0.4*100 must be 40 whatever the arithmetic makes of it.
		d.left[i] = max(0, int(d.owed[i]+1e-9))
		d.owed[i] -= float64(d.left[i])
		rest -= d.left[i]
	}
	for ; rest > 0; rest-- {
		i := slices.Index(d.owed, slices.Max(d.owed))
		d.left[i]++
		d.owed[i]--
	}
	for ; rest < 0; rest++ { // rounding up earlier blocks took it from this one
		i := 0
		for j := range d.left {
			if d.left[j] > 0 && (d.left[i] == 0 || d.owed[j] < d.owed[i]) {
				i = j
			}
		}
		d.left[i]--
		d.owed[i]++
	}
}

// sticky keeps what a connection got first.
type sticky struct {
	rule  *Rule
	first chooser
}

func (s *sticky) choose(c *Connection) int {
	if i, ok := c.kept[s.rule]; ok {
		return i
	}
	i := s.first.choose(c)
	if c.kept == nil || len(c.kept) >= 64 { // rules of tables that were swapped since must not pile up
		c.kept = map[*Rule]int{}
	}
	c.kept[s.rule] = i
	return i
}
