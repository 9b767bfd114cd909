package gateway

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/routing"
)

// mirrorLimit bounds how long a copy may take where the route has no timeout.
const mirrorLimit = time.Minute

// mirror sends copies of a request to those who get one, as Envoy's request
// shadowing does: with "-shadow" behind the host's name, without waiting for
// the answers, and only if the whole body is there to be copied.
func (c *call) mirror(r *http.Request) {
	var body []byte
	if len(c.copies) == 0 {
		return
	}
	if c.body != nil {
		var whole bool
		if body, whole = c.body.whole(); !whole {
			return
		}
	}
	for _, target := range c.copies {
		if len(target.Endpoints) == 0 {
			continue
		}
		go c.shadow(r.Clone(context.Background()), target, c.guard, body)
	}
	c.copies = nil
}

// mirrorLate does so for a request with a body, once that went by.
func (c *call) mirrorLate() {
	if c.sent != nil {
		c.mirror(c.sent)
	}
}

func (c *call) shadow(r *http.Request, to *routing.Target, guard *authorization.Guard, body []byte) {
	limit := mirrorLimit
	if c.rule.Timeout > 0 {
		limit = c.rule.Timeout
	}
	ctx, cancel := context.WithTimeout(c.gateway.open, limit)
	defer cancel()
	r = r.WithContext(ctx)
	r.URL.Host = to.Endpoints[to.Next()]
	r.Host = shadowed(r.Host)
	r.Body, r.ContentLength = nil, int64(len(body))
	if len(body) > 0 {
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	if r.Header["User-Agent"] == nil { // or the transport would put its own there
		r.Header.Set("User-Agent", "")
	}
	resp, err := c.send(r, guard)
	if err != nil {
		return // nobody is told: a copy's fate is nobody's
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
}

// shadowed is the Host of a copy: shop.example.com-shadow:8080; see
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#envoy-v3-api-msg-config-route-v3-routeaction-requestmirrorpolicy.
func shadowed(host string) string {
	if name, port, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(name+"-shadow", port)
	}
	return host + "-shadow"
}
