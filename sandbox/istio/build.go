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
	services         map[string]service
}

// world is all workload clusters, by name.
type world map[string]*snapshot

// build makes the routes of one cluster's gateway, and what there is to say
// about VirtualServices that are in force but point at something that is not
// there, by namespace/name.
func (w world) build(cluster string) (hosts []routing.Host, notes map[string][]string) {
	b := builder{world: w, cluster: cluster, here: w[cluster], hosts: map[string]*routing.Host{}, notes: map[string][]string{}}
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
		slices.SortStableFunc(h.Routes, func(a, b routing.Route) int { return catchAll(a) - catchAll(b) })
		hosts = append(hosts, *h)
	}
	return hosts, b.notes
}

func catchAll(r routing.Route) int {
	if len(r.Match) == 0 {
		return 1
	}
	for _, m := range r.Match {
		if len(m.Headers)+len(m.Without)+len(m.Query) > 0 || m.Method.Kind != routing.Any || m.Authority.Kind != routing.Any || m.Scheme.Kind != routing.Any {
			continue
		}
		switch {
		case m.Path.Kind == routing.Any,
			m.Path.Kind == routing.Prefix && m.Path.Value == "/",
			m.Path.Kind == routing.Regex && (m.Path.Value == ".*" || m.Path.Value == "*"):
			return 1
		}
	}
	return 0
}

type builder struct {
	world   world
	cluster string
	here    *snapshot
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
		for _, r := range v.routes {
			route, ok := b.route(v, r, bounds[host])
			if !ok {
				continue
			}
			if b.hosts[host] == nil {
				b.hosts[host] = &routing.Host{Name: host}
			}
			b.hosts[host].Routes = append(b.hosts[host].Routes, route)
		}
	}
}

// bind finds the names under which a VirtualService is served: for each server
// of its gateways, the narrower of the server's hosts and its own.
func (b *builder) bind(v virtualService) map[string]bound {
	out := map[string]bound{}
	for _, name := range v.gateways {
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
// route is for other gateways or ports only.
func (b *builder) route(v virtualService, r httpRoute, at bound) (routing.Route, bool) {
	out := r.route
	for _, m := range r.matches {
		if m.port != 0 && !at.ports[m.port] {
			continue
		}
		if len(m.gateways) > 0 && !slices.ContainsFunc(m.gateways, func(g string) bool { return at.gateways[g] }) {
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
