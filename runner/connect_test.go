package runner

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/scenario"
)

// services is an API server of the core group that holds nothing but Services,
// and says so to whoever asks what it serves.
type services []map[string]any

func (s services) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
	status := http.StatusNotFound
	switch r.URL.Path {
	case "/api":
		answer, status = map[string]any{"kind": "APIVersions", "versions": []string{"v1"}}, http.StatusOK
	case "/apis":
		answer, status = map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": []any{}}, http.StatusOK
	case "/api/v1":
		answer, status = map[string]any{"kind": "APIResourceList", "groupVersion": "v1", "resources": []any{
			map[string]any{"name": "services", "kind": "Service", "namespaced": true, "verbs": []string{"get", "list"}},
			map[string]any{"name": "namespaces", "kind": "Namespace", "verbs": []string{"get", "list"}},
		}}, http.StatusOK
	case "/version":
		answer, status = map[string]any{"major": "1", "minor": "99", "gitVersion": "v1.99.0"}, http.StatusOK
	case "/api/v1/services":
		answer, status = map[string]any{"kind": "ServiceList", "apiVersion": "v1", "items": []map[string]any(s)}, http.StatusOK
	}
	for _, one := range s {
		meta := one["metadata"].(map[string]any)
		if r.URL.Path == fmt.Sprintf("/api/v1/namespaces/%s/services/%s", meta["namespace"], meta["name"]) {
			answer, status = one, http.StatusOK
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked may be gone
}

// inCluster is an engine whose environment has one cluster, an API server that
// holds these Services, and what else the text says.
func inCluster(t *testing.T, rest string, manifests ...string) *Engine {
	t.Helper()
	var held services
	for _, m := range manifests {
		o := map[string]any{}
		if err := yaml.Unmarshal([]byte(m), &o); err != nil {
			t.Fatal(err)
		}
		o["apiVersion"], o["kind"] = "v1", "Service"
		held = append(held, o)
	}
	s := httptest.NewTLSServer(held)
	t.Cleanup(s.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	text := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "c", "cluster": {"server": %q, "certificate-authority-data": %s}}],
"users": [{"name": "u", "user": {"token": "x"}}], "contexts": [{"name": "east", "context": {"cluster": "c", "user": "u"}}]}`, s.URL, quotedJSON(t, authority))
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env, ms := environment.Parse("own.yaml", []byte("apiVersion: assay/v1\nkind: Environment\nname: own\nclusters: {cluster1: {context: east}, gone: {context: eastt}}\n"+rest), os.LookupEnv)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	env.Kubeconfig = kubeconfig
	e, err := New(Options{Environment: env, Out: t.TempDir(), Root: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func quotedJSON(t *testing.T, data []byte) string {
	t.Helper()
	text, err := json.Marshal(data) // base64, as a kubeconfig has it
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What keeps a gateway from having an address is told with what to do about it.
func TestAGatewayWithoutAnAddress(t *testing.T) {
	const ports = "ports: [{name: http2, port: 80, nodePort: 30080}, {name: https, port: 443}]"
	tests := []struct {
		name, service string
		want          []string
	}{
		{"none", "{metadata: {namespace: istio-ingress, name: gateway}, spec: {type: LoadBalancer}}", []string{
			"own.yaml:5:21: not within ", "cluster cluster1 has no service istio-system/istio-ingressgateway",
			"services of type LoadBalancer that it has: istio-ingress/gateway; name one of them as the gateway's service"}},
		{"none at all", "{metadata: {namespace: app, name: app}, spec: {type: ClusterIP}}", []string{
			"this cluster has no service of type LoadBalancer: is the mesh's ingress gateway installed? see: kubectl --context east get services -A"}},
		{"pending", "{metadata: {namespace: istio-system, name: istio-ingressgateway}, spec: {type: LoadBalancer, " + ports + "}}", []string{
			"has no address yet (status.loadBalancer.ingress is empty)", "see: kubectl --context east -n istio-system describe service istio-ingressgateway",
			"on minikube: minikube tunnel; on kind: cloud-provider-kind", "or give the gateway by url"}},
		{"NodePort", "{metadata: {namespace: istio-system, name: istio-ingressgateway}, spec: {type: NodePort, " + ports + "}}", []string{
			"is of type NodePort, which gets no address of its own", "url: http://NODE:30080 (kubectl --context east get nodes -o wide shows them)"}},
		{"ClusterIP", "{metadata: {namespace: istio-system, name: istio-ingressgateway}, spec: {ports: [{name: http2, port: 80}]}}", []string{
			"is of type ClusterIP, which gets no address of its own", "kubectl --context east -n istio-system port-forward service/istio-ingressgateway 8080:http2"}},
		{"another port", "{metadata: {namespace: istio-system, name: istio-ingressgateway}, spec: {type: LoadBalancer, ports: [{name: https, port: 443}, {name: web, port: 80}]}, status: {loadBalancer: {ingress: [{ip: 127.0.0.1}]}}}", []string{
			`it has no port "http2" (it has https 443, web 80): give the gateway one of them as its port`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := inCluster(t, "gateways: {ingress: {cluster: cluster1, service: istio-system/istio-ingressgateway, port: http2}}\n", tt.service)
			r := &Run{env: e.env, clusters: make(map[string]*kube.Cluster)}
			if err := e.connect(t.Context(), r, []string{"cluster1"}); err != nil {
				t.Fatal(err)
			}
			_, err := r.addressWithin(t.Context(), e.env.Gateways["ingress"], 50*time.Millisecond)
			if err == nil {
				t.Fatal("no error")
			}
			err = r.placed("gateways", "ingress", err)
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant in it %s", err, want)
				}
			}
		})
	}
}

// All that an environment names is looked at, whatever is wrong with the rest.
func TestConnect(t *testing.T) {
	gateway := httptest.NewServer(http.NotFoundHandler())
	defer gateway.Close()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := closed.Addr().String()
	closed.Close()
	e := inCluster(t, fmt.Sprintf(`gateways:
  here: {url: %q}
  silent: {url: "http://%s"}
  lost: {cluster: gone, service: a/b, port: http2}
clients:
  shell: {command: [sh, -c]}
  missing: {command: [no-such-program]}
  poor: {command: [sh, -c, "echo no curl here; exit 7", sh]}
  proxied: {proxy: %q}
  unproxied: {proxy: "http://%s"}
`, gateway.URL, nobody, gateway.URL, nobody))
	source := `apiVersion: assay/v1
kind: Scenario
name: s
steps:
- apply: {cluster: cluster1, objects: [{apiVersion: v1, kind: Service, metadata: {name: a}}, {apiVersion: mesh.example/v1, kind: Policy, metadata: {name: a}}]}
- apply:
    cluster: cluster1
    objects:
    - {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: owns.own.example}, spec: {group: own.example, names: {kind: Own}}}
    - {apiVersion: own.example/v1, kind: Own, metadata: {name: a}}
`
	s, ms := scenario.Parse("s.yaml", []byte(source))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	plan, err := e.Plan([]*scenario.Scenario{s})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"cluster cluster1": "the scenarios apply objects of the kind Policy: cluster cluster1 serves no mesh.example/v1 Policy: is the mesh installed",
		"cluster gone":     `own.yaml:4:55: cluster gone: the kubeconfig`,
		"gateway here":     "answers 404 within ",
		"gateway silent":   "?: it takes no connections: many gateways listen only once something is routed through them",
		"gateway lost":     "wrong: own.yaml:8:9: its address cannot be looked up: cluster gone cannot be used, see there",
		"client shell":     "curl and base64 are there",
		"client missing":   "its command no-such-program is not installed on this machine",
		"client poor":      "no curl here",
		"client proxied":   "takes connections",
		"client unproxied": "wrong: own.yaml:14:14: its proxy does not take connections",
	}
	found := e.Connect(t.Context(), plan)
	if len(found) != len(want) {
		t.Errorf("%d things were looked at, want %d", len(found), len(want))
	}
	for _, c := range found {
		text := c.Found
		if c.Note != "" {
			text = "?: " + c.Note
		}
		if c.Err != nil {
			text = "wrong: " + c.Err.Error()
		}
		name := c.Kind + " " + c.Name
		if !strings.Contains(text, want[name]) || want[name] == "" {
			t.Errorf("%s: got %s\nwant in it %s", name, text, want[name])
		}
		if strings.Contains(text, "Own") || strings.Contains(text, "kind Service") {
			t.Errorf("%s: %s: what is served, or comes with the scenario, is not missing", name, text)
		}
	}

	for _, c := range e.Connect(t.Context(), nil) { // without scenarios
		if c.Name == "cluster1" && (c.Err != nil || !strings.Contains(c.Found, "context east, https://127.0.0.1:") || !strings.Contains(c.Found, "Kubernetes v1.99.0")) {
			t.Errorf("got %+v", c)
		}
	}
}

// A run that cannot begin says where the context stands that there is not.
func TestStartSaysWhereTheContextStands(t *testing.T) {
	e := inCluster(t, "")
	err := e.connect(t.Context(), &Run{clusters: make(map[string]*kube.Cluster)}, []string{"gone"})
	if err == nil || !strings.HasPrefix(err.Error(), "own.yaml:4:55: cluster gone: the kubeconfig") || !strings.Contains(err.Error(), `has no context "eastt" (it has: east)`) || !strings.Contains(err.Error(), "did you mean east?") {
		t.Errorf("got %v", err)
	}
}
