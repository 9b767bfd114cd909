package routing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Policy is what is done with a route's requests besides choosing who answers.
// The zero Policy does nothing.
type Policy struct {
	Delays  []Delay
	Aborts  []Abort
	Retries *Retries // nil is DefaultRetries
	Headers Headers  // after those of the destination
	Mirrors []Mirror
	Cors    *Cors
}

// Delay holds a share of the requests back before they are sent on.
type Delay struct {
	Share float64 // from 0 to 1
	For   time.Duration
}

// Abort answers a share of the requests without asking a destination.
type Abort struct {
	Share  float64 // from 0 to 1
	Status int
}

// Mirror sends copies of a share of the requests to another destination. What
// that answers is not waited for, and goes nowhere.
type Mirror struct {
	Share float64 // from 0 to 1
	To    Destination
}

// Retries says when a request is sent again, as a retry policy of Envoy does.
type Retries struct {
	Attempts int           // beyond the first
	PerTry   time.Duration // until an attempt's answer begins; 0 is no limit
	On       RetryOn
	Statuses []int         // answers with these are not good enough either
	Backoff  time.Duration // the base interval; 0 is Envoy's 25 ms
	Repeat   bool          // do not look for an endpoint that was not tried yet
}

// RetryOn are the conditions of Envoy's x-envoy-retry-on under which a request
// is sent again; see
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on.
type RetryOn uint

// The conditions. All but the first two mean answers as well as their absence.
const (
	OnConnectFailure     RetryOn = 1 << iota // no connection came about
	OnResetBeforeRequest                     // likewise, or it ended before anything was sent
	OnReset                                  // no answer came, or not within PerTry
	On5xx                                    // like OnReset, or the answer is 500 to 599
	OnGatewayError                           // like OnReset, or the answer is 502, 503 or 504
	OnRetriable4xx                           // the answer is 409
)

// DefaultRetries are Istio's where a route says nothing:
// connect-failure,refused-stream,unavailable,cancelled, of which only the
// first can happen to a request of HTTP/1.1 that is not gRPC.
var DefaultRetries = &Retries{Attempts: 2, On: OnConnectFailure}

// WorthAnother tells whether an answer with this status is one to retry.
func (r *Retries) WorthAnother(status int) bool {
	switch {
	case r.On&On5xx != 0 && status >= 500 && status <= 599:
		return true
	case r.On&OnGatewayError != 0 && status >= 502 && status <= 504:
		return true
	case r.On&OnRetriable4xx != 0 && status == 409:
		return true
	}
	for _, s := range r.Statuses {
		if s == status {
			return true
		}
	}
	return false
}

// Unanswered tells whether to retry a request that got no answer: unsent says
// that nothing of it went out.
func (r *Retries) Unanswered(unsent bool) bool {
	on := OnReset | On5xx | OnGatewayError
	if unsent {
		on |= OnConnectFailure | OnResetBeforeRequest
	}
	return r.On&on != 0
}

// Wait is the time before the nth retry, the first being 1: Envoy's fully
// jittered exponential back-off, drawn from [0, (2^n-1)*Backoff) and capped at
// ten times the base; see
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-max-retries.
func (r *Retries) Wait(n int) time.Duration {
	base := r.Backoff
	if base == 0 {
		base = 25 * time.Millisecond
	}
	limit := 10 * base
	if n < 4 { // (2^4-1) is above ten already
		limit = base * time.Duration(1<<n-1)
	}
	return rand.N(max(limit, 1))
}

// Answer is what a gateway answers itself, without asking a destination.
type Answer struct {
	Status int
	Body   string
}

// drawn tells whether one request belongs to a share of them.
func drawn(share float64) bool { return rand.Float64() < share }

// check finds what no gateway could do.
func (p *Policy) check() error {
	var mistakes []error
	share := func(what string, s float64) {
		if !(s >= 0 && s <= 1) {
			mistakes = append(mistakes, fmt.Errorf("%s: the share %v is not between 0 and 1", what, s))
		}
	}
	for _, d := range p.Delays {
		share("delay", d.Share)
	}
	for _, a := range p.Aborts {
		share("abort", a.Share)
		if a.Status < 200 || a.Status > 599 {
			mistakes = append(mistakes, fmt.Errorf("abort: %d is not the status of an answer", a.Status))
		}
	}
	for _, m := range p.Mirrors {
		share("mirror", m.Share)
	}
	if r := p.Retries; r != nil && (r.Attempts < 0 || r.PerTry < 0 || r.Backoff < 0) {
		mistakes = append(mistakes, errors.New("retries: nothing of them may be negative"))
	}
	return errors.Join(mistakes...)
}
