package istio

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/routing"
)

// TestRefused gives every kind what the sandbox cannot honour, and wants each
// field named; what is refused configures nothing.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		kind, spec string
		want       []string
	}{
		{"Gateway", `
selector: {istio: eastwest, app: istio-ingressgateway}
servers:
- {port: {name: a, number: 80, protocol: TCP, targetPort: 8080}, hosts: ["a*"], bind: 0.0.0.0}
- {port: {name: b, number: 443, protocol: HTTPS}, hosts: ["ns/b", "*."], tls: {mode: SIMPLE, credentialName: c}}
- {port: {name: c, number: 443, protocol: TLS}, hosts: ["*"], tls: {mode: PASSTHROUGH, credentialName: c}}
- {port: {name: d, number: 443, protocol: TLS}, hosts: ["*"]}
- {hosts: ["*"]}`, []string{
			"spec.selector.istio: no gateway in the sandbox is labelled istio=eastwest; istio=ingressgateway is",
			`spec.servers[0].hosts[0]: host "a*": want a name, *.suffix or *`,
			`spec.servers[0].port.protocol: "TCP": the sandbox's gateway does not serve that (want HTTP, HTTP2, TLS)`,
			"spec.servers[0].port.targetPort: the sandbox does not honour this field",
			"spec.servers[0].bind: the sandbox does not honour this field",
			`spec.servers[1].hosts[1]: host "*.": want a name, *.suffix or *`,
			`spec.servers[1].port.protocol: "HTTPS": the sandbox's gateway does not serve that (want HTTP, HTTP2, TLS)`,
			"spec.servers[1].tls: the sandbox does not honour this field",
			`spec.servers[2].tls.mode: "PASSTHROUGH": the sandbox's gateway ends no TLS connections (want AUTO_PASSTHROUGH)`,
			"spec.servers[2].tls.credentialName: the sandbox does not honour this field",
			"spec.servers[3].tls: want mode AUTO_PASSTHROUGH for protocol TLS",
			"spec.servers[4].port: a server needs a port",
		}},
		{"VirtualService", `
hosts: ["a.*"]
gateways: [mesh, ns/g]
exportTo: ["."]
tcp: [{route: [{destination: {host: a}}]}]
http:
- match:
  - uri: {regex: "("}
    headers: {x: {exact: a, prefix: b}, uri: {exact: a}}
    statPrefix: s
  rewrite: {uri: x, uriRegexRewrite: {match: a, rewrite: b}}
  timeout: soon
  delegate: {name: d}
  route: [{destination: {host: a}, weight: 0}, {destination: {subset: s, port: {number: 99999}}, weight: 0}]
- {}
- route: [{weight: 1}]`, []string{
			`spec.hosts[0]: host "a.*": want a name, *.suffix or *`,
			`spec.exportTo[0]: ".": the sandbox exports everything everywhere ("*")`,
			"spec.http[0].match[0].uri.regex: not a regular expression (RE2): error parsing regexp: missing closing ): `(`",
			"spec.http[0].match[0].headers.x: want one of exact, prefix, regex",
			"spec.http[0].match[0].headers.uri: Istio ignores this name among headers; match on uri itself",
			"spec.http[0].match[0].statPrefix: the sandbox does not honour this field",
			`spec.http[0].rewrite.uri: "x" does not begin with /`,
			"spec.http[0].rewrite.uriRegexRewrite: the sandbox does not honour this field",
			`spec.http[0].timeout: "soon" is not a duration such as 1.5s`,
			"spec.http[0].route[1].destination.host: a host is needed",
			"spec.http[0].route[1].destination.port.number: 99999 is not between 1 and 65535",
			"spec.http[0].route: the weights sum to 0",
			"spec.http[0].delegate: the sandbox does not honour this field",
			"spec.http[1].route: a route needs a destination",
			"spec.http[2].route[0].destination: a destination is needed",
			"spec.tcp: the sandbox does not honour this field",
		}},
		{"VirtualService", `hosts: ["*"]`, []string{"spec.hosts: for sidecars (gateway mesh) want the names of services, without *"}},
		{"DestinationRule", `
trafficPolicy: {loadBalancer: {simple: LEAST_REQUEST, warmup: {}}, tls: {mode: SIMPLE, sni: a}, outlierDetection: {consecutive5xxErrors: 1}}
exportTo: [a]
subsets: [{name: s, labels: {a: b}, trafficPolicy: {connectionPool: {}}}]
workloadSelector: {}`, []string{
			"spec.host: a host is needed",
			`spec.trafficPolicy.tls.mode: "SIMPLE": the sandbox's gateways and sidecars call with the mesh's own mutual TLS only (want ISTIO_MUTUAL)`,
			"spec.trafficPolicy.tls.sni: the sandbox does not honour this field",
			`spec.trafficPolicy.loadBalancer.simple: "LEAST_REQUEST": the sandbox balances otherwise (want ROUND_ROBIN, RANDOM, UNSPECIFIED)`,
			"spec.trafficPolicy.loadBalancer.warmup: the sandbox does not honour this field",
			"spec.trafficPolicy.outlierDetection: the sandbox does not honour this field",
			`spec.exportTo[0]: "a": the sandbox exports everything everywhere ("*")`,
			"spec.subsets[0].trafficPolicy.connectionPool: the sandbox does not honour this field",
			"spec.workloadSelector: the sandbox does not honour this field",
		}},
		{"ServiceEntry", `
hosts: ["*.example.com"]
resolution: DNS
location: MOON
ports: [{name: a, number: 0, protocol: TLS}]
endpoints: [{address: a.example.com, weight: 2, locality: eu}]
workloadSelector: {labels: {a: b}}
subjectAltNames: [a]`, []string{
			`spec.hosts[0]: "*.example.com": want the full name of a host`,
			`spec.location: "MOON": unknown (want MESH_INTERNAL, MESH_EXTERNAL)`,
			`spec.resolution: "DNS": the sandbox resolves no names (want STATIC)`,
			`spec.ports[0].protocol: "TLS": the sandbox's gateway speaks HTTP only (want HTTP, http, HTTP2, http2, TCP, tcp)`,
			"spec.ports[0].number: 0 is not between 1 and 65535",
			`spec.endpoints[0].address: "a.example.com" is not an IP address; the sandbox resolves no names`,
			"spec.endpoints[0].weight: 2 is not between 0 and 1",
			"spec.endpoints[0].locality: the sandbox does not honour this field",
			"spec.subjectAltNames: the sandbox does not honour this field",
			"spec.workloadSelector: the sandbox does not honour this field",
		}},
		{"WorkloadEntry", `{locality: eu, ports: {http: 0}}`, []string{
			`spec.address: "" is not an IP address; the sandbox resolves no names`,
			"spec.ports.http: 0 is not between 1 and 65535",
			"spec.locality: the sandbox does not honour this field",
		}},
		{"PeerAuthentication", `{mtls: {mode: LOOSE, more: 1}, portLevelMtls: {"80": {mode: DISABLE}}}`, []string{
			`spec.mtls.mode: "LOOSE": the sidecars of the sandbox always know who calls (want STRICT, PERMISSIVE, UNSET)`,
			"spec.mtls.more: the sandbox does not honour this field",
			`spec.portLevelMtls.80.mode: "DISABLE": the sidecars of the sandbox always know who calls (want STRICT, PERMISSIVE, UNSET)`,
		}},
	} {
		text := "kind: " + c.kind + "\nmetadata: {name: bad, namespace: ns}\nspec:\n  " + strings.ReplaceAll(strings.TrimSpace(c.spec), "\n", "\n  ")
		s := parse(t, []byte(text))
		got := s.read()
		if len(got) != 1 {
			t.Fatalf("%s: read %d objects", c.kind, len(got))
		}
		if diff := cmp.Diff(c.want, got[0].problems); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.kind, diff)
		}
	}
}

// An object that is refused answers as if it did not exist.
func TestRefusedIsNotInForce(t *testing.T) {
	good := `kind: Gateway
metadata: {name: g, namespace: ns}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: 80, protocol: HTTP}, hosts: ["*"]}]}
---
kind: ServiceEntry
metadata: {name: e, namespace: ns}
spec: {hosts: [e.test], resolution: STATIC, ports: [{number: 80, name: http}], endpoints: [{address: 192.168.64.1}]}
---
kind: DestinationRule
metadata: {name: d, namespace: ns}
spec: {host: e.test, subsets: [{name: s, labels: {}}]}
---
kind: VirtualService
metadata: {name: v, namespace: ns}
spec: {hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: e.test, port: {number: 80}, subset: s}}]}]}
`
	build := func(text string) []routing.Host {
		hosts, _ := world{"cluster1": parse(t, []byte(text))}.build("cluster1")
		return hosts
	}
	if h := build(good); len(h) != 1 || len(h[0].Routes) != 1 || len(h[0].Routes[0].Destinations[0].Endpoints) != 1 {
		t.Fatalf("the good objects give %+v", h)
	}
	for _, c := range []struct{ in, out, what string }{
		{"selector: {", "odd: 1, selector: {", "nothing"},
		{"gateways: [g]", "gateways: [g], tls: [{}]", "nothing"},
		{"resolution: STATIC", "resolution: NONE", "unknown"},
		{"host: e.test, subsets", "host: e.test, odd: 1, subsets", "unknown"},
	} {
		h := build(strings.Replace(good, c.in, c.out, 1))
		got := "nothing"
		if len(h) > 0 {
			got = map[bool]string{true: "unknown", false: "in force"}[h[0].Routes[0].Destinations[0].Unknown]
		}
		if got != c.what {
			t.Errorf("with %q the route is %s, want %s", c.out, got, c.what)
		}
	}
}

// Whatever an object holds, reading it ends, every problem says where, and what
// is accepted makes a table.
func FuzzRead(f *testing.F) {
	for _, folder := range []string{"tutorial", "merged", "endpoints", "test-gateway"} {
		for _, doc := range documents(f, "testdata/"+folder+"/cluster1.yaml") {
			if spec, ok := doc["spec"]; ok {
				text, err := json.Marshal(spec)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(string(text))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		var spec any
		if json.Unmarshal([]byte(text), &spec) != nil {
			return
		}
		u := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": "f", "namespace": "ns"}, "spec": spec}}
		s := &snapshot{
			gateways:         []gatewayObject{readGateway(u), {meta: meta{namespace: "ns", name: "g"}, servers: []server{{80, []gatewayHost{{"*", "*"}}}}}},
			virtualServices:  []virtualService{readVirtualService(u)},
			destinationRules: []destinationRule{readDestinationRule(u)},
			serviceEntries:   []serviceEntry{readServiceEntry(u)},
			workloads:        []workload{readWorkloadEntry(u)},
			authentications:  []meta{readPeerAuthentication(u)},
			authorizations:   []authorizationPolicy{readAuthorizationPolicy(u)},
		}
		s.virtualServices[0].gateways = append(s.virtualServices[0].gateways, "ns/g")
		for _, o := range s.read() {
			for _, p := range o.problems {
				if !strings.HasPrefix(p, "spec") || !strings.Contains(p, ": ") {
					t.Errorf("problem %q does not say where", p)
				}
			}
		}
		hosts, _ := world{"cluster1": s}.build("cluster1")
		if _, err := routing.New(hosts); err != nil {
			t.Errorf("accepted, but: %v", err)
		}
	})
}

func documents(t testing.TB, file string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for _, doc := range bytes.Split(readFile(t, file), []byte("\n---\n")) {
		var o map[string]any
		if err := yaml.Unmarshal(doc, &o); err != nil {
			t.Fatal(err)
		}
		out = append(out, o)
	}
	return out
}
