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
	Stale            Fault = "stale connection"   // a kept-alive connection was closed before a byte of the answer came
	Malformed        Fault = "malformed"          // not HTTP
	TooLarge         Fault = "too large"          // header or body beyond the bound
	StreamReset      Fault = "stream reset"       // HTTP/2: the gateway gave up on the request (RST_STREAM)
	GoAway           Fault = "goaway"             // HTTP/2: the gateway would take no more requests on the connection (GOAWAY)
	ServerError      Fault = "server error"       // a status of 500 and more that no rule gives
	UnknownAnswer    Fault = "unknown answer"     // an answer that no rule names
)

// Observation is what is known of one request. It has an outcome or a fault.
type Observation struct {
	Number int64 // in the order of dispatch, from 0
	Case   int   // index into Options.Cases
	// Connection is the number of the connection that carried it, from 0 in the
	// order of opening; -1 when no connection came about.
	Connection int64
	Outcome    string // "" when Fault is set
	Fault      Fault
	Status     int    // 0 when no status line came
	Detail     string // what exactly went wrong
	// At is when it was sent, since the run began; in an open loop, when it was
	// due. At plus Latency is when its answer was whole, or the fault seen.
	At time.Duration
	// Latency is from dialing, or on a kept-alive connection from sending, to the
	// last byte or to the fault. In an open loop it begins when the request was
	// due, so that a wait for its turn is in it.
	Latency time.Duration
}

// Protocol is a version of HTTP.
type Protocol int

// HTTP2 is spoken where the gateway offers it in the TLS handshake (ALPN);
// elsewhere, and over plain http, it means HTTP/1.1.
const (
	HTTP1 Protocol = iota
	HTTP2
)

// Options say what to send and how.
type Options struct {
	// Cases are sent in turn: request n is case n modulo their number.
	Cases      []Request
	Classifier *Classifier
	// Workers is how many requests may be under way at once; 1 when 0.
	Workers int
	// Rate is the most requests sent in a second; 0: as fast as they are answered.
	Rate float64
	// Reuse keeps connections alive, with one request at a time on each. Without
	// it each request has a connection of its own.
	Reuse bool
	// Open sends Rate requests a second at fixed times, whether or not earlier
	// ones were answered, and never pauses after faults. Workers still bounds how
	// many are under way: what that holds up is sent late, and its latency says so.
	Open bool
	// Protocol is what is spoken with the gateway; HTTP/1.1 when not set.
	Protocol Protocol
	// Portable never uses the faster loop that some systems have. What is
	// observed is the same with both.
	Portable bool
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
	// HeaderLines is how many lines they may have.
	HeaderLines = 1000
)
