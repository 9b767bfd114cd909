package verdict

import (
	"math"
	"math/rand/v2"
)

const (
	lags      = 8  // answers are compared with those up to so many before
	blockSize = 25 // answers are counted in blocks of so many

	leastPairs = 20 // fewer say too little of how far they agree
)

// orderLook is what answers say of the order in which they were dispatched.
type orderLook struct {
	alike bool    // answers near each other agree more than chance explains
	lag   int     // how near those are that agree most
	rate  float64 // the part of these that agree
	kappa float64 // and how much more than by chance
	first float64 // kappa of neighbours

	// within and across are kappa of answers near each other on the same and on
	// different connections: means over the lags that have enough pairs of both
	// kinds. Where none has (paired is false), across is that over the lags that
	// have enough of its kind, or 0.
	paired         bool
	within, across float64

	even bool // blocks of answers are more even than chance explains
}

// sequence is answers in order of dispatch. Errors keep their places, because a
// gateway that deals in turn may have dealt them.
type sequence struct {
	categories []int32 // -1: an error
	places     []int   // of the others
	values     []int32 // the others
	counts     []int64
	expected   float64 // part of pairs that agree by chance
	scale      float64 // variance of a pair's agreement when the counts are given
	scratch    []int64
}

func newSequence(kept []answer) *sequence {
	s := &sequence{categories: make([]int32, len(kept))}
	number := make(map[int32]int32)
	for i, a := range kept {
		if a.outcome == Error {
			s.categories[i] = -1
			continue
		}
		c, ok := number[a.outcome]
		if !ok {
			c = int32(len(number))
			number[a.outcome] = c
			s.counts = append(s.counts, 0)
		}
		s.counts[c]++
		s.categories[i] = c
		s.places, s.values = append(s.places, i), append(s.values, c)
	}
	s.scratch = make([]int64, len(s.counts))
	n, matching := int64(len(s.values)), int64(0)
	p2, p3 := 0.0, 0.0
	for _, x := range s.counts {
		p := ratio(x, n)
		matching += choose2(x)
		p2, p3 = p2+p*p, p3+p*p*p
	}
	s.expected = ratio(matching, choose2(n))
	s.scale = p2 + p2*p2 - 2*p3
	return s
}

func lookAtOrder(kept []answer, seed uint64) orderLook {
	s := newSequence(kept)
	var o orderLook
	if len(s.counts) < 2 || len(s.values) < 2 {
		return o
	}
	most := math.Inf(-1)
	for lag := 1; lag <= lags; lag++ {
		same, pairs := s.pairs(lag)
		k := agreement(ratio(same, pairs), s.expected)
		if lag == 1 {
			o.first = k
		}
		if z := s.excess(same, pairs); z > most {
			most, o.lag, o.rate, o.kappa = z, lag, ratio(same, pairs), k
		}
	}
	s.compare(kept, &o)
	o.alike, o.even = s.test(most, s.unevenness(), seed)
	return o
}

// pairs counts the answers so far apart, and those of them that are the same.
func (s *sequence) pairs(lag int) (same, pairs int64) {
	for i := lag; i < len(s.categories); i++ {
		a, b := s.categories[i-lag], s.categories[i]
		if a < 0 || b < 0 {
			continue
		}
		pairs++
		if a == b {
			same++
		}
	}
	return same, pairs
}

// pairsAcross counts only those on different connections.
func (s *sequence) pairsAcross(kept []answer, lag int) (same, pairs int64) {
	for i := lag; i < len(s.categories); i++ {
		a, b := s.categories[i-lag], s.categories[i]
		if a < 0 || b < 0 || kept[i].connection >= 0 && kept[i].connection == kept[i-lag].connection {
			continue
		}
		pairs++
		if a == b {
			same++
		}
	}
	return same, pairs
}

// compare fills in within and across.
func (s *sequence) compare(kept []answer, o *orderLook) {
	var both, one, within, across, only float64
	for lag := 1; lag <= lags; lag++ {
		same, pairs := s.pairs(lag)
		sameAcross, pairsAcross := s.pairsAcross(kept, lag)
		if pairsAcross < leastPairs {
			continue
		}
		k := agreement(ratio(sameAcross, pairsAcross), s.expected)
		one, only = one+1, only+k
		if pairs-pairsAcross >= leastPairs {
			both, across = both+1, across+k
			within += agreement(ratio(same-sameAcross, pairs-pairsAcross), s.expected)
		}
	}
	switch {
	case both > 0:
		o.paired, o.within, o.across = true, within/both, across/both
	case one > 0:
		o.across = only / one
	}
}

// excess is how many standard deviations more are the same than by chance.
func (s *sequence) excess(same, pairs int64) float64 {
	if pairs == 0 || s.scale <= 1e-12 {
		return 0
	}
	n := float64(pairs)
	return (float64(same) - n*s.expected) / math.Sqrt(n*s.scale)
}

// mostExcess is that of the lag where it is largest.
func (s *sequence) mostExcess() float64 {
	most := math.Inf(-1)
	for lag := 1; lag <= lags; lag++ {
		most = max(most, s.excess(s.pairs(lag)))
	}
	return most
}

// unevenness is Pearson's chi-square of blocks of answers, but for terms that
// do not depend on the order.
func (s *sequence) unevenness() float64 {
	sum := 0.0
	for from := 0; from+blockSize <= len(s.values); from += blockSize {
		block := s.values[from : from+blockSize]
		for _, x := range block {
			// Adding one to a count of c adds 2c+1 to its square.
			sum += float64(2*s.scratch[x]+1) / float64(s.counts[x])
			s.scratch[x]++
		}
		for _, x := range block {
			s.scratch[x] = 0
		}
	}
	return sum
}

// test shuffles the answers again and again and says whether every time fewer
// near each other agree than do, and whether every time blocks are less even
// than they are. Sums of the same numbers in another order may differ in their
// last digits.
func (s *sequence) test(excess, unevenness float64, seed uint64) (alike, even bool) {
	const digits = 1e-9
	r := rand.New(rand.NewPCG(seed, 2))
	alike, even = true, len(s.values) >= 2*blockSize
	for range permutations {
		deal(s.values, len(s.values), r)
		if alike {
			for i, at := range s.places {
				s.categories[at] = s.values[i]
			}
			alike = s.mostExcess() < excess-digits
		}
		even = even && s.unevenness() > unevenness*(1+digits)
		if !alike && !even {
			break
		}
	}
	return alike, even
}
