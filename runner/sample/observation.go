package sample

import (
	"crypto/tls"
	"net/http"
	"time"
)

// Request is what is asked, once or a million times.
type Request struct {
	URL    string // http:// or https://
	Method string // GET when empty
	Host   string // the Host header, and the name asked for with TLS; the URL's when empty
	Header http.Header
	Body   []byte
}

// Fault is what went wrong with a request that has no outcome.
type Fault string

// The faults, told apart by what was seen on the connection.
const (
	Resolve          Fault = "name not resolved"  // the gateway's name has no address
	Refused          Fault = "refused"            // nobody listens there
	Unreachable      Fault = "unreachable"        // the network has no way to it
	ConnectTimeout   Fault = "connect timeout"    // no connection in time
	TLS              Fault = "tls"                // the handshake failed
	FirstByteTimeout Fault = "first byte timeout" // connected, and not a byte in time
	Timeout          Fault = "timeout"            // began to answer and did not end in time
	Reset            Fault = "reset"              // the connection was reset
	Cut              Fault = "cut"                // the connection was closed before the answer was whole
	Malformed        Fault = "malformed"          // not HTTP
	TooLarge         Fault = "too large"          // header or body beyond the bound
	ServerError      Fault = "server error"       // a status of 500 and more that no rule gives
	UnknownAnswer    Fault = "unknown answer"     // an answer that no rule names
)

// Observation is what is known of one request. It has an outcome or a fault.
type Observation struct {
	Number  int64  // in the order of dispatch, from 0
	Case    int    // index into Options.Cases
	Outcome string // "" when Fault is set
	Fault   Fault
	Status  int           // 0 when no status line came
	Detail  string        // what exactly went wrong
	At      time.Duration // when it was sent, since the run began
	Latency time.Duration // from dial to the last byte, or to the fault
}

// Options say what to send and how.
type Options struct {
	// Cases are sent in turn: request n is case n modulo their number.
	Cases      []Request
	Classifier *Classifier
	// Workers is how many requests may be under way at once; 1 when 0.
	Workers int
	// Rate is the most requests sent in a second; 0: as fast as they are answered.
	Rate float64
	// Timeout is for a whole request, DefaultTimeout when 0. Connecting
	// (ConnectTimeout) and waiting for the first byte (FirstByteTimeout) may be
	// bounded more tightly; 0: only by Timeout.
	Timeout, ConnectTimeout, FirstByteTimeout time.Duration
	// BodyLimit is how many bytes of a body are read; DefaultBodyLimit when 0.
	// A longer one is a fault.
	BodyLimit int64
	// TLS is used for https. Nil: the system's authorities, the host's name.
	TLS *tls.Config
	// Examples, when set, collects answers as they came.
	Examples *Examples
}

// What is assumed where Options say nothing.
const (
	DefaultTimeout   = 10 * time.Second
	DefaultBodyLimit = 1 << 20
	// HeaderLimit is how many bytes a status line and header may have, those of
	// interim (1xx) answers included.
	HeaderLimit = 256 << 10
)
