package istio

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshassay/assay/sandbox/routing"
)

// snapshot is what was read of one cluster, at one moment.
type snapshot struct {
	gateways         []gatewayObject
	virtualServices  []virtualService
	destinationRules []destinationRule
	serviceEntries   []serviceEntry
	workloads        []workload // WorkloadEntries
	authentications  []meta     // PeerAuthentications, for their statuses only
	authorizations   []authorizationPolicy
	services         map[string]service
}

// world is all workload clusters, by name.
type world map[string]*snapshot

// build makes the routes of one cluster's gateway, and what there is to say
// about VirtualServices that are in force but point at something that is not
// there, by namespace/name.
func (w world) build(cluster string) (hosts []routing.Host, notes map[string][]string) {
	b := builder{world: w, cluster: cluster, here: w[cluster], proxy: proxy{rootNamespace, ingress}, hosts: map[string]*routing.Host{}, notes: map[string][]string{}}
	ordered := slices.Clone(b.here.virtualServices)
	sortByAge(ordered, func(v virtualService) meta { return v.meta })
	for _, v := range ordered {
		if len(v.problems) == 0 {
			b.add(v)
		}
	}
	for _, name := range sortedKeys(b.hosts) {
		h := b.hosts[name]
		// Two objects may name one host: what catches all must not hide what
		// the younger one says.
		slices.SortStableFunc(h.Routes, func(a, b routing.Route) int { return last(a) - last(b) })
		hosts = append(hosts, *h)
	}
	return hosts, b.notes
}

// last is 1 for a route that comes after those of other objects, else 0.
func last(r routing.Route) int {
	if len(r.Match) == 0 || catchesAll(r.Match[0]) {
		return 1
	}
	return 0
}

// catchesAll tells whether a match is one that Istio knows to hold for every
// request, by its form.
func catchesAll(m routing.Match) bool {
	if len(m.Headers)+len(m.Without)+len(m.Query) > 0 || m.Method.Kind != routing.Any || m.Authority.Kind != routing.Any || m.Scheme.Kind != routing.Any {
		return false
	}
	switch m.Path.Kind {
	case routing.Any:
		return true
	case routing.Prefix:
		return m.Path.Value == "/"
	case routing.Regex:
		return m.Path.Value == ".*" || m.Path.Value == "*"
	}
	return false
}

type builder struct {
	world   world
	cluster string
	here    *snapshot
	proxy   proxy // for whom the routes are
	hosts   map[string]*routing.Host
	notes   map[string][]string
}

// bound is where a VirtualService is served for one of its hosts.
type bound struct {
	gateways map[string]bool
	ports    map[int64]bool
}

func (b *builder) add(v virtualService) {
	bounds := b.bind(v)
	for _, host := range sortedKeys(bounds) {
		if routes := b.routes(v, bounds[host]); len(routes) > 0 {
			if b.hosts[host] == nil {
				b.hosts[host] = &routing.Host{Name: host}
			}
			b.hosts[host].Routes = append(b.hosts[host].Routes, routes...)
		}
	}
}

// routes are an object's own, in order, up to one that catches every request:
// what stands below that is never reached, whatever other objects say. Where
// not a route's first match does so it becomes two, as only the second has to
// make way for the routes of other objects.
func (b *builder) routes(v virtualService, at bound) []routing.Route {
	var out []routing.Route
	for i, r := range v.routes {
		route, ok := b.route(v, r, at)
		if !ok {
			continue
		}
		all := slices.IndexFunc(route.Match, catchesAll)
		if all > 0 {
			before := route
			before.Match, route.Match = route.Match[:all], route.Match[all:]
			out = append(out, before)
		}
		out = append(out, route)
		if all < 0 && len(route.Match) > 0 {
			continue
		}
		if i < len(v.routes)-1 {
			b.note(v, "spec.http[%d] catches every request, so that nothing below it is reached", r.index)
		}
		break
	}
	return out
}

// bind finds the names under which a VirtualService is served: for each server
// of its gateways, the narrower of the server's hosts and its own.
func (b *builder) bind(v virtualService) map[string]bound {
	out := map[string]bound{}
	for _, name := range v.gateways {
		if name == sidecars {
			continue // sidecar.go has those
		}
		i := slices.IndexFunc(b.here.gateways, func(g gatewayObject) bool { return g.String() == name && len(g.problems) == 0 })
		if i < 0 {
			b.note(v, "gateway %s does not exist or is not in force", name)
			continue
		}
		served := false
		for _, s := range b.here.gateways[i].servers {
			for _, host := range s.names(v) {
				served = true
				if out[host].ports == nil {
					out[host] = bound{map[string]bool{}, map[int64]bool{}}
				}
				out[host].gateways[name] = true
				out[host].ports[s.port] = true
			}
		}
		if !served {
			b.note(v, "gateway %s serves none of its hosts", name)
		}
	}
	return out
}

func (b *builder) note(v virtualService, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if key := v.String(); !slices.Contains(b.notes[key], text) {
		b.notes[key] = append(b.notes[key], text)
	}
}

func (s server) names(v virtualService) []string {
	var out []string
	for _, h := range s.hosts {
		if h.namespace != "*" && h.namespace != v.namespace {
			continue
		}
		for _, name := range v.hosts {
			if within(name, h.name) {
				out = append(out, name)
			} else if within(h.name, name) {
				out = append(out, h.name)
			}
		}
	}
	return out
}

// within tells whether every name that host stands for, pattern stands for too.
func within(host, pattern string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	if !wild {
		return host == pattern
	}
	return strings.HasSuffix(strings.TrimPrefix(host, "*"), suffix)
}

// route settles what can be settled before a request comes; false where the
// route is for other gateways, ports or callers only.
func (b *builder) route(v virtualService, r httpRoute, at bound) (routing.Route, bool) {
	out := r.route
	for _, m := range r.matches {
		if m.port != 0 && !at.ports[m.port] {
			continue
		}
		// As Istio does: who is asked for by gateway is not asked for labels.
		if len(m.gateways) > 0 && !slices.ContainsFunc(m.gateways, func(g string) bool { return at.gateways[g] }) ||
			len(m.gateways) == 0 && !b.proxy.meets(m.source) {
			continue
		}
		out.Match = append(out.Match, m.Match)
	}
	if len(r.matches) > 0 && len(out.Match) == 0 {
		return out, false
	}
	for _, d := range r.destinations {
		to := b.destination(d)
		if to.Unknown {
			b.note(v, "spec.http[%d]: %s is unknown in %s: calls are answered with 503", r.index, d, b.cluster)
		}
		out.Destinations = append(out.Destinations, to)
	}
	for _, m := range r.mirrors {
		to := b.destination(m.to)
		if to.Unknown {
			b.note(v, "spec.http[%d]: %s is unknown in %s: no copies are sent", r.index, m.to, b.cluster)
		}
		out.Mirrors = append(out.Mirrors, routing.Mirror{Share: m.share, To: to})
	}
	return out, true
}

func (d destination) String() string {
	text := "host " + d.host
	if d.port != 0 {
		text += fmt.Sprintf(":%d", d.port)
	}
	if d.subset != "" {
		text += ", subset " + d.subset
	}
	return text
}
