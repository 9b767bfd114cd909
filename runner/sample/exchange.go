package sample

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// An exchanger sends requests one after the other; each worker has one.
type exchanger struct {
	options *Options
	cases   []prepared
	begin   time.Time
	names   *names
	opened  *atomic.Int64 // connections of the whole run
	dialer  net.Dialer
	kept    map[int]*link // by target: alive and idle
	tap     tap
	reader  *bufio.Reader
	body    []byte
}

func newExchanger(o *Options, cases []prepared, names *names, opened *atomic.Int64, begin time.Time) *exchanger {
	return &exchanger{
		options: o, cases: cases, names: names, opened: opened, begin: begin,
		// No second address is tried side by side with the first, and no probes
		// of a connection: requests are its probes.
		dialer: net.Dialer{FallbackDelay: -1, KeepAlive: -1},
		kept:   make(map[int]*link),
		reader: bufio.NewReaderSize(nil, 4<<10),
	}
}

// hangUp closes the connections that were kept alive.
func (x *exchanger) hangUp() {
	for target, l := range x.kept {
		l.hangUp()
		delete(x.kept, target)
	}
}

// do sends request number and returns what became of it. err is a lack of this
// side, or ctx's end: then there is no observation.
func (x *exchanger) do(ctx context.Context, number int64) (Observation, error) {
	sent := time.Now()
	o := Observation{
		Number: number, Case: int(number % int64(len(x.cases))), Connection: -1,
		At: x.options.due(number, sent.Sub(x.begin)),
	}
	x.tap.head, x.tap.any, x.body = x.tap.head[:0], false, x.body[:0]
	err := x.exchange(ctx, &x.cases[o.Case], &o, sent)
	o.Latency = time.Since(x.begin) - o.At
	o.Detail = clip(o.Detail)
	if ctx.Err() != nil {
		return o, ctx.Err() // it may have been cut by that: nothing can be said of it
	}
	if err == nil && x.options.Examples != nil {
		x.options.Examples.add(&o, x.tap.head, x.body)
	}
	return o, err
}

// detailKept bounds a detail: a gateway could have its whole header quoted in it.
const detailKept = 240

func clip(detail string) string {
	if len(detail) > detailKept {
		return strings.ToValidUTF8(detail[:detailKept], "") + "…"
	}
	return detail
}

// exchange fills in connection, outcome, fault, status and detail.
func (x *exchanger) exchange(ctx context.Context, c *prepared, o *Observation, sent time.Time) error {
	whole := sent.Add(x.options.Timeout)
	l, err := x.link(ctx, c, o, sent, whole)
	if l == nil {
		return err
	}
	o.Connection = l.number
	setDeadline(ctx, l.raw, earlier(whole, time.Now(), x.options.FirstByteTimeout))
	var again bool
	if l.two != nil {
		again = x.stream(ctx, l, c, o, whole)
	} else {
		again = x.ask(ctx, l, c, o, whole)
	}
	if again && x.options.Reuse {
		l.used = true
		x.kept[c.target] = l
	} else {
		l.hangUp()
	}
	return nil
}

// link returns the connection that was kept alive, or opens one.
func (x *exchanger) link(ctx context.Context, c *prepared, o *Observation, sent, whole time.Time) (*link, error) {
	if l := x.kept[c.target]; l != nil {
		delete(x.kept, c.target)
		setDeadline(ctx, l.raw, whole)
		if l.quiet() {
			return l, nil
		}
		l.hangUp() // nothing was sent on it since its last answer
	}
	return x.open(ctx, c, o, earlier(whole, sent, x.options.ConnectTimeout))
}

// earlier is the end of a phase that began at from, within the whole.
func earlier(whole, from time.Time, limit time.Duration) time.Time {
	if limit > 0 && from.Add(limit).Before(whole) {
		return from.Add(limit)
	}
	return whole
}

// ask sends a request as HTTP/1.1 and says whether the connection may carry
// another one. On any doubt it may not: what belongs to one answer could be
// taken for the next.
func (x *exchanger) ask(ctx context.Context, l *link, c *prepared, o *Observation, whole time.Time) bool {
	x.tap.reset(ctx, l, whole)
	// An error of writing is not the end: a gateway may answer and close before
	// it has read everything. What comes, or does not come, tells.
	if len(c.wire) <= fitsMost {
		_, x.tap.write = l.conn.Write(c.wire)
	} else {
		x.tap.writing = make(chan error, 1)
		go func(writing chan<- error) {
			_, err := l.conn.Write(c.wire)
			writing <- err
		}(x.tap.writing)
	}
	again := x.receive(c, o)
	x.tap.written()
	return again && x.tap.write == nil && x.reader.Buffered() == 0
}

// fitsMost is how long a request may be that is written before the answer is
// read. A longer one may not fit into what the system keeps for the gateway,
// which may answer and read no more of it.
const fitsMost = 16 << 10

// receive reads the answer and says what it is, and whether another one may
// follow on the connection.
func (x *exchanger) receive(c *prepared, o *Observation) bool {
	x.reader.Reset(&x.tap)
	var resp *http.Response
	for {
		var err error
		if resp, err = http.ReadResponse(x.reader, c.request); err != nil {
			o.Fault, o.Detail = x.tap.readFault(err)
			return false
		}
		if resp.StatusCode >= 200 {
			break
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			o.Status, o.Fault, o.Detail = resp.StatusCode, Malformed, "switches to another protocol unasked"
			return false
		}
		// Another interim answer (1xx): the final one follows.
		_, x.tap.head, _ = bytes.Cut(x.tap.head, []byte("\r\n\r\n"))
	}
	o.Status = resp.StatusCode
	if o.Fault, o.Detail = x.readBody(resp); o.Fault != "" {
		return false
	}
	o.settle(x.options.Classifier, netHeader(resp.Header), x.body)
	return !resp.Close && !(resp.ContentLength < 0 && saysLength(x.tap.head))
}

// saysLength tells of an answer in chunks whose header has a length too. Its
// chunks count (RFC 9112, 6.3), but somebody on the way may think otherwise.
func saysLength(head []byte) bool {
	return bytes.Contains(bytes.ToLower(head), []byte("\ncontent-length:"))
}

// settle says what an answer is that came whole.
func (o *Observation) settle(c *Classifier, h Header, body []byte) {
	var ok bool
	if o.Outcome, ok = c.Outcome(o.Status, h, body); ok {
		return
	}
	o.Fault = UnknownAnswer
	if o.Status >= 500 {
		o.Fault = ServerError
	}
	o.Detail = "status " + strconv.Itoa(o.Status)
}

// readBody reads the body up to its bound. It does not close it: that would
// read a body without end to its end.
func (x *exchanger) readBody(resp *http.Response) (Fault, string) {
	limit := x.options.BodyLimit
	// Chunks have lines of their own; those are bounded too.
	x.tap.left = 16*limit + HeaderLimit
	buffer := bytes.NewBuffer(x.body[:0])
	n, err := io.Copy(buffer, io.LimitReader(resp.Body, limit+1))
	x.body = buffer.Bytes()
	if n > limit || errors.Is(x.tap.err, errTooLarge) {
		return tooLargeBody(limit)
	}
	if err != nil {
		return x.tap.readFault(err)
	}
	return "", ""
}

func tooLargeBody(limit int64) (Fault, string) {
	return TooLarge, "the body has more than " + bytesText(limit)
}

func bytesText(n int64) string {
	if n%1024 == 0 {
		return strconv.FormatInt(n/1024, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
