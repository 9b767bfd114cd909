package gloomesh

import (
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// writeHosts writes the Gateways of every accepted VirtualGateway and, in each
// of their clusters, a VirtualService for every host on them, with the
// DestinationRules that its routes need.
func (t *translation) writeHosts() {
	for _, g := range t.virtualGateways {
		if !g.ok() {
			continue
		}
		for _, one := range t.gateways[g] {
			t.write(one.cluster, istioGateway(one), &g.meta)
		}
	}
	for _, h := range t.virtualHosts {
		for _, cluster := range t.clustersOf(h) {
			t.writeHost(h, cluster)
		}
	}
	for cluster, hosts := range t.subsets {
		for host, use := range hosts {
			t.write(cluster, destinationRule(cluster, host, use), use.parents...)
		}
	}
}

// writeHost writes nothing for a host without routes: Istio has no such thing.
func (t *translation) writeHost(h *virtualHost, cluster string) {
	var http []any
	parents := []*meta{&h.meta}
	for i, f := range t.routes[h] {
		routes, by := t.istioRoutes(h, i, cluster)
		http = append(http, routes...)
		parents = append(append(parents, f.parents()...), by...)
	}
	if len(http) == 0 {
		h.warn("spec.routes: no route leads anywhere")
		return
	}
	var gateways []string
	for _, g := range t.gatewaysIn(h, cluster) {
		if !slices.Contains(gateways, g.istioName()) {
			gateways = append(gateways, g.istioName())
		}
	}
	sort.Strings(gateways)
	t.write(cluster, istioObject("VirtualService", ownNamespace, h.name+"-"+h.namespace, map[string]any{
		"hosts":    listAny(h.domains),
		"gateways": listAny(gateways),
		"http":     http,
	}), parents...)
}

// istioRoutes makes the HTTPRoutes of one flat route: first one for each set of
// conditions that policies set, those of the oldest policy first, then the
// route itself. It returns the policies as well.
func (t *translation) istioRoutes(h *virtualHost, index int, cluster string) ([]any, []*meta) {
	f := t.routes[h][index]
	always := make([]*trafficPolicy, len(f.destinations)) // by destination: who moves all of its requests
	when := map[string][]*trafficPolicy{}                 // by conditions, then likewise
	var order []string
	var parents []*meta
	for j := range f.destinations {
		for _, p := range t.moves[routeKey{h, index, j}] {
			parents = append(parents, &p.meta)
			if len(p.matchers) == 0 {
				if always[j] == nil {
					always[j] = p
				}
				continue
			}
			k := key(p.matchers)
			if when[k] == nil {
				when[k] = make([]*trafficPolicy, len(f.destinations))
				order = append(order, k)
			}
			if when[k][j] == nil {
				when[k][j] = p
			}
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return oldest(when[order[a]]).olderThan(&oldest(when[order[b]]).meta) })
	by := append(f.parents(), parents...)
	var out []any
	for _, k := range order {
		p := oldest(when[k])
		both, _ := conjunctions(f.matchers, p.matchers) // what cannot be said was refused before
		moved := slices.Clone(when[k])
		for j := range moved {
			if moved[j] == nil {
				moved[j] = always[j]
			}
		}
		out = append(out, t.istioRoute(f.name()+"."+p.name, cluster, both, divide(f.destinations, moved), by))
	}
	return append(out, t.istioRoute(f.name(), cluster, f.matchers, divide(f.destinations, always), by)), parents
}

// oldest is the oldest policy of a set that has at least one.
func oldest(policies []*trafficPolicy) *trafficPolicy {
	var out *trafficPolicy
	for _, p := range policies {
		if p != nil && (out == nil || p.olderThan(&out.meta)) {
			out = p
		}
	}
	return out
}

// divide replaces each destination that a policy moves by those of the policy:
// 40 of a hundred that are moved half and half are 20 and 20. The weights of
// the result sum to 100 where they are whole numbers then, else to 10000.
func divide(destinations []destination, moved []*trafficPolicy) []destination {
	var out []destination
	add := func(d destination, weight int64) {
		for i := range out {
			if out[i].id() == d.id() {
				out[i].weight += weight
				return
			}
		}
		d.weight = weight
		out = append(out, d)
	}
	for j, d := range destinations {
		if moved[j] == nil || len(moved[j].shift) == 0 {
			add(d, d.weight*100)
			continue
		}
		for _, s := range moved[j].shift {
			add(s, d.weight*s.weight)
		}
	}
	if slices.ContainsFunc(out, func(d destination) bool { return d.weight%100 != 0 }) {
		return out
	}
	for i := range out {
		out[i].weight /= 100
	}
	return out
}

// istioRoute is one HTTPRoute. A single destination has no weight.
func (t *translation) istioRoute(name, cluster string, matchers []matcher, destinations []destination, by []*meta) map[string]any {
	out := map[string]any{"name": name}
	var match []any
	for _, m := range matchers {
		match = append(match, m.istio())
	}
	if len(match) > 0 {
		out["match"] = match
	}
	var route []any
	for _, d := range destinations {
		one := map[string]any{"destination": t.istioDestination(cluster, d, by)}
		if len(destinations) > 1 {
			one["weight"] = d.weight
		}
		route = append(route, one)
	}
	out["route"] = route
	return out
}

// A subsetUse is what the routes of one cluster's gateways ask of one host.
type subsetUse struct {
	service serviceRef
	labels  map[string]map[string]string // by the subset's name
	parents []*meta
}

// istioDestination is the Destination of a route. It notes the subset, so that
// a DestinationRule declares it.
func (t *translation) istioDestination(cluster string, d destination, by []*meta) map[string]any {
	host := t.host(cluster, d.service)
	out := map[string]any{"host": host}
	if service, err := t.snapshot.find(d.service); err == nil {
		if port, err := service.port(d.port); err == nil {
			out["port"] = map[string]any{"number": port.Number}
		}
	}
	if len(d.subset) == 0 {
		return out
	}
	name := subsetName(d.subset)
	out["subset"] = name
	use := t.subsets[cluster][host]
	if use == nil {
		use = &subsetUse{service: d.service, labels: map[string]map[string]string{}}
		t.subsets[cluster][host] = use
	}
	use.labels[name] = d.subset
	use.parents = append(use.parents, by...)
	return out
}

// destinationRule declares the subsets of one host in one cluster. That of a
// service of the cluster has the service's name; that of another cluster's
// stands with Gloo Mesh, because the service's namespace may not be there.
func destinationRule(cluster, host string, use *subsetUse) *unstructured.Unstructured {
	var subsets []any
	for _, name := range sortedKeys(use.labels) {
		subsets = append(subsets, map[string]any{"name": name, "labels": textsAny(use.labels[name])})
	}
	namespace, name := use.service.namespace, use.service.name
	if use.service.cluster != cluster {
		namespace, name = ownNamespace, host
	}
	return istioObject("DestinationRule", namespace, name, map[string]any{"host": host, "subsets": subsets})
}
