package gloomesh

// decodeDestinations reads weighted destinations, which must be services.
func decodeDestinations(n node) []destination {
	var out []destination
	for _, n := range n.list() {
		o := n.object()
		service := o.field("kubeService")
		switch {
		case service.is():
			d := decodeKubeService(service)
			d.weight = o.field("weight").number()
			out = append(out, d)
		case o.fields["virtualDestination"] == nil && o.fields["staticDestination"] == nil && o.fields["clusterHeader"] == nil:
			n.found.invalidf(service.path, "required: where the requests go")
		default: // close says which kind is not honoured
			o.ignore("weight")
		}
		o.close()
	}
	return out
}

func decodeKubeService(n node) destination {
	o := n.object()
	defer o.close()
	return destination{
		path:    n.path,
		service: decodeServiceRef(o),
		subset:  o.field("subset").textMap(),
		port:    o.field("port").number(),
	}
}

// decodeServiceRef reads a reference to a service, whose fields are all required.
func decodeServiceRef(o *object) serviceRef {
	read := func(name string) string {
		n := o.field(name)
		if n.text() == "" {
			n.found.invalidf(n.path, "required")
		}
		return n.text()
	}
	return serviceRef{cluster: read("clusterName"), namespace: read("namespace"), name: read("name")}
}

// checkWeights holds several destinations to weights that sum to 100; a single
// one may leave its weight out.
func checkWeights(path string, destinations []destination, found *problems) {
	if len(destinations) == 0 {
		return
	}
	if len(destinations) == 1 && destinations[0].weight == 0 {
		destinations[0].weight = 100
		return
	}
	sum := int64(0)
	for _, d := range destinations {
		sum += d.weight
	}
	if sum != 100 {
		found.invalidf(path, "the weights must sum to 100, not to %d", sum)
	}
}

func decodeServiceSelectors(n node) []serviceSelector {
	var out []serviceSelector
	for _, n := range n.list() {
		o := n.object()
		s := serviceSelector{path: n.path, matcher: decodeServiceMatcher(o.field("kubeServiceMatcher"))}
		refs := o.field("kubeServiceRefs").object()
		for _, n := range refs.field("services").list() {
			r := n.object()
			s.refs = append(s.refs, pathRef{n.path, decodeServiceRef(r)})
			r.close()
		}
		refs.close()
		if s.matcher == nil && len(s.refs) == 0 {
			s.matcher = &serviceMatcher{} // {} selects everything
		}
		out = append(out, s)
		o.close()
	}
	return out
}

// decodeServiceMatcher reads a matcher of services or of workloads; nil if absent.
func decodeServiceMatcher(n node) *serviceMatcher {
	if !n.is() {
		return nil
	}
	o := n.object()
	defer o.close()
	return &serviceMatcher{
		clusters:   o.field("clusters").texts(),
		namespaces: o.field("namespaces").texts(),
		labels:     o.field("labels").textMap(),
	}
}

// decodeObjectSelector reads a selector of objects; nil if absent.
func decodeObjectSelector(n node) *objectSelector {
	if !n.is() {
		return nil
	}
	o := n.object()
	defer o.close()
	return &objectSelector{namespaces: o.field("namespaces").texts(), labels: o.field("labels").textMap()}
}

func decodeRefs(n node) []ref {
	var out []ref
	for _, n := range n.list() {
		o := n.object()
		out = append(out, ref{o.field("namespace").text(), o.field("name").text()})
		o.close()
	}
	return out
}
