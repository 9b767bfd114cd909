package gloomesh

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// An appliedRoute is a route that a policy was applied to, as the object that
// the policy selects has it.
type appliedRoute struct {
	link
	all bool // no label was asked for, so that the policy is for all of its routes
}

// A routeKey names one destination of one flat route of a VirtualHost.
type routeKey struct {
	host               *virtualHost
	route, destination int
}

// A claim is what two policies cannot both have: a destination under the same
// conditions.
type claim struct {
	what       any // a routeKey, or a call for what is sent past the gateways
	field      string
	conditions string
}

// applyPolicies decides which policies are accepted, the oldest first, and which
// destinations of which routes they move.
func (t *translation) applyPolicies() {
	claims := map[claim]*trafficPolicy{}
	for _, p := range t.policies {
		services := t.snapshot.selectServices(p.services, &p.problems)
		t.checkDestinations(p.targets(), &p.problems)
		t.checkSources(p)
		for _, s := range services {
			t.checkShift(p, s.cluster)
		}
		calls := t.callsOf(p, services)
		for _, c := range calls {
			t.checkShift(p, c.from)
		}
		moved := t.movedBy(p, services)
		wanted := p.claims(calls, moved)
		for _, c := range wanted {
			switch other := claims[c]; {
			case other == nil || p.agrees(c.field, other.policy):
			case c.field == shiftField:
				p.problems.invalidf("spec.policy.trafficShift", "TrafficPolicy %s, which is older, moves the same requests for %s elsewhere", other, t.claimed(c))
			default:
				p.problems.invalidf("spec.policy."+c.field, "TrafficPolicy %s, which is older, says otherwise for the same requests for %s", other, t.claimed(c))
			}
		}
		if !p.ok() {
			continue
		}
		for _, c := range wanted {
			if claims[c] == nil {
				claims[c] = p
			}
		}
		for _, k := range moved {
			if len(p.fields()) > 0 {
				t.moves[k] = append(t.moves[k], p)
			}
			t.note(p, t.routes[k.host][k.route])
		}
	}
}

// checkSources holds the clusters that p's sources name to those that there are.
func (t *translation) checkSources(p *trafficPolicy) {
	for _, s := range p.sources {
		for i, cluster := range s.clusters {
			t.wantCluster(&p.problems, fmt.Sprintf("%s.clusters[%d]", s.path, i), cluster)
		}
	}
}

// checkShift holds the destinations of p to what can be reached from a cluster.
func (t *translation) checkShift(p *trafficPolicy, cluster string) {
	for _, d := range p.targets() {
		if _, err := t.snapshot.find(d.service); err != nil {
			continue // said already
		}
		if why := t.unreachable(cluster, d.service); why != "" {
			p.problems.invalidf(d.path, "%s", why)
		}
	}
}

// movedBy lists the destinations of routes that p is for.
func (t *translation) movedBy(p *trafficPolicy, services []serviceRef) []routeKey {
	var out []routeKey
	for _, h := range t.virtualHosts {
		for i, f := range t.routes[h] {
			if len(p.linksOf(f)) == 0 || !p.meets(f) {
				continue
			}
			before := len(out)
			for j, d := range f.destinations {
				if slices.Contains(services, d.service) {
					out = append(out, routeKey{h, i, j})
					for _, cluster := range t.clustersOf(h) {
						t.checkShift(p, cluster)
					}
				}
			}
			if len(out) > before {
				p.checkWhole(f, services)
				p.checkRewrite(f)
			}
		}
	}
	return out
}

// meets tells whether any request on the route can satisfy p's conditions; it
// is a problem of p if Istio cannot say both at once.
func (p *trafficPolicy) meets(f flatRoute) bool {
	both, errs := conjunctions(f.matchers, p.matchers)
	for _, err := range errs {
		if !errors.Is(err, errDisjoint) {
			p.problems.add(problem{failed, err.Error()})
		}
	}
	return len(both) > 0 || len(errs) == 0
}

// linksOf lists the routes along f that p selects. Who selects a VirtualHost
// selects what it delegates as well.
func (p *trafficPolicy) linksOf(f flatRoute) []appliedRoute {
	if len(p.routes) == 0 {
		return []appliedRoute{{f.chain[len(f.chain)-1], true}}
	}
	var out []appliedRoute
	for _, l := range f.chain {
		for _, s := range p.routes {
			if s.selects(p.namespace, l) {
				out = append(out, appliedRoute{l, len(s.labels) == 0})
				break
			}
		}
	}
	return out
}

func (s routeSelector) selects(namespace string, l link) bool {
	if !within(s.labels, l.route.labels) {
		return false
	}
	if s.hosts == nil && s.tables == nil && len(s.hostRefs) == 0 && len(s.tableRefs) == 0 {
		return true
	}
	selector, refs := s.hosts, s.hostRefs
	if l.of.kind == "RouteTable" {
		selector, refs = s.tables, s.tableRefs
	}
	return selector != nil && selector.selects(namespace, l.of) || slices.Contains(refs, l.of.ref)
}

// note remembers where p was applied, for the statuses.
func (t *translation) note(p *trafficPolicy, f flatRoute) {
	for _, a := range p.linksOf(f) {
		if !slices.Contains(t.applied[p], a) {
			t.applied[p] = append(t.applied[p], a)
		}
	}
}

// claims lists what p wants for itself, part by part: the requests that it is
// for on the gateways' routes, and the calls from the same callers within the
// mesh, whatever routes it selects.
func (p *trafficPolicy) claims(calls []call, moved []routeKey) []claim {
	conditions := key(p.matchers)
	var out []claim
	for _, field := range p.fields() {
		for _, k := range moved {
			out = append(out, claim{k, field, conditions})
		}
		for _, c := range calls {
			out = append(out, claim{c, field, conditions + p.who(c.from)})
		}
	}
	return out
}

// claimed is the service that a claim is about.
func (t *translation) claimed(c claim) serviceRef {
	if k, ok := c.what.(routeKey); ok {
		return t.routes[k.host][k.route].destinations[k.destination].service
	}
	return c.what.(call).to
}

// sameShift tells whether two shifts divide the requests alike.
func sameShift(a, b []destination) bool {
	weights := func(list []destination) map[string]int64 {
		out := map[string]int64{}
		for _, d := range list {
			out[d.id()] += d.weight
		}
		return out
	}
	x, y := weights(a), weights(b)
	for id, w := range x {
		if y[id] != w {
			return false
		}
	}
	return len(x) == len(y)
}

// id is the same for destinations that are the same but for their weight.
func (d destination) id() string {
	id := fmt.Sprintf("%s %v %d", d.service, d.subset, d.port) // maps are printed in the order of their keys
	if d.headers != nil {
		headers, _ := json.Marshal(d.headers)
		id += " " + string(headers)
	}
	return id
}
