package istio

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/strict"
)

// virtualService is a VirtualService that was read.
type virtualService struct {
	meta
	hosts    []string
	gateways []string // namespace/name
	routes   []httpRoute
}

type httpRoute struct {
	index        int // in spec.http
	matches      []routeMatch
	rewrite      routing.Rewrite
	route        routing.Route // its plain parts
	destinations []destination
	mirrors      []mirror
}

// routeMatch is a match with the parts that are settled when the table is
// built: which gateways, ports and callers it is for.
type routeMatch struct {
	routing.Match
	port     int64    // 0 is any
	gateways []string // none is any
	source   proxy    // what the caller's proxy must have; not looked at where gateways are named
}

// proxy is what a match can ask of the proxy that a request goes out by.
type proxy struct {
	namespace string
	labels    map[string]string
}

// meets tells whether a proxy has what a match asks for.
func (p proxy) meets(wanted proxy) bool {
	return (wanted.namespace == "" || wanted.namespace == p.namespace) && has(p.labels, wanted.labels)
}

type destination struct {
	host, subset string
	port         int64
	weight       uint64
	authority    string
	headers      routing.Headers
}

func readVirtualService(u *unstructured.Unstructured) virtualService {
	v := virtualService{meta: metaOf(u)}
	f := spec(u, &v.meta)
	for i, h := range f.Texts("hosts") {
		h = inFull(h, v.namespace)
		if err := checkHost(h); err != nil {
			f.Refuse(fmt.Sprintf("hosts[%d]", i), "%v", err)
		}
		v.hosts = append(v.hosts, h)
	}
	v.gateways = readGateways(f, v.namespace)
	if len(v.gateways) == 0 {
		v.gateways = []string{sidecars}
	}
	if slices.Contains(v.gateways, sidecars) && slices.ContainsFunc(v.hosts, func(h string) bool { return strings.HasPrefix(h, "*") }) {
		f.Refuse("hosts", "for sidecars (gateway mesh) want the names of services, without *")
	}
	exportedToAll(f)
	for i, r := range f.Objects("http") {
		route := readHTTPRoute(r, v.namespace)
		route.index = i
		route.route.Name = fmt.Sprintf("%s http[%d]", v.meta, i)
		v.routes = append(v.routes, route)
	}
	f.Done()
	return v
}

// sidecars is the gateway that means all sidecars: those who call from within
// the mesh, as the VM does.
const sidecars = "mesh"

func readGateways(f *strict.Object, namespace string) []string {
	var out []string
	for _, g := range f.Texts("gateways") {
		if g != sidecars && !strings.Contains(g, "/") {
			g = namespace + "/" + g
		}
		out = append(out, g)
	}
	return out
}

func readHTTPRoute(f *strict.Object, namespace string) httpRoute {
	var r httpRoute
	f.Text("name") // a name only
	for _, m := range f.Objects("match") {
		r.matches = append(r.matches, readMatch(m, namespace))
	}
	if w := f.Object("rewrite"); w != nil {
		r.route.Rewrite = routing.Rewrite{Path: w.Text("uri"), Authority: w.Text("authority")}
		if p := r.route.Rewrite.Path; p != "" && !strings.HasPrefix(p, "/") {
			w.Refuse("uri", "%q does not begin with /", p)
		}
		w.Done()
	}
	r.route.Timeout = f.Duration("timeout")
	readAnswers(f, &r)
	readPolicy(f, &r, namespace)
	routes := f.Objects("route")
	if answers := r.route.Answer != nil || r.route.Redirect != nil; !answers && len(routes) == 0 {
		f.Refuse("route", "a route needs a destination")
	} else if answers && len(routes) > 0 {
		f.Refuse("route", "give either this or an answer of the gateway's own (redirect, directResponse)")
	}
	var sum uint64
	for _, d := range routes {
		read := readDestination(d, namespace)
		sum += read.weight
		r.destinations = append(r.destinations, read)
	}
	if len(r.destinations) == 1 {
		r.destinations[0].weight = 1 // a single destination gets everything, whatever its weight
	} else if sum == 0 && len(routes) > 0 {
		f.Refuse("route", "the weights sum to 0")
	}
	f.Done()
	return r
}

func readDestination(f *strict.Object, namespace string) destination {
	d := destination{weight: uint64(f.Number("weight", 0, 1<<31-1))}
	to := f.Object("destination")
	if to == nil {
		f.Refuse("destination", "a destination is needed")
		return d
	}
	weight := d.weight
	d = readHost(to, namespace)
	d.weight = weight
	d.headers, d.authority = readHeaderChanges(f)
	f.Done()
	return d
}

// readHost reads a Destination: who is meant, without a weight.
func readHost(to *strict.Object, namespace string) destination {
	d := destination{host: inFull(to.Text("host"), namespace), subset: to.Text("subset")}
	if d.host == "" {
		to.Refuse("host", "a host is needed")
	}
	if p := to.Object("port"); p != nil {
		d.port = p.Number("number", 1, 65535)
		p.Done()
	}
	to.Done()
	return d
}

func readMatch(f *strict.Object, namespace string) routeMatch {
	f.Text("name")
	m := routeMatch{
		Match: routing.Match{
			Path:       readText(f, "uri"),
			IgnoreCase: f.Flag("ignoreUriCase"),
			Method:     readText(f, "method"),
			Scheme:     readText(f, "scheme"),
			Authority:  readText(f, "authority"),
			Headers:    readHeaders(f, "headers"),
			Without:    readHeaders(f, "withoutHeaders"),
			Query:      readFields(f, "queryParams"),
		},
		port:     f.Number("port", 1, 65535),
		gateways: readGateways(f, namespace),
		source:   proxy{f.Text("sourceNamespace"), f.Labels("sourceLabels")},
	}
	f.Done()
	return m
}

// readText reads a StringMatch; none holds for every string.
func readText(f *strict.Object, name string) routing.Text {
	o := f.Object(name)
	if o == nil {
		return routing.Text{}
	}
	return readStringMatch(o)
}

func readStringMatch(o *strict.Object) routing.Text {
	var out routing.Text
	set := 0
	for _, c := range []struct {
		name string
		kind routing.Kind
	}{{"exact", routing.Exact}, {"prefix", routing.Prefix}, {"regex", routing.Regex}} {
		if o.Has(c.name) { // exact: "" is a condition too
			set++
			out = routing.Text{Kind: c.kind, Value: o.Text(c.name)}
		}
	}
	if set > 1 {
		o.RefuseAll("want one of exact, prefix, regex")
	}
	if out.Kind == routing.Regex {
		if _, err := routing.Compile(out.Value); err != nil {
			o.Refuse("regex", "%v", err)
		}
	}
	o.Done()
	return out
}

// readFields reads a map of StringMatches, in the order of their names.
func readFields(f *strict.Object, name string) []routing.Field {
	o := f.Object(name)
	if o == nil {
		return nil
	}
	var out []routing.Field
	for _, key := range o.Keys() {
		out = append(out, routing.Field{Name: key, Value: readText(o, key)})
	}
	return out
}

func readHeaders(f *strict.Object, name string) []routing.Field {
	out := readFields(f, name)
	for _, h := range out {
		switch h.Name {
		case "uri", "scheme", "method", "authority":
			f.Refuse(name+"."+h.Name, "Istio ignores this name among headers; match on %s itself", h.Name)
		}
	}
	return out
}
