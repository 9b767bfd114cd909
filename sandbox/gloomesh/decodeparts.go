package gloomesh

import (
	"math"

	"github.com/meshassay/assay/sandbox/strict"
)

// decodeDestinations reads the weighted destinations of an action, which must
// be services.
func decodeDestinations(action *strict.Object) []destination {
	var out []destination
	for _, o := range action.Objects("destinations") {
		weight := o.Number("weight", 0, math.MaxUint32)
		headers := decodeDestinationOptions(o.Within("options"))
		switch service := o.Object("kubeService"); {
		case service != nil:
			d := decodeKubeService(service)
			d.weight, d.headers = weight, headers
			out = append(out, d)
		case !o.Set("kubeService") && !o.Set("virtualDestination") && !o.Set("staticDestination") && !o.Set("clusterHeader"):
			o.Refuse("kubeService", "required: where the requests go")
		default: // what it is instead was or will be refused
		}
		o.Done()
	}
	if len(out) == 0 {
		action.Refuse("destinations", "want at least one destination")
	}
	checkWeights(action, out)
	return out
}

// decodeDestinationOptions reads what is done with the requests for one
// destination of several.
func decodeDestinationOptions(o *strict.Object) map[string]any {
	defer o.Done()
	headers := o.Within("headerManipulation")
	defer headers.Done()
	return readHeaderManipulation(headers)
}

func decodeKubeService(o *strict.Object) destination {
	defer o.Done()
	return destination{
		path:    o.Path(),
		service: decodeServiceRef(o),
		subset:  o.Labels("subset"),
		port:    o.Number("port", 0, math.MaxUint32),
	}
}

// decodeServiceRef reads a reference to a service, whose fields are all required.
func decodeServiceRef(o *strict.Object) serviceRef {
	read := func(name string) string {
		text := o.Text(name)
		if text == "" {
			o.Refuse(name, "required")
		}
		return text
	}
	return serviceRef{cluster: read("clusterName"), namespace: read("namespace"), name: read("name")}
}

// checkWeights holds several destinations to weights that sum to 100; a single
// one may leave its weight out.
func checkWeights(action *strict.Object, destinations []destination) {
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
		action.Refuse("destinations", "the weights must sum to 100, not to %d", sum)
	}
}

func decodeServiceSelectors(parent *strict.Object, name string) []serviceSelector {
	var out []serviceSelector
	for _, o := range parent.Objects(name) {
		s := serviceSelector{path: o.Path(), matcher: decodeServiceMatcher(o, "kubeServiceMatcher")}
		refs := o.Within("kubeServiceRefs")
		for _, r := range refs.Objects("services") {
			// The API lets any part be left out, which then may be anything.
			s.refs = append(s.refs, pathRef{r.Path(), serviceRef{r.Text("clusterName"), r.Text("namespace"), r.Text("name")}})
			r.Done()
		}
		refs.Done()
		if s.matcher == nil && len(s.refs) == 0 {
			s.matcher = &serviceMatcher{} // {} selects everything
		}
		out = append(out, s)
		o.Done()
	}
	return out
}

// decodeServiceMatcher reads a matcher of services or of workloads; nil if absent.
func decodeServiceMatcher(parent *strict.Object, name string) *serviceMatcher {
	o := parent.Object(name)
	if o == nil {
		return nil
	}
	defer o.Done()
	return &serviceMatcher{
		clusters:   o.Texts("clusters"),
		namespaces: o.Texts("namespaces"),
		labels:     o.Labels("labels"),
	}
}

// decodeObjectSelector reads a selector of objects; nil if absent.
func decodeObjectSelector(parent *strict.Object, name string) *objectSelector {
	o := parent.Object(name)
	if o == nil {
		return nil
	}
	defer o.Done()
	return &objectSelector{namespaces: o.Texts("namespaces"), labels: o.Labels("labels"), expressions: decodeExpressions(o)}
}

func decodeRefs(parent *strict.Object, name string) []ref {
	var out []ref
	for _, o := range parent.Objects(name) {
		out = append(out, ref{o.Text("namespace"), o.Text("name")})
		o.Done()
	}
	return out
}
