package routing

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sort"
	"strings"
	"sync/atomic"
	"time"
)

// Table is a gateway's routes. It never changes; it is safe for concurrent use.
type Table struct {
	exact    map[string]*virtualHost
	suffixes []*virtualHost // "*.example.com", longest first
	any      *virtualHost   // "*"
	targets  map[string]*Target
}

type virtualHost struct {
	suffix string // ".example.com"
	rules  []*Rule
}

// Rule is a route in force.
type Rule struct {
	Name      string
	Authority string // replaces the Host header, unless ""
	Timeout   time.Duration
	Headers   Headers
	Retries   *Retries // never nil
	Answer    *Answer  // instead of a target's
	Redirect  *Redirect

	path    string // of the rewrite
	matches []*matcher
	targets []*Target
	chooser chooser
	delays  []Delay
	aborts  []Abort
	mirrors []mirror
	cors    *cors
}

type mirror struct {
	share float64
	to    *Target
}

// Target is a destination in force.
type Target struct {
	Name      string // host, or host|subset
	Unknown   bool   // nobody declared it
	Endpoints []string
	Authority string // replaces the Host header, unless ""
	Headers   Headers

	balance Balance
	turn    atomic.Uint64
}

// New makes a table. It reports every mistake, not only the first.
func New(hosts []Host) (*Table, error) {
	t := &Table{exact: map[string]*virtualHost{}, targets: map[string]*Target{}}
	var mistakes []error
	seen := map[string]bool{}
	for _, h := range hosts {
		if seen[h.Name] {
			mistakes = append(mistakes, fmt.Errorf("host %q stands twice", h.Name))
			continue
		}
		seen[h.Name] = true
		v := &virtualHost{}
		for i, r := range h.Routes {
			rule, err := newRule(r)
			if err != nil {
				mistakes = append(mistakes, fmt.Errorf("host %q: route %d (%s): %w", h.Name, i, r.Name, err))
				continue
			}
			v.rules = append(v.rules, rule)
			for _, target := range rule.targets {
				t.targets[target.Name] = target
			}
		}
		if err := t.add(h.Name, v); err != nil {
			mistakes = append(mistakes, err)
		}
	}
	sort.Slice(t.suffixes, func(i, j int) bool { return len(t.suffixes[i].suffix) > len(t.suffixes[j].suffix) })
	if err := errors.Join(mistakes...); err != nil {
		return nil, fmt.Errorf("routing table: %w", err)
	}
	return t, nil
}

func (t *Table) add(name string, v *virtualHost) error {
	switch suffix, wild := strings.CutPrefix(name, "*"); {
	case !wild && name != "" && !strings.Contains(name, "*"):
		t.exact[name] = v
	case wild && suffix == "":
		t.any = v
	case wild && strings.HasPrefix(suffix, ".") && len(suffix) > 1 && !strings.Contains(suffix, "*"):
		v.suffix = suffix
		t.suffixes = append(t.suffixes, v)
	default:
		return fmt.Errorf("host %q: want a name, *.suffix or *", name)
	}
	return nil
}

func newRule(r Route) (*Rule, error) {
	rule := &Rule{Name: r.Name, Authority: r.Rewrite.Authority, Timeout: r.Timeout, path: r.Rewrite.Path}
	if err := rule.take(r); err != nil {
		return nil, err
	}
	if len(r.Match) == 0 {
		rule.matches = []*matcher{{}}
	}
	for i, m := range r.Match {
		c, err := compileMatch(m)
		if err != nil {
			return nil, fmt.Errorf("match %d: %w", i, err)
		}
		rule.matches = append(rule.matches, c)
	}
	var weights []uint64
	var sum uint64
	for _, d := range r.Destinations {
		rule.targets = append(rule.targets, newTarget(d))
		weights = append(weights, d.Weight)
		sum += d.Weight
	}
	if rule.Answer != nil || rule.Redirect != nil {
		return rule, nil
	}
	if sum == 0 {
		return nil, errors.New("the weights of its destinations sum to 0")
	}
	rule.chooser = newChooser(rule, weights, r.Choice)
	return rule, nil
}

// take takes over what is done with the requests besides.
func (r *Rule) take(from Route) error {
	if err := from.Policy.check(); err != nil {
		return err
	}
	r.delays, r.aborts, r.Headers, r.Retries = from.Delays, from.Aborts, from.Headers, from.Retries
	if r.Retries == nil {
		r.Retries = DefaultRetries
	}
	for _, m := range from.Mirrors {
		r.mirrors = append(r.mirrors, mirror{m.Share, newTarget(m.To)})
	}
	r.Answer, r.Redirect = from.Answer, from.Redirect
	if r.Redirect != nil && r.Redirect.Prefix != "" {
		r.path = r.Redirect.Prefix // Find rewrites it
	}
	var err error
	r.cors, err = compileCors(from.Cors)
	return err
}

func newTarget(d Destination) *Target {
	name := d.Host
	if d.Subset != "" {
		name += "|" + d.Subset
	}
	t := &Target{Name: name, Unknown: d.Unknown, Endpoints: d.Endpoints, Authority: d.Authority, Headers: d.Headers, balance: d.Balance}
	t.turn.Store(uint64(rand.Uint32())) // so that not every table begins with the same endpoint
	return t
}

// Find gives the rule for a request, nil if there is none, and the path to
// send on: escaped, without the query, rewritten if the rule says so.
func (t *Table) Find(r *http.Request) (rule *Rule, path string) {
	v := t.host(r.Host)
	if v == nil {
		return nil, ""
	}
	path = r.URL.EscapedPath()
	for _, rule := range v.rules {
		for _, m := range rule.matches {
			if m.matches(r, path) {
				return rule, m.rewrite(path, rule.path)
			}
		}
	}
	return nil, ""
}

// Target gives a target of that name, nil if no rule has one. Targets of the
// same name have the same endpoints.
func (t *Table) Target(name string) *Target { return t.targets[name] }

// host finds the most specific virtual host. As in Envoy, a host whose routes
// do not match is not followed by a less specific one.
func (t *Table) host(name string) *virtualHost {
	name = strings.ToLower(withoutPort(name))
	if v, ok := t.exact[name]; ok {
		return v
	}
	for _, v := range t.suffixes {
		if len(name) > len(v.suffix) && strings.HasSuffix(name, v.suffix) {
			return v
		}
	}
	return t.any
}

// withoutPort cuts the port off a Host header, and leaves the colons of an
// IPv6 address alone.
func withoutPort(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.IndexByte(host[colon:], ']') >= 0 {
		return host
	}
	if strings.IndexByte(host[:colon], ':') >= 0 && !strings.HasSuffix(host[:colon], "]") {
		return host
	}
	return host[:colon]
}

// Choose picks the destination of a request that came on connection c.
func (r *Rule) Choose(c *Connection) *Target {
	return r.targets[r.chooser.choose(c)]
}

// Abort tells whether a request is to be answered with status at once.
func (r *Rule) Abort() (status int, ok bool) {
	for _, a := range r.aborts {
		if drawn(a.Share) {
			return a.Status, true
		}
	}
	return 0, false
}

// RetriesAsked tells whether the route says itself when to retry.
func (r *Rule) RetriesAsked() bool { return r.Retries != DefaultRetries }

// Delay is how long a request is to be held back.
func (r *Rule) Delay() time.Duration {
	var sum time.Duration
	for _, d := range r.delays {
		if drawn(d.Share) {
			sum += d.For
		}
	}
	return sum
}

// Mirrors are who gets a copy of a request.
func (r *Rule) Mirrors() []*Target {
	var out []*Target
	for _, m := range r.mirrors {
		if drawn(m.share) {
			out = append(out, m.to)
		}
	}
	return out
}

// Next gives the number of the endpoint whose turn it is; there must be one.
func (t *Target) Next() int {
	n := uint64(len(t.Endpoints))
	if t.balance == Random {
		return int(rand.Uint64N(n))
	}
	return int((t.turn.Add(1) - 1) % n)
}
