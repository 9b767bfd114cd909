package istio

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/vm"
	sandbox "github.com/meshassay/assay/sandbox/workload"
)

// TestGuards makes what the proxies know of testdata/authorization, and
// compares it with guards.golden there.
func TestGuards(t *testing.T) {
	const folder = "testdata/authorization/"
	all := world{"cluster1": parse(t, readFile(t, folder+"cluster1.yaml")), "cluster2": parse(t, readFile(t, folder+"cluster2.yaml"))}
	workloads := all.guards()
	side := all.sidecar("192.168.64.10", workloads)
	got, err := yaml.Marshal(map[string]any{
		"gateway of cluster1":       all.gatewayGuard("cluster1", nil),
		"gateway of cluster2":       all.gatewayGuard("cluster2", nil),
		"workloads of all clusters": workloads,
		"who the VM is":             side.guard.Caller.Principal(),
		"what the VM can call":      callable(side),
		"refused":                   refusals(all["cluster1"]),
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(folder, "guards.golden"), got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, folder+"guards.golden")), string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func callable(p proxied) map[string][]string {
	out := map[string][]string{}
	for _, h := range p.hosts {
		for _, r := range h.Routes {
			for _, m := range r.Match {
				out[m.Authority.Value] = append(out[m.Authority.Value], r.Destinations[0].Endpoints...)
			}
		}
	}
	return out
}

func refusals(s *snapshot) map[string][]string {
	out := map[string][]string{}
	for _, o := range s.read() {
		if len(o.problems) > 0 {
			out[o.String()] = o.problems
		}
	}
	return out
}

func TestAMachineThatNobodyRegisteredIsNobody(t *testing.T) {
	all := world{"cluster1": parse(t, readFile(t, "testdata/authorization/cluster1.yaml"))}
	if got := all.sidecar("192.168.64.11", nil); len(got.hosts) > 0 || got.guard.Caller != (authorization.Caller{}) {
		t.Errorf("it is %q and can call %v", got.guard.Caller.Principal(), callable(got))
	}
}

// A machine that two clusters have is who the first says it is, when it calls
// and when it is called, each time that this is made.
func TestAMachineOfTwoClusters(t *testing.T) {
	open := parse(t, readFile(t, "testdata/authorization/cluster2.yaml"))
	closed := parse(t, readFile(t, "testdata/authorization/cluster1.yaml"))
	open.workloads = closed.workloads
	for range 20 {
		if got := (world{"a": open, "b": closed}).guards()["192.168.64.10"]; got != nil {
			t.Fatalf("got %v, of the second cluster", got)
		}
		if got := (world{"a": closed, "b": open}).guards()["192.168.64.10"]; len(got) == 0 {
			t.Fatal("got no policy of the first cluster")
		}
	}
}

func TestAuthorizationRefused(t *testing.T) {
	for _, test := range []struct{ name, spec, want string }{
		{"an action of others", `{action: CUSTOM, provider: {name: a}}`,
			"spec.action: \"CUSTOM\": the sandbox's sidecars do not know that (want ALLOW, DENY)\nspec.provider: the sandbox does not honour this field"},
		{"auditing", `{action: AUDIT, rules: [{}]}`, `spec.action: "AUDIT": the sandbox's sidecars do not know that (want ALLOW, DENY)`},
		{"targets", `{targetRefs: [{kind: Gateway, name: a}]}`, "spec.targetRefs: the sandbox does not honour this field"},
		{"conditions", `{rules: [{when: [{key: source.ip, values: [1.2.3.4]}]}]}`, "spec.rules[0].when: the sandbox does not honour this field"},
		{"tokens and addresses", `{rules: [{from: [{source: {requestPrincipals: ["*"], ipBlocks: [1.2.3.4]}}]}]}`,
			"spec.rules[0].from[0].source.ipBlocks: the sandbox does not honour this field\nspec.rules[0].from[0].source.requestPrincipals: the sandbox does not honour this field"},
		{"a list without entries", `{rules: [{from: []}]}`, "spec.rules[0].from: want at least one entry, or leave it out"},
		{"entries that say nothing", `{rules: [{from: [{}], to: [{}]}]}`, "spec.rules[0].from[0].source: want who calls\nspec.rules[0].to[0].operation: want what is asked"},
		{"a template", `{rules: [{to: [{operation: {paths: ["/a/{*}"]}}]}]}`,
			`spec.rules[0].to[0].operation.paths[0]: "/a/{*}": the sandbox knows no templates of paths (want a path, PREFIX* or *SUFFIX)`},
		{"a port by name", `{rules: [{to: [{operation: {ports: [http]}}]}]}`, `spec.rules[0].to[0].operation.ports[0]: "http" is not a port`},
	} {
		s := parse(t, []byte("kind: AuthorizationPolicy\nmetadata: {name: a, namespace: ns}\nspec: "+test.spec))
		if diff := cmp.Diff(test.want, strings.Join(s.authorizations[0].problems, "\n")); diff != "" {
			t.Errorf("%s: -want +got:\n%s", test.name, diff)
		}
	}
}

// A policy that is written is soon in force at the services, for the gateway as
// for the VM, which calls through its own sidecar.
func TestPoliciesComeIntoForce(t *testing.T) {
	n := network.New()
	blue, err := sandbox.Start(sandbox.Spec{Image: "blue-green-canary"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { blue.Close() })
	n.Register("10.244.1.1", 3000, blue.Addr())
	n.Register("10.244.1.2", 3000, blue.Addr())
	machine, err := vm.Start("192.168.64.10", n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { machine.Close() })
	g, err := gateway.Listen("cluster1", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	side, err := gateway.ListenSidecar("the VM", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { side.Close() })

	byHost := map[string]clients{
		"cluster1": fakeCluster(t, "testdata/tutorial/cluster1.yaml", make(chan *unstructured.Unstructured, 100)),
		"mgmt":     fakeCluster(t, "", make(chan *unstructured.Unstructured, 100)),
	}
	o := Options{Network: n, VM: machine, Sidecar: side, Mgmt: &rest.Config{Host: "mgmt"},
		Clusters: []Cluster{{"cluster1", &rest.Config{Host: "cluster1"}, g}}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := start(ctx, o, func(c *rest.Config) (clients, error) { return byHost[c.Host], nil }); err != nil {
		t.Fatal(err)
	}
	proxy := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: side.Addr()}), DisableKeepAlives: true}}
	fromVM := func() string {
		return answer(t, proxy, "http://blue-green-canary.blue-green-canary.svc.cluster.local:8080/api")
	}
	if got := fromVM(); got != "200" {
		t.Fatalf("before any policy the VM is answered %s", got)
	}
	write := func(namespace, name, spec string) {
		t.Helper()
		u := &unstructured.Unstructured{}
		text := "{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: " + name + ", namespace: " + namespace + "}, spec: " + spec + "}"
		if err := yaml.Unmarshal([]byte(text), &u.Object); err != nil {
			t.Fatal(err)
		}
		if _, err := byHost["cluster1"].dynamic.Resource(authorizations.gvr).Namespace(namespace).Create(ctx, u, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	until := func(what string, asked func() string, want string) { // or the test hangs
		t.Helper()
		for got := asked(); got != want; got = asked() {
			if got != "200" && got != "403" && got != "403 at the gateway" && !strings.HasPrefix(got, "503") {
				t.Fatalf("%s: answered %s", what, got)
			}
		}
	}
	viaGateway := func() string { return answer(t, http.DefaultClient, "http://"+g.Addr()+"/api") }

	write("istio-system", "nothing", "{}")
	until("everything is closed, the gateway too", viaGateway, "403 at the gateway")
	until("the VM's calls are denied", fromVM, "403")
	write("istio-system", "gateway", "{selector: {matchLabels: {istio: ingressgateway}}, rules: [{}]}")
	until("the gateway is open, the services are not", viaGateway, "403")
	write("blue-green-canary", "from-vm", "{rules: [{from: [{source: {principals: [cluster.local/ns/vm-blue-green-canary/sa/vm-blue-green-canary]}}]}]}")
	until("the VM may call", fromVM, "200")
	for range 20 { // green's share is answered with 503: there is no cluster2 here
		if got := viaGateway(); got != "403" && got != "503" {
			t.Fatalf("what is for the VM lets the gateway in: %s", got)
		}
	}
}

// answer is the status of a call, and whether the gateway itself said no.
func answer(t *testing.T, c *http.Client, url string) string {
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
	text := resp.Status[:3]
	if string(body) == authorization.Denied && resp.Header.Get("X-Envoy-Upstream-Service-Time") == "" {
		text += " at the gateway"
	}
	return text
}

// A policy that says what is not honoured denies every call to whom it selects,
// whatever its action, and says so; one that only audits does not.
func TestPolicyNotUnderstoodShutsItsWorkloads(t *testing.T) {
	caller := authorization.Caller{TrustDomain: trustDomain, Namespace: "ns", ServiceAccount: "a"}
	for _, test := range []struct {
		name, spec    string
		shop, another bool // who is open
		message       string
	}{
		{"what denies some", `{selector: {matchLabels: {app: shop}}, action: DENY, rules: [{when: [{key: source.ip, values: [1.2.3.4]}]}]}`, false, true,
			"the workloads that it selects deny every call, for it says what is not understood: spec.rules[0].when: the sandbox does not honour this field"},
		{"what allows some", `{selector: {matchLabels: {app: shop}}, rules: [{}, {from: [{source: {ipBlocks: [1.2.3.4]}}]}]}`, false, true,
			"the workloads that it selects deny every call, for it says what is not understood: spec.rules[1].from[0].source.ipBlocks: the sandbox does not honour this field"},
		{"whom it selects", `{targetRefs: [{kind: Service, name: shop}], rules: [{}]}`, false, false,
			"the workloads that it selects deny every call, for it says what is not understood: spec.targetRefs: the sandbox does not honour this field"},
		{"auditing", `{action: AUDIT, rules: [{}]}`, true, true,
			`not in force: spec.action: "AUDIT": the sandbox's sidecars do not know that (want ALLOW, DENY)`},
	} {
		s := parse(t, []byte("kind: AuthorizationPolicy\nmetadata: {name: a, namespace: ns}\nspec: "+test.spec))
		open := func(labels map[string]string) bool {
			return authorization.Allowed(s.policiesOf("ns", labels), caller, authorization.Request{Method: "GET", Path: "/", Port: 80})
		}
		if shop, another := open(map[string]string{"app": "shop"}), open(map[string]string{"app": "club"}); shop != test.shop || another != test.another {
			t.Errorf("%s: the shop is open: %t, another: %t; want %t and %t", test.name, shop, another, test.shop, test.another)
		}
		object := s.read()[0]
		object.object = &unstructured.Unstructured{Object: map[string]any{}}
		if got := reportOn(clients{}, object, nil).warning; got != test.message {
			t.Errorf("%s: it says %q, want %q", test.name, got, test.message)
		}
	}
}
