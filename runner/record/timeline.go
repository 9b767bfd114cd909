package record

import (
	"strings"
	"unicode"

	"github.com/meshassay/assay/runner/verdict"
)

// A Timeline keeps what the answers were over time, in bounded memory however
// many there are: a letter for one of every 1, 2, 4, 8 … answers, and the
// counts of stretches of equal length.
type Timeline struct {
	letters []byte // by outcome, then error, then unlisted
	legend  []Letter
	strip   []byte
	every   int64
	n       int64
	series  []verdict.Counts
	stretch int64 // answers per element of series
}

// The bounds: when they are reached, half of the letters go, and stretches
// become twice as long.
const (
	stripLength  = 240
	seriesLength = 64
)

// NewTimeline returns an empty timeline of the outcomes, in the order of the
// claim's shares.
func NewTimeline(outcomes []string) *Timeline {
	t := &Timeline{every: 1, stretch: 1}
	used := map[byte]bool{'!': true, '?': true}
	for _, name := range outcomes {
		l := letterFor(name, used)
		used[l] = true
		t.letters = append(t.letters, l)
		t.legend = append(t.legend, Letter{string(l), name})
	}
	t.letters = append(t.letters, '!', '?')
	t.legend = append(t.legend, Letter{"!", "error"}, Letter{"?", "not listed"})
	return t
}

// letterFor is the first letter of the name that no other outcome has, else
// any that is free.
func letterFor(name string, used map[byte]bool) byte {
	for _, r := range strings.ToLower(name) + "abcdefghijklmnopqrstuvwxyz0123456789" {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) && !used[byte(r)] {
			return byte(r)
		}
	}
	return '*'
}

// Add adds the next answer: an index into the outcomes, verdict.Error or
// verdict.Unlisted.
func (t *Timeline) Add(i int) {
	k := len(t.letters) - 2
	letter := i
	switch i {
	case verdict.Error:
		letter = k
	case verdict.Unlisted:
		letter = k + 1
	}
	if t.n%t.every == 0 {
		if len(t.strip) == stripLength {
			t.thin()
		}
		if t.n%t.every == 0 {
			t.strip = append(t.strip, t.letters[letter])
		}
	}
	t.count(i, k)
	t.n++
}

// thin drops every other letter.
func (t *Timeline) thin() {
	for j := range len(t.strip) / 2 {
		t.strip[j] = t.strip[2*j]
	}
	t.strip = t.strip[:len(t.strip)/2]
	t.every *= 2
}

// count adds the answer to the last stretch.
func (t *Timeline) count(i, k int) {
	if t.n%t.stretch == 0 && t.n/t.stretch == seriesLength {
		for j := range seriesLength / 2 {
			c := t.series[2*j]
			c.Add(t.series[2*j+1])
			t.series[j] = c
		}
		t.series = t.series[:seriesLength/2]
		t.stretch *= 2
	}
	if t.n%t.stretch == 0 {
		t.series = append(t.series, verdict.Counts{Outcomes: make([]int64, k)})
	}
	last := &t.series[len(t.series)-1]
	switch i {
	case verdict.Error:
		last.Errors++
	case verdict.Unlisted:
		last.Other++
	default:
		last.Outcomes[i]++
	}
}

// Fill writes the timeline into the sample: Strip, Every, Legend and Series.
// The legend has the letters that occur.
func (t *Timeline) Fill(s *Sample) {
	s.Strip, s.Every = string(t.strip), t.every
	s.Legend = nil
	for i, l := range t.legend {
		if strings.IndexByte(s.Strip, t.letters[i]) >= 0 {
			s.Legend = append(s.Legend, l)
		}
	}
	s.Series = make([]verdict.Counts, 0, len(t.series))
	for _, c := range t.series {
		c.Outcomes = append([]int64(nil), c.Outcomes...)
		s.Series = append(s.Series, c)
	}
}
