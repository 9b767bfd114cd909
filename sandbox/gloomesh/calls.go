package gloomesh

import (
	"cmp"
	"encoding/json"
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A callRoute is one route of those who call a service from within the mesh: of
// one policy's conditions, for one sort of callers and one port.
type callRoute struct {
	matcher
	caller caller
	port   int64
	does   map[string]any // the rest of the HTTPRoute
}

// A caller is what a route asks of whoever calls; the zero caller is anybody.
type caller struct {
	namespace string
	labels    map[string]string
}

// A call is to a service, from the workloads of a cluster.
type call struct {
	to   serviceRef
	from string
}

// callsTo lists the clusters from which a service can be called: its own, and
// those to which a virtual mesh federates it. What is no destination of the mesh
// is called from nowhere, as far as policies are concerned.
func (t *translation) callsTo(to serviceRef) []call {
	service, err := t.snapshot.find(to)
	if err != nil || !discovered(service) {
		return nil
	}
	out := []call{{to, to.cluster}}
	for _, m := range t.virtualMeshes {
		if !m.ok() || !m.joins(to.cluster) {
			continue
		}
		for _, mesh := range m.meshes {
			if mesh.cluster != to.cluster && t.federates(m, to, mesh.cluster) {
				out = append(out, call{to, mesh.cluster})
			}
		}
	}
	return out
}

// discovered tells whether a service is a destination: those of applications
// are, and the ingress gateways.
func discovered(s *Service) bool { return destinationOfMesh(s) || within(gatewayLabels, s.Labels) }

// callsOf lists the calls that p is for.
func (t *translation) callsOf(p *trafficPolicy, services []serviceRef) []call {
	var out []call
	for _, s := range services {
		for _, c := range t.callsTo(s) {
			if len(p.callersIn(c.from)) > 0 {
				out = append(out, c)
			}
		}
	}
	return out
}

// callersIn lists the callers of a cluster that p is for; none if there are none.
func (p *trafficPolicy) callersIn(cluster string) []caller {
	if len(p.sources) == 0 {
		return []caller{{}}
	}
	var out []caller
	for _, s := range p.sources {
		switch {
		case !anyOf(s.clusters, cluster):
		case len(s.namespaces) == 0 && len(s.labels) == 0:
			return []caller{{}}
		case len(s.namespaces) == 0:
			out = append(out, caller{labels: s.labels})
		default:
			for _, namespace := range s.namespaces {
				out = append(out, caller{namespace, s.labels})
			}
		}
	}
	return out
}

// who is the same for policies that are for the same callers of a cluster.
func (p *trafficPolicy) who(cluster string) string {
	var out []string
	for _, c := range p.callersIn(cluster) {
		text, _ := json.Marshal([]any{c.namespace, c.labels}) // maps are written in the order of their keys
		out = append(out, string(text))
	}
	sort.Strings(out)
	text, _ := json.Marshal(slices.Compact(out))
	return string(text)
}

// writeCalls writes, for every destination and each cluster that it is called
// from, a VirtualService for the sidecars there: what the policies that select
// the destination do with such calls, whichever routes of gateways they select.
// As Gloo Mesh has it there is no route besides those of the policies: a call
// that fits none of their conditions finds none (404).
func (t *translation) writeCalls() {
	wanted := map[call][]*trafficPolicy{}
	for _, p := range t.policies {
		if !p.ok() || len(p.fields()) == 0 {
			continue
		}
		var unsaid problems // what is wrong with the references was said before
		for _, c := range t.callsOf(p, t.snapshot.selectServices(p.services, &unsaid)) {
			wanted[c] = append(wanted[c], p)
		}
	}
	for c, policies := range wanted {
		t.writeCall(c, policies)
	}
}

func (t *translation) writeCall(c call, policies []*trafficPolicy) {
	service, _ := t.snapshot.find(c.to)
	var causes []*meta
	groups := map[string][]*trafficPolicy{} // those under the same conditions
	for _, p := range policies {
		k := key(p.matchers) + p.who(c.from)
		groups[k] = append(groups[k], p)
		causes = append(causes, &p.meta)
	}
	var routes []callRoute
	for _, k := range sortedKeys(groups) {
		for _, port := range service.Ports {
			routes = append(routes, t.callRoutes(c, groups[k], port.Number, causes)...)
		}
	}
	slices.SortStableFunc(routes, moreSpecific)
	var http []any
	for _, r := range routes {
		http = append(http, r.istio())
	}
	u := istioObject("VirtualService", c.to.namespace, c.to.name, map[string]any{
		"hosts": []any{t.host(c.from, c.to)},
		"http":  http,
	})
	t.writeFor(c, u, causes)
}

// callRoutes are those of policies under the same conditions, from the oldest to
// the youngest, at one port.
func (t *translation) callRoutes(c call, policies []*trafficPolicy, port int64, by []*meta) []callRoute {
	first := policies[0]
	does := map[string]any{}
	var parts []part
	var shift []destination
	for _, p := range policies {
		parts = firstOf(parts, p.parts)
		if len(shift) == 0 {
			shift = p.shift
		}
	}
	t.addParts(does, c.from, parts)
	does["route"] = t.callDestinations(c, shift, port, by)
	matchers := first.matchers
	if len(matchers) == 0 {
		matchers = []matcher{{}}
	}
	var out []callRoute
	for _, caller := range first.callersIn(c.from) {
		for _, m := range matchers {
			out = append(out, callRoute{m, caller, port, does})
		}
	}
	return out
}

// callDestinations are where the calls go: where they are shifted, or else to
// the service itself. A destination without a port of its own is called at the
// port that was called.
func (t *translation) callDestinations(c call, shift []destination, port int64, by []*meta) []any {
	if len(shift) == 0 {
		return []any{map[string]any{"destination": map[string]any{"host": t.host(c.from, c.to), "port": map[string]any{"number": port}}}}
	}
	var out []any
	for _, d := range shift {
		to := t.istioDestination(c.from, d, by)
		if d.port == 0 {
			to["port"] = map[string]any{"number": port}
		}
		one := map[string]any{"destination": to, "weight": d.weight}
		if d.headers != nil {
			one["headers"] = d.headers
		}
		out = append(out, one)
	}
	return out
}

// istio is the HTTPRoute.
func (r callRoute) istio() map[string]any {
	match := r.matcher.istio()
	match["port"] = r.port
	if r.caller.namespace != "" {
		match["sourceNamespace"] = r.caller.namespace
	}
	if len(r.caller.labels) > 0 {
		match["sourceLabels"] = textsAny(r.caller.labels)
	}
	out := map[string]any{"match": []any{match}}
	for name, value := range r.does {
		out[name] = value
	}
	return out
}

// moreSpecific is Gloo Mesh's order of such routes, and not that of the
// policies' ages: by the path (exact before regular expressions before prefixes,
// the longer before the shorter), then by how many conditions there are.
func moreSpecific(a, b callRoute) int {
	more := func(x, y int) int { return cmp.Compare(y, x) }
	headers := func(r callRoute, invert bool) int {
		return count(r.headers, func(f fieldMatch) bool { return f.invert == invert })
	}
	return cmp.Or(
		comparePaths(a.uri, b.uri),
		more(headers(a, false), headers(b, false)),
		more(len(a.query), len(b.query)),
		more(len(a.caller.labels), len(b.caller.labels)),
		cmp.Compare(b.caller.namespace, a.caller.namespace),
		cmp.Compare(b.method, a.method),
		more(headers(a, true), headers(b, true)),
		cmp.Compare(a.port, b.port),
	)
}

func comparePaths(a, b text) int {
	for _, kind := range []string{"exact", "regex", "prefix"} {
		var x, y string
		if a.kind == kind {
			x = a.value
		}
		if b.kind == kind {
			y = b.value
		}
		if order := cmp.Or(cmp.Compare(len(y), len(x)), cmp.Compare(x, y)); order != 0 {
			return order
		}
	}
	return 0
}

// writeFor writes an object about the calls to a destination. That of a service
// of the cluster itself has the service's name and stands beside it; that of
// another cluster's stands with Istio, because the service's namespace may not
// be there, and says what it is for. As its parent Gloo Mesh names the
// destination, or who federates it there.
func (t *translation) writeFor(c call, u *unstructured.Unstructured, causes []*meta) {
	parent := c.to.object()
	shown := Parent{"Destination", parent.namespace, parent.name}
	if c.from != c.to.cluster {
		u.SetNamespace(meshNamespace)
		u.SetName(c.to.name + "-" + c.to.namespace + "-" + c.to.cluster)
		u.SetAnnotations(map[string]string{federationAnnotation: c.to.name + "." + c.to.namespace + "." + c.to.cluster})
		for _, m := range t.virtualMeshes {
			if m.ok() && m.joins(c.from) && m.joins(c.to.cluster) {
				shown = Parent{m.kind, m.namespace, m.name}
			}
		}
	}
	o := t.write(c.from, u, causes...)
	o.shown = []Parent{shown}
}
