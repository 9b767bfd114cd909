package sample

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// outcomesTold is how many outcomes a Tally tells apart.
const outcomesTold = 1000

// OtherOutcomes stands in a Tally for outcomes beyond the first thousand names.
const OtherOutcomes = "other outcomes"

// Tally sums observations up in memory that does not grow with their number.
type Tally struct {
	N        int64
	Outcomes map[string]int64
	Faults   map[Fault]int64
	Statuses map[int]int64 // of the answers that were faults
	latency  *hdrhistogram.Histogram
	min, max time.Duration
}

// Latency is how long answers took that came whole, from dial to the last
// byte. The quantiles are within 1 %.
type Latency struct {
	Count                   int64
	Min, P50, P90, P99, Max time.Duration
}

// longest is what a histogram can hold, in microseconds: an hour.
const longest = int64(time.Hour / time.Microsecond)

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{
		Outcomes: make(map[string]int64),
		Faults:   make(map[Fault]int64),
		Statuses: make(map[int]int64),
		latency:  hdrhistogram.New(1, longest, 2),
	}
}

// Add adds observations.
func (t *Tally) Add(batch []Observation) {
	for i := range batch {
		o := &batch[i]
		t.N++
		if o.Fault != "" {
			t.Faults[o.Fault]++
			if o.Status != 0 {
				t.Statuses[o.Status]++
			}
		} else {
			t.count(o.Outcome)
		}
		if o.Fault == "" || o.Fault == ServerError || o.Fault == UnknownAnswer {
			t.time(o.Latency)
		}
	}
}

// count bounds how many names are kept: without Values a rule takes them from
// the answers, and a gateway may give each answer a name of its own.
func (t *Tally) count(outcome string) {
	if _, known := t.Outcomes[outcome]; !known && len(t.Outcomes) >= outcomesTold {
		outcome = OtherOutcomes
	}
	t.Outcomes[outcome]++
}

func (t *Tally) time(d time.Duration) {
	if t.latency.TotalCount() == 0 || d < t.min {
		t.min = d
	}
	t.max = max(t.max, d)
	// Within the histogram's range there is no error.
	_ = t.latency.RecordValue(min(max(d.Microseconds(), 1), longest))
}

// Latency sums up the latencies; zero when no answer came.
func (t *Tally) Latency() Latency {
	l := Latency{Count: t.latency.TotalCount(), Min: t.min, Max: t.max}
	if l.Count == 0 {
		return l
	}
	at := func(q float64) time.Duration {
		d := time.Duration(t.latency.ValueAtQuantile(q)) * time.Microsecond
		return min(max(d, t.min), t.max)
	}
	l.P50, l.P90, l.P99 = at(50), at(90), at(99)
	return l
}
