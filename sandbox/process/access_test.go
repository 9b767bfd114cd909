package process

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

var (
	policies = schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"}
	entries  = schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: "workloadentries"}
)

// testAccess closes cluster1 by a policy and opens it again, and calls from the
// VM, whose proxy a Service of the cluster names.
func testAccess(t *testing.T, client dynamic.Interface, ready event) {
	proxy := ""
	eventually(t, func() error {
		s, err := client.Resource(resources["Service"]).Namespace("sandbox").Get(t.Context(), "vm-proxy", metav1.GetOptions{})
		if err != nil {
			return err
		}
		ingress, _, _ := unstructured.NestedSlice(s.Object, "status", "loadBalancer", "ingress")
		ports, _, _ := unstructured.NestedSlice(s.Object, "spec", "ports")
		if len(ingress) != 1 || len(ports) != 1 {
			return fmt.Errorf("got %d addresses and %d ports, want one of each", len(ingress), len(ports))
		}
		proxy = fmt.Sprintf("http://%v:%v", ingress[0].(map[string]any)["ip"], ports[0].(map[string]any)["port"])
		return nil
	})
	if proxy != ready.Proxy {
		t.Errorf("the Service says that the VM's proxy is %s, the event %s", proxy, ready.Proxy)
	}
	vm, direct := callers(t, ready)
	gateway, service := ready.Gateways["cluster1"]+"/api", webForVM

	answers(t, "before the VM is registered", vm, service, http.StatusBadGateway)
	create(t, client, entries, "shop", "vm", map[string]any{"address": ready.VM, "serviceAccount": "vm"})
	answers(t, "once it is registered", vm, service, http.StatusOK)
	create(t, client, policies, "istio-system", "nothing", map[string]any{})
	answers(t, "in a closed mesh", vm, service, http.StatusForbidden)
	answers(t, "in a closed mesh", direct, gateway, http.StatusForbidden)
	create(t, client, policies, "shop", "vm", map[string]any{"rules": []any{map[string]any{
		"from": []any{map[string]any{"source": map[string]any{"principals": []any{"cluster.local/ns/shop/sa/vm"}}}}}}})
	answers(t, "once the VM may call", vm, service, http.StatusOK)
	answers(t, "once the VM may call", direct, gateway, http.StatusForbidden)
	for name, namespace := range map[string]string{"vm": "shop", "nothing": "istio-system"} {
		if err := client.Resource(policies).Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	answers(t, "opened again", direct, gateway, http.StatusOK)
}

// webForVM is how the VM calls the service web.
const webForVM = "http://web.shop.svc.cluster.local:8080/api"

// callers are who calls from the VM, and who calls a gateway from outside.
func callers(t *testing.T, ready event) (vm, direct *http.Client) {
	t.Helper()
	at, err := url.Parse(ready.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	vm = &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at), DisableKeepAlives: true}}
	return vm, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
}

// teapot is a policy for the calls to web from a namespace.
const teapot = `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
metadata: {name: teapot, namespace: gloo-mesh}
spec:
  sourceSelector: [{kubeWorkloadMatcher: {namespaces: [%s]}}]
  destinationSelector: [{kubeServiceRefs: {services: [{clusterName: cluster1, namespace: shop, name: web}]}}]
  policy: {faultInjection: {abort: {httpStatus: 418}}}
`

// testSteering applies a policy for calls from the VM's namespace, then for
// others'. The gateway's route is no VirtualHost's, so that it is not steered.
func testSteering(t *testing.T, mgmt dynamic.Interface, ready event) {
	vm, direct := callers(t, ready)
	policy := func(from string) { apply(t, mgmt, fmt.Sprintf(teapot, from)) }
	policy("shop")
	answers(t, "with a policy for the VM's calls", vm, webForVM, http.StatusTeapot)
	answers(t, "with a policy for the VM's calls", direct, ready.Gateways["cluster1"]+"/api", http.StatusOK)
	policy("elsewhere")
	answers(t, "with a policy for others' calls", vm, webForVM, http.StatusOK)
	policy("shop")
	answers(t, "with the policy again", vm, webForVM, http.StatusTeapot)
	if err := mgmt.Resource(resources["TrafficPolicy"]).Namespace("gloo-mesh").Delete(t.Context(), "teapot", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	answers(t, "without the policy", vm, webForVM, http.StatusOK)
}

func create(t *testing.T, client dynamic.Interface, r schema.GroupVersionResource, namespace, name string, spec map[string]any) {
	t.Helper()
	kind := map[schema.GroupVersionResource]string{policies: "AuthorizationPolicy", entries: "WorkloadEntry"}[r]
	u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": r.GroupVersion().String(), "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": namespace}, "spec": spec}}
	if _, err := client.Resource(r).Namespace(namespace).Create(t.Context(), u, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// answers waits until a call is answered with a status.
func answers(t *testing.T, when string, client *http.Client, url string, status int) {
	t.Helper()
	eventually(t, func() error {
		response, err := client.Get(url)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err == nil && response.StatusCode != status {
			err = fmt.Errorf("%s: %s is answered %s %q, want %d", when, url, response.Status, body, status)
		}
		return err
	})
}
