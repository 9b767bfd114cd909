package routing

import "time"

// Host is a virtual host: a name and its routes in order.
type Host struct {
	Name   string // "shop.example.com", "*.example.com" or "*"; lower case
	Routes []Route
}

// Route says what is done with the requests that it matches.
type Route struct {
	Name         string  // where it comes from, for messages
	Match        []Match // one of them suffices; none at all matches everything
	Rewrite      Rewrite
	Timeout      time.Duration // until the last byte of the answer; 0 is none
	Destinations []Destination // none: the route is answered by Answer or Redirect
	Choice       Choice
	Policy       // what else is done with the requests
	Answer       *Answer
	Redirect     *Redirect
}

// Match is a condition on a request; all of its parts must hold.
type Match struct {
	Path       Text // as it was sent: escaped, without the query
	IgnoreCase bool // of Path, unless it is a regular expression
	Method     Text
	Scheme     Text
	Authority  Text // the Host header, with its port if one was sent
	Headers    []Field
	Without    []Field // must not hold; a header that is missing counts as empty
	Query      []Field // the first value of each name, as it was sent
}

// Field is a condition on a header or a query parameter.
type Field struct {
	Name  string
	Value Text
}

// Text is a condition on a string. The zero Text holds for every string, and
// as a Field's value for every field that is present.
type Text struct {
	Kind  Kind
	Value string
}

// Kind says how a Text compares.
type Kind int

const (
	Any    Kind = iota
	Exact       // the same bytes
	Prefix      // begins with
	Regex       // RE2, must match all of it
)

// Rewrite says what is changed before a request is sent on; "" changes nothing.
type Rewrite struct {
	Path      string // replaces a prefix that matched, or else the whole path
	Authority string // replaces the Host header
}

// Destination is one of those that share a route's requests.
type Destination struct {
	Host    string // blue-green-canary.blue-green-canary.svc.cluster.local
	Subset  string // "" is the whole service
	Version string // the label version that all its endpoints carry, "" if none
	Weight  uint64 // over the sum of the route's weights

	// Unknown says that nobody declared the host or the subset. That is not
	// the same as a destination without endpoints, and is answered otherwise.
	Unknown   bool
	Endpoints []string // "10.244.0.7:3000", of those that are ready
	Balance   Balance
	Authority string  // replaces the Host header, whatever Rewrite says
	Headers   Headers // of what it is sent, and of what it answers
}

// Balance says how a destination's endpoints take turns.
type Balance int

const (
	RoundRobin Balance = iota
	Random
)

// Choice says how a destination is chosen. The zero Choice is what a right
// gateway does: each request drawn on its own.
type Choice struct {
	Block  int  // above 0: dealt, so many at a time, exactly by the weights and in runs
	Sticky bool // a connection keeps the destination that its first request got
}
