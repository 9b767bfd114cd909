package gloomesh

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// What the chapters apply to the management cluster is what its API server takes.
func TestManifestsAreValid(t *testing.T) {
	schemas := loadSchemas(t)
	files, err := filepath.Glob(chapters + "*/manifests/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range append(files, own...) {
		if strings.HasSuffix(file, ".golden.yaml") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range readObjects(t, data) {
			s, ok := schemas[u.GroupVersionKind()]
			if !ok {
				if strings.Contains(u.GetAPIVersion(), "solo.io") {
					t.Errorf("%s: no schema for %s", file, u.GroupVersionKind())
				}
				continue
			}
			seen[u.GetKind()]++
			for _, refusal := range s.refusals(u) {
				t.Errorf("%s: %s %s: %s", file, u.GetKind(), u.GetName(), refusal)
			}
		}
	}
	for _, kind := range []string{"VirtualMesh", "VirtualGateway", "VirtualHost", "RouteTable", "TrafficPolicy", "Workload", "Destination"} {
		if seen[kind] == 0 {
			t.Errorf("no manifest of kind %s was looked at", kind)
		}
	}
}

// What Translate says in a status is what the schema of the status has.
func TestStatusesAreValid(t *testing.T) {
	schemas := loadSchemas(t)
	for _, in := range []Snapshot{
		tutorial(t, virtualMeshFile, gatewayFile, divideFile),
		tutorial(t, gatewayFile, divideFile),
		tutorial(t, "testdata/discovered.yaml", virtualMeshFile, gatewayFile, divideFile, chapters+"access-policies/manifests/bgc.yaml"),
		tutorial(t, virtualMeshFile, "testdata/delegation.yaml"),
		tutorial(t, virtualMeshFile, "testdata/edition-1.1.yaml"),
	} {
		for _, s := range Translate(in).Statuses {
			r := resourceFor(s.Kind)
			u := &unstructured.Unstructured{Object: map[string]any{"apiVersion": r.Group + "/" + r.Version, "kind": s.Kind, "status": s.Fields}}
			for _, refusal := range schemas[u.GroupVersionKind()].refusals(u) {
				t.Errorf("%s %s: %s", s.Kind, s.Name, refusal)
			}
		}
	}
}

func TestSchemasRefuse(t *testing.T) {
	schemas := loadSchemas(t)
	for _, c := range []struct{ name, object, want string }{
		{"an unknown field of a policy", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
spec: {policy: {trafficShift: {destinations: [{kubeService: {name: a}, wieght: 40}]}}}`,
			`unknown field "spec.policy.trafficShift.destinations[0].wieght"`},
		{"an unknown field of a gateway", `
apiVersion: networking.enterprise.mesh.gloo.solo.io/v1beta1
kind: VirtualGateway
spec: {ingresGatewaySelectors: []}`,
			`unknown field "spec.ingresGatewaySelectors"`},
		{"an unknown field of a delegation", `
apiVersion: networking.enterprise.mesh.gloo.solo.io/v1beta1
kind: VirtualHost
spec: {routes: [{delegateAction: {selector: {namespace: x}}}]}`,
			`unknown field "spec.routes[0].delegateAction.selector.namespace"`},
		{"a text where a boolean belongs", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
spec: {httpRequestMatchers: [{headers: [{name: user-agent, regex: .*Firefox.*}]}]}`,
			`spec.httpRequestMatchers[0].headers[0].regex: Invalid value: "string"`},
		{"a weight below 0", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
spec: {policy: {trafficShift: {destinations: [{kubeService: {name: a}, weight: -1}]}}}`,
			`spec.policy.trafficShift.destinations[0].weight: Invalid value: -1`},
		{"two kinds of destination", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: TrafficPolicy
spec: {policy: {trafficShift: {destinations: [{kubeService: {name: a}, clusterHeader: b}]}}}`,
			`"spec.policy.trafficShift.destinations[0]" must validate one and only one schema (oneOf)`},
		{"two actions of a route", `
apiVersion: networking.enterprise.mesh.gloo.solo.io/v1beta1
kind: RouteTable
spec: {routes: [{routeAction: {}, delegateAction: {}}]}`,
			`"spec.routes[0]" must validate one and only one schema (oneOf)`},
		{"a state that is none", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
status: {state: FINE}`,
			`status.state: Unsupported value: "FINE": supported values: "PENDING", "ACCEPTED", "INVALID", "FAILED"`},
		{"a global access policy that is none", `
apiVersion: networking.mesh.gloo.solo.io/v1
kind: VirtualMesh
spec: {globalAccessPolicy: "false"}`,
			`spec.globalAccessPolicy: Unsupported value: "false": supported values: "MESH_DEFAULT", "ENABLED", "DISABLED"`},
		{"an unknown field of a Destination", `
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Destination
spec: {kubeService: {ref: {cluster: x}}}`,
			`unknown field "spec.kubeService.ref.cluster"`},
		{"an unknown field of a Workload", `
apiVersion: discovery.mesh.gloo.solo.io/v1
kind: Workload
spec: {kubernetes: {serviceAccount: x}}`,
			`unknown field "spec.kubernetes.serviceAccount"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := readObjects(t, []byte(c.object))[0]
			got := schemas[u.GroupVersionKind()].refusals(u)
			if len(got) != 1 || !strings.Contains(got[0], c.want) {
				t.Errorf("got %q, want one refusal with %s", got, c.want)
			}
		})
	}
}

// Nothing that the schema lets through is ignored: every field of a policy is
// one of its parts, or turns up among the problems.
func TestEveryFieldOfThePolicyIsHonouredOrRefused(t *testing.T) {
	schemas := loadSchemas(t)
	u := fromFiles(t, divideFile)[0]
	policy := schemas[u.GroupVersionKind()].structural.Properties["spec"].Properties["policy"]
	if len(policy.Properties) < 13 {
		t.Fatalf("the schema has only %d fields", len(policy.Properties))
	}
	for name, field := range policy.Properties {
		changed := u.DeepCopy()
		var value any = map[string]any{}
		if field.Type == "string" {
			value = "5s"
		}
		must(unstructured.SetNestedField(changed.Object, value, "spec", "policy", name))
		p := decodeTrafficPolicy(changed)
		said := slices.ContainsFunc(p.problems.texts(), func(s string) bool { return strings.HasPrefix(s, "spec.policy."+name) })
		if read := slices.Contains(p.fields(), name); read == said && name != "faultInjection" && name != "mirror" {
			t.Errorf("with %s: a part %t, a problem %t (%q)", name, read, said, p.problems.texts())
		}
	}
}
