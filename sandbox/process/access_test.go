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
	at, err := url.Parse(ready.Proxy)
	if err != nil {
		t.Fatal(err)
	}
	vm := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at), DisableKeepAlives: true}}
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	gateway, service := ready.Gateways["cluster1"]+"/api", "http://web.shop.svc.cluster.local:8080/api"

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
