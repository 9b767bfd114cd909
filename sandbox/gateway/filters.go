package gateway

import (
	"net/http"

	"github.com/meshassay/assay/sandbox/routing"
)

// filtered does what stands before Envoy's router, in Istio's order: CORS,
// then injected faults, the delay before the abort. It gives the writer for
// the answer; done says that it was given already.
func filtered(w http.ResponseWriter, r *http.Request, rule *routing.Rule) (_ http.ResponseWriter, done bool) {
	headers, answered := rule.Cors(r)
	if headers != nil {
		w = &marked{ResponseWriter: w, with: headers}
	}
	if answered {
		reply(w, http.StatusOK, "")
		return w, true
	}
	if !wait(r.Context(), rule.Delay()) {
		panic(http.ErrAbortHandler) // the client has gone
	}
	if status, ok := rule.Abort(); ok {
		reply(w, status, "fault filter abort")
		return w, true
	}
	return w, false
}

// routed answers where a route asks no destination.
func routed(w http.ResponseWriter, r *http.Request, rule *routing.Rule, path string) bool {
	change := func(h http.Header) { rule.Headers.Response.Apply(h) }
	switch {
	case rule.Redirect != nil:
		w.Header().Set("Location", rule.Location(r, path))
		replyAs(w, rule.Redirect.Status, "", change)
	case rule.Answer != nil:
		replyAs(w, rule.Answer.Status, rule.Answer.Body, change)
	default:
		return false
	}
	return true
}

// marked is an answer that gets more headers, whoever gives it; they take the
// place of its own.
type marked struct {
	http.ResponseWriter
	with http.Header
	done bool
}

func (m *marked) WriteHeader(status int) {
	if !m.done && status >= 200 {
		m.done = true
		for name, values := range m.with {
			m.Header()[name] = values
		}
	}
	m.ResponseWriter.WriteHeader(status)
}

func (m *marked) Write(b []byte) (int, error) {
	if !m.done {
		m.WriteHeader(http.StatusOK)
	}
	return m.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController find what the server's writer can do.
func (m *marked) Unwrap() http.ResponseWriter { return m.ResponseWriter }
