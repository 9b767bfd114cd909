//go:build amd64 || arm64

package sample

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A loop sends all requests of a run from one goroutine, which waits for all
// connections at once. It does for plain HTTP/1.1 what the exchangers do, at a
// fraction of the cost: nothing is allocated for a request, nobody is woken for
// an answer. What is out of the ordinary it hands to an exchanger.
//
// Observations are not delivered from the loop's goroutine but from Run's, so
// that the time that is spent on judging them is in nobody's latency.
type loop struct {
	o      *Options
	cases  []prepared
	routes []route
	names  *names
	begin  time.Time
	w      *window

	ctx     context.Context
	poll    poll
	lanes   []lane
	resting []queue       // lanes, by target
	free    int           // how many requests more may be under way
	now     time.Duration // since begin, as it was read last
	next    int64         // the number of the next request
	room    int64         // numbers below it may be sent
	taken   bool          // the time of the next request is known:
	due     time.Duration
	soonest time.Duration // no time limit of a lane ends before
	opened  int64         // connections
	buf     []byte        // what one read brought
	failed  error

	out   []Observation // not yet put into the window
	owed  int           // put there, and nobody was woken for it
	woken time.Duration // when somebody was

	aside sync.WaitGroup
	mu    sync.Mutex
	back  []*lane // from aside
}

// route is where a case goes.
type route struct {
	literal []netip.Addr // nil: the host is a name
	port    uint16
}

// A queue has lanes at rest; the one that has rested longest is first.
type queue struct{ first, last *lane }

const (
	never = time.Duration(math.MaxInt64)
	// tick is how often the loop looks at what nothing tells it of: whether a full
	// window has room again, and whether somebody ought to be woken for less than
	// batchSize observations.
	tick = 5 * time.Millisecond
)

// A pulse says whether a loop is brisk: whether so much happens that it keeps its
// place in the scheduler while it waits (see poll.wait).
type pulse struct {
	events int // since the last tick
	vain   int // ticks on end before which it waited in vain
	calm   int // for so many ticks it must not be brisk
	brisk  bool
}

// running is how many loops there are in this process.
var running atomic.Int32

const (
	briskFrom = 10  // events from one tick to the next
	calmFor   = 200 // ticks
)

// tick begins the time until the next tick. alone: nothing but the tick ended the
// wait. If that was so after other events, and again, those whom the loop waits
// for may be in this process, and wait for its place. A gateway that just stalls
// is not followed by other events.
func (p *pulse) tick(alone bool) {
	if p.vain++; !p.brisk || !alone || p.events == 0 {
		p.vain = 0
	}
	if p.calm = max(0, p.calm-1); p.vain == 2 {
		p.calm = calmFor
	}
	// Several loops must not hold all the places there are.
	n := int(running.Load())
	p.brisk = p.calm == 0 && p.events >= briskFrom && (n == 1 || n < runtime.GOMAXPROCS(0))
	p.events = 0
}

// newLoop returns nil for what a loop cannot do.
func newLoop(o *Options, cases []prepared, names *names, begin time.Time, w *window) *loop {
	if o.Portable {
		return nil
	}
	l := &loop{o: o, cases: cases, names: names, begin: begin, w: w, soonest: never, woken: -tick, free: o.Workers}
	targets := 1
	for i := range cases {
		c := &cases[i]
		port, err := strconv.ParseUint(c.port, 10, 16)
		if err != nil || c.secure != nil {
			return nil
		}
		if o.Reuse {
			targets = max(targets, c.target+1)
		}
		r := route{port: uint16(port)}
		if address, err := netip.ParseAddr(c.host); err == nil {
			r.literal = []netip.Addr{address.Unmap()}
		}
		l.routes = append(l.routes, r)
	}
	if l.poll.open(tick) != nil {
		return nil
	}
	l.buf = make([]byte, 64<<10)
	l.out = make([]Observation, 0, 2*len(l.poll.events))
	// Connections that are kept alive are kept for one target.
	l.resting = make([]queue, targets)
	l.lanes = make([]lane, targets*o.Workers)
	for i := range l.lanes {
		l.lanes[i] = lane{index: int32(i), target: i % targets, fd: -1, limit: never}
		l.rest(&l.lanes[i])
	}
	return l
}

// run sends requests until ctx ends or this side fails.
func (l *loop) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	l.ctx = ctx
	defer l.end()
	defer cancel() // what is done aside ends with the loop
	defer context.AfterFunc(ctx, l.poll.wake)()
	running.Add(1)
	defer running.Add(-1)
	var pulse pulse
	for ctx.Err() == nil && l.failed == nil {
		l.now = time.Since(l.begin)
		l.expire()
		l.dispatch()
		l.deliver()
		events, err := l.poll.wait(l.until(), l.now, pulse.brisk)
		if err != nil {
			return fmt.Errorf("waiting for answers: %w", err)
		}
		for i := range events {
			switch n := events[i].Fd; n {
			case wakeup:
				l.poll.woken(n)
				l.cameBack()
			case rang:
			case ticked:
				l.poll.woken(n)
				pulse.tick(len(events) == 1)
				runtime.Gosched() // a brisk loop would let nobody else run
			default:
				pulse.events++
				l.event(&l.lanes[n], events[i].Events)
			}
			// Without a rate, first all answers are read that are there, and then all
			// are asked again: sending takes most of the time, and an answer that came
			// meanwhile would have to wait to be read. That would look like the
			// gateway's latency.
			if l.o.Rate > 0 {
				l.dispatch()
			}
		}
	}
	l.deliver()
	return l.failed
}

// end leaves nothing behind.
func (l *loop) end() {
	l.aside.Wait()
	for i := range l.lanes {
		l.hangUp(&l.lanes[i])
	}
	l.poll.close()
}

// rest puts a lane at the end of those that wait for a request.
func (l *loop) rest(n *lane) {
	n.phase, n.limit, n.behind = resting, never, nil
	q := &l.resting[n.target]
	if q.first == nil {
		q.first = n
	} else {
		q.last.behind = n
	}
	q.last = n
}

// dispatch sends what is due, as far as lanes are free and the window has room.
func (l *loop) dispatch() {
	for l.free > 0 && l.failed == nil {
		if l.next >= l.room {
			if l.deliver(); l.next >= l.room {
				return
			}
		}
		l.now = time.Since(l.begin)
		if !l.taken {
			l.taken, l.due = true, l.now+l.w.pace.wait(l.begin.Add(l.now))
		}
		if l.due > l.now {
			return
		}
		l.taken = false
		l.free--
		which := int(l.next % int64(len(l.cases)))
		// Of each target there are as many lanes as may be under way at all.
		q := &l.resting[0]
		if len(l.resting) > 1 {
			q = &l.resting[l.cases[which].target]
		}
		n := q.first
		q.first = n.behind
		l.start(n, which)
	}
}

// deliver puts what came back into the window, and wakes whoever takes it when
// there is enough of it.
func (l *loop) deliver() {
	l.owed += len(l.out)
	wake := l.owed >= batchSize || l.owed > 0 && l.now-l.woken >= tick
	if wake {
		l.owed, l.woken = 0, l.now
	}
	if len(l.out) > 0 || wake || l.next >= l.room {
		l.room = l.w.putAll(l.out, wake)
		l.out = l.out[:0]
	}
	if wake {
		runtime.Gosched()
	}
}

// until is when something is to be done if nothing happens; never if a tick comes
// before that.
func (l *loop) until() time.Duration {
	at := l.soonest
	if l.taken && l.free > 0 {
		at = min(at, l.due)
		l.now = time.Since(l.begin)
	}
	if at-l.now > tick {
		return never
	}
	return at
}

// limit bounds the phase of a lane.
func (l *loop) limit(n *lane, at time.Duration) {
	n.limit = at
	l.soonest = min(l.soonest, at)
}

// expire ends the phases whose time is up. soonest is never too late, and too
// early only until here: so all lanes are looked at about once per time limit,
// and a request that ends in time costs nothing.
func (l *loop) expire() {
	if l.now < l.soonest {
		return
	}
	l.soonest = never
	for i := range l.lanes {
		n := &l.lanes[i]
		if n.limit <= l.now {
			n.limit = never
			l.timeUp(n)
		}
		l.soonest = min(l.soonest, n.limit)
	}
}

// fail ends the run: this machine lacks something.
func (l *loop) fail(n *lane, err error) {
	l.failed = fmt.Errorf("request %d cannot be sent from here (fewer workers may do): %w", n.o.Number, err)
}
