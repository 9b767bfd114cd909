package istio

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/meshassay/assay/sandbox/routing"
)

const forSidecars = `kind: Service
apiVersion: v1
metadata: {name: shop, namespace: default}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 3000}, {name: admin, port: 81, targetPort: 3001}]}
---
kind: WorkloadEntry
metadata: {name: vm, namespace: default}
spec: {address: 192.168.64.10, labels: {app: vm}}
---
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec: {host: shop, subsets: [{name: new, labels: {version: new}}]}
---
kind: VirtualService
metadata: {name: older, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [shop]
  http:
  - match: [{uri: {prefix: /new}, port: 80}]
    route: [{destination: {host: shop, subset: new, port: {number: 80}}}]
  - match: [{gateways: [default/g]}]
    route: [{destination: {host: nowhere}}]
  - route: [{destination: {host: shop, port: {number: 80}}}]
---
kind: VirtualService
metadata: {name: younger, namespace: default, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {hosts: [shop.default.svc.cluster.local], gateways: [mesh], http: [{route: [{destination: {host: nowhere}}]}]}
---
kind: VirtualService
metadata: {name: of-a-gateway, namespace: default, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {hosts: [shop.default.svc.cluster.local], gateways: [g], http: [{route: [{destination: {host: nowhere}}]}]}
---
kind: Service
apiVersion: v1
metadata: {name: club, namespace: other}
spec: {selector: {app: club}, ports: [{name: http, port: 80}, {name: admin, port: 81}]}
---
kind: VirtualService
metadata: {name: not-for-us, namespace: other, creationTimestamp: "2026-01-01T00:00:00Z"}
spec:
  hosts: [club]
  http:
  - match: [{sourceNamespace: other}, {sourceLabels: {app: vm, version: new}}]
    route: [{destination: {host: nowhere}}]
---
kind: VirtualService
metadata: {name: for-us, namespace: other, creationTimestamp: "2026-01-02T00:00:00Z"}
spec:
  hosts: [club]
  http:
  - match:
    - {uri: {prefix: /bar}, port: 80, sourceNamespace: default, sourceLabels: {app: vm}}
    - {uri: {prefix: /floor}, port: 80, gateways: [mesh], sourceNamespace: other}
    - {uri: {prefix: /cellar}, port: 80, sourceNamespace: other}
    route: [{destination: {host: shop.default.svc.cluster.local}}]
`

// Whoever calls through a sidecar is routed by VirtualServices for sidecars.
func TestVirtualServicesForSidecars(t *testing.T) {
	all := world{"cluster1": parse(t, []byte(forSidecars))}
	for _, o := range all["cluster1"].read() {
		if len(o.problems) > 0 {
			t.Fatalf("%s: %v", o, o.problems)
		}
	}
	table, err := routing.New(all.sidecar("192.168.64.10", nil).hosts)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ url, want string }{
		{"http://shop.default.svc.cluster.local/new/x", "shop.default.svc.cluster.local|new"},
		{"http://shop.default.svc.cluster.local:80/new", "shop.default.svc.cluster.local|new"},
		{"http://shop/new", "shop.default.svc.cluster.local|new"},
		{"http://shop.default.svc:81/new", "shop.default.svc.cluster.local"},
		{"http://shop.default/", "shop.default.svc.cluster.local"},
		{"http://shop.default:82/", ""},
		{"http://shop.other/", ""},
		{"http://club.other/bar", "shop.default.svc.cluster.local"},
		{"http://club.other/floor", "shop.default.svc.cluster.local"}, // asked for by gateway, and not by namespace
		{"http://club.other/cellar", "404"},
		{"http://club.other:81/bar", "club.other.svc.cluster.local"}, // for that port there is no route at all
	} {
		r, err := http.NewRequest("GET", test.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if rule, _ := table.Find(r); rule != nil && rule.Answer != nil {
			got = fmt.Sprint(rule.Answer.Status)
		} else if rule != nil {
			got = rule.Choose(&routing.Connection{}).Name
		}
		if got != test.want {
			t.Errorf("%s goes to %q, want %q", test.url, got, test.want)
		}
	}
}
