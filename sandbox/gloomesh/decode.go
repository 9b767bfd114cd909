package gloomesh

import (
	"math"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/strict"
)

// specOf begins to read an object's spec.
func (m *meta) specOf() *strict.Object { return strict.New("spec", m.spec, &m.problems) }

func decodeTrafficPolicy(u *unstructured.Unstructured) *trafficPolicy {
	p := &trafficPolicy{meta: newMeta(u)}
	spec := p.specOf()
	defer spec.Done()
	for _, o := range spec.Objects("sourceSelector") {
		p.sources = append(p.sources, decodeSource(o))
	}
	p.services = decodeServiceSelectors(spec, "destinationSelector")
	for _, o := range spec.Objects("routeSelector") {
		p.routes = append(p.routes, decodeRouteSelector(o))
	}
	for _, o := range spec.Objects("httpRequestMatchers") {
		p.matchers = append(p.matchers, decodeOlderMatcher(o))
	}
	p.policy = decodePolicy(spec.Within("policy"))
	return p
}

// decodeSource reads a source selector, which selects everything where it says
// nothing. It is about calls from within the mesh: a gateway's requests are
// chosen by routeSelector.
func decodeSource(o *strict.Object) sourceSelector {
	defer o.Done()
	s := sourceSelector{path: o.At("kubeWorkloadMatcher")}
	if m := decodeServiceMatcher(o, "kubeWorkloadMatcher"); m != nil {
		s.serviceMatcher = *m
	}
	return s
}

func decodeRouteSelector(o *strict.Object) routeSelector {
	defer o.Done()
	return routeSelector{
		hosts:     decodeObjectSelector(o, "virtualHostSelector"),
		tables:    decodeObjectSelector(o, "routeTableSelector"),
		hostRefs:  decodeRefs(o, "virtualHostRefs"),
		tableRefs: decodeRefs(o, "routeTableRefs"),
		labels:    o.Labels("routeLabelMatcher"),
	}
}

func decodeVirtualGateway(u *unstructured.Unstructured) *virtualGateway {
	g := &virtualGateway{meta: newMeta(u)}
	spec := g.specOf()
	defer spec.Done()
	for _, o := range spec.Objects("ingressGatewaySelectors") {
		g.selectors = append(g.selectors, gatewaySelector{
			path:     o.Path(),
			services: decodeServiceSelectors(o, "destinationSelectors"),
			portName: o.Text("portName"),
		})
		o.Done()
	}
	if o := spec.Object("deployToIngressGateways"); o != nil {
		if len(g.selectors) > 0 {
			spec.Refuse("deployToIngressGateways", "give either this (edition 1.1) or spec.ingressGatewaySelectors (edition 1.2)")
		}
		g.selectors = append(g.selectors, decodeDeploy(o))
	}
	if len(g.selectors) == 0 {
		spec.Refuse("ingressGatewaySelectors", "required: which ingress gateways serve it")
	}
	if handlers := spec.Objects("connectionHandlers"); len(handlers) == 1 {
		g.hosts = decodeHandler(handlers[0])
	} else {
		spec.Refuse("connectionHandlers", "want exactly one connection handler, got %d", len(handlers))
	}
	return g
}

func decodeDeploy(o *strict.Object) gatewaySelector {
	defer o.Done()
	s := gatewaySelector{path: o.Path(), byWorkload: true, bindPort: o.Number("bindPort", 0, 65535)}
	if s.bindPort == 0 {
		o.Refuse("bindPort", "want a port, from 1 to 65535, got 0")
	}
	for _, workload := range o.Objects("gatewayWorkloads") {
		if m := decodeServiceMatcher(workload, "kubeWorkloadMatcher"); m != nil {
			s.workloads = append(s.workloads, *m)
		}
		workload.Done()
	}
	if len(s.workloads) == 0 {
		o.Refuse("gatewayWorkloads", "required: which gateways serve it")
	}
	return s
}

func decodeHandler(handler *strict.Object) []objectSelector {
	defer handler.Done()
	http := handler.Within("http")
	defer http.Done()
	var out []objectSelector
	configs := http.Objects("routeConfig")
	for _, o := range configs {
		if s := decodeObjectSelector(o, "virtualHostSelector"); s != nil {
			out = append(out, *s)
		}
		o.Done()
	}
	if len(configs) == 0 && !handler.Set("tcp") {
		http.Refuse("routeConfig", "required: which virtual hosts it serves")
	}
	return out
}

func decodeVirtualHost(u *unstructured.Unstructured) *virtualHost {
	h := &virtualHost{meta: newMeta(u)}
	spec := h.specOf()
	defer spec.Done()
	for _, domain := range spec.Texts("domains") {
		h.domains = append(h.domains, strings.ToLower(domain))
	}
	if len(h.domains) == 0 {
		spec.Refuse("domains", `required, such as ["*"]`)
	}
	h.routes = decodeRoutes(spec)
	options := spec.Within("options")
	defer options.Done()
	h.options = decodeOptions(options, "trafficPolicy")
	return h
}

func decodeRouteTable(u *unstructured.Unstructured) *routeTable {
	t := &routeTable{meta: newMeta(u)}
	spec := t.specOf()
	defer spec.Done()
	t.routes = decodeRoutes(spec)
	t.weight = spec.Number("weight", math.MinInt32, math.MaxInt32)
	return t
}

func decodeRoutes(spec *strict.Object) []route {
	var out []route
	for _, o := range spec.Objects("routes") {
		out = append(out, decodeRoute(o))
	}
	return out
}

func decodeRoute(o *strict.Object) route {
	defer o.Done()
	r := route{path: o.Path(), name: o.Text("name"), labels: o.Labels("labels")}
	for _, m := range o.Objects("matchers") {
		r.matchers = append(r.matchers, decodeMatcher(m))
	}
	switch {
	case o.Set("delegateAction"):
		r.delegate = decodeDelegate(o.Within("delegateAction"))
	case o.Set("routeAction"):
		action := o.Within("routeAction")
		r.destinations = decodeDestinations(action)
		r.rewrite = decodePath(action, "pathRewrite")
		action.Done()
	default:
		if r.answer = decodeAnswer(o); r.answer == nil {
			o.RefuseAll("want a routeAction, a delegateAction, a redirectAction or a directResponseAction")
		}
	}
	r.options = decodeOptions(o, "options")
	return r
}

func decodeDelegate(o *strict.Object) *delegate {
	defer o.Done()
	d := &delegate{path: o.Path(), refs: decodeRefs(o, "refs"), selector: decodeObjectSelector(o, "selector")}
	if sort := o.Text("sortMethod"); sort != "" && sort != "TABLE_WEIGHT" {
		o.NotHonoured("sortMethod")
	}
	return d
}
