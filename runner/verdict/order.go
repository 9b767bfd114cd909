package verdict

import "fmt"

// Order puts numbered answers back into the order in which their requests were
// sent, before they are judged.
//
// Why not simply count them as they come? Because a slow outcome comes late:
// after the first hundred answers of fifty requests side by side those that are
// still under way are mostly the slow ones, and a canary that is ten times slower
// than the others seems too rare. By the time enough answers have come to level
// that out, a split that is right has failed.
//
// Who sends numbers the requests from 0 as they are sent, calls Put with what
// came back, whenever that is, and then Observe with all that Take gives. A
// request that gets no answer must be put as well, as Error, or all after it
// wait for ever.
//
// It is a ring of fixed size, allocates nothing after NewOrder, and is not safe
// for concurrent use.
type Order struct {
	ring []int // outcome, or hole
	head int64 // the number that Take waits for
}

// hole is where nothing was put yet; it is no outcome that Observe takes.
const hole = -1 << 31

// NewOrder returns an Order for numbers that run ahead of the first one missing
// by less than capacity. The number of requests that may be under way at once,
// times a hundred, is plenty: it is exceeded when one request takes as long as a
// hundred others.
func NewOrder(capacity int) *Order {
	if capacity < 1 {
		panic(fmt.Sprintf("verdict: an order of capacity %d", capacity))
	}
	o := &Order{ring: make([]int, capacity)}
	for i := range o.ring {
		o.ring[i] = hole
	}
	return o
}

// Put takes the outcome of request number, as Observe would: an index into
// Claim.Shares, Error or Unlisted. It reports false when there is no room: the
// number is too far ahead of the first one missing, and must be put again after
// that one. It panics on a number that was put before.
func (o *Order) Put(number int64, outcome int) bool {
	if number < 0 {
		panic(fmt.Sprintf("verdict: no request has the number %d", number))
	}
	ahead := number - o.head
	if ahead >= int64(len(o.ring)) {
		return false
	}
	at := number % int64(len(o.ring))
	if ahead < 0 || o.ring[at] != hole {
		panic(fmt.Sprintf("verdict: number %d was put twice", number))
	}
	o.ring[at] = outcome
	return true
}

// Take returns the outcome of the next number, and false while that is missing.
func (o *Order) Take() (outcome int, ok bool) {
	at := o.head % int64(len(o.ring))
	if o.ring[at] == hole {
		return 0, false
	}
	outcome, o.ring[at] = o.ring[at], hole
	o.head++
	return outcome, true
}

// Rounds adds up the counts of several samplers that work side by side, each at
// its own speed.
//
// Adding up what each has at the moment would be the order of completion again:
// a sampler that met a slow outcome has counted less. So each sampler puts its
// counts at agreed points of its own work (after every 50 answers, say): its
// first Put is its round 1, its second round 2. A round is taken when every
// sampler has put it. Which rounds those are does not depend on the answers.
//
//	for c, ok := rounds.Take(); ok; c, ok = rounds.Take() {
//		test.Update(c)
//	}
//
// It is not safe for concurrent use.
type Rounds struct {
	waiting [][]Counts // per sampler: the rounds it is ahead of the last one taken
	last    []Counts   // per sampler: what it put last
	ahead   int
}

// NewRounds returns Rounds of so many samplers, none of which may be more than
// ahead rounds ahead of the slowest.
func NewRounds(samplers, ahead int) *Rounds {
	if samplers < 1 || ahead < 1 {
		panic(fmt.Sprintf("verdict: rounds of %d samplers, %d ahead", samplers, ahead))
	}
	return &Rounds{waiting: make([][]Counts, samplers), last: make([]Counts, samplers), ahead: ahead}
}

// Put takes all that a sampler (from 0) has counted at the end of its next
// round, earlier rounds included. It reports false when there is no room: the
// sampler is too far ahead, and must wait until a round was taken. It panics on
// counts that are less than those before.
func (r *Rounds) Put(sampler int, total Counts) bool {
	if len(r.waiting[sampler]) >= r.ahead {
		return false
	}
	if last := r.last[sampler]; last.Outcomes != nil && !last.within(total) {
		panic(fmt.Sprintf("verdict: the counts of sampler %d went back", sampler))
	}
	var own Counts // the caller goes on with its own
	own.Add(total)
	r.last[sampler] = own
	r.waiting[sampler] = append(r.waiting[sampler], own)
	return true
}

// within says whether d continues c.
func (c Counts) within(d Counts) bool {
	if len(c.Outcomes) != len(d.Outcomes) || c.Errors > d.Errors || c.Other > d.Other {
		return false
	}
	for i, n := range c.Outcomes {
		if n > d.Outcomes[i] {
			return false
		}
	}
	return true
}

// Take returns the sum of all samplers' counts at the end of the next round, as
// Update takes it, and false while a sampler has not put that round.
func (r *Rounds) Take() (Counts, bool) {
	for _, w := range r.waiting {
		if len(w) == 0 {
			return Counts{}, false
		}
	}
	var sum Counts
	for i, w := range r.waiting {
		sum.Add(w[0])
		r.waiting[i] = append(w[:0], w[1:]...)
	}
	return sum, true
}
