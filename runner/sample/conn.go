package sample

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// A tap is one connection, watched: it remembers whether a byte came, how
// reading ended and how the answer began, and bounds what is read.
type tap struct {
	ctx   context.Context
	conn  net.Conn // plain or TLS
	used  bool     // it has carried an answer before
	whole time.Time
	left  int64 // bytes that may still be read
	lines lineCount
	any   bool  // a byte came
	err   error // how reading ended
	write error // how writing ended
	head  []byte

	writing chan error // not nil: a long request is still being written
}

// headKept is how much of an answer's beginning is kept for the examples.
const headKept = 2 << 10

var errTooLarge, errTooManyLines = errors.New("too large"), errors.New("too many lines")

// longAgo is a deadline that ends what is under way at once.
var longAgo = time.Unix(1, 0)

func (t *tap) reset(ctx context.Context, l *link, whole time.Time) {
	*t = tap{ctx: ctx, conn: l.conn, used: l.used, whole: whole, left: HeaderLimit, head: t.head[:0]}
}

// Read reads from the connection within the bound. How it ended once, it ends
// again: parsers look ahead, forget the error and ask another time, and then the
// system tells of a mere end where a reset was.
func (t *tap) Read(p []byte) (int, error) {
	if t.err != nil {
		return 0, t.err
	}
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
			// From the time limit of the first byte to that of the whole.
			setDeadline(t.ctx, t.conn, t.whole)
		}
		t.left -= int64(n)
		t.head = append(t.head, p[:min(n, headKept-len(t.head))]...)
		if t.lines.add(p[:n]); t.lines.n > HeaderLines {
			t.err = errTooManyLines
			return 0, t.err
		}
	}
	if err != nil {
		t.err = err
	}
	return n, err
}

// A lineCount counts the lines of an answer's header as they come, those of
// interim answers before it included, and not those of the body. To bound only
// the bytes would not do: 256 KiB have room for a hundred thousand empty fields,
// each of which costs many times its length once it is parsed.
type lineCount struct {
	n       int
	inside  bool // after the status line
	interim bool
	done    bool
	length  int      // of the line so far
	start   [10]byte // how it begins
}

func (c *lineCount) add(p []byte) {
	for !c.done && len(p) > 0 {
		part, rest, ended := bytes.Cut(p, []byte("\n"))
		if c.length < len(c.start) {
			copy(c.start[c.length:], part)
		}
		c.length += len(part)
		if !ended {
			return
		}
		c.end()
		p = rest
	}
}

// end counts a line and sees what follows it.
func (c *lineCount) end() {
	c.n++
	switch {
	case !c.inside: // "HTTP/1.1 103 …"
		c.inside, c.interim = true, c.length >= len(c.start) && c.start[9] == '1'
	case c.length == 0 || c.length == 1 && c.start[0] == '\r':
		c.inside, c.done = false, !c.interim
	}
	c.length = 0
}

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
	switch t.err {
	case nil:
		return Malformed, err.Error()
	case errTooLarge:
		return TooLarge, "the header has more than " + bytesText(HeaderLimit)
	case errTooManyLines:
		return TooLarge, "the header has more than " + strconv.Itoa(HeaderLines) + " lines"
	}
	t.written()
	return endFault(ended(t.err, t.write), t.any, t.used)
}

// written gives up writing what is left of a request: it is known how it ended.
func (t *tap) written() {
	if t.writing == nil {
		return
	}
	select {
	case t.write = <-t.writing:
	default:
		t.conn.SetWriteDeadline(longAgo)
		t.write = <-t.writing
	}
	t.writing = nil
}

// ended is how a connection ended of which reading and writing ended like this:
// the system tells of a reset once, and then of an end.
func ended(read, write error) error {
	if errors.Is(read, io.EOF) && errors.Is(write, syscall.ECONNRESET) {
		return write
	}
	return read
}

// endFault says what it means that reading ended before the answer was whole.
// any: a byte of it had come. used: the connection had carried an answer before.
func endFault(end error, any, used bool) (Fault, string) {
	closed := errors.Is(end, io.EOF) || errors.Is(end, io.ErrUnexpectedEOF)
	switch {
	case timedOut(end) && !any:
		return FirstByteTimeout, "not a byte of an answer in time"
	case timedOut(end):
		return Timeout, "the answer did not end in time"
	case isTLS(end):
		return TLS, end.Error()
	case used && !any:
		// Whether it was closed in order or reset does not matter: a gateway that
		// closes an idle connection just when a request comes does either.
		return Stale, "the kept-alive connection was closed before a byte of the answer came"
	case closed && !any:
		return Cut, "closed before a byte of the answer came"
	case closed:
		return Cut, "closed in the middle of the answer"
	}
	var system syscall.Errno
	if errors.As(end, &system) {
		end = system // without the addresses, which are of no use
	}
	return Reset, end.Error()
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
