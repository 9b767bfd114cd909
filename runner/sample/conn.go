package sample

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"
)

// A tap is one connection, watched: it remembers whether a byte came, how
// reading ended and how the answer began, and bounds what is read.
type tap struct {
	ctx   context.Context
	conn  net.Conn // plain or TLS
	whole time.Time
	left  int64 // bytes that may still be read
	any   bool  // a byte came
	err   error // how reading ended
	head  []byte
}

// headKept is how much of an answer's beginning is kept for the examples.
const headKept = 2 << 10

var errTooLarge = errors.New("too large")

// longAgo is a deadline that ends what is under way at once.
var longAgo = time.Unix(1, 0)

func (t *tap) reset(ctx context.Context, conn net.Conn, whole time.Time) {
	*t = tap{ctx: ctx, conn: conn, whole: whole, left: HeaderLimit, head: t.head[:0]}
}

// Read reads from the connection within the bound.
func (t *tap) Read(p []byte) (int, error) {
	if t.left <= 0 {
		t.err = errTooLarge
		return 0, t.err
	}
	if int64(len(p)) > t.left {
		p = p[:t.left]
	}
	n, err := t.conn.Read(p)
	if n > 0 {
		if !t.any {
			t.any = true
			t.extend()
		}
		t.left -= int64(n)
		t.head = append(t.head, p[:min(n, headKept-len(t.head))]...)
	}
	if err != nil {
		t.err = err
	}
	return n, err
}

// extend moves the deadline from that of the first byte to that of the whole.
func (t *tap) extend() { setDeadline(t.ctx, t.conn, t.whole) }

// setDeadline moves the deadline of a connection on which ctx's end sets the
// deadline longAgo, and does not undo that.
func setDeadline(ctx context.Context, conn net.Conn, at time.Time) {
	conn.SetDeadline(at)
	if ctx.Err() != nil { // ended just before
		conn.SetDeadline(longAgo)
	}
}

// dialFault says what an error of connecting means. A fault of this side comes
// back as err.
func dialFault(err error) (Fault, error) {
	var name *net.DNSError
	switch {
	case here(err):
		return "", err
	case timedOut(err):
		return ConnectTimeout, nil
	case errors.As(err, &name):
		return Resolve, nil
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused, nil
	case errors.Is(err, syscall.ECONNRESET):
		return Reset, nil
	}
	return Unreachable, nil
}

// lacks are what this machine may run out of: file descriptors, ports, memory.
var lacks = []error{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOBUFS, syscall.ENOMEM}

// here says whether the error is a lack of this machine's: not the gateway's fault.
func here(err error) bool {
	for _, lack := range lacks {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// readFault says what it means that no whole answer came: by how reading ended,
// or, if reading did not end, by what was wrong with what was read.
func (t *tap) readFault(err error) (Fault, string) {
	switch end := t.err; {
	case end == nil:
		return Malformed, err.Error()
	case errors.Is(end, errTooLarge):
		return TooLarge, "the header has more than " + bytesText(HeaderLimit)
	case timedOut(end) && !t.any:
		return FirstByteTimeout, "not a byte of an answer in time"
	case timedOut(end):
		return Timeout, "the answer did not end in time"
	case errors.Is(end, syscall.ECONNRESET), errors.Is(end, syscall.EPIPE):
		return Reset, end.Error()
	case errors.Is(end, io.EOF), errors.Is(end, io.ErrUnexpectedEOF):
		if t.any {
			return Cut, "closed in the middle of the answer"
		}
		return Cut, "closed before a byte of the answer came"
	case isTLS(end):
		return TLS, end.Error()
	default:
		return Reset, end.Error()
	}
}

// isTLS says whether the peer, or this side, gave up on TLS. With TLS 1.3 a
// refused client learns of it only when it reads.
func isTLS(err error) bool {
	var alert tls.AlertError
	var record tls.RecordHeaderError
	return errors.As(err, &alert) || errors.As(err, &record)
}

func timedOut(err error) bool {
	var n net.Error
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// hangUp closes the connection so that nothing stays behind. A close in order
// would leave the side that closes first waiting for a minute with its port
// taken, and at some thousand requests a second the ports run out in seconds.
// The answer is whole by now, or worthless, so a reset loses nothing: the
// gateway has sent all that it had to send, and this side has read it.
func hangUp(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}
