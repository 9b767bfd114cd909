package routing

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Cors says which other sites' pages may read a route's answers; see
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter.
type Cors struct {
	Origins     []Text // any of them; one that holds for "*" holds for every origin
	Methods     []string
	Headers     []string
	Expose      []string
	MaxAge      time.Duration // 0 says nothing
	Credentials bool
	// Unmatched preflights are not passed on to the service.
	IgnoreUnmatched bool
}

// cors is a compiled Cors.
type cors struct {
	Cors
	origins []text
}

func compileCors(c *Cors) (*cors, error) {
	if c == nil {
		return nil, nil
	}
	out := &cors{Cors: *c}
	for i, o := range c.Origins {
		compiled, err := compileText(o)
		if err != nil {
			return nil, fmt.Errorf("origin %d: %w", i, err)
		}
		out.origins = append(out.origins, compiled)
	}
	return out, nil
}

func (c *cors) allows(origin string) bool {
	for i := range c.origins {
		if c.origins[i].matches("*") || c.origins[i].matches(origin) {
			return true
		}
	}
	return false
}

// Cors gives the headers that the answer to a request gets because it comes
// from another site's page, nil for any other request. Where answered is true
// they are all of the answer: the request was a browser's question whether it
// may ask.
func (r *Rule) Cors(req *http.Request) (headers http.Header, answered bool) {
	c, origin := r.cors, req.Header.Get("Origin")
	if c == nil || origin == "" {
		return nil, false
	}
	preflight := req.Method == http.MethodOptions && req.Header.Get("Access-Control-Request-Method") != ""
	if !c.allows(origin) {
		return nil, preflight && c.IgnoreUnmatched
	}
	headers = http.Header{"Access-Control-Allow-Origin": {origin}}
	if c.Credentials {
		headers.Set("Access-Control-Allow-Credentials", "true")
	}
	list := func(name string, values []string) {
		if len(values) > 0 {
			headers.Set(name, strings.Join(values, ","))
		}
	}
	if !preflight {
		list("Access-Control-Expose-Headers", c.Expose)
		return headers, false
	}
	list("Access-Control-Allow-Methods", c.Methods)
	list("Access-Control-Allow-Headers", c.Headers)
	if c.MaxAge > 0 {
		headers.Set("Access-Control-Max-Age", strconv.FormatInt(int64(c.MaxAge/time.Second), 10))
	}
	return headers, true
}
