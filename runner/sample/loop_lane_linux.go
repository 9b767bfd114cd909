//go:build amd64 || arm64

package sample

import (
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A lane carries one request at a time, as a worker does, and with Reuse keeps
// its connection.
type lane struct {
	index  int32
	target int
	phase  phase
	fd     int           // -1: no connection
	events uint32        // that are watched for
	limit  time.Duration // when the phase ends at the latest
	idle   time.Duration // since when: the end of the last request
	behind *lane         // at rest, the one that has rested less long
	faults int           // on end

	c         *prepared
	o         Observation   // of the request under way
	whole     time.Duration // its time limit
	connectBy time.Duration
	addresses []netip.Addr
	tried     int   // of them
	refusal   error // why the first of them did not do
	number    int64 // of the connection
	used      bool  // it has carried an answer
	written   int   // bytes of the request
	broken    error // no more can be written
	wire      wire
	buf       []byte // the answer so far, where one read did not bring all of it

	portable *exchanger // for what is out of the ordinary
	again    bool       // what came back from aside
	err      error
	ended    time.Duration
}

type phase uint8

const (
	resting    phase = iota // waits for a request
	pausing                 // after faults
	resolving               // aside
	connecting              // or about to find out that it is connected
	asking                  // sends, and not a byte of an answer came
	answering
	reading // aside
)

// unseen is how long a connection may have been idle and still be used without
// a look at it: its end may have come, and the event that tells of it wait behind
// others. At full speed none is idle for so long.
const unseen = 500 * time.Microsecond

// start sends the next request by a lane.
func (l *loop) start(n *lane, which int) {
	number := l.next
	l.next++
	n.c = &l.cases[which]
	n.o = Observation{Number: number, Case: which, Connection: -1, At: l.o.due(number, l.now)}
	n.whole, n.written, n.broken, n.buf = l.now+l.o.Timeout, 0, nil, n.buf[:0]
	n.connectBy = l.sooner(n, l.o.ConnectTimeout)
	n.wire.begin(n.c.request.Method == "HEAD", l.o.BodyLimit)
	if n.fd >= 0 && l.now-n.idle > unseen && !l.quiet(n) {
		l.hangUp(n) // before a request is lost on it
	}
	if n.fd >= 0 {
		l.connected(n)
		l.send(n)
		return
	}
	n.tried, n.refusal, n.used = 0, nil, false
	if n.addresses = l.routes[which].literal; n.addresses == nil {
		if n.addresses = l.names.have(n.c.host); n.addresses == nil {
			l.resolve(n)
			return
		}
	}
	l.connect(n)
}

// sooner is the end of a phase that begins now, within the whole.
func (l *loop) sooner(n *lane, limit time.Duration) time.Duration {
	if limit > 0 {
		return min(n.whole, l.now+limit)
	}
	return n.whole
}

// connect opens a connection to the next address, and sends the request if it
// can be sent at once: a near gateway takes a connection while it is asked for.
func (l *loop) connect(n *lane) {
	if n.tried == len(n.addresses) {
		l.unconnected(n, n.refusal)
		return
	}
	address := n.addresses[n.tried]
	// Each address gets its part of the time.
	part := (n.connectBy - l.now) / time.Duration(len(n.addresses)-n.tried)
	n.tried++
	var errno syscall.Errno
	if n.fd, errno = dial(address, l.routes[n.o.Case].port); errno != 0 {
		l.refused(n, errno)
		return
	}
	if l.o.Reuse || len(n.c.wire) > 1000 {
		atOnce(n.fd)
	}
	n.phase, n.events = connecting, 0
	l.limit(n, l.now+part)
	l.send(n)
}

// refused says that there will be no connection to an address.
func (l *loop) refused(n *lane, err error) {
	l.hangUp(n)
	if n.refusal == nil {
		n.refusal = err
	}
	// That no port is left looks like an address of a kind that this machine has
	// none of, such as IPv6: then another address may do.
	if here(err) && err != unix.EADDRNOTAVAIL {
		n.tried = len(n.addresses)
		n.refusal = err
	}
	l.now = time.Since(l.begin)
	l.connect(n)
}

// unconnected says that there is no connection at all.
func (l *loop) unconnected(n *lane, err error) {
	if n.o.Fault, err = dialFault(err); err != nil {
		l.fail(n, err)
		return
	}
	n.o.Detail = "no connection to " + net.JoinHostPort(n.c.host, n.c.port)
	l.finish(n, false, nil, nil)
}

// connected begins to wait for the answer.
func (l *loop) connected(n *lane) {
	if n.phase == connecting {
		n.number = l.opened
		l.opened++
	}
	n.phase, n.o.Connection = asking, n.number
	l.limit(n, l.sooner(n, l.o.FirstByteTimeout))
}

// send sends what is left of the request. While connecting, that is also how it
// is found out whether there is a connection.
func (l *loop) send(n *lane) {
	events := uint32(unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLET)
	for n.written < len(n.c.wire) && n.broken == nil {
		k, errno := send(n.fd, n.c.wire[n.written:])
		if errno == unix.EINTR {
			continue
		}
		if errno == unix.EAGAIN {
			events |= unix.EPOLLOUT
			break
		}
		if errno != 0 && n.phase == connecting && errno != unix.ECONNRESET && errno != unix.EPIPE {
			l.refused(n, errno)
			return
		}
		if n.phase == connecting {
			l.connected(n)
		}
		if errno != 0 {
			// Not the end: a gateway may answer and close before it has read
			// everything. What comes, or does not come, tells.
			n.broken = errno
		}
		n.written += k
	}
	if events&^n.events == 0 {
		return
	}
	if err := l.poll.watch(n.fd, n.index, events, n.events != 0); err != nil {
		l.fail(n, err)
		return
	}
	n.events = events
}

// event says that something happened on the connection of a lane. It may be an
// event of a connection that the lane had before, so all is tried that it could
// mean, and nothing believed.
func (l *loop) event(n *lane, events uint32) {
	switch n.phase {
	case resting, pausing:
		if n.fd >= 0 && !l.quiet(n) {
			l.hangUp(n) // before a request is lost on it
		}
		return
	case resolving, reading:
		return
	case connecting:
		if l.send(n); n.phase == connecting {
			return
		}
	case asking:
		if n.written < len(n.c.wire) {
			l.send(n)
		}
	}
	if n.phase == asking || n.phase == answering {
		l.receive(n, events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0)
	}
}

// quiet says whether nothing came on a connection that waits for a request.
func (l *loop) quiet(n *lane) bool {
	_, errno := receive(n.fd, l.buf[:1])
	return errno == unix.EAGAIN
}

// receive reads what has come, to its end if the connection was closed.
func (l *loop) receive(n *lane, closed bool) {
	for {
		k, errno := receive(n.fd, l.buf)
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return
		case errno != 0:
			l.broke(n, errno)
			return
		case k == 0 && n.wire.closed():
			l.answered(n, false)
			return
		case k == 0:
			l.broke(n, io.EOF)
			return
		}
		if n.phase == asking {
			n.phase = answering
			l.limit(n, n.whole)
		}
		data := l.buf[:k]
		if len(n.buf) > 0 {
			n.buf = append(n.buf, data...)
			data = n.buf
		}
		switch n.wire.read(data) {
		case whole:
			l.answered(n, !closed && n.wire.reusable())
			return
		case odd:
			l.read(n, data)
			return
		}
		if len(n.buf) == 0 {
			n.buf = append(n.buf, data...)
		}
		n.wire.buf = n.buf // others read into l.buf before the end comes
		if k < len(l.buf) && !closed {
			return // an event tells when there is more
		}
	}
}

// answered says what the answer is, which is whole.
func (l *loop) answered(n *lane, again bool) {
	l.now = time.Since(l.begin)
	head := n.wire.buf[n.wire.start:]
	head = head[:min(len(head), headKept)]
	body := n.wire.content()
	n.o.Status = n.wire.status
	n.o.settle(l.o.Classifier, &n.wire, body)
	l.finish(n, again && n.written == len(n.c.wire), head, body)
}

// broke says that the answer will not be whole, and why.
func (l *loop) broke(n *lane, err error) {
	l.now = time.Since(l.begin)
	if len(n.buf) > 0 {
		x := l.exchanger(n)
		x.resume(l.ctx, n, &resumed{data: n.buf, end: err}, l.begin.Add(n.whole))
		l.finish(n, false, x.tap.head, x.body)
		return
	}
	n.o.Fault, n.o.Detail = endFault(ended(err, n.broken), false, n.used)
	l.finish(n, false, nil, nil)
}

// finish hands out what became of the request. What has an answer counts as
// over at now.
func (l *loop) finish(n *lane, again bool, head, body []byte) {
	n.idle, n.o.Latency = l.now, l.now-n.o.At
	n.o.Detail = clip(n.o.Detail)
	if l.o.Examples != nil {
		l.o.Examples.add(&n.o, head, body)
	}
	l.out = append(l.out, n.o)
	if n.used = again && l.o.Reuse; !n.used {
		l.hangUp(n)
	}
	if n.o.Fault == "" || n.o.Fault == UnknownAnswer {
		n.faults = 0
	} else {
		n.faults++
	}
	if pause := backoff(n.faults); pause > 0 && !l.o.Open {
		n.phase = pausing
		l.limit(n, l.now+pause)
		return
	}
	l.free++
	l.rest(n)
}

// timeUp ends a phase by its time limit.
func (l *loop) timeUp(n *lane) {
	switch n.phase {
	case pausing:
		l.free++
		l.rest(n)
	case connecting:
		l.refused(n, os.ErrDeadlineExceeded)
	case asking, answering:
		l.broke(n, os.ErrDeadlineExceeded)
	}
}

func (l *loop) hangUp(n *lane) {
	if n.fd >= 0 {
		hangUp(n.fd)
		n.fd = -1
	}
}
