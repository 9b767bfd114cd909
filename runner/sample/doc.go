// Package sample asks a gateway many times and says what each request got.
//
// It is for whoever judges the answers, so its first duty is the truth:
//
//   - A request is sent once. No connection is used for a second request, no
//     request is repeated, no redirect followed, no cookie sent back, no proxy
//     taken from the process's environment. One request per connection makes
//     answers independent even where a gateway ties a connection to a backend.
//   - A failed request is an observation like any other, and what went wrong
//     is told apart by what was seen on the connection.
//   - Observations are delivered in the order in which their requests were
//     sent, without holes. In the order of completion a slow backend would seem
//     to answer less than it does.
//   - The peer cannot stall or exhaust it: every phase has a time limit, header
//     and body are bounded, and so is what waits for its turn.
//
// What ails this side (no file descriptor, no port left) ends the run with an
// error: it must not be counted against the gateway.
//
// It refuses anything but http and https URLs, and speaks HTTP/1.1.
package sample
