package sample

import (
	"context"
	"crypto/tls"
	"net"
	"time"
)

// A link is one connection with a gateway. It carries one request at a time.
type link struct {
	raw    net.Conn
	conn   net.Conn // raw, or TLS over it
	gate   *gate    // under conn
	number int64    // in the order of opening
	used   bool     // it has carried an answer
	stop   func() bool
	two    *streams // nil: it speaks HTTP/1.1
}

// A gate is a connection that can be asked for what has come already, without
// waiting for more.
type gate struct {
	net.Conn
	now bool
}

func (g *gate) Read(p []byte) (int, error) {
	if g.now {
		return readNow(g.Conn, p)
	}
	return g.Conn.Read(p)
}

// open connects, and with https shakes hands, until the deadline. Without a
// link and without an error the observation says what went wrong.
func (x *exchanger) open(ctx context.Context, c *prepared, o *Observation, connect time.Time) (*link, error) {
	raw, err := x.dial(ctx, c.host, c.port, connect)
	if err != nil {
		if o.Fault, err = dialFault(err); err == nil {
			o.Detail = "no connection to " + net.JoinHostPort(c.host, c.port)
		}
		return nil, err
	}
	l := &link{raw: raw, gate: &gate{Conn: raw}}
	l.conn = l.gate
	l.stop = context.AfterFunc(ctx, func() { raw.SetDeadline(longAgo) })
	setDeadline(ctx, raw, connect)
	if c.secure != nil {
		secure := tls.Client(l.gate, c.secure)
		if err := secure.HandshakeContext(ctx); err != nil {
			o.Fault, o.Detail = TLS, err.Error()
			if timedOut(err) {
				o.Fault, o.Detail = ConnectTimeout, "the TLS handshake did not end in time"
			}
			l.hangUp()
			return nil, nil
		}
		l.conn = secure
		if secure.ConnectionState().NegotiatedProtocol == "h2" {
			l.two = newStreams(l)
		}
	}
	l.number = x.opened.Add(1) - 1
	return l, nil
}

// quiet says whether a connection that was kept alive may carry a request: it is
// open and nothing came since the last answer. So one that the gateway has
// closed meanwhile is seen before a request is lost on it.
func (l *link) quiet() bool {
	l.gate.now = true
	defer func() { l.gate.now = false }()
	if l.two != nil {
		return l.two.quiet()
	}
	var p [1]byte
	n, err := l.conn.Read(p[:])
	return n == 0 && timedOut(err)
}

// hangUp closes the connection so that nothing stays behind. A close in order
// would leave the side that closes first waiting for a minute with its port
// taken, and at some thousand requests a second the ports run out in seconds.
// The answer is whole by now, or worthless, so a reset loses nothing: the
// gateway has sent all that it had to send, and this side has read it.
func (l *link) hangUp() {
	l.stop()
	if tcp, ok := l.raw.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	l.raw.Close()
}
