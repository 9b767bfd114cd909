// Package authorization decides, as an Istio proxy does, whether a caller may
// make a call: by policies that allow or deny, each with rules on who calls and
// what is asked. It is for the gateways and sidecars of the sandbox, and pure:
// whoever reads policies from a cluster says which of them are a workload's.
//
// It refuses nothing: a policy that says more than it can decide must not get
// here. Its rules are those of Istio's API reference, "Authorization Policy".
package authorization

import (
	"slices"
	"strconv"
	"strings"
)

// Denied is the whole body of the answer, with status 403, to a call that is
// not allowed; Envoy's words.
const Denied = "RBAC: access denied"

// Caller is the identity that a mutual TLS connection of the mesh proves. The
// zero Caller is nobody: whoever comes from outside of the mesh.
type Caller struct {
	TrustDomain, Namespace, ServiceAccount string
}

// Principal is the caller's name as policies have it,
// "cluster.local/ns/istio-system/sa/default", and "" for nobody.
func (c Caller) Principal() string {
	if c == (Caller{}) {
		return ""
	}
	return c.TrustDomain + "/ns/" + c.Namespace + "/sa/" + c.ServiceAccount
}

// Request is what is asked of a workload.
type Request struct {
	Method string
	Path   string // normalized: escaped where it must be, without the query
	Host   string // the Host header, with its port if one was sent
	Port   int    // of the workload, such as a pod's containerPort
}

// Policy allows, or denies, the requests that one of its rules matches. Without
// rules it matches none: such a policy that allows is how everything is denied.
type Policy struct {
	Name  string // namespace/name of its object
	Deny  bool
	Rules []Rule
}

// Rule matches when one of From and one of To do; where there are none,
// everything does. The zero Rule matches every request.
type Rule struct {
	From []Source
	To   []Operation
}

// Source is who calls. All that it says must hold; the zero Source is anybody.
type Source struct {
	Principals, NotPrincipals Names
	Namespaces, NotNamespaces Names
}

// Operation is what is asked. All that it says must hold.
type Operation struct {
	Methods, NotMethods Names
	Paths, NotPaths     Names
	Hosts, NotHosts     Names // compared without regard to case
	Ports, NotPorts     []int
}

// Names are alternatives: "exact", "prefix*", "*suffix", and "*" for any name
// that is not empty. None at all say nothing.
type Names []string

// Allowed tells whether a workload with these policies takes the request. It is
// denied by any policy that denies it; and where there are policies that allow,
// unless one of them does.
func Allowed(policies []Policy, c Caller, r Request) bool {
	guarded, allowed := false, false
	for i := range policies {
		p := &policies[i]
		switch {
		case p.Deny && p.matches(c, r):
			return false
		case !p.Deny:
			guarded = true
			allowed = allowed || p.matches(c, r)
		}
	}
	return allowed || !guarded
}

func (p *Policy) matches(c Caller, r Request) bool {
	for i := range p.Rules {
		if p.Rules[i].matches(c, r) {
			return true
		}
	}
	return false
}

func (rule *Rule) matches(c Caller, r Request) bool {
	from := len(rule.From) == 0 || slices.ContainsFunc(rule.From, func(s Source) bool { return s.matches(c) })
	return from && (len(rule.To) == 0 || slices.ContainsFunc(rule.To, func(o Operation) bool { return o.matches(r) }))
}

func (s Source) matches(c Caller) bool {
	principal := c.Principal()
	return s.Principals.allow(principal) && !s.NotPrincipals.match(principal) &&
		s.Namespaces.allow(c.Namespace) && !s.NotNamespaces.match(c.Namespace)
}

func (o Operation) matches(r Request) bool {
	host := strings.ToLower(r.Host)
	return o.Methods.allow(r.Method) && !o.NotMethods.match(r.Method) &&
		o.Paths.allow(r.Path) && !o.NotPaths.match(r.Path) &&
		o.Hosts.lower().allow(host) && !o.NotHosts.lower().match(host) &&
		(len(o.Ports) == 0 || slices.Contains(o.Ports, r.Port)) && !slices.Contains(o.NotPorts, r.Port)
}

// allow tells whether the names say nothing, or match.
func (n Names) allow(s string) bool { return len(n) == 0 || n.match(s) }

func (n Names) match(s string) bool {
	return slices.ContainsFunc(n, func(pattern string) bool { return matches(pattern, s) })
}

func (n Names) lower() Names {
	out := make(Names, len(n))
	for i, name := range n {
		out[i] = strings.ToLower(name)
	}
	return out
}

// matches compares as Istio does: a * counts at the end, or else at the
// beginning, and is any other character elsewhere. No pattern is for who or
// what has no name, be it "" itself.
func matches(pattern, s string) bool {
	if s == "" {
		return false
	}
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(s, prefix)
	}
	if suffix, ok := strings.CutPrefix(pattern, "*"); ok {
		return strings.HasSuffix(s, suffix)
	}
	return pattern == s
}

// Guard is what a proxy knows: who it is itself, what holds for those who call
// it, and what holds at the workloads that it calls. It never changes. The zero
// Guard lets every call pass.
type Guard struct {
	Caller    Caller
	Port      int                 // at which the proxy is called, for rules on ports
	Own       []Policy            // of the proxy, for whoever calls it
	Workloads map[string][]Policy // by IP address, of those that have policies
}

// Enters tells whether the proxy takes a request from outside of the mesh.
func (g *Guard) Enters(method, path, host string) bool {
	return len(g.Own) == 0 || Allowed(g.Own, Caller{}, Request{method, path, host, g.Port})
}

// Reaches tells whether the workload at an endpoint such as 10.244.0.7:3000
// takes a request that the proxy passes on.
func (g *Guard) Reaches(endpoint, method, path, host string) bool {
	if len(g.Workloads) == 0 {
		return true
	}
	ip, port, _ := cutPort(endpoint)
	policies := g.Workloads[ip]
	return len(policies) == 0 || Allowed(policies, g.Caller, Request{method, path, host, port})
}

// cutPort splits an endpoint; IPv6 addresses stand in brackets.
func cutPort(endpoint string) (ip string, port int, ok bool) {
	colon := strings.LastIndexByte(endpoint, ':')
	if colon < 0 {
		return endpoint, 0, false
	}
	port, err := strconv.Atoi(endpoint[colon+1:])
	return strings.Trim(endpoint[:colon], "[]"), port, err == nil
}
