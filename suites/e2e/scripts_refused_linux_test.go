package e2e

import (
	"strings"
	"testing"
)

// One wrong file of each kind, and where the API server says that it is wrong.
var wrongFiles = []struct{ name, context, file, want string }{
	{"VirtualGateway", "mgmt", `networking.enterprise.mesh.gloo.solo.io/v1beta1
spec: {ingressGatewaySelectors: [{portNam: http2}]}`, `unknown field "spec.ingressGatewaySelectors[0].portNam"`},
	{"VirtualHost", "mgmt", `networking.enterprise.mesh.gloo.solo.io/v1beta1
spec: {domains: "*"}`, `spec.domains`},
	{"RouteTable", "mgmt", `networking.enterprise.mesh.gloo.solo.io/v1beta1
spec: {routes: [{matchers: [{uri: {prefx: /}}]}]}`, `unknown field "spec.routes[0].matchers[0].uri.prefx"`},
	{"TrafficPolicy", "mgmt", `networking.mesh.gloo.solo.io/v1
spec: {policy: {trafficShift: {destinations: [{weight: half}]}}}`, `spec.policy.trafficShift.destinations[0].weight`},
	{"AccessPolicy", "mgmt", `networking.mesh.gloo.solo.io/v1
spec: {allowedPorts: [http]}`, `spec.allowedPorts[0]`},
	{"VirtualMesh", "mgmt", `networking.mesh.gloo.solo.io/v1
spec: {globalAccessPolicy: OPEN}`, `spec.globalAccessPolicy`},
	{"Workload", "mgmt", `discovery.mesh.gloo.solo.io/v1
spec: {kubernetes: {podLabel: {app: shop}}}`, `unknown field "spec.kubernetes.podLabel"`},
	{"Destination", "mgmt", `discovery.mesh.gloo.solo.io/v1
spec: {kubeService: {serviceType: BALANCER}}`, `spec.kubeService.serviceType`},
	{"Gateway", "cluster1", `networking.istio.io/v1beta1
spec: {servers: [{port: {number: 80, protocol: HTTP}, hosts: ["*"]}]}`, `spec.servers[0].port.name`},
	{"VirtualService", "cluster1", `networking.istio.io/v1beta1
spec: {hosts: ["*"], http: [{match: [{uri: {prefx: /}}]}]}`, `unknown field "spec.http[0].match[0].uri.prefx"`},
	{"DestinationRule", "cluster1", `networking.istio.io/v1beta1
spec: {host: shop, subsets: [{labels: {version: blue}}]}`, `spec.subsets[0].name`},
	{"WorkloadEntry", "cluster1", `networking.istio.io/v1beta1
spec: {address: 192.168.64.10, weight: heavy}`, `spec.weight`},
	{"PeerAuthentication", "cluster1", `security.istio.io/v1beta1
spec: {mtls: {mode: STRONG}}`, `spec.mtls.mode`},
	{"AuthorizationPolicy", "cluster1", `security.istio.io/v1beta1
spec: {action: FORBID}`, `spec.action`},
	{"Service", "cluster2", `v1
spec: {ports: [{port: 80800}]}`, `spec.ports[0].port`},
	{"Deployment", "cluster2", `apps/v1
spec: {selector: {matchLabels: {app: a}}, template: {metadata: {labels: {app: b}}, spec: {containers: [{name: a, image: a}]}}}`, `spec.template.metadata.labels`},
}

func (r reader) wrongFiles(t *testing.T) {
	for _, wrong := range wrongFiles {
		version, spec, _ := strings.Cut(wrong.file, "\n")
		text := "apiVersion: " + version + "\nkind: " + wrong.name + "\nmetadata: {name: wrong, namespace: default}\n" + spec + "\n"
		said, err := r.try(text, "kubectl", "--context", wrong.context, "apply", "-f", "-")
		if err == nil || !strings.Contains(said, wrong.want) {
			t.Errorf("%s is answered with %v, want a refusal with %s:\n%s", wrong.name, err, wrong.want, said)
		}
	}
}
