package gateway

import (
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/meshassay/assay/sandbox/authorization"
)

// enters tells whether the gateway takes a request; it has answered if not. It
// comes before any route, as Envoy's filter does.
func enters(w http.ResponseWriter, r *http.Request, guard *authorization.Guard) bool {
	if guard.Enters(r.Method, r.URL.EscapedPath(), r.Host) {
		return true
	}
	reply(w, http.StatusForbidden, authorization.Denied)
	return false
}

// send sends a request to the endpoint that its URL names. The sidecar there
// decides first: what it denies never gets to the service.
func (c *call) send(r *http.Request, guard *authorization.Guard) (*http.Response, error) {
	if guard.Reaches(r.URL.Host, r.Method, c.path, r.Host) {
		return c.gateway.transport.RoundTrip(r)
	}
	return &http.Response{
		StatusCode: http.StatusForbidden,
		Status:     strconv.Itoa(http.StatusForbidden) + " " + http.StatusText(http.StatusForbidden),
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"text/plain"}, "Content-Length": {strconv.Itoa(len(authorization.Denied))}},
		ContentLength: int64(len(authorization.Denied)),
		Body:          io.NopCloser(strings.NewReader(authorization.Denied)),
		Request:       r,
	}, nil
}
