//go:build amd64 || arm64

package sample

import (
	"context"
	"net"
	"net/netip"
	"os"
	"reflect"
	"time"

	"golang.org/x/sys/unix"
)

// What a loop does not do itself, because it may take long or is rare: it is
// done aside by goroutines that come and go, each for one lane.

// resolve looks a name up.
func (l *loop) resolve(n *lane) {
	n.phase, n.limit = resolving, never
	host, by := n.c.host, l.begin.Add(n.connectBy)
	l.aside.Go(func() {
		ctx, cancel := context.WithDeadline(l.ctx, by)
		defer cancel()
		n.addresses, n.err = l.names.of(ctx, host)
		l.comeBack(n)
	})
}

// have returns the addresses of a host that are known, without waiting.
func (n *names) have(host string) []netip.Addr {
	if !n.mu.TryLock() { // somebody looks one up
		return nil
	}
	defer n.mu.Unlock()
	if r := n.known[host]; time.Now().Before(r.until) {
		return r.addresses
	}
	return nil
}

// read has an exchanger go on reading an odd answer, of which data has come.
func (l *loop) read(n *lane, data []byte) {
	if withItself(n.fd) {
		l.hangUp(n)
		n.o.Connection = -1
		l.unconnected(n, unix.ECONNREFUSED)
		return
	}
	n.phase, n.limit = reading, never
	conn, err := duplicate(n.fd)
	if err != nil {
		l.fail(n, err)
		return
	}
	x := l.exchanger(n)
	if len(n.buf) == 0 {
		n.buf = append(n.buf, data...) // the loop reads on into where it was
	}
	rest := &resumed{Conn: conn, data: n.buf}
	whole := l.begin.Add(n.whole)
	l.aside.Go(func() {
		defer l.comeBack(n)
		defer conn.Close() // the lane has the connection yet
		defer context.AfterFunc(l.ctx, func() { conn.SetDeadline(longAgo) })()
		setDeadline(l.ctx, conn, whole)
		n.again = x.resume(l.ctx, n, rest, whole)
		n.ended = time.Since(l.begin)
	})
}

// withItself says whether a socket is connected with itself. That may happen at a
// port from which this machine connects, while nobody listens there: then the
// request comes back as an answer.
func withItself(fd int) bool {
	local, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	peer, err := unix.Getpeername(fd)
	return err == nil && reflect.DeepEqual(local, peer)
}

// comeBack hands a lane back to the loop.
func (l *loop) comeBack(n *lane) {
	l.mu.Lock()
	l.back = append(l.back, n)
	l.mu.Unlock()
	l.poll.wake()
}

// cameBack goes on with the lanes that came back.
func (l *loop) cameBack() {
	l.mu.Lock()
	back := l.back
	l.back = nil
	l.mu.Unlock()
	if l.ctx.Err() != nil {
		return // it may have been cut by that: nothing can be said of it
	}
	for _, n := range back {
		switch n.phase {
		case resolving:
			l.now = time.Since(l.begin)
			if n.err != nil {
				l.unconnected(n, n.err)
			} else {
				l.connect(n)
			}
		case reading:
			l.now = n.ended
			// What happened on the connection meanwhile went unheard.
			l.finish(n, n.again && n.written == len(n.c.wire) && l.quiet(n), n.portable.tap.head, n.portable.body)
		}
	}
}

// exchanger is the one that a lane uses for what is out of the ordinary.
func (l *loop) exchanger(n *lane) *exchanger {
	if n.portable == nil {
		n.portable = newExchanger(l.o, l.cases, l.names, nil, l.begin)
	}
	return n.portable
}

// resume reads an answer of which a part has been read already, and says
// whether the connection may carry another one.
func (x *exchanger) resume(ctx context.Context, n *lane, rest *resumed, whole time.Time) bool {
	x.tap.reset(ctx, &link{conn: rest, used: n.used}, whole)
	x.tap.write, x.body = n.broken, x.body[:0]
	again := x.receive(n.c, &n.o)
	return again && x.reader.Buffered() == 0 && len(rest.data) == 0
}

// A resumed connection is one of which data has been read already. It then goes
// on, or ends.
type resumed struct {
	net.Conn
	data []byte
	end  error
}

func (r *resumed) Read(p []byte) (int, error) {
	if len(r.data) > 0 {
		n := copy(p, r.data)
		r.data = r.data[n:]
		return n, nil
	}
	if r.end != nil {
		return 0, r.end
	}
	return r.Conn.Read(p)
}

// SetDeadline does nothing on a connection that has ended.
func (r *resumed) SetDeadline(t time.Time) error {
	if r.end != nil {
		return nil
	}
	return r.Conn.SetDeadline(t)
}

// duplicate returns another hold on a connection.
func duplicate(fd int) (net.Conn, error) {
	other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(other), "")
	defer f.Close()
	return net.FileConn(f)
}
