package istio

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/sandbox/routing"
)

// showPolicy writes what a route does besides, for the golden files.
func showPolicy(b *strings.Builder, r routing.Route) {
	for _, d := range r.Delays {
		fmt.Fprintf(b, "    delays %v of them by %s\n", d.Share, d.For)
	}
	for _, a := range r.Aborts {
		fmt.Fprintf(b, "    aborts %v of them with %d\n", a.Share, a.Status)
	}
	if r.Retries != nil {
		fmt.Fprintf(b, "    retries %+v\n", *r.Retries)
	}
	for _, d := range append([]routing.Destination{{Headers: r.Headers}}, r.Destinations...) {
		for _, side := range []struct {
			name string
			ops  routing.Operations
		}{{"request", d.Headers.Request}, {"response", d.Headers.Response}} {
			if len(side.ops.Remove)+len(side.ops.Set)+len(side.ops.Add) > 0 {
				fmt.Fprintf(b, "    %s headers %s %+v\n", side.name, d.Host, side.ops)
			}
		}
		if d.Authority != "" {
			fmt.Fprintf(b, "    host for %s %s\n", d.Host, d.Authority)
		}
	}
	for _, m := range r.Mirrors {
		fmt.Fprintf(b, "    copies %v of them to %s %v\n", m.Share, m.To.Host, m.To.Endpoints)
	}
	if r.Cors != nil {
		fmt.Fprintf(b, "    cors %+v\n", *r.Cors)
	}
	if r.Answer != nil {
		fmt.Fprintf(b, "    answers %+v\n", *r.Answer)
	}
	if r.Redirect != nil {
		fmt.Fprintf(b, "    redirects %+v\n", *r.Redirect)
	}
}

// readOne reads one HTTPRoute, written as YAML on one line.
func readOne(t *testing.T, http string) (routing.Route, virtualService) {
	t.Helper()
	s := parse(t, []byte("kind: VirtualService\nmetadata: {name: v, namespace: ns}\nspec: {hosts: [a.test], gateways: [g], http: ["+http+"]}\n"))
	return s.virtualServices[0].routes[0].route, s.virtualServices[0]
}

const to = "route: [{destination: {host: b.test}}]"

// What is read of each policy, as the API means it.
func TestReadPolicy(t *testing.T) {
	for _, c := range []struct {
		http string
		want routing.Policy
	}{
		{"fault: {abort: {httpStatus: 418, percentage: {value: 12.5}}, delay: {fixedDelay: 2s, percent: 10}}", routing.Policy{
			Aborts: []routing.Abort{{Share: 0.125, Status: 418}}, Delays: []routing.Delay{{Share: 0.1, For: 2 * time.Second}}}},
		{"fault: {delay: {fixedDelay: 1ms, percent: 10, percentage: {value: 20}}}", routing.Policy{Delays: []routing.Delay{{Share: 0.2, For: time.Millisecond}}}},
		{"fault: {abort: {httpStatus: 503}}", routing.Policy{}}, // no percentage: none of them
		{"retries: {attempts: 3, perTryTimeout: 2s, retryOn: \"5xx, reset,503\"}", routing.Policy{Retries: &routing.Retries{
			Attempts: 3, PerTry: 2 * time.Second, On: routing.On5xx | routing.OnReset, Statuses: []int{503}}}},
		{"retries: {attempts: 0}", routing.Policy{Retries: &routing.Retries{On: routing.OnConnectFailure}}},
		{"retries: {perTryTimeout: 2s}", routing.Policy{Retries: &routing.Retries{On: routing.OnConnectFailure}}}, // no attempts: nothing of it
		{"retries: {attempts: 1, backoff: 1s, retryIgnorePreviousHosts: false, retryRemoteLocalities: true, retryOn: unavailable}", routing.Policy{
			Retries: &routing.Retries{Attempts: 1, Backoff: time.Second, Repeat: true}}},
		{"headers: {request: {set: {b: '2', a: '1'}, add: {c: '3'}, remove: [d]}, response: {remove: [e]}}", routing.Policy{Headers: routing.Headers{
			Request:  routing.Operations{Remove: []string{"d"}, Set: []routing.Pair{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Add: []routing.Pair{{Name: "c", Value: "3"}}},
			Response: routing.Operations{Remove: []string{"e"}}}}},
		{"corsPolicy: {allowOrigin: ['*'], allowOrigins: [{prefix: 'https://'}, {regex: '.*'}], allowMethods: [GET], allowHeaders: [x], exposeHeaders: [z], maxAge: 24h, allowCredentials: true, unmatchedPreflights: IGNORE}",
			routing.Policy{Cors: &routing.Cors{Origins: []routing.Text{{Kind: routing.Exact, Value: "*"}, {Kind: routing.Prefix, Value: "https://"}, {Kind: routing.Regex, Value: ".*"}},
				Methods: []string{"GET"}, Headers: []string{"x"}, Expose: []string{"z"}, MaxAge: 24 * time.Hour, Credentials: true, IgnoreUnmatched: true}}},
	} {
		route, v := readOne(t, "{"+c.http+", "+to+"}")
		if len(v.problems) > 0 {
			t.Errorf("%s: %q", c.http, v.problems)
		}
		if diff := cmp.Diff(c.want, route.Policy); diff != "" {
			t.Errorf("%s: -want +got:\n%s", c.http, diff)
		}
	}
}

func TestReadMirrors(t *testing.T) {
	for http, want := range map[string][]mirror{
		"mirror: {host: c.test}": {{1, destination{host: "c.test"}}},
		"mirror: {host: c.test, subset: s}, mirrorPercentage: {value: 25}": {{0.25, destination{host: "c.test", subset: "s"}}},
		"mirror: {host: c.test}, mirrorPercent: 50":                        {{0.5, destination{host: "c.test"}}},
		"mirrors: [{destination: {host: c.test, port: {number: 80}}, percentage: {value: 10}}, {destination: {host: d}}]": {
			{0.1, destination{host: "c.test", port: 80}}, {1, destination{host: "d.ns.svc.cluster.local"}}},
	} {
		_, v := readOne(t, "{"+http+", "+to+"}")
		if got := v.routes[0].mirrors; len(v.problems) > 0 || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v (%q)", http, got, want, v.problems)
		}
	}
}

// A Host among the headers to set is the authority that is sent on.
func TestReadAuthority(t *testing.T) {
	for http, want := range map[string]string{
		"headers: {request: {set: {Host: a.b}}}":                                     "a.b",
		"headers: {request: {set: {':authority': a.b}, add: {host: c.d}}}":           "a.b",
		"rewrite: {authority: e.f}, headers: {request: {set: {host: a.b}}}":          "e.f",
		"rewrite: {uri: /}, headers: {request: {add: {host: a.b}}}":                  "a.b",
		"headers: {request: {set: {x: a.b}}}":                                        "",
		"headers: {request: {set: {x: z}}}, rewrite: {authority: e.f}, timeout: 10s": "e.f",
	} {
		route, v := readOne(t, "{"+http+", "+to+"}")
		if route.Rewrite.Authority != want || len(v.problems) > 0 {
			t.Errorf("%s: got %q, want %q (%q)", http, route.Rewrite.Authority, want, v.problems)
		}
	}
	_, v := readOne(t, "{route: [{destination: {host: b.test}, headers: {request: {set: {Host: a.b, x: y}}}}]}")
	if d := v.routes[0].destinations[0]; d.authority != "a.b" || len(d.headers.Request.Set) != 1 {
		t.Errorf("a destination's headers: got %+v", d)
	}
}

func TestReadAnswers(t *testing.T) {
	for http, want := range map[string]routing.Route{
		"{directResponse: {status: 503, body: {string: later}}}": {Answer: &routing.Answer{Status: 503, Body: "later"}},
		"{redirect: {uri: /new, authority: b.test, redirectCode: 302, scheme: https, port: 8443}}": {
			Redirect: &routing.Redirect{Status: 302, Path: "/new", Authority: "b.test", Scheme: "https", Port: 8443}},
		"{redirect: {prefixRewrite: /new}}": {Redirect: &routing.Redirect{Status: 301, Prefix: "/new"}},
	} {
		route, v := readOne(t, http)
		if len(v.problems) > 0 {
			t.Errorf("%s: %q", http, v.problems)
		}
		want.Name = "ns/v http[0]"
		if diff := cmp.Diff(want, route); diff != "" {
			t.Errorf("%s: -want +got:\n%s", http, diff)
		}
	}
}

func TestPolicyRefused(t *testing.T) {
	for http, want := range map[string]string{
		"fault: {delay: {percentage: {value: 10}}}":                         "fault.delay.fixedDelay: want how long, such as 2s",
		"fault: {delay: {exponentialDelay: 1s, fixedDelay: 1s}}":            "fault.delay.exponentialDelay: the sandbox does not honour this field",
		"fault: {abort: {httpStatus: 700, percentage: {value: 1}}}":         "fault.abort.httpStatus: 700 is not between 200 and 599|fault.abort.httpStatus: want the status to answer with, from 200 to 599",
		"fault: {abort: {httpStatus: 500, percentage: {value: 101}}}":       "fault.abort.percentage.value: 101 is not between 0 and 100",
		"fault: {abort: {httpStatus: 500, grpcStatus: UNAVAILABLE}}":        "fault.abort.grpcStatus: the sandbox does not honour this field",
		"retries: {attempts: -1}":                                           "retries.attempts: -1 is not between 0 and 2147483647",
		"retries: {attempts: 1, retryOn: 'reset,soon'}":                     `retries.retryOn: "soon": the sandbox knows 5xx, cancelled, connect-failure, deadline-exceeded, gateway-error, internal, refused-stream, reset, reset-before-request, resource-exhausted, retriable-4xx, unavailable and the numbers of statuses`,
		"headers: {request: {set: {x: '%REQ(y)%'}}}":                        `headers.request.set.x: "%REQ(y)%": the sandbox fills in no variables of Envoy's`,
		"headers: {request: {add: {'a b': c}}, response: {set: {host: d}}}": "headers.request.add.a b: not a header's name|headers.response.set.host: an answer has no such header",
		"headers: {request: {remove: [Host, '']}}":                          `headers.request.remove[0]: "Host" is not a header that can be removed|headers.request.remove[1]: "" is not a header that can be removed`,
		"headers: {request: {set: {x: \"a\\nb\"}}}":                         `headers.request.set.x: "a\nb" cannot stand in a header`,
		"mirrorPercentage: {value: 5}":                                      "mirrorPercentage: there is no mirror that it could be for",
		"mirror: {host: c.test}, mirrors: [{destination: {host: d.test}}]":  "mirror: give either this or mirrors",
		"mirrors: [{}]": "mirrors[0].destination: a destination is needed",
		"corsPolicy: {allowOrigins: [{regex: '('}], unmatchedPreflights: NEVER}": "corsPolicy.allowOrigins[0].regex: not a regular expression (RE2): error parsing regexp: missing closing ): `(`|corsPolicy.unmatchedPreflights: \"NEVER\": unknown (want UNSPECIFIED, FORWARD, IGNORE)",
		"directResponse: {status: 200}":                                          "route: give either this or an answer of the gateway's own (redirect, directResponse)",
		"redirect: {redirectCode: 305, uri: /a, prefixRewrite: /b, derivePort: FROM_REQUEST_PORT}, directResponse: {}": "directResponse.status: want the status to answer with, from 200 to 599|" +
			"redirect.redirectCode: 305: want 301, 302, 303, 307 or 308|redirect.prefixRewrite: give either this or uri|redirect.derivePort: the sandbox does not honour this field|" +
			"redirect: give either this or directResponse|route: give either this or an answer of the gateway's own (redirect, directResponse)",
	} {
		_, v := readOne(t, "{"+http+", "+to+"}")
		var got []string
		for _, p := range v.problems {
			got = append(got, strings.TrimPrefix(p, "spec.http[0]."))
		}
		if diff := cmp.Diff(strings.Split(want, "|"), got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", http, diff)
		}
	}
}
