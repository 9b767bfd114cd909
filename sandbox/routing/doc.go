// Package routing decides, for one gateway, where a request goes: a Table is
// made once from plain data (hosts, routes, destinations) and never changes
// afterwards, so that a gateway swaps one for the next atomically and no
// request sees half of each.
//
// It follows Envoy: the most specific host wins, then the first route that
// matches; a regular expression must match the whole value; destinations are
// drawn independently at random for each request. It is pure: it opens no
// connection and knows no Kubernetes. It refuses what it cannot hold to
// (a pattern that is not RE2, weights that sum to nothing) when the table is
// made, never when a request comes.
package routing
