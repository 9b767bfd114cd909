// Package sample asks a gateway many times and says what each request got.
//
// It is for whoever judges the answers, so its first duty is the truth:
//
//   - A request is sent once. None is repeated, no redirect followed, no cookie
//     sent back, no proxy taken from the process's environment.
//   - A failed request is an observation like any other, and what went wrong is
//     told apart by what was seen on the connection. A kept-alive connection that
//     the gateway closed just then is no exception: the request is counted as
//     Stale, and not sent again without a word.
//   - Observations are delivered in the order in which their requests were sent,
//     without holes. In the order of completion a slow backend would seem to
//     answer less than it does.
//   - The peer cannot stall or exhaust it: every phase has a time limit; body,
//     header and the number of its lines are bounded, and so is what waits for
//     its turn. Memory does not grow with the number of requests.
//
// # How a gateway is asked
//
// Without more said, each request has a connection of its own, which makes
// answers independent even where a gateway ties a connection to a backend.
// Connections are reset once the answer is whole, so that no port is left
// waiting. With Reuse each worker keeps a connection for one request after the
// other, and gives it up on any doubt about where an answer ends. A connection
// that was closed while it was idle is seen before a request is sent on it.
//
// In the closed loop, so many workers each send the next request when they have
// their answer, pause when faults come one after the other, and keep below a
// rate. In the open loop (Open), requests are due at fixed times whether or not
// earlier ones were answered, and latency counts from when one was due.
//
// It speaks HTTP/1.1, plain or over TLS, and HTTP/2 where that is asked for and
// the gateway offers it in the TLS handshake, one stream at a time.
//
// # What it refuses
//
// Anything but http and https URLs. And what ails this side (no file descriptor,
// no port left) ends the run with an error: it must not be counted against the
// gateway.
package sample
