package gloomesh

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// specOf begins to read an object's spec.
func (m *meta) specOf() *object {
	return node{path: "spec", value: asAny(m.spec), found: &m.problems}.object()
}

// asAny keeps a nil map from becoming a value that is there.
func asAny(m map[string]any) any {
	if m == nil {
		return nil
	}
	return m
}

func decodeTrafficPolicy(u *unstructured.Unstructured) *trafficPolicy {
	p := &trafficPolicy{meta: newMeta(u)}
	spec := p.specOf()
	defer spec.close()
	for _, n := range spec.field("sourceSelector").list() {
		decodeSource(n)
	}
	p.services = decodeServiceSelectors(spec.field("destinationSelector"))
	for _, n := range spec.field("routeSelector").list() {
		p.routes = append(p.routes, decodeRouteSelector(n))
	}
	for _, n := range spec.field("httpRequestMatchers").list() {
		p.matchers = append(p.matchers, decodeOlderMatcher(n))
	}
	policy := spec.field("policy").object()
	defer policy.close()
	if n := policy.field("trafficShift"); n.is() {
		shift := n.object()
		defer shift.close()
		destinations := shift.field("destinations")
		p.shift = decodeDestinations(destinations)
		if len(p.shift) == 0 {
			p.problems.invalidf(destinations.path, "want at least one destination")
		}
		checkWeights(destinations.path, p.shift, &p.problems)
	}
	return p
}

// decodeSource reads a source selector to know that it is sound. It has no
// bearing here: it chooses among the workloads that call each other, and a
// gateway's requests are chosen by routeSelector.
func decodeSource(n node) {
	o := n.object()
	defer o.close()
	decodeServiceMatcher(o.field("kubeWorkloadMatcher"))
}

func decodeRouteSelector(n node) routeSelector {
	o := n.object()
	defer o.close()
	return routeSelector{
		hosts:     decodeObjectSelector(o.field("virtualHostSelector")),
		tables:    decodeObjectSelector(o.field("routeTableSelector")),
		hostRefs:  decodeRefs(o.field("virtualHostRefs")),
		tableRefs: decodeRefs(o.field("routeTableRefs")),
		labels:    o.field("routeLabelMatcher").textMap(),
	}
}

func decodeVirtualGateway(u *unstructured.Unstructured) *virtualGateway {
	g := &virtualGateway{meta: newMeta(u)}
	spec := g.specOf()
	defer spec.close()
	for _, n := range spec.field("ingressGatewaySelectors").list() {
		o := n.object()
		g.selectors = append(g.selectors, gatewaySelector{
			path:     n.path,
			services: decodeServiceSelectors(o.field("destinationSelectors")),
			portName: o.field("portName").text(),
		})
		o.close()
	}
	if n := spec.field("deployToIngressGateways"); n.is() {
		if len(g.selectors) > 0 {
			g.problems.invalidf(n.path, "give either this (edition 1.1) or spec.ingressGatewaySelectors (edition 1.2)")
		}
		g.selectors = append(g.selectors, decodeDeploy(n))
	}
	if len(g.selectors) == 0 {
		g.problems.invalidf("spec.ingressGatewaySelectors", "required: which ingress gateways serve it")
	}
	handlers := spec.field("connectionHandlers")
	if list := handlers.list(); len(list) == 1 {
		g.hosts = decodeHandler(list[0])
	} else {
		g.problems.invalidf(handlers.path, "want exactly one connection handler, got %d", len(list))
	}
	return g
}

func decodeDeploy(n node) gatewaySelector {
	o := n.object()
	defer o.close()
	s := gatewaySelector{path: n.path, byWorkload: true, bindPort: o.field("bindPort").number()}
	if s.bindPort < 1 || s.bindPort > 65535 {
		n.found.invalidf(n.path+".bindPort", "want a port, from 1 to 65535, got %d", s.bindPort)
	}
	for _, w := range o.field("gatewayWorkloads").list() {
		workload := w.object()
		if m := decodeServiceMatcher(workload.field("kubeWorkloadMatcher")); m != nil {
			s.workloads = append(s.workloads, *m)
		}
		workload.close()
	}
	if len(s.workloads) == 0 {
		n.found.invalidf(n.path+".gatewayWorkloads", "required: which gateways serve it")
	}
	return s
}

func decodeHandler(n node) []objectSelector {
	handler := n.object()
	defer handler.close()
	http := handler.field("http").object()
	defer http.close()
	var out []objectSelector
	config := http.field("routeConfig")
	for _, n := range config.list() {
		o := n.object()
		if s := decodeObjectSelector(o.field("virtualHostSelector")); s != nil {
			out = append(out, *s)
		}
		o.close()
	}
	if len(config.list()) == 0 && handler.fields["tcp"] == nil {
		n.found.invalidf(config.path, "required: which virtual hosts it serves")
	}
	return out
}

func decodeVirtualHost(u *unstructured.Unstructured) *virtualHost {
	h := &virtualHost{meta: newMeta(u)}
	spec := h.specOf()
	defer spec.close()
	domains := spec.field("domains")
	for _, n := range domains.list() {
		h.domains = append(h.domains, strings.ToLower(n.text()))
	}
	if len(h.domains) == 0 {
		h.problems.invalidf(domains.path, `required, such as ["*"]`)
	}
	h.routes = decodeRoutes(spec.field("routes"))
	return h
}

func decodeRouteTable(u *unstructured.Unstructured) *routeTable {
	t := &routeTable{meta: newMeta(u)}
	spec := t.specOf()
	defer spec.close()
	t.routes = decodeRoutes(spec.field("routes"))
	t.weight = decodeTableWeight(spec.field("weight"))
	return t
}

// decodeTableWeight reads a weight of a table, which may be negative.
func decodeTableWeight(n node) int64 {
	if v, ok := n.value.(int64); ok && v < 0 {
		return v
	}
	return n.number()
}

func decodeRoutes(n node) []route {
	var out []route
	for _, n := range n.list() {
		out = append(out, decodeRoute(n))
	}
	return out
}

func decodeRoute(n node) route {
	o := n.object()
	defer o.close()
	r := route{path: n.path, name: o.field("name").text(), labels: o.field("labels").textMap()}
	for _, m := range o.field("matchers").list() {
		r.matchers = append(r.matchers, decodeMatcher(m))
	}
	switch {
	case o.fields["delegateAction"] != nil:
		delegates := o.field("delegateAction")
		d := delegates.object()
		r.delegate = &delegate{path: delegates.path, refs: decodeRefs(d.field("refs")), selector: decodeObjectSelector(d.field("selector"))}
		if sort := d.field("sortMethod"); sort.text() != "" && sort.text() != "TABLE_WEIGHT" {
			n.found.notHonoured(sort.path)
		}
		d.close()
	case o.fields["routeAction"] != nil:
		a := o.field("routeAction").object()
		list := a.field("destinations")
		r.destinations = decodeDestinations(list)
		if len(r.destinations) == 0 {
			n.found.invalidf(list.path, "want at least one destination")
		}
		checkWeights(list.path, r.destinations, n.found)
		a.close()
	case o.fields["redirectAction"] == nil && o.fields["directResponseAction"] == nil:
		n.found.invalidf(n.path, "want a routeAction or a delegateAction")
	}
	return r
}

// decodeAccessPolicy does not look at the fields: none of them is honoured.
func decodeAccessPolicy(u *unstructured.Unstructured) *accessPolicy {
	p := &accessPolicy{meta: newMeta(u)}
	p.problems.notHonoured("spec")
	return p
}
