package gloomesh

import (
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// writeHosts writes the Gateways of every accepted VirtualGateway and, in each
// of their clusters, a VirtualService for every host on them.
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
}

// writeSubsets writes the DestinationRules that the routes need.
func (t *translation) writeSubsets() {
	for cluster, hosts := range t.subsets {
		for host, use := range hosts {
			t.writeFor(call{use.service, cluster}, destinationRule(host, use), use.parents)
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

// A subsetUse is what the routes of one cluster ask of one host.
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

// destinationRule declares the subsets of one host in one cluster.
func destinationRule(host string, use *subsetUse) *unstructured.Unstructured {
	var subsets []any
	for _, name := range sortedKeys(use.labels) {
		subsets = append(subsets, map[string]any{"name": name, "labels": textsAny(use.labels[name])})
	}
	return istioObject("DestinationRule", use.service.namespace, use.service.name, map[string]any{"host": host, "subsets": subsets})
}
