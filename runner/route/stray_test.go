package route_test

import (
	"testing"

	"github.com/meshassay/assay/runner/route"
)

func TestRoutes(t *testing.T) {
	for _, tt := range []struct {
		reason, source     string
		routes, translated bool
	}{
		{"a policy", policy, true, false},
		{"a route over HTTP", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {http: [{route: []}]}", true, false},
		{"of a version of its own", "apiVersion: networking.istio.io/v1beta1\nkind: VirtualService\nspec: {http: [{}]}", true, false},
		{"one that Gloo Mesh has written", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {labels: {owner.networking.mesh.gloo.solo.io: gloo-mesh}}\nspec: {http: [{}]}", true, true},
		{"one that has an owner", "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {ownerReferences: [{kind: X}]}", true, true},
		{"a route of TLS, as Istio's own", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nspec: {tls: [{}]}", false, false},
		{"a fault of the sandbox", "apiVersion: sandbox.assay/v1\nkind: Fault", true, false},
		{"a Service", "apiVersion: v1\nkind: Service", false, false},
	} {
		o := object(t, tt.source)
		if got := route.Routes(o); got != tt.routes {
			t.Errorf("%s: routes %v, want %v", tt.reason, got, tt.routes)
		}
		if got := route.Translated(o); got != tt.translated {
			t.Errorf("%s: translated %v, want %v", tt.reason, got, tt.translated)
		}
	}
	kinds := route.Routing()
	kinds[0].Name = "changed"
	if route.Routing()[0].Name == "changed" {
		t.Error("the table can be changed from outside")
	}
}
