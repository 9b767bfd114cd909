package gloomesh

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// edit replaces, in the chapter's files, what one object says; a value that is
// a map is merged.
func edit(t *testing.T, in Snapshot, kind, change string) Snapshot {
	t.Helper()
	var wanted map[string]any
	if err := yaml.Unmarshal([]byte(change), &wanted); err != nil {
		t.Fatal(err)
	}
	for i, u := range in.Objects {
		if u.GetKind() == kind {
			u = u.DeepCopy()
			merge(u.Object["spec"].(map[string]any), normal(wanted).(map[string]any))
			in.Objects[i] = u
			return in
		}
	}
	t.Fatalf("no %s to change", kind)
	return in
}

func merge(into, from map[string]any) {
	for k, v := range from {
		if v == nil {
			delete(into, k)
			continue
		}
		a, ok := into[k].(map[string]any)
		b, also := v.(map[string]any)
		if ok && also && len(b) > 0 {
			merge(a, b)
			continue
		}
		into[k] = v
	}
}

const destinations = "spec.policy.trafficShift.destinations"

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   string // whose spec is changed, and whose status is looked at
		change string
		state  string
		errors []string
	}{
		// TrafficPolicy
		{"weights that do not sum to 100", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary}, weight: 40},
			{kubeService: {clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary}, weight: 50}]}}`,
			invalid, []string{destinations + ": the weights must sum to 100, not to 90"}},
		{"a single weight that is not 100", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary}, weight: 40}]}}`,
			invalid, []string{destinations + ": the weights must sum to 100, not to 40"}},
		{"a service that does not exist", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster2, namespace: vm-blue-green-canary, name: blue-green-canary}}]}}`,
			invalid, []string{destinations + "[0].kubeService: no service vm-blue-green-canary/blue-green-canary in cluster2 (did you mean blue-green-canary/blue-green-canary?)"}},
		{"a cluster that is not registered", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster3, namespace: blue-green-canary, name: blue-green-canary}}]}}`,
			invalid, []string{destinations + "[0].kubeService: no cluster cluster3 is registered (there are cluster1, cluster2)"}},
		{"a port that the service has not", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary, port: 80}}]}}`,
			invalid, []string{destinations + "[0].kubeService.port: service blue-green-canary/blue-green-canary has no port 80 (it has 8080)"}},
		{"no destinations", "TrafficPolicy", `policy: {trafficShift: {}}`,
			invalid, []string{destinations + ": want at least one destination"}},
		{"a destination of another kind", "TrafficPolicy", `policy: {trafficShift: {destinations: [
			{virtualDestination: {name: everywhere, namespace: gloo-mesh}, weight: 100}]}}`,
			invalid, []string{destinations + "[0].virtualDestination: not honoured by the sandbox", destinations + ": want at least one destination"}},
		{"a selected service that does not exist", "TrafficPolicy", `destinationSelector: [{kubeServiceRefs: {services: [
			{clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canry}]}}]`,
			invalid, []string{"spec.destinationSelector[0].kubeServiceRefs.services[0]: no service blue-green-canary/blue-green-canry in cluster1 (did you mean blue-green-canary/blue-green-canary?)"}},
		{"half a reference to nothing", "TrafficPolicy", `destinationSelector: [{kubeServiceRefs: {services: [{name: blue-green-canary, namespace: default}]}}]`,
			invalid, []string{"spec.destinationSelector[0].kubeServiceRefs.services[0]: selects no service of any registered cluster"}},
		{"a regular expression that is none", "TrafficPolicy", `httpRequestMatchers: [{headers: [{name: User-Agent, value: "(?=Firefox)", regex: true}]}]`,
			invalid, []string{"spec.httpRequestMatchers[0].headers[0].value: not a regular expression that Envoy knows (RE2): error parsing regexp: invalid or unsupported Perl syntax: `(?=`"}},
		{"a header without a name", "TrafficPolicy", `httpRequestMatchers: [{headers: [{value: x}]}]`,
			invalid, []string{"spec.httpRequestMatchers[0].headers[0].name: required"}},
		{"the path twice", "TrafficPolicy", `httpRequestMatchers: [{prefix: /a, uri: {prefix: /b}}]`,
			invalid, []string{"spec.httpRequestMatchers[0].prefix: the path is given twice, by uri.prefix as well"}},
		{"expressions that are none", "TrafficPolicy", `routeSelector: [{virtualHostSelector: {expressions: [{key: a, operator: Exists, values: [b]}, {key: a, operator: GreaterThan, values: [b]}, {key: a, operator: Like}]}}]`,
			invalid, []string{
				`spec.routeSelector[0].virtualHostSelector.expressions[0]: values: Invalid value: ["b"]: values set must be empty for exists and does not exist`,
				`spec.routeSelector[0].virtualHostSelector.expressions[1]: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer`,
				`spec.routeSelector[0].virtualHostSelector.expressions[2].operator: "Like": unknown (want DoesNotExist, DoubleEquals, Equals, Exists, GreaterThan, In, LessThan, NotEquals, NotIn)`}},

		// VirtualGateway
		{"no gateways selected", "VirtualGateway", `ingressGatewaySelectors: []`,
			invalid, []string{"spec.ingressGatewaySelectors: required: which ingress gateways serve it"}},
		{"gateways that are nowhere", "VirtualGateway", `ingressGatewaySelectors: [{portName: http2, destinationSelectors: [{kubeServiceMatcher: {clusters: [cluster9]}}]}]`,
			invalid, []string{"spec.ingressGatewaySelectors[0]: selects no ingress gateway in any registered cluster"}},
		{"a port that the gateway has not", "VirtualGateway", `ingressGatewaySelectors: [{portName: http, destinationSelectors: [{kubeServiceMatcher: {clusters: [cluster1], labels: {istio: ingressgateway}}}]}]`,
			invalid, []string{"spec.ingressGatewaySelectors[0].portName: service istio-system/istio-ingressgateway of cluster1 has no port http (it has http2, tls)"}},
		{"the port for other clusters, which is the default", "VirtualGateway", `ingressGatewaySelectors: [{destinationSelectors: [{kubeServiceMatcher: {clusters: [cluster1], labels: {istio: ingressgateway}}}]}]`,
			failed, []string{"spec.ingressGatewaySelectors[0].portName: tls is not honoured by the sandbox: its gateways answer at port http2"}},
		{"both editions", "VirtualGateway", `deployToIngressGateways: {bindPort: 8080, gatewayWorkloads: [{kubeWorkloadMatcher: {labels: {istio: ingressgateway}}}]}`,
			invalid, []string{"spec.deployToIngressGateways: give either this (edition 1.1) or spec.ingressGatewaySelectors (edition 1.2)"}},
		{"edition 1.1 without a port", "VirtualGateway", `{ingressGatewaySelectors: [], deployToIngressGateways: {gatewayWorkloads: [{kubeWorkloadMatcher: {}}]}}`,
			invalid, []string{"spec.deployToIngressGateways.bindPort: want a port, from 1 to 65535, got 0"}},
		{"sidecars", "VirtualGateway", `deployToSidecars: [{}]`,
			failed, []string{"spec.deployToSidecars: not honoured by the sandbox"}},
		{"two handlers", "VirtualGateway", `connectionHandlers: [{http: {routeConfig: [{virtualHostSelector: {}}]}}, {http: {routeConfig: [{virtualHostSelector: {}}]}}]`,
			invalid, []string{"spec.connectionHandlers: want exactly one connection handler, got 2"}},
		{"TCP", "VirtualGateway", `connectionHandlers: [{tcp: {tcpHosts: [{name: x}]}}]`,
			failed, []string{"spec.connectionHandlers[0].tcp: not honoured by the sandbox"}},
		{"TLS, options and a host written in place", "VirtualGateway", `{connectionHandlers: [{connectionOptions: {sslConfig: {secretName: x}}, connectionMatch: {serverNames: [x]},
			http: {routeOptions: {csrf: {}}, routeConfig: [{virtualHost: {domains: [x]}}]}}], options: {bindAddress: "::"}}`,
			failed, []string{
				"spec.connectionHandlers[0].http.routeConfig[0].virtualHost: not honoured by the sandbox",
				"spec.connectionHandlers[0].http.routeOptions: not honoured by the sandbox",
				"spec.connectionHandlers[0].connectionMatch: not honoured by the sandbox",
				"spec.connectionHandlers[0].connectionOptions: not honoured by the sandbox",
				"spec.options: not honoured by the sandbox"}},

		// VirtualHost and RouteTable
		{"no domains", "VirtualHost", `domains: []`, invalid, []string{`spec.domains: required, such as ["*"]`}},
		{"a table that is not there", "VirtualHost", `routes: [{delegateAction: {refs: [{namespace: gloo-mesh, name: nowhere}]}}]`,
			invalid, []string{"spec.routes[0].delegateAction.refs[0]: there is no RouteTable gloo-mesh/nowhere"}},
		{"delegation by an exact path", "VirtualHost", `routes: [{matchers: [{uri: {exact: /x}}], delegateAction: {selector: {}}}]`,
			invalid, []string{"spec.routes[0].matchers[0].uri: a route that delegates matches by prefix"}},
		{"another order of tables", "VirtualHost", `routes: [{delegateAction: {selector: {}, sortMethod: ROUTE_SPECIFICITY}}]`,
			failed, []string{"spec.routes[0].delegateAction.sortMethod: not honoured by the sandbox"}},
		{"no action", "RouteTable", `routes: [{name: x}]`, invalid, []string{"spec.routes[0]: want a routeAction, a delegateAction, a redirectAction or a directResponseAction"}},
		{"a circle", "RouteTable", `routes: [{delegateAction: {selector: {}}}]`,
			invalid, []string{"spec.routes[0].delegateAction: delegates in a circle: back to RouteTable gloo-mesh/blue-green-canary"}},
		{"weights of a route", "RouteTable", `routes: [{routeAction: {destinations: [
			{kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary}, weight: 1},
			{kubeService: {clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary}, weight: 1}]}}]`,
			invalid, []string{"spec.routes[0].routeAction.destinations: the weights must sum to 100, not to 2"}},

		// VirtualMesh
		{"a mesh that is not there", "VirtualMesh", `meshes: [{name: istiod-istio-system-cluster3, namespace: gloo-mesh}]`,
			invalid, []string{"spec.meshes[0]: no mesh gloo-mesh/istiod-istio-system-cluster3 was discovered (there are gloo-mesh/istiod-istio-system-cluster1, gloo-mesh/istiod-istio-system-cluster2)"}},
		{"no trust", "VirtualMesh", `mtlsConfig: null`,
			invalid, []string{"spec.mtlsConfig.shared: required: without a shared root of trust the meshes refuse each other's calls"}},
		{"another root", "VirtualMesh", `mtlsConfig: {shared: {rootCertificateAuthority: {generated: null, secret: {name: x, namespace: y}}}}`,
			failed, []string{"spec.mtlsConfig.shared.rootCertificateAuthority.secret: not honoured by the sandbox"}},
		{"other ways to federate", "VirtualMesh", `federation: {flatNetwork: true, hostnameSuffix: mesh, ingressGatewaySelectors: [{}], tcpKeepalive: {probes: 3}}`,
			failed, []string{"spec.federation.flatNetwork: not honoured by the sandbox", "spec.federation.hostnameSuffix: not honoured by the sandbox",
				"spec.federation.ingressGatewaySelectors: not honoured by the sandbox", "spec.federation.tcpKeepalive: not honoured by the sandbox"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			change := strings.ReplaceAll(c.change, "\t", " ")
			in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), c.kind, change)
			out := Translate(in)
			name := map[string]string{"TrafficPolicy": "blue-green-canary", "VirtualGateway": "bgc-virtualgateway", "VirtualHost": "bgc-virtualhost",
				"RouteTable": "blue-green-canary", "VirtualMesh": "bgc-virtual-mesh"}[c.kind]
			status := statusOf(t, out, c.kind, name)
			var want []any = listAny(c.errors)
			if diff := cmp.Diff(want, status["errors"]); diff != "" {
				t.Errorf("errors (-want +got)\n%s", diff)
			}
			if status["state"] != c.state {
				t.Errorf("got state %s, want %s", status["state"], c.state)
			}
			mustHaveNoEffect(t, out, c.kind, name)
		})
	}
}

// mustHaveNoEffect: nothing is made from an object that is not accepted.
func mustHaveNoEffect(t *testing.T, out Output, kind, name string) {
	t.Helper()
	for cluster, objects := range out.Objects {
		for _, o := range objects {
			for _, p := range o.Parents {
				if p.Kind == kind && p.Name == name {
					t.Errorf("%s %s in %s was made from it", o.GetKind(), o.GetName(), cluster)
				}
			}
		}
	}
}

// What is wrong is said all at once.
func TestEveryMistakeIsNamed(t *testing.T) {
	in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), "TrafficPolicy",
		`{policy: {csrf: {}, trafficShift: {destinations: [{kubeService: {clusterName: cluster9, namespace: a, name: b}, weight: 3}]}}, httpRequestMatchers: [{uri: {regex: "("}}]}`)
	got := statusOf(t, Translate(in), "TrafficPolicy", "blue-green-canary")
	want := []any{
		"spec.httpRequestMatchers[0].uri.regex: not a regular expression that Envoy knows (RE2): error parsing regexp: missing closing ): `(`",
		"spec.policy.trafficShift.destinations: the weights must sum to 100, not to 3",
		"spec.policy.csrf: not honoured by the sandbox",
		"spec.policy.trafficShift.destinations[0].kubeService: no cluster cluster9 is registered (there are cluster1, cluster2)",
	}
	if diff := cmp.Diff(want, got["errors"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got["state"] != invalid {
		t.Errorf("got state %s, want INVALID: some of it is wrong, whatever cannot be done", got["state"])
	}
}

func TestFields(t *testing.T) {
	// A value that says what would hold without it is not a field that matters.
	in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), "TrafficPolicy", `policy: {requestTimeout: ""}`)
	if got := statusOf(t, Translate(in), "TrafficPolicy", "blue-green-canary"); got["state"] != accepted {
		t.Errorf("got %v", got)
	}
}

// twoPolicies applies the chapter's policy and a younger one after it.
func twoPolicies(t *testing.T, change string) Output {
	in := tutorial(t, virtualMeshFile, gatewayFile, divideFile, canaryFile)
	younger := in.Objects[len(in.Objects)-1]
	younger.SetName("younger")
	in.Objects = in.Objects[:len(in.Objects)-1]
	changed := edit(t, Snapshot{Objects: []*unstructured.Unstructured{younger}}, "TrafficPolicy", change)
	in.Objects = append(in.Objects, changed.Objects...)
	return Translate(in)
}

func TestConflicts(t *testing.T) {
	for _, c := range []struct {
		name, change string
		errors       any
	}{
		{"the older one is right", `{}`,
			[]any{"spec.policy.trafficShift: TrafficPolicy gloo-mesh/blue-green-canary, which is older, moves the same requests for blue-green-canary/blue-green-canary of cluster1 elsewhere"}},
		{"the same route selected otherwise", `routeSelector: []`,
			[]any{"spec.policy.trafficShift: TrafficPolicy gloo-mesh/blue-green-canary, which is older, moves the same requests for blue-green-canary/blue-green-canary of cluster1 elsewhere"}},
		{"other requests", `httpRequestMatchers: [{headers: [{name: x}]}]`, nil},
		{"another service", `destinationSelector: [{kubeServiceRefs: {services: [{clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary}]}}]`, nil},
		{"the same again", `policy: {trafficShift: {destinations: [
			{kubeService: {clusterName: cluster1, namespace: vm-blue-green-canary, name: blue-green-canary, subset: {version: canary}}, weight: 20},
			{kubeService: {clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary, subset: {version: green}}, weight: 40},
			{kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary, subset: {version: blue}}, weight: 40}]}}`, nil},
		{"nothing moved", `policy: null`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := twoPolicies(t, strings.ReplaceAll(c.change, "\t", " "))
			if older := statusOf(t, out, "TrafficPolicy", "blue-green-canary"); older["state"] != accepted {
				t.Errorf("the older policy: %v", older)
			}
			younger := statusOf(t, out, "TrafficPolicy", "younger")
			if diff := cmp.Diff(c.errors, younger["errors"]); diff != "" {
				t.Errorf("the younger policy's errors (-want +got)\n%s", diff)
			}
			if want := map[bool]string{true: accepted, false: invalid}[c.errors == nil]; younger["state"] != want {
				t.Errorf("the younger policy is %s, want %s", younger["state"], want)
			}
		})
	}
}

// Of two hosts that want one domain of one gateway, the older one has it.
func TestADomainBelongsToOneHost(t *testing.T) {
	in := tutorial(t, virtualMeshFile, gatewayFile, gatewayFile)
	younger := in.Objects[len(in.Objects)-2] // the second VirtualHost
	younger.SetName("younger")
	out := Translate(in)
	got := statusOf(t, out, "VirtualHost", "younger")
	want := []any{"spec.domains[0]: * belongs to VirtualHost gloo-mesh/bgc-virtualhost on VirtualGateway gloo-mesh/bgc-virtualgateway, which is older"}
	if diff := cmp.Diff(want, got["errors"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	mustHaveNoEffect(t, out, "VirtualHost", "younger")
}

// Only what is federated to a cluster can be reached from it.
func TestFederationIsSelective(t *testing.T) {
	in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), "VirtualMesh",
		`federation: {selectors: [{destinationSelectors: [{kubeServiceMatcher: {clusters: [cluster1]}}], meshes: [{name: istiod-istio-system-cluster2, namespace: gloo-mesh}]}]}`)
	out := Translate(in)
	for cluster, want := range map[string]int{"cluster1": 0, "cluster2": 2} {
		entries := 0
		for _, name := range names(out, cluster) {
			if strings.HasPrefix(name, "ServiceEntry ") {
				entries++
			}
		}
		if entries != want {
			t.Errorf("%s has %d ServiceEntries, want %d", cluster, entries, want)
		}
	}
	got := statusOf(t, out, "TrafficPolicy", "blue-green-canary")
	want := []any{destinations + "[1].kubeService: blue-green-canary/blue-green-canary of cluster2 cannot be reached from cluster1: VirtualMesh gloo-mesh/bgc-virtual-mesh does not federate it there"}
	if diff := cmp.Diff(want, got["errors"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// A port that nothing leads to is accepted, as Gloo Mesh does, but not in silence.
func TestAPortThatNothingLeadsTo(t *testing.T) {
	in := edit(t, tutorial(t, "testdata/edition-1.1.yaml"), "VirtualGateway", `deployToIngressGateways: {bindPort: 8081}`)
	got := statusOf(t, Translate(in), "VirtualGateway", "bgc-virtualgateway")
	want := []any{
		"spec.deployToIngressGateways.bindPort: no port of service istio-system/istio-ingressgateway of cluster1 leads to 8081",
		"spec.deployToIngressGateways.bindPort: no port of service istio-system/istio-ingressgateway of cluster2 leads to 8081",
	}
	if diff := cmp.Diff(want, got["warnings"]); diff != "" || got["state"] != accepted {
		t.Errorf("%v: warnings (-want +got)\n%s", got["state"], diff)
	}
}

// A second virtual mesh cannot have a mesh of the first.
func TestAMeshBelongsToOneVirtualMesh(t *testing.T) {
	in := tutorial(t, virtualMeshFile, virtualMeshFile)
	in.Objects[1].SetName("younger")
	got := statusOf(t, Translate(in), "VirtualMesh", "younger")
	want := []any{
		"spec.meshes[0]: mesh gloo-mesh/istiod-istio-system-cluster1 belongs to VirtualMesh gloo-mesh/bgc-virtual-mesh, which is older",
		"spec.meshes[1]: mesh gloo-mesh/istiod-istio-system-cluster2 belongs to VirtualMesh gloo-mesh/bgc-virtual-mesh, which is older",
	}
	if diff := cmp.Diff(want, got["errors"]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
