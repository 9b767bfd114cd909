package gateway

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/routing"
)

// serve answers one request.
func (g *Gateway) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodConnect {
		reply(w, http.StatusNotFound, "")
		return
	}
	now := g.inForce.Load()
	if !enters(w, r, now.guard) {
		return
	}
	rule, path := now.table.Find(r)
	if rule == nil {
		reply(w, http.StatusNotFound, "")
		return
	}
	w, done := filtered(w, r, rule)
	if done || routed(w, r, rule, path) {
		return
	}
	connection := r.Context().Value(connectionKey{}).(*routing.Connection)
	target := rule.Choose(connection)
	switch {
	case target.Unknown: // Envoy: the route names a cluster that does not exist
		reply(w, http.StatusServiceUnavailable, "")
		return
	case len(target.Endpoints) == 0:
		reply(w, http.StatusServiceUnavailable, "no healthy upstream")
		return
	}
	if r.ContentLength != 0 {
		// Or net/http would read the whole body before it lets an answer begin.
		// HTTP/1.1 always can.
		_ = http.NewResponseController(w).EnableFullDuplex()
	}
	if rule.Timeout > 0 {
		ctx, cancel := context.WithTimeout(r.Context(), rule.Timeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	c := &call{gateway: g, guard: now.guard, rule: rule, target: target, path: path, began: time.Now(), copies: rule.Mirrors()}
	proxy := httputil.ReverseProxy{
		Rewrite:        c.rewrite,
		Transport:      c,
		ModifyResponse: c.answered,
		ErrorHandler:   c.failed,
		FlushInterval:  -1, // pass on at once what the service sends
		ErrorLog:       discard,
		BufferPool:     &bodies,
	}
	defer c.mirrorLate()
	proxy.ServeHTTP(w, r)
}

var discard = log.New(io.Discard, "", 0)

// reply answers for the gateway itself, as Envoy's local replies look.
func reply(w http.ResponseWriter, status int, body string) {
	replyAs(w, status, body, func(http.Header) {})
}

// replyAs changes the headers of such an answer.
func replyAs(w http.ResponseWriter, status int, body string, change func(http.Header)) {
	h := w.Header()
	h.Set("Server", "istio-envoy")
	if body != "" {
		h.Set("Content-Type", "text/plain")
		h.Set("Content-Length", strconv.Itoa(len(body)))
	}
	change(h)
	w.WriteHeader(status)
	io.WriteString(w, body)
}

// call is a request on its way to a destination.
type call struct {
	gateway *Gateway
	guard   *authorization.Guard // of the moment when the endpoints were looked up
	rule    *routing.Rule
	target  *routing.Target
	path    string // to send on, escaped
	began   time.Time

	attempts int               // so far
	body     *replay           // of the request; nil if it has none
	copies   []*routing.Target // who is still to get a copy
	sent     *http.Request     // as it goes out, for the copies
}

// rewrite makes the request that is sent on.
func (c *call) rewrite(p *httputil.ProxyRequest) {
	out := p.Out
	out.URL.Scheme = "http"
	out.URL.RawQuery = p.In.URL.RawQuery // as it was sent, even where Go would not parse it
	if p.In.URL.EscapedPath() != c.path {
		out.Header.Set("X-Envoy-Original-Path", p.In.URL.RequestURI())
		out.URL.RawPath = c.path
		if plain, err := url.PathUnescape(c.path); err == nil {
			out.URL.Path = plain
		} else { // a rewrite to something that is not a path: send it as it stands
			out.URL.Opaque = c.path
		}
	}
	out.Host = p.In.Host
	for _, authority := range []string{c.rule.Authority, c.target.Authority} {
		if authority != "" {
			out.Host = authority
		}
	}
	h := out.Header
	client, _, _ := net.SplitHostPort(p.In.RemoteAddr)
	h.Set("X-Forwarded-For", strings.Join(append(p.In.Header["X-Forwarded-For"], client), ","))
	h.Set("X-Forwarded-Proto", "http")
	if h.Get("X-Request-Id") == "" {
		h.Set("X-Request-Id", newID())
	}
	c.expect(h)
	c.target.Headers.Request.Apply(h)
	c.rule.Headers.Request.Apply(h)
	if len(c.copies) > 0 {
		c.sent = out.Clone(context.Background())
	}
}

// expect tells the service how long its answer is waited for, as Envoy does.
func (c *call) expect(h http.Header) {
	limit := c.rule.Timeout
	if try := c.rule.Retries.PerTry; try > 0 && (limit == 0 || try < limit) {
		limit = try
	}
	if limit > 0 {
		h.Set("X-Envoy-Expected-Rq-Timeout-Ms", strconv.FormatInt(max(limit.Milliseconds(), 1), 10))
	}
}

// newID makes a version 4 UUID. It need not be hard to guess.
func newID() string {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(b[8:], rand.Uint64())
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// answered marks a service's answer as having come through Envoy.
func (c *call) answered(resp *http.Response) error {
	resp.Header.Set("Server", c.gateway.name)
	resp.Header.Set("X-Envoy-Upstream-Service-Time", strconv.FormatInt(time.Since(c.began).Milliseconds(), 10))
	c.target.Headers.Response.Apply(resp.Header)
	c.rule.Headers.Response.Apply(resp.Header)
	return nil
}

// failed answers for a service that did not.
func (c *call) failed(w http.ResponseWriter, r *http.Request, err error) {
	reset := "upstream connect error or disconnect/reset before headers. reset reason: "
	if c.attempts > 1 {
		reset = "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: "
	}
	var unsent dialError
	switch {
	case errors.Is(r.Context().Err(), context.DeadlineExceeded), err == errPerTry:
		reply(w, http.StatusGatewayTimeout, "upstream request timeout")
	case r.Context().Err() != nil: // the client has gone
		panic(http.ErrAbortHandler)
	case errors.As(err, &unsent):
		reply(w, http.StatusServiceUnavailable, reset+"remote connection failure, transport failure reason: delayed connect error: "+cause(err))
	default:
		reply(w, http.StatusServiceUnavailable, reset+"connection termination")
	}
}

// cause words a connect error as the operating system does, for Envoy passes
// that on.
func cause(err error) string {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return "Connection timed out"
	}
	text := number.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
