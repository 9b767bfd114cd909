package verdict

import (
	"cmp"
	"math"
	"slices"
)

// Found counts outcomes whose names are not known beforehand, and says between
// which bounds their shares lie. It wants nothing of them and judges nothing.
//
// The intervals of all names and of the errors hold together, at all times,
// with the probability given. Three things make that so:
//
//   - Each is a confidence sequence, valid whenever one looks (interval.go). Its
//     prior is the same for all: what is likely to be seen is not known.
//   - The answer by which a name is found, and those before it, are not counted
//     for its interval. Of a thousand names as likely as each other the first to
//     come is at 100 % of 1 answer: by that answer it was picked, so that it says
//     nothing. Those that follow are of a name that stands fixed.
//   - Number j of the names gets 1/((j+1)(j+2)) of the probability of error, and
//     the errors as number 0 half of it: the parts sum to 1 however many names
//     will come.
//
// Of more than 64 names the rest are counted together. The zero value is not
// ready; it is not safe for concurrent use.
type Found struct {
	confidence float64
	n, errors  int64
	names      []foundName
	index      map[string]int
	rest       int64
}

type foundName struct {
	name  string
	count int64
	from  int64 // answers up to the one by which it was found, that included
}

// FoundNames is how many names a Found tells apart.
const FoundNames = 64

// NewFound returns counts without an answer. confidence is the probability, such
// as .99, with which all intervals are to hold together.
func NewFound(confidence float64) *Found {
	return &Found{confidence: confidence, index: make(map[string]int)}
}

// Observe counts one answer and returns the number of its outcome in the order
// in which they were found, from 0, or Unlisted for one of the rest.
func (f *Found) Observe(name string) int {
	f.n++
	i, ok := f.index[name]
	if !ok {
		if len(f.names) == FoundNames {
			f.rest++
			return Unlisted
		}
		i = len(f.names)
		f.index[name] = i
		f.names = append(f.names, foundName{name: name, from: f.n})
	}
	f.names[i].count++
	return i
}

// ObserveError counts a failed request.
func (f *Found) ObserveError() {
	f.n++
	f.errors++
}

// FoundResult is what was found. Fractions; [Low, High] is the interval.
type FoundResult struct {
	N      int64        `json:"n"`      // answers, errors included
	Shares []FoundShare `json:"shares"` // the largest first
	Errors FoundShare   `json:"errors"`
	Other  int64        `json:"other,omitempty"` // answers of names beyond the first 64
	// Confidence is the probability with which all intervals hold together, at
	// every time that one may have looked.
	Confidence float64 `json:"confidence"`
}

// FoundShare is one outcome.
type FoundShare struct {
	Name  string  `json:"name,omitempty"`
	Got   float64 `json:"got"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
	Count int64   `json:"count"`
}

// Result says what was found so far.
func (f *Found) Result() FoundResult {
	r := FoundResult{N: f.n, Other: f.rest, Confidence: f.confidence, Shares: make([]FoundShare, len(f.names))}
	r.Errors = f.share("", f.errors, 0, 0)
	for i, x := range f.names {
		r.Shares[i] = f.share(x.name, x.count, i+1, x.from)
	}
	slices.SortStableFunc(r.Shares, func(a, b FoundShare) int { return cmp.Compare(b.Count, a.Count) })
	return r
}

func (f *Found) share(name string, count int64, number int, from int64) FoundShare {
	s := FoundShare{Name: name, Count: count}
	if f.n > 0 {
		s.Got = float64(count) / float64(f.n)
	}
	hits := count
	if from > 0 {
		hits-- // the one by which it was found
	}
	s.Low, s.High = f.bounds(number, hits, f.n-from)
	// The share of all answers may lie outside when the answers change with
	// time. A wider interval is as valid, and does not look like a mistake.
	s.Low, s.High = math.Min(s.Low, s.Got), math.Max(s.High, s.Got)
	return s
}

func (f *Found) bounds(number int, hits, n int64) (low, high float64) {
	delta := (1 - f.confidence) / (float64(number+1) * float64(number+2))
	return interval(hits, n, .5, 1, delta) // about as likely anywhere
}
