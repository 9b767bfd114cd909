package sample

import (
	"sync"
	"time"
)

// A window hands out numbers in the order of dispatch and puts what comes back
// into that order again. It is a ring of fixed size: a request that does not
// come back holds up those after it, and when the ring is full no more are
// sent until it has ended, by its time limit at the latest. So a gateway that
// hangs costs time and no memory.
type window struct {
	mu    sync.Mutex
	ready sync.Cond // the head has come back, or closed
	room  sync.Cond // the head moved on, or closed

	ring   []Observation
	filled []bool
	head   int64 // the next number to deliver
	next   int64 // the next number to hand out
	pace   pace
	closed bool
}

// windowSize is how far dispatch may run ahead of the slowest request, at least.
const windowSize = 4096

// newWindow returns a window that holds so many requests, and windowSize at least.
func newWindow(ahead int, p pace) *window {
	size := max(windowSize, ahead)
	w := &window{ring: make([]Observation, size), filled: make([]bool, size), pace: p}
	w.ready.L, w.room.L = &w.mu, &w.mu
	return w
}

// dispatch waits for room and returns the next number and how long to wait
// before it is sent; false when the window is closed. Number and time are given
// out together: what has the lower number is sent first.
func (w *window) dispatch() (number int64, wait time.Duration, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.next-w.head >= int64(len(w.ring)) && !w.closed {
		w.room.Wait()
	}
	if w.closed {
		return 0, 0, false
	}
	number = w.next
	w.next++
	return number, w.pace.wait(time.Now()), true
}

// put takes what came back.
func (w *window) put(o Observation) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := o.Number % int64(len(w.ring))
	w.ring[i], w.filled[i] = o, true
	if o.Number == w.head {
		w.ready.Signal()
	}
}

// take waits until the head has come back and appends it and what follows
// without a hole to batch, up to its capacity. It returns an empty batch when
// the window is closed and the head has not come back.
func (w *window) take(batch []Observation) []Observation {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.filled[w.head%int64(len(w.ring))] && !w.closed {
		w.ready.Wait()
	}
	for len(batch) < cap(batch) {
		i := w.head % int64(len(w.ring))
		if !w.filled[i] {
			break
		}
		batch = append(batch, w.ring[i])
		w.ring[i], w.filled[i] = Observation{}, false
		w.head++
	}
	if len(batch) > 0 {
		w.room.Broadcast()
	}
	return batch
}

// close ends dispatch and wakes everybody who waits.
func (w *window) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.ready.Broadcast()
	w.room.Broadcast()
}

// A pace is a schedule of at most so many requests a second: a token for each
// interval, and no store of more than a few. After a pause it does not catch
// up by a burst; the rate is what the gateway may be asked to bear.
//
// In an open loop the times are fixed before anything is sent. What is late is
// sent at once, so that a gateway that stalls meets what piled up meanwhile, as
// it would with users who do not wait for each other.
type pace struct {
	interval time.Duration // 0: no limit
	next     time.Time
	fixed    bool // open loop
}

// slack is how late a token may still be used without delaying the following
// ones: timers are not exact.
const slack = 5 * time.Millisecond

func newPace(rate float64) pace {
	if rate <= 0 {
		return pace{}
	}
	return pace{interval: interval(rate)}
}

// newSchedule is the pace of an open loop: request n is due n intervals after begin.
func newSchedule(rate float64, begin time.Time) pace {
	return pace{interval: interval(rate), next: begin, fixed: true}
}

func interval(rate float64) time.Duration { return time.Duration(float64(time.Second) / rate) }

// wait takes the next token and returns how long it is until its time.
func (p *pace) wait(now time.Time) time.Duration {
	if p.interval == 0 {
		return 0
	}
	if earliest := now.Add(-slack); !p.fixed && p.next.Before(earliest) {
		p.next = earliest
		if p.interval > slack {
			p.next = now
		}
	}
	at := p.next
	p.next = at.Add(p.interval)
	return max(0, at.Sub(now))
}
