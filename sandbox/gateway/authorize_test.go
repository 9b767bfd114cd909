package gateway

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/routing"
)

var (
	nothing = []authorization.Policy{{Name: "istio-system/allow-nothing"}}
	ingress = authorization.Caller{TrustDomain: "cluster.local", Namespace: "istio-system", ServiceAccount: "istio-ingressgateway-service-account"}
)

// asked allows one path and one port.
func asked(path string, port int) []authorization.Policy {
	return []authorization.Policy{{Rules: []authorization.Rule{{
		From: []authorization.Source{{Principals: authorization.Names{ingress.Principal()}}},
		To:   []authorization.Operation{{Paths: authorization.Names{path}, Ports: []int{port}}},
	}}}}
}

func TestDenied(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", says("one"))
	m.pod(t, "10.244.0.2", func(http.ResponseWriter, *http.Request) { t.Error("a service was asked that its sidecar closes") })
	first, second := to("10.244.0.1"), to("10.244.0.2")
	first.Match = []routing.Match{{Path: routing.Text{Kind: routing.Prefix, Value: "/one"}}}
	first.Rewrite.Path = "/api"
	m.route(t, first, second)
	for _, test := range []struct {
		name, path string
		guard      authorization.Guard
		want       string // "" is denied
		passed     bool   // through the gateway, and denied behind it
	}{
		{"no policy", "/one", authorization.Guard{}, "one", true},
		{"at the service", "/two", authorization.Guard{Caller: ingress, Workloads: map[string][]authorization.Policy{"10.244.0.2": nothing}}, "", true},
		{"at another service", "/one", authorization.Guard{Caller: ingress, Workloads: map[string][]authorization.Policy{"10.244.0.2": nothing}}, "one", true},
		{"at the gateway", "/one", authorization.Guard{Caller: ingress, Own: nothing}, "", false},
		{"at the gateway, although no route is for it", "/three", authorization.Guard{Caller: ingress, Own: nothing}, "", false},
		{"the service sees the path after the rewrite, and its own port", "/one",
			authorization.Guard{Caller: ingress, Workloads: map[string][]authorization.Policy{"10.244.0.1": asked("/api", 3000)}}, "one", true},
		{"the service does not see the path before the rewrite", "/one",
			authorization.Guard{Caller: ingress, Workloads: map[string][]authorization.Policy{"10.244.0.1": asked("/one", 3000)}}, "", true},
		{"a gateway that is somebody else", "/one",
			authorization.Guard{Workloads: map[string][]authorization.Policy{"10.244.0.1": asked("/api", 3000)}}, "", true},
	} {
		m.Swap(m.inForce.Load().table, &test.guard)
		resp, body := m.get(t, test.path)
		if test.want != "" {
			if resp.StatusCode != 200 || body != test.want {
				t.Errorf("%s: answered %d %q, want 200 %q", test.name, resp.StatusCode, body, test.want)
			}
			continue
		}
		h := resp.Header
		if resp.StatusCode != 403 || body != "RBAC: access denied" || resp.ContentLength != 19 || h.Get("Content-Type") != "text/plain" || h.Get("Server") != "istio-envoy" {
			t.Errorf("%s: answered %d %q with %v, want Envoy's 403", test.name, resp.StatusCode, body, h)
		}
		if passed := h.Get("X-Envoy-Upstream-Service-Time") != ""; passed != test.passed {
			t.Errorf("%s: denied behind the gateway: %t, want %t", test.name, passed, test.passed)
		}
	}
}

// A denial has no body for who asks with HEAD, and the connection goes on.
func TestDeniedHead(t *testing.T) {
	m := newMesh(t)
	m.route(t, to("10.244.0.1"))
	m.Swap(m.inForce.Load().table, &authorization.Guard{Workloads: map[string][]authorization.Policy{"10.244.0.1": nothing}})
	if resp, body := m.do(t, m.request(t, "HEAD", "/", nil)); resp.StatusCode != 403 || body != "" || resp.ContentLength != 19 || resp.Close {
		t.Errorf("answered %d %q, length %d, close %t", resp.StatusCode, body, resp.ContentLength, resp.Close)
	}
}

// A request ends as it began: what its endpoint said of callers when it was
// routed holds, and what another says when it is sent again there.
func TestRoutesAndPoliciesChangeTogether(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", says("old"))
	m.pod(t, "10.244.0.2", says("new"))
	closed := func(address string) *authorization.Guard {
		return &authorization.Guard{Workloads: map[string][]authorization.Policy{address: nothing}}
	}
	send := func(meanwhile func()) (int, string) {
		t.Helper()
		r := m.request(t, "GET", "/", nil)
		now := m.inForce.Load()
		rule, path := now.table.Find(r)
		c := &call{gateway: m.Gateway, guard: now.guard, rule: rule, target: rule.Choose(&routing.Connection{}), path: path}
		meanwhile()
		resp, err := c.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	m.route(t, to("10.244.0.2"))
	after := m.inForce.Load().table
	m.route(t, to("10.244.0.1"))
	before := m.inForce.Load().table
	m.Swap(before, closed("10.244.0.2"))
	if status, body := send(func() { m.Swap(after, closed("10.244.0.1")) }); status != 200 || body != "old" {
		t.Errorf("a request that was routed before is answered %d %q", status, body)
	}
	m.Swap(before, closed("10.244.0.2"))
	if status, body := send(func() {
		m.net.Unregister("10.244.0.1")
		m.transport.CloseIdleConnections()
		m.Swap(after, closed("10.244.0.1"))
	}); status != 200 || body != "new" {
		t.Errorf("a request that is sent again is answered %d %q", status, body)
	}
}

func TestSidecarIsAProxy(t *testing.T) {
	m := newMesh(t)
	m.pod(t, "10.244.0.1", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host+" "+r.RequestURI) })
	s, err := ListenSidecar("the VM", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Connect(m.net)
	route := to("10.244.0.1")
	route.Match = []routing.Match{{Authority: routing.Text{Kind: routing.Exact, Value: "shop.default.svc.cluster.local:8080"}}}
	table, err := routing.New([]routing.Host{{Name: "shop.default.svc.cluster.local", Routes: []routing.Route{route}}})
	if err != nil {
		t.Fatal(err)
	}
	s.Swap(table, &authorization.Guard{})
	proxy := &url.URL{Scheme: "http", Host: s.Addr()}
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	get := func(c *http.Client, url string) (int, string, string) {
		t.Helper()
		resp, err := c.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body), resp.Header.Get("Server")
	}
	if status, body, server := get(client, "http://shop.default.svc.cluster.local:8080/api?q=1"); status != 200 || body != "shop.default.svc.cluster.local:8080 /api?q=1" || server != "envoy" {
		t.Errorf("the service answered %d %q by way of %q", status, body, server)
	}
	if status, body, _ := get(client, "http://shop.default.svc.cluster.local:9/api"); status != 502 || !strings.Contains(body, "the VM has no route to shop.default.svc.cluster.local") {
		t.Errorf("a port that the service does not have: %d %q", status, body)
	}
	if status, body, _ := get(http.DefaultClient, "http://"+s.Addr()+"/api"); status != 400 || !strings.Contains(body, "this is a proxy") {
		t.Errorf("who takes it for a server is answered %d %q", status, body)
	}
	if _, err := client.Get("https://shop.default.svc.cluster.local:8080/"); err == nil {
		t.Error("a tunnel was made")
	}
	direct, err := http.NewRequest("GET", "http://"+s.Addr(), nil)
	if err != nil {
		t.Fatal(err)
	}
	direct.URL.Opaque = "https://shop.default.svc.cluster.local:8080/api" // as the request line has it
	if resp, body := m.do(t, direct); resp.StatusCode != 400 || !strings.Contains(body, "passes requests for http URLs on") {
		t.Errorf("a https URL without a tunnel is answered %d %q", resp.StatusCode, body)
	}
	s.Swap(table, &authorization.Guard{Workloads: map[string][]authorization.Policy{"10.244.0.1": nothing}})
	if status, body, server := get(client, "http://shop.default.svc.cluster.local:8080/"); status != 403 || body != authorization.Denied || server != "envoy" {
		t.Errorf("a call that is denied is answered %d %q by way of %q", status, body, server)
	}
}
