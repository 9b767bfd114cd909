package sample

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A prepared case is a request as it goes over the wire, made once.
type prepared struct {
	host    string // to dial
	port    string
	secure  *tls.Config
	wire    []byte
	request *http.Request // tells the reader of the answer the method
}

// prepare makes the bytes of a request. Its errors name what is wrong with it.
func prepare(r Request, config *tls.Config) (prepared, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return prepared{}, err
	}
	port := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return prepared{}, fmt.Errorf("url %q: want http://host[:port]/path or https://…", r.URL)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	req, err := http.NewRequest(r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return prepared{}, err
	}
	if err := checkHeader(r); err != nil {
		return prepared{}, err
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if r.Host != "" {
		req.Host = r.Host
	}
	if _, ok := req.Header["User-Agent"]; !ok {
		req.Header.Set("User-Agent", "assay")
	}
	req.Close = true // Connection: close
	var wire bytes.Buffer
	if err := req.Write(&wire); err != nil {
		return prepared{}, err
	}
	p := prepared{host: u.Hostname(), port: port, wire: wire.Bytes(), request: req}
	if u.Scheme == "https" {
		p.secure = tlsConfig(config, req.Host, u.Hostname())
	}
	return p, nil
}

// checkHeader refuses what would end a header line early, and fields that
// net/http would silently not send.
func checkHeader(r Request) error {
	for name, values := range r.Header {
		switch http.CanonicalHeaderKey(name) {
		case "Host":
			return fmt.Errorf("header Host: say it as the request's host")
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
			return fmt.Errorf("header %s: it follows from the request and cannot be set", name)
		}
		if name == "" || strings.ContainsAny(name, " \t\r\n:\x00") {
			return fmt.Errorf("header %q: not a header name", name)
		}
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") {
				return fmt.Errorf("header %s: a value cannot have a line break", name)
			}
		}
	}
	if strings.ContainsAny(r.Host, " \t\r\n\x00/") {
		return fmt.Errorf("host %q: not a host", r.Host)
	}
	return nil
}

// tlsConfig asks for the host that the request names, and for HTTP/1.1.
func tlsConfig(config *tls.Config, host, fallback string) *tls.Config {
	if config == nil {
		config = new(tls.Config)
	}
	config = config.Clone()
	if config.ServerName == "" {
		config.ServerName = fallback
		if h, _, err := net.SplitHostPort(host); err == nil {
			config.ServerName = h
		} else if host != "" {
			config.ServerName = strings.Trim(host, "[]")
		}
	}
	config.NextProtos = []string{"http/1.1"}
	return config
}

// An exchanger sends requests one after the other; each worker has one.
type exchanger struct {
	options *Options
	cases   []prepared
	begin   time.Time
	names   *names
	dialer  net.Dialer
	tap     tap
	reader  *bufio.Reader
	body    []byte
}

func newExchanger(o *Options, cases []prepared, names *names, begin time.Time) *exchanger {
	return &exchanger{
		options: o, cases: cases, names: names, begin: begin,
		// No second address is tried side by side with the first, and no probes
		// of a connection that lives for one request.
		dialer: net.Dialer{FallbackDelay: -1, KeepAlive: -1},
		reader: bufio.NewReaderSize(nil, 4<<10),
	}
}

// do sends request number and returns what became of it. err is a lack of this
// side, or ctx's end: then there is no observation.
func (x *exchanger) do(ctx context.Context, number int64) (Observation, error) {
	sent := time.Now()
	o := Observation{Number: number, Case: int(number % int64(len(x.cases))), At: sent.Sub(x.begin)}
	x.tap.head, x.tap.any, x.body = x.tap.head[:0], false, x.body[:0]
	err := x.exchange(ctx, &x.cases[o.Case], &o, sent)
	o.Latency = time.Since(sent)
	if ctx.Err() != nil {
		return o, ctx.Err() // it may have been cut by that: nothing can be said of it
	}
	if err == nil && x.options.Examples != nil {
		x.options.Examples.add(&o, x.tap.head, x.body)
	}
	return o, err
}

// exchange fills in outcome, fault, status and detail.
func (x *exchanger) exchange(ctx context.Context, c *prepared, o *Observation, sent time.Time) error {
	whole := sent.Add(x.options.Timeout)
	connect := earlier(whole, sent, x.options.ConnectTimeout)
	raw, err := x.dial(ctx, c.host, c.port, connect)
	if err != nil {
		o.Fault, err = dialFault(err)
		if err == nil {
			o.Detail = "no connection to " + net.JoinHostPort(c.host, c.port)
		}
		return err
	}
	defer hangUp(raw)
	defer context.AfterFunc(ctx, func() { raw.SetDeadline(longAgo) })()
	setDeadline(ctx, raw, connect)
	conn := raw
	if c.secure != nil {
		secure := tls.Client(raw, c.secure)
		if err := secure.HandshakeContext(ctx); err != nil {
			o.Fault, o.Detail = TLS, err.Error()
			if timedOut(err) {
				o.Fault, o.Detail = ConnectTimeout, "the TLS handshake did not end in time"
			}
			return nil
		}
		conn = secure
	}
	x.tap.reset(ctx, conn, whole)
	setDeadline(ctx, conn, earlier(whole, time.Now(), x.options.FirstByteTimeout))
	// An error of writing is not the end: a gateway may answer and close before
	// it has read everything. What comes, or does not come, tells.
	conn.Write(c.wire)
	x.receive(c, o)
	return nil
}

// earlier is the end of a phase that began at from, within the whole.
func earlier(whole, from time.Time, limit time.Duration) time.Time {
	if limit > 0 && from.Add(limit).Before(whole) {
		return from.Add(limit)
	}
	return whole
}

// receive reads the answer and says what it is.
func (x *exchanger) receive(c *prepared, o *Observation) {
	x.reader.Reset(&x.tap)
	var resp *http.Response
	for {
		var err error
		if resp, err = http.ReadResponse(x.reader, c.request); err != nil {
			o.Fault, o.Detail = x.tap.readFault(err)
			return
		}
		if resp.StatusCode >= 200 {
			break
		}
		if resp.StatusCode == http.StatusSwitchingProtocols {
			o.Status, o.Fault, o.Detail = resp.StatusCode, Malformed, "switches to another protocol unasked"
			return
		}
		// Another interim answer (1xx): the final one follows.
	}
	o.Status = resp.StatusCode
	if fault, detail := x.readBody(resp); fault != "" {
		o.Fault, o.Detail = fault, detail
		return
	}
	var ok bool
	if o.Outcome, ok = x.options.Classifier.Classify(o.Status, resp.Header, x.body); ok {
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
		return TooLarge, "the body has more than " + bytesText(limit)
	}
	if err != nil {
		if x.tap.err == nil {
			return Malformed, err.Error()
		}
		return x.tap.readFault(err)
	}
	return "", ""
}

func bytesText(n int64) string {
	if n%1024 == 0 {
		return strconv.FormatInt(n/1024, 10) + " KiB"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
