package istio

import (
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/strict"
)

// gatewayObject is a Gateway object that was read.
type gatewayObject struct {
	meta
	servers []server
}

// server is an HTTP server of a Gateway.
type server struct {
	port  int64
	hosts []gatewayHost
}

// gatewayHost is a host of a server: which namespaces' VirtualServices it
// serves ("*" for all), and for what name.
type gatewayHost struct{ namespace, name string }

// ingress are the labels of the sandbox's one gateway in each cluster.
var ingress = map[string]string{"istio": "ingressgateway", "app": "istio-ingressgateway"}

func readGateway(u *unstructured.Unstructured) gatewayObject {
	g := gatewayObject{meta: metaOf(u)}
	f := spec(u, &g.meta)
	selector := f.Labels("selector")
	for _, key := range sortedKeys(selector) {
		value := selector[key]
		if ingress[key] != value {
			f.Refuse("selector."+key, "no gateway in the sandbox is labelled %s=%s; istio=ingressgateway is", key, value)
		}
	}
	for _, s := range f.Objects("servers") {
		s.Text("name") // a name only
		read := server{hosts: readServerHosts(s, g.namespace)}
		var http bool
		if read.port, http = readServerPort(s); http {
			g.servers = append(g.servers, read)
		}
		s.Done()
	}
	f.Done()
	return g
}

// readServerPort tells whether the server is one for HTTP. The other sort that
// is honoured passes TLS connections of other clusters on by their server
// name: that is how the gateways of the sandbox reach each other's services,
// and no route applies to it.
func readServerPort(s *strict.Object) (number int64, http bool) {
	p := s.Object("port")
	if p == nil {
		s.Refuse("port", "a server needs a port")
		return 0, false
	}
	p.Text("name")
	number = p.Number("number", 1, 65535)
	protocol := p.OneOf("protocol", "the sandbox's gateway does not serve that", "HTTP", "HTTP2", "TLS")
	p.Done()
	if protocol != "TLS" {
		return number, true
	}
	tls := s.Object("tls")
	if tls == nil {
		s.Refuse("tls", "want mode AUTO_PASSTHROUGH for protocol TLS")
		return number, false
	}
	tls.OneOf("mode", "the sandbox's gateway ends no TLS connections", "AUTO_PASSTHROUGH")
	tls.Done()
	return number, false
}

func readServerHosts(s *strict.Object, namespace string) []gatewayHost {
	var hosts []gatewayHost
	for i, text := range s.Texts("hosts") {
		h := gatewayHost{"*", text}
		if ns, name, ok := strings.Cut(text, "/"); ok {
			h = gatewayHost{ns, name}
			if ns == "." {
				h.namespace = namespace
			}
		}
		h.name = strings.ToLower(h.name)
		if err := checkHost(h.name); err != nil {
			s.Refuse(fmt.Sprintf("hosts[%d]", i), "%v", err)
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// checkHost tells whether a host is a name, *.suffix or *.
func checkHost(h string) error {
	rest, wild := strings.CutPrefix(h, "*")
	switch {
	case h == "":
		return fmt.Errorf("an empty host")
	case strings.Contains(rest, "*"), wild && rest != "" && (!strings.HasPrefix(rest, ".") || rest == "."), strings.Contains(h, "/"):
		return fmt.Errorf("host %q: want a name, *.suffix or *", h)
	}
	return nil
}

// destinationRule is a DestinationRule that was read.
type destinationRule struct {
	meta
	host    string // in full
	random  bool
	subsets []subset
}

type subset struct {
	name   string
	labels map[string]string
	random bool
}

func readDestinationRule(u *unstructured.Unstructured) destinationRule {
	d := destinationRule{meta: metaOf(u)}
	f := spec(u, &d.meta)
	d.host = inFull(f.Text("host"), d.namespace)
	if d.host == "" {
		f.Refuse("host", "a host is needed")
	}
	d.random = readTrafficPolicy(f)
	exportedToAll(f)
	for _, s := range f.Objects("subsets") {
		sub := subset{name: s.Text("name"), labels: s.Labels("labels"), random: d.random}
		if s.Has("trafficPolicy") {
			sub.random = readTrafficPolicy(s)
		}
		s.Done()
		d.subsets = append(d.subsets, sub)
	}
	f.Done()
	return d
}

// readTrafficPolicy tells whether endpoints are picked at random, rather than
// in turns.
func readTrafficPolicy(f *strict.Object) (random bool) {
	p := f.Object("trafficPolicy")
	if p == nil {
		return false
	}
	if tls := p.Object("tls"); tls != nil {
		// What calls would be without: a service that demands mutual TLS refuses
		// them, and any other does not know who calls.
		tls.OneOf("mode", "the sandbox's gateways and sidecars call with the mesh's own mutual TLS only", "ISTIO_MUTUAL")
		tls.Done()
	}
	if lb := p.Object("loadBalancer"); lb != nil {
		random = lb.OneOf("simple", "the sandbox balances otherwise", "ROUND_ROBIN", "RANDOM", "UNSPECIFIED", "") == "RANDOM"
		lb.Done()
	}
	p.Done()
	return random
}

// serviceEntry is a ServiceEntry that was read.
type serviceEntry struct {
	meta
	hosts     []string
	ports     []servicePort
	endpoints []workload
}

type servicePort struct {
	number, target int64
	name           string
}

// workload is a WorkloadEntry, or an endpoint of a ServiceEntry.
type workload struct {
	meta
	address string
	ports   map[string]int64
	labels  map[string]string
	account string // the service account, its identity when it calls
}

func readServiceEntry(u *unstructured.Unstructured) serviceEntry {
	s := serviceEntry{meta: metaOf(u)}
	f := spec(u, &s.meta)
	for i, h := range f.Texts("hosts") {
		h = strings.ToLower(h)
		if err := checkHost(h); err != nil || strings.HasPrefix(h, "*") {
			f.Refuse(fmt.Sprintf("hosts[%d]", i), "%q: want the full name of a host", h)
		}
		s.hosts = append(s.hosts, h)
	}
	f.Texts("addresses") // virtual addresses matter to sidecars' resolvers; the gateway goes by names
	f.OneOf("location", "unknown", "MESH_INTERNAL", "MESH_EXTERNAL", "")
	f.OneOf("resolution", "the sandbox resolves no names", "STATIC")
	exportedToAll(f)
	for _, p := range f.Objects("ports") {
		// What an HTTP route sends to a TCP port is HTTP all the same, and a port
		// of a Service whose name says nothing is declared as TCP.
		p.OneOf("protocol", "the sandbox's gateway speaks HTTP only", "HTTP", "http", "HTTP2", "http2", "TCP", "tcp", "")
		s.ports = append(s.ports, servicePort{p.Number("number", 1, 65535), p.Number("targetPort", 1, 65535), p.Text("name")})
		p.Done()
	}
	for _, e := range f.Objects("endpoints") {
		s.endpoints = append(s.endpoints, readWorkload(e))
	}
	f.Done()
	return s
}

func readWorkloadEntry(u *unstructured.Unstructured) workload {
	m := metaOf(u)
	f := spec(u, &m)
	w := readWorkload(f)
	w.meta = m
	return w
}

func readWorkload(f *strict.Object) workload {
	w := workload{address: f.Text("address"), labels: f.Labels("labels"), account: f.Text("serviceAccount")}
	if _, err := netip.ParseAddr(w.address); err != nil {
		f.Refuse("address", "%q is not an IP address; the sandbox resolves no names", w.address)
	}
	if ports := f.Object("ports"); ports != nil {
		w.ports = map[string]int64{}
		for _, name := range ports.Keys() {
			w.ports[name] = ports.Number(name, 1, 65535)
		}
	}
	f.Text("network")        // every address of the sandbox is within reach
	f.Number("weight", 0, 1) // more than one would have to count
	f.Done()
	return w
}

// readPeerAuthentication honours strict and permissive mutual TLS: who calls a
// service of the sandbox comes through a gateway or a sidecar of the mesh, so
// both let the same calls through, and both say who calls.
func readPeerAuthentication(u *unstructured.Unstructured) meta {
	m := metaOf(u)
	f := spec(u, &m)
	f.Object("selector")
	modes := []*strict.Object{f.Object("mtls")}
	if ports := f.Object("portLevelMtls"); ports != nil {
		for _, port := range ports.Keys() {
			modes = append(modes, ports.Object(port))
		}
	}
	for _, mtls := range modes {
		if mtls != nil {
			mtls.OneOf("mode", "the sidecars of the sandbox always know who calls", "STRICT", "PERMISSIVE", "UNSET", "")
			mtls.Done()
		}
	}
	f.Done()
	return m
}

// inFull expands a host without a dot, as Istio does, to the service of the
// namespace in which it is named.
func inFull(host, namespace string) string {
	host = strings.ToLower(host)
	if host == "" || strings.Contains(host, ".") || strings.HasPrefix(host, "*") {
		return host
	}
	return host + "." + namespace + ".svc.cluster.local"
}

// exportedToAll accepts the default exportTo only: the sandbox has no rules of
// visibility.
func exportedToAll(f *strict.Object) {
	for i, to := range f.Texts("exportTo") {
		if to != "*" {
			f.Refuse(fmt.Sprintf("exportTo[%d]", i), `%q: the sandbox exports everything everywhere ("*")`, to)
		}
	}
}
