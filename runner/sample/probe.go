package sample

import (
	"slices"
	"sync"
	"time"
)

// A Probe keeps what a gateway answered before and after a change, to tell how
// long the change took to reach its answers. It only looks: it does not ask,
// and it knows nothing of what the change is. Its memory does not grow with the
// number of answers, and several goroutines may use it.
//
// The answers of a split are draws, so one of them seldom says which split gave
// it. Two kinds do: outcomes that were not possible before the change and are
// wanted after it (new), and those that were possible before and must not come
// after it (old). Blue says nothing when half of the answers are blue before
// and after. An outcome that was only not seen before the change may have been
// possible all the same: among n answers one with a share of 4.6/n is missed
// once in a hundred times (0.01 = (1 - share)^n).
type Probe struct {
	mu       sync.Mutex
	outcomes []string
	index    map[string]int
	changed  time.Time // zero: not yet
	cases    []probed
}

// probed is what is known of one case: by outcome, then what is not among the
// outcomes, then failed requests.
type probed struct {
	before, after []Seen
	faults        map[Fault]int64 // after the change
	asked         time.Duration   // when the first request after the change was sent; -1: none was
	got           int             // what answered it
	watched       time.Duration   // when the last answer had come
}

// Seen is how often something came after the change, and when: how long after
// it the answer was whole.
type Seen struct {
	Count       int64
	First, Last time.Duration
}

// NewProbe returns a probe of so many cases, whose answers can be the outcomes.
func NewProbe(outcomes []string, cases int) *Probe {
	p := &Probe{outcomes: slices.Clone(outcomes), index: make(map[string]int)}
	for i, name := range outcomes {
		p.index[name] = i
	}
	for range cases {
		p.cases = append(p.cases, probed{
			before: make([]Seen, len(outcomes)+2), after: make([]Seen, len(outcomes)+2), faults: make(map[Fault]int64), asked: -1,
		})
	}
	return p
}

// Change says that the change is sent now. Answers that have come until now are
// of what was before, all others may be of either.
func (p *Probe) Change(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.changed = now
}

// Add adds answers of a run that began at a time.
func (p *Probe) Add(began time.Time, batch []Observation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range batch {
		o := &batch[i]
		sent := began.Add(o.At)
		c := &p.cases[o.Case]
		k := len(p.outcomes) + 1
		if o.Fault == "" {
			var listed bool
			if k, listed = p.index[o.Outcome]; !listed {
				k = len(p.outcomes)
			}
		}
		if came := sent.Add(o.Latency); p.changed.IsZero() || came.Before(p.changed) {
			c.before[k].Count++
		} else {
			c.came(k, sent.Sub(p.changed), came.Sub(p.changed), o.Fault)
		}
	}
}

// came counts an answer after the change. Answers come in the order in which
// they were asked for, and several streams may overlap: so none of the times is
// sure to grow.
func (c *probed) came(k int, sent, came time.Duration, fault Fault) {
	s := &c.after[k]
	if s.Count == 0 || came < s.First {
		s.First = came
	}
	s.Last = max(s.Last, came)
	s.Count++
	if fault != "" {
		c.faults[fault]++
	}
	if sent >= 0 && (c.asked < 0 || sent < c.asked) {
		c.asked, c.got = sent, k
	}
	c.watched = max(c.watched, came)
}

// Before is how many answers each case has had before the change, at least.
func (p *Probe) Before() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var least int64 = -1
	for _, c := range p.cases {
		var n int64
		for _, s := range c.before {
			n += s.Count
		}
		if least < 0 || n < least {
			least = n
		}
	}
	return max(0, least)
}

// Ground is what is known of a case from elsewhere.
type Ground struct {
	// Possible outcomes before the change, beyond those that the probe saw.
	Possible []string
	// Wanted are the outcomes that must come after the change, Tolerated those
	// that may.
	Wanted, Tolerated []string
}

// Propagation is how a change reached the answers. Times begin when the change
// was sent and end when the answer was whole.
type Propagation struct {
	// Before and After are how many answers there were, by outcome, or "other"
	// where it was none of those given; failed requests are not among them.
	Before, After map[string]int64
	// New are the outcomes that only the change brought, Old those that it
	// ended: what tells the new state from the old one.
	New, Old []string
	// FirstNew and LastOld are the first answer of New and the last of Old. When
	// Dead is true, Old is empty and the failed requests stand for it.
	FirstNew, LastOld Seen
	// AtOnce says that the first request after the change was answered by New.
	AtOnce bool
	// Dead says that every request failed before the change.
	Dead bool
	// Failed are the failed requests before the change, Errors those after it,
	// which Faults counts by kind.
	Failed  int64
	Errors  Seen
	Faults  map[Fault]int64
	Watched time.Duration // until when, after the change
}

// Tell says how the change reached the answers of a case; false when no answer
// came before the change, or none after it, so that there is nothing to compare.
func (p *Probe) Tell(i int, g Ground) (Propagation, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.cases[i]
	errors := len(p.outcomes) + 1
	t := Propagation{
		Before: make(map[string]int64), After: make(map[string]int64), Faults: make(map[Fault]int64),
		Failed: c.before[errors].Count, Errors: c.after[errors], Watched: c.watched,
	}
	for fault, n := range c.faults {
		t.Faults[fault] = n
	}
	var before, after int64
	for k := range c.before[:errors] {
		name := "other" // no outcome is called that
		if k < len(p.outcomes) {
			name = p.outcomes[k]
		}
		before, after = before+c.before[k].Count, after+c.after[k].Count
		count(t.Before, name, c.before[k].Count)
		count(t.After, name, c.after[k].Count)
	}
	t.Dead = before == 0 && t.Failed > 0
	for k, name := range p.outcomes {
		possible := c.before[k].Count > 0 || slices.Contains(g.Possible, name) && !t.Dead
		switch {
		case !possible && slices.Contains(g.Wanted, name):
			t.New = append(t.New, name)
			t.FirstNew = both(t.FirstNew, c.after[k])
			t.AtOnce = t.AtOnce || c.asked >= 0 && c.got == k
		case possible && !slices.Contains(g.Wanted, name) && !slices.Contains(g.Tolerated, name):
			t.Old = append(t.Old, name)
			t.LastOld = both(t.LastOld, c.after[k])
		}
	}
	if t.Dead {
		t.LastOld = t.Errors
	}
	return t, before+t.Failed > 0 && after+t.Errors.Count > 0
}

func count(m map[string]int64, name string, n int64) {
	if n > 0 {
		m[name] = n
	}
}

// both is two outcomes together.
func both(a, b Seen) Seen {
	switch {
	case a.Count == 0:
		return b
	case b.Count == 0:
		return a
	}
	return Seen{Count: a.Count + b.Count, First: min(a.First, b.First), Last: max(a.Last, b.Last)}
}
