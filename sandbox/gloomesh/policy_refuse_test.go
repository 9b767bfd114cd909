package gloomesh

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const blueService = "{clusterName: cluster1, namespace: blue-green-canary, name: blue-green-canary}"

func TestPolicyRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   string
		change string
		state  string
		errors []string
	}{
		{"what needs a server, or a filter that the gateways do not have", "TrafficPolicy", `policy: {csrf: {}, extauth: {}, rateLimit: {}, transformations: {}, outlierDetection: {}}`,
			failed, []string{"spec.policy.csrf: not honoured by the sandbox", "spec.policy.extauth: not honoured by the sandbox", "spec.policy.outlierDetection: not honoured by the sandbox",
				"spec.policy.rateLimit: not honoured by the sandbox", "spec.policy.transformations: not honoured by the sandbox"}},
		{"what only later editions have", "TrafficPolicy", `destinationSelector: [{virtualDestinationRefs: {}, externalServiceMatcher: {}}]
policy: {connectionPoolSettings: {}, extauthSettings: {}, rateLimitSettings: {}}`,
			failed, []string{"spec.destinationSelector[0].externalServiceMatcher: not honoured by the sandbox", "spec.destinationSelector[0].virtualDestinationRefs: not honoured by the sandbox",
				"spec.policy.connectionPoolSettings: not honoured by the sandbox", "spec.policy.extauthSettings: not honoured by the sandbox", "spec.policy.rateLimitSettings: not honoured by the sandbox"}},
		{"no mutual TLS", "TrafficPolicy", `policy: {mtls: {istio: {tlsMode: DISABLE}}}`,
			failed, []string{"spec.policy.mtls.istio.tlsMode: not honoured by the sandbox"}},
		{"no mode, which is the first one", "TrafficPolicy", `policy: {mtls: {}}`,
			failed, []string{"spec.policy.mtls.istio.tlsMode: not honoured by the sandbox"}},
		{"no fault", "TrafficPolicy", `policy: {faultInjection: {percentage: 20}}`,
			invalid, []string{"spec.policy.faultInjection: want a fixedDelay or an abort"}},
		{"two faults", "TrafficPolicy", `policy: {faultInjection: {fixedDelay: 1s, abort: {httpStatus: 500}}}`,
			invalid, []string{"spec.policy.faultInjection: give either fixedDelay or abort"}},
		{"more faults than requests", "TrafficPolicy", `policy: {faultInjection: {fixedDelay: 1s, percentage: 101}}`,
			invalid, []string{"spec.policy.faultInjection.percentage: 101 is not between 0 and 100"}},
		{"an abort without a status", "TrafficPolicy", `policy: {faultInjection: {abort: {}}}`,
			invalid, []string{"spec.policy.faultInjection.abort.httpStatus: required: from 200 to 599"}},
		{"a status that is none", "TrafficPolicy", `policy: {faultInjection: {abort: {httpStatus: 42}}}`,
			invalid, []string{"spec.policy.faultInjection.abort.httpStatus: 42 is not between 200 and 599", "spec.policy.faultInjection.abort.httpStatus: required: from 200 to 599"}},
		{"too short a time", "TrafficPolicy", `policy: {requestTimeout: 10us, retries: {perTryTimeout: 1ns}, faultInjection: {fixedDelay: 1us}}`,
			invalid, []string{"spec.policy.faultInjection.fixedDelay: 1µs is shorter than 1ms", "spec.policy.retries.perTryTimeout: 1ns is shorter than 1ms", "spec.policy.requestTimeout: 10µs is shorter than 1ms"}},
		{"what is no time", "TrafficPolicy", `policy: {requestTimeout: 5}`, invalid, []string{"spec.policy.requestTimeout: want a string, not int64"}},
		{"fewer retries than none", "TrafficPolicy", `policy: {retries: {attempts: -1}}`, invalid, []string{"spec.policy.retries.attempts: -1 is not between 0 and 2147483647"}},
		{"headers that are none", "TrafficPolicy", `policy: {headerManipulation: {appendRequestHeaders: {"a b": c}, removeResponseHeaders: ["x:"]}}`,
			invalid, []string{`spec.policy.headerManipulation.appendRequestHeaders.a b: "a b" is not a header's name`, `spec.policy.headerManipulation.removeResponseHeaders: "x:" is not a header's name`}},
		{"a value that is none", "TrafficPolicy", `policy: {headerManipulation: {appendRequestHeaders: {a: "b\nc"}}}`,
			invalid, []string{`spec.policy.headerManipulation.appendRequestHeaders.a: "b\nc" cannot stand in a header`}},
		{"variables and the host", "TrafficPolicy", `policy: {headerManipulation: {appendRequestHeaders: {a: "%REQ(b)%", Host: c}}}`,
			failed, []string{"spec.policy.headerManipulation.appendRequestHeaders.Host: not honoured by the sandbox", "spec.policy.headerManipulation.appendRequestHeaders.a: not honoured by the sandbox"}},
		{"copies to nobody", "TrafficPolicy", `policy: {mirror: {percentage: 50}}`, invalid, []string{"spec.policy.mirror.kubeService: required: where the copies go"}},
		{"copies to nobody there", "TrafficPolicy", `policy: {mirror: {kubeService: {clusterName: cluster1, namespace: blue-green-canary, name: green}}}`,
			invalid, []string{"spec.policy.mirror.kubeService: no service blue-green-canary/green in cluster1 (did you mean blue-green-canary/blue-green-canary?)"}},
		{"copies to a port that is not there", "TrafficPolicy", `policy: {mirror: {port: 80, kubeService: ` + blueService + `}}`,
			invalid, []string{"spec.policy.mirror.kubeService.port: service blue-green-canary/blue-green-canary has no port 80 (it has 8080)"}},
		{"an origin without a condition", "TrafficPolicy", `policy: {corsPolicy: {allowOrigins: [{}, {regex: "("}]}}`,
			invalid, []string{"spec.policy.corsPolicy.allowOrigins[0]: want one of exact, prefix, regex, suffix",
				"spec.policy.corsPolicy.allowOrigins[1].regex: not a regular expression that Envoy knows (RE2): error parsing regexp: missing closing ): `(`"}},
		{"conditions that cannot be said together", "TrafficPolicy", `httpRequestMatchers: [{uri: {suffix: .html}}, {uri: {regex: "("}}]`,
			invalid, []string{"spec.httpRequestMatchers[1].uri.regex: not a regular expression that Envoy knows (RE2): error parsing regexp: missing closing ): `(`"}},

		{"a host's policy", "VirtualHost", `options: {trafficPolicy: {trafficShift: {}, outlierDetection: {}, requestTimeout: soon}}`, invalid, []string{
			"spec.options.trafficPolicy.trafficShift: not honoured by the sandbox",
			"spec.options.trafficPolicy.trafficShift.destinations: want at least one destination",
			`spec.options.trafficPolicy.requestTimeout: "soon" is not a duration such as 1.5s`,
			"spec.options.trafficPolicy.outlierDetection: not honoured by the sandbox"}},
		{"a route's policy", "RouteTable", `routes: [{options: {mirror: {kubeService: {clusterName: cluster9, namespace: a, name: b}}}, routeAction: {destinations: [{kubeService: ` + blueService + `}]}}]`,
			invalid, []string{"spec.routes[0].options.mirror.kubeService: no cluster cluster9 is registered (there are cluster1, cluster2)"}},
		{"what an answer cannot have", "RouteTable", `routes: [{directResponseAction: {}, options: {retries: {attempts: 3}, headerManipulation: {}}}]`, invalid, []string{
			"spec.routes[0].directResponseAction.status: required: from 200 to 599",
			"spec.routes[0].options.retries: the route asks no destination, so that this could have no effect"}},
		{"a redirect without its query", "RouteTable", `routes: [{redirectAction: {stripQuery: true, responseCode: GONE}}]`, invalid, []string{
			`spec.routes[0].redirectAction.responseCode: "GONE": unknown (want MOVED_PERMANENTLY, FOUND, SEE_OTHER, TEMPORARY_REDIRECT, PERMANENT_REDIRECT)`,
			"spec.routes[0].redirectAction.stripQuery: not honoured by the sandbox"}},
		{"two paths to go to, neither of them a path", "RouteTable", `routes: [{redirectAction: {pathRedirect: "/a b", prefixRewrite: c}}]`, invalid, []string{
			`spec.routes[0].redirectAction.pathRedirect: "/a b" is not a path, such as /api`,
			`spec.routes[0].redirectAction.prefixRewrite: "c" is not a path, such as /api`,
			"spec.routes[0].redirectAction.prefixRewrite: give either this or pathRedirect"}},
		{"rewriting to what is not a path", "RouteTable", `routes: [{routeAction: {pathRewrite: b, destinations: [{kubeService: ` + blueService + `}]}}]`,
			invalid, []string{`spec.routes[0].routeAction.pathRewrite: "b" is not a path, such as /api`}},
		{"rewriting what matched a pattern", "RouteTable", `routes: [{matchers: [{uri: {regex: "/a.*"}}], routeAction: {pathRewrite: /b, destinations: [{kubeService: ` + blueService + `}]}}]`,
			invalid, []string{"spec.routes[0].routeAction.pathRewrite: the path is matched by a regular expression (/a.*), and Gloo Mesh rewrites only what an exact path or a prefix matched"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), c.kind, c.change)
			out := Translate(in)
			name := map[string]string{"TrafficPolicy": "blue-green-canary", "VirtualHost": "bgc-virtualhost", "RouteTable": "blue-green-canary"}[c.kind]
			status := statusOf(t, out, c.kind, name)
			if diff := cmp.Diff(any(listAny(c.errors)), status["errors"]); diff != "" || status["state"] != c.state {
				t.Errorf("%s, want %s; errors (-want +got)\n%s", status["state"], c.state, diff)
			}
			mustHaveNoEffect(t, out, c.kind, name)
		})
	}
}

// Of two policies that say otherwise for the same requests the older is right,
// part by part; what only one of them says holds.
func TestPartsInConflict(t *testing.T) {
	const retries = "spec.policy.retries: TrafficPolicy gloo-mesh/blue-green-canary, which is older, says otherwise for the same requests for blue-green-canary/blue-green-canary of cluster1"
	for _, c := range []struct {
		name, older, younger string
		errors               any
	}{
		{"otherwise", "policy: {retries: {attempts: 3}}", "policy: {trafficShift: null, retries: {attempts: 2}}", []any{retries}},
		{"the same", "policy: {retries: {attempts: 3, perTryTimeout: 1s}}", "policy: {trafficShift: null, retries: {attempts: 3, perTryTimeout: 1000ms}}", nil},
		{"something else", "policy: {retries: {attempts: 3}}", "policy: {trafficShift: null, requestTimeout: 3s}", nil},
		{"other requests", "policy: {retries: {attempts: 3}}", "{httpRequestMatchers: [{method: POST}], policy: {trafficShift: null, retries: {attempts: 2}}}", nil},
		{"copies to somebody else", "policy: {mirror: {kubeService: " + blueService + "}}", "policy: {trafficShift: null, mirror: {percentage: 50, kubeService: " + blueService + "}}",
			[]any{strings.Replace(retries, "retries", "mirror", 1)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := tutorial(t, virtualMeshFile, gatewayFile, divideFile, canaryFile)
			last := len(in.Objects) - 1
			in.Objects[last].SetName("younger")
			young := edit(t, Snapshot{Objects: in.Objects[last:]}, "TrafficPolicy", c.younger)
			in = edit(t, Snapshot{Objects: in.Objects[:last:last], Clusters: in.Clusters}, "TrafficPolicy", c.older)
			in.Objects = append(in.Objects, young.Objects...)
			out := Translate(in)
			if older := statusOf(t, out, "TrafficPolicy", "blue-green-canary"); older["state"] != accepted {
				t.Errorf("the older policy: %v", older)
			}
			younger := statusOf(t, out, "TrafficPolicy", "younger")
			if diff := cmp.Diff(c.errors, younger["errors"]); diff != "" {
				t.Errorf("the younger policy's errors (-want +got)\n%s", diff)
			}
		})
	}
}

const twoDestinations = `routes: [{name: two, matchers: [{uri: {prefix: /}}], routeAction: {pathRewrite: /in, destinations: [{weight: 50, kubeService: ` + blueService + `},
	{weight: 50, kubeService: {clusterName: cluster2, namespace: blue-green-canary, name: blue-green-canary}}]}}]`

// What an HTTPRoute can only have as a whole is refused for a part of it.
func TestPartsOfARoute(t *testing.T) {
	for _, c := range []struct {
		name, change string
		errors       any
	}{
		{"for one of two destinations", "policy: {trafficShift: null, requestTimeout: 1s}", []any{
			"spec.policy.requestTimeout: route bgc-virtualhost.everything.two sends to blue-green-canary/blue-green-canary of cluster2 too, which the policy does not select, and Istio knows this for a route as a whole only"}},
		{"for both", "{destinationSelector: [], policy: {trafficShift: null, requestTimeout: 1s}}", nil},
		{"a shift is for each by itself", "{}", nil},
		{"on a path of its own", "{destinationSelector: [], httpRequestMatchers: [{uri: {prefix: /a}}]}", []any{
			"spec.httpRequestMatchers: the condition on the path is not the one of route bgc-virtualhost.everything.two, which is rewritten by what matched: the sandbox does not honour both"}},
		{"on a header", "{destinationSelector: [], httpRequestMatchers: [{headers: [{name: a}]}]}", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := edit(t, tutorial(t, virtualMeshFile, gatewayFile, divideFile), "RouteTable", strings.ReplaceAll(twoDestinations, "\t", " "))
			in = edit(t, in, "TrafficPolicy", c.change)
			got := statusOf(t, Translate(in), "TrafficPolicy", "blue-green-canary")
			if diff := cmp.Diff(c.errors, got["errors"]); diff != "" {
				t.Errorf("%v: errors (-want +got)\n%s", got["state"], diff)
			}
		})
	}
}
