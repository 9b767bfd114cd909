package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// errPerTry ends an attempt that took longer than it may.
var errPerTry = errors.New("the attempt took too long")

// RoundTrip sends the request to an endpoint, and again as long as the route's
// retry policy wants that: to an endpoint of the same destination that was not
// tried yet, if there is one. (The transport itself repeats what an idle
// connection, by then closed by the service, could not take; so nobody sees an
// error because a pod went away between two requests.)
func (c *call) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		// The transport closes the body when an attempt fails, and a next one needs
		// it. The proxy closes it when all is over.
		c.body = &replay{from: r.Body, length: r.ContentLength}
		if c.rule.RetriesAsked() || len(c.copies) > 0 {
			c.body.limit = bodyLimit
		}
		r.Body, _ = c.body.again()
	} else {
		c.mirrorLate() // there is nothing to wait for
	}
	policy := c.rule.Retries
	endpoints := c.target.Endpoints
	first := c.target.Next()
	address := endpoints[first]
	var tried []string
	for {
		tried = append(tried, address)
		c.attempts = len(tried)
		r.URL.Host = address
		r.Header.Set("X-Envoy-Attempt-Count", strconv.Itoa(len(tried)))
		resp, err := c.attempt(r, policy.PerTry)
		if len(tried) > policy.Attempts || !c.worthAnother(resp, err) {
			return resp, err
		}
		if over := r.Context().Err(); over != nil {
			if resp != nil {
				resp.Body.Close()
			}
			return nil, over
		}
		// The endpoints of now: this one may have failed because it was replaced
		// since the request was routed.
		now := c.gateway.inForce.Load()
		if target := now.table.Target(c.target.Name); target != nil {
			endpoints, c.guard = target.Endpoints, now.guard
		}
		next := another(endpoints, first+1, tried)
		switch {
		case policy.Repeat && len(endpoints) > 0:
			next = endpoints[(first+len(tried))%len(endpoints)]
		case next == "" && !c.rule.RetriesAsked():
			return resp, err // who just refused a connection would refuse it again
		case next == "":
			next = address
		}
		again := r.Clone(r.Context()) // the transport may still hold the other
		if c.body != nil {
			reading, ok := c.body.again()
			if !ok {
				return resp, err
			}
			again.Body = reading
		}
		if resp != nil {
			resp.Body.Close()
		}
		if c.rule.RetriesAsked() && !wait(r.Context(), policy.Wait(len(tried))) {
			return nil, r.Context().Err()
		}
		r, address = again, next
	}
}

// worthAnother tells whether the outcome of an attempt is one to retry.
func (c *call) worthAnother(resp *http.Response, err error) bool {
	if err == nil {
		return c.rule.Retries.WorthAnother(resp.StatusCode)
	}
	var unsent dialError
	return c.rule.Retries.Unanswered(errors.As(err, &unsent))
}

// attempt sends the request once. The limit is for the beginning of the
// answer only: as in Envoy it ends when that is passed on.
func (c *call) attempt(r *http.Request, limit time.Duration) (*http.Response, error) {
	if limit == 0 {
		return c.send(r, c.guard)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	timer := time.AfterFunc(limit, func() { cancel(errPerTry) })
	resp, err := c.send(r.WithContext(ctx), c.guard)
	if !timer.Stop() && err == nil { // the answer came, and too late after all
		resp.Body.Close()
		err = errPerTry
	}
	if err != nil {
		if context.Cause(ctx) == errPerTry && r.Context().Err() == nil {
			err = errPerTry
		}
		cancel(nil)
		return nil, err
	}
	resp.Body = endOf(resp.Body, func() { cancel(nil) })
	return resp, nil
}

// endOf calls a function when a body is closed.
func endOf(body io.ReadCloser, done func()) io.ReadCloser {
	closing := &closer{body, done}
	if w, ok := body.(io.Writer); ok { // of a connection that was upgraded
		return struct {
			*closer
			io.Writer
		}{closing, w}
	}
	return closing
}

type closer struct {
	io.ReadCloser
	done func()
}

func (c *closer) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}

// wait tells whether the time passed before the request was over.
func wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// another gives the first endpoint from a turn on that was not tried, "" if
// all were.
func another(endpoints []string, turn int, tried []string) string {
	for i := range endpoints {
		if e := endpoints[(turn+i)%len(endpoints)]; !slices.Contains(tried, e) {
			return e
		}
	}
	return ""
}
