package gloomesh

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

var (
	closedMeshFile = chapters + "access-policies/manifests/virtual-mesh-closed.yaml"
	bgcFile        = chapters + "access-policies/manifests/bgc.yaml"
	toVMFile       = chapters + "access-policies/manifests/to-vm.yaml"
	fromVMFile     = chapters + "access-policies/manifests/from-vm.yaml"
)

func TestAccessGolden(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
	}{
		{"access-closed", []string{closedMeshFile}},
		{"access-ingress", []string{closedMeshFile, bgcFile}},
		{"access-all", []string{closedMeshFile, bgcFile, toVMFile, fromVMFile}},
		{"access-fields", []string{virtualMeshFile, "testdata/access.yaml"}},
	} {
		got := render(t, Translate(tutorial(t, c.files...)), "AuthorizationPolicy")
		file := filepath.Join("testdata", c.name+".golden.yaml")
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got; -update writes it)\n%s", c.name, diff)
		}
	}
}

func TestAccessPolicyThatIsNotAccepted(t *testing.T) {
	for _, c := range []struct {
		name, spec, state string
		errors            []any
	}{
		{"tokens", `{sourceSelector: [{requestIdentityMatcher: {requestPrincipals: ["*"]}}]}`,
			failed, []any{"spec.sourceSelector[0].requestIdentityMatcher: not honoured by the sandbox"}},
		{"what only later editions have", `{sourceSelector: [{requestIpMatcher: {forwardedIPs: [10.0.0.0/8]}}], destinationSelector: [{virtualDestinationMatcher: {}}]}`,
			failed, []any{"spec.sourceSelector[0].requestIpMatcher: not honoured by the sandbox", "spec.destinationSelector[0].virtualDestinationMatcher: not honoured by the sandbox"}},
		{"a cluster that is not there", `{sourceSelector: [{kubeIdentityMatcher: {clusters: [cluster1, cluster3]}}, {kubeServiceAccountRefs: {serviceAccounts: [{clusterName: cluster4, namespace: a, name: b}]}}]}`,
			invalid, []any{"spec.sourceSelector[0].kubeIdentityMatcher.clusters[1]: no cluster cluster3 is registered (there are cluster1, cluster2)",
				"spec.sourceSelector[1].kubeServiceAccountRefs.serviceAccounts[0].clusterName: no cluster cluster4 is registered (there are cluster1, cluster2)"}},
		{"a service that is not there", `{destinationSelector: [{kubeServiceRefs: {services: [{clusterName: cluster2, namespace: vm-blue-green-canary, name: blue-green-canary}]}}]}`,
			invalid, []any{"spec.destinationSelector[0].kubeServiceRefs.services[0]: no service vm-blue-green-canary/blue-green-canary in cluster2 (did you mean blue-green-canary/blue-green-canary?)"}},
		{"a port that is none", `{allowedPorts: [8080, 0, 65536]}`,
			invalid, []any{"spec.allowedPorts[1]: 0 is not between 1 and 65535", "spec.allowedPorts[2]: 65536 is not between 1 and 65535"}},
		{"a later edition's field", `{action: DENY}`, failed, []any{"spec.action: not honoured by the sandbox"}},
	} {
		out := Translate(Snapshot{Clusters: tutorialClusters(), Objects: fromText(t, "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: AccessPolicy\nmetadata: {name: bgc, namespace: gloo-mesh}\nspec: "+c.spec)})
		got := statusOf(t, out, "AccessPolicy", "bgc")
		if got["state"] != c.state || !cmp.Equal(got["errors"], c.errors) {
			t.Errorf("%s: got %v %q, want %v %q", c.name, got["state"], got["errors"], c.state, c.errors)
		}
		for _, cluster := range []string{"cluster1", "cluster2"} {
			if list := names(out, cluster); len(list) > 0 {
				t.Errorf("%s: %s got %v of a policy that is not accepted", c.name, cluster, list)
			}
		}
	}
}

// Who goes away first: what denies everything, before what allows anything.
func TestWhatClosesEverythingGoesFirst(t *testing.T) {
	var list []*unstructured.Unstructured
	for _, o := range Translate(tutorial(t, closedMeshFile, bgcFile)).Objects["cluster1"] {
		if o.GetKind() == "AuthorizationPolicy" {
			list = append(list, o.Unstructured)
		}
	}
	slices.SortFunc(list, openFirst)
	if len(list) != 3 || list[0].GetName() != "global-access-control" {
		t.Errorf("got %d policies, the first %s/%s", len(list), list[0].GetNamespace(), list[0].GetName())
	}
}
