package bootstrap_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/meshassay/assay/sandbox/bootstrap"
)

// names lists the objects as kind namespace/name.
func names(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		all = append(all, fmt.Sprintf("%s %s/%s", o.GetKind(), o.GetNamespace(), o.GetName()))
	}
	slices.Sort(all)
	return all
}

func TestObjects(t *testing.T) {
	management, err := bootstrap.Management([]string{"cluster1", "cluster2"})
	if err != nil {
		t.Fatal(err)
	}
	workload, err := bootstrap.Workload(18001)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := bootstrap.VM(18003)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		objects []*unstructured.Unstructured
		want    []string
	}{
		{"management", management, []string{
			"Deployment gloo-mesh/enterprise-networking",
			"KubernetesCluster gloo-mesh/cluster1",
			"KubernetesCluster gloo-mesh/cluster2",
			"Mesh gloo-mesh/istiod-istio-system-cluster1",
			"Mesh gloo-mesh/istiod-istio-system-cluster2",
			"Namespace /gloo-mesh",
			"Service gloo-mesh/enterprise-networking",
			"ServiceAccount gloo-mesh/enterprise-networking",
		}},
		{"workload", workload, []string{
			"Deployment istio-system/istio-ingressgateway",
			"Deployment istio-system/istiod",
			"Gateway istio-system/cross-network-gateway",
			"Gateway istio-system/istiod-gateway",
			"Namespace /gloo-mesh",
			"Namespace /istio-system",
			"Service istio-system/istio-ingressgateway",
			"Service istio-system/istiod",
			"ServiceAccount istio-system/istio-ingressgateway-service-account",
			"ServiceAccount istio-system/istiod",
			"VirtualService istio-system/istiod-vs",
		}},
		{"vm", vm, []string{"Namespace /sandbox", "Service sandbox/vm-proxy"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, names(c.objects)); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			for _, o := range c.objects {
				if got := o.GetLabels()["app.kubernetes.io/managed-by"]; got != "sandbox" {
					t.Errorf("%s %s: label managed-by: got %q, want sandbox", o.GetKind(), o.GetName(), got)
				}
			}
		})
	}
}

// TestKubernetesObjectsDecode reads what has a Go type strictly as that type.
func TestKubernetesObjectsDecode(t *testing.T) {
	objects, err := bootstrap.Workload(18002)
	if err != nil {
		t.Fatal(err)
	}
	decoded := 0
	for _, o := range objects {
		into := map[string]any{"Service": &corev1.Service{}, "Deployment": &appsv1.Deployment{},
			"Namespace": &corev1.Namespace{}, "ServiceAccount": &corev1.ServiceAccount{}}[o.GetKind()]
		if into == nil {
			continue
		}
		decoded++
		if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(o.Object, into, true); err != nil {
			t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		if s, ok := into.(*corev1.Service); ok && s.Name == "istio-ingressgateway" {
			if p := s.Spec.Ports; len(p) != 1 || p[0].Name != "http2" || p[0].Port != 18002 {
				t.Errorf("ports of the gateway's Service: got %+v, want http2 at 18002", p)
			}
		}
		if d, ok := into.(*appsv1.Deployment); ok {
			for key, value := range d.Spec.Selector.MatchLabels {
				if d.Spec.Template.Labels[key] != value {
					t.Errorf("Deployment %s selects %s=%s, which its pods are not labelled", d.Name, key, value)
				}
			}
		}
	}
	if decoded != 8 {
		t.Errorf("decoded %d objects, want 8", decoded)
	}
}

// server is a fake that creates what is applied.
func server() *fake.FakeDynamicClient {
	return fake.NewSimpleDynamicClient(runtime.NewScheme())
}

func TestApplyOrder(t *testing.T) {
	client := server()
	var kinds []string
	client.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		kinds = append(kinds, action.GetResource().Resource) // the fake calls one at a time
		return true, &unstructured.Unstructured{}, nil
	})
	objects, err := bootstrap.Management([]string{"cluster1"})
	if err != nil {
		t.Fatal(err)
	}
	if err := bootstrap.Apply(t.Context(), client, objects); err != nil {
		t.Fatal(err)
	}
	if len(kinds) != len(objects) || kinds[0] != "namespaces" || kinds[1] != "serviceaccounts" {
		t.Errorf("got %v, want every object, the namespace and then its service account first", kinds)
	}
}

func TestApplyNamesWhatFails(t *testing.T) {
	client := server()
	client.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, fmt.Errorf("no room")
	})
	unknown := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Pear", "metadata": map[string]any{"name": "x"}}}
	if err := bootstrap.Apply(t.Context(), client, []*unstructured.Unstructured{unknown}); err == nil || !strings.Contains(err.Error(), "Pear x") {
		t.Errorf("an unknown kind: got error %v", err)
	}
	objects, err := bootstrap.Management(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bootstrap.Apply(t.Context(), client, objects); err == nil || err.Error() != "Namespace gloo-mesh: no room" {
		t.Errorf("got error %v, want: Namespace gloo-mesh: no room", err)
	}
}

func TestWaitAvailable(t *testing.T) {
	deployment := func(available int64) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": "shop", "name": "web"},
			"spec": map[string]any{"replicas": int64(2)}, "status": map[string]any{"availableReplicas": available}}}
	}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(),
		map[schema.GroupVersionResource]string{{Group: "apps", Version: "v1", Resource: "deployments"}: "DeploymentList"}, deployment(1))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wanted := []*unstructured.Unstructured{deployment(0)}
	if err := bootstrap.WaitAvailable(ctx, client, wanted); err == nil || !strings.Contains(err.Error(), "Deployment web: 1 of 2 pods are available") {
		t.Errorf("got error %v, want one that says how far it is", err)
	}
	if err := client.Tracker().Update(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, deployment(2), "shop"); err != nil {
		t.Fatal(err)
	}
	if err := bootstrap.WaitAvailable(t.Context(), client, wanted); err != nil {
		t.Error(err)
	}
}
