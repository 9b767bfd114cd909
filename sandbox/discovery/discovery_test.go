package discovery_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/meshassay/assay/sandbox/discovery"
)

func namespace(name string, labels map[string]string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
}

var injected = map[string]string{"istio-injection": "enabled"}

func deployment(namespace, name, version, image string) *appsv1.Deployment {
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	d.Spec.Template.Labels = map[string]string{"app": "shop", "version": version}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Image: image}}
	return d
}

func service(namespace, name string, selector map[string]string) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"app": name}}}
	s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeClusterIP, Selector: selector, Ports: []corev1.ServicePort{{Name: "http", Port: 8080, Protocol: corev1.ProtocolTCP}}}
	return s
}

func names(objects []*unstructured.Unstructured) []string {
	var all []string
	for _, o := range objects {
		all = append(all, o.GetKind()+" "+o.GetName())
	}
	return all
}

func TestWhatIsDiscovered(t *testing.T) {
	shop := map[string]string{"app": "shop"}
	optsOut, optsIn := deployment("shop", "out", "1", "shop"), deployment("plain", "in", "1", "shop")
	optsOut.Spec.Template.Annotations = map[string]string{"sidecar.istio.io/inject": "false"}
	optsIn.Spec.Template.Labels["sidecar.istio.io/inject"] = "true"
	for _, c := range []struct {
		name    string
		cluster discovery.Cluster
		want    []string
	}{
		{"a service and what is behind it", discovery.Cluster{Services: []*corev1.Service{service("shop", "cart", shop)}, Deployments: []*appsv1.Deployment{deployment("shop", "cart", "1", "shop")}},
			[]string{"Destination cart-shop-east", "Workload cart-shop-east-deployment"}},
		{"a virtual machine's service, with nothing behind it", discovery.Cluster{Services: []*corev1.Service{service("shop", "cart", shop)}}, nil},
		{"a service without a selector", discovery.Cluster{Services: []*corev1.Service{service("shop", "cart", nil)}, Deployments: []*appsv1.Deployment{deployment("shop", "cart", "1", "shop")}},
			[]string{"Workload cart-shop-east-deployment"}},
		{"a service of another namespace", discovery.Cluster{Services: []*corev1.Service{service("plain", "cart", shop)}, Deployments: []*appsv1.Deployment{deployment("shop", "cart", "1", "shop")}},
			[]string{"Workload cart-shop-east-deployment"}},
		{"outside the mesh", discovery.Cluster{Services: []*corev1.Service{service("plain", "cart", shop)}, Deployments: []*appsv1.Deployment{deployment("plain", "cart", "1", "shop")}}, nil},
		{"a gateway", discovery.Cluster{Deployments: []*appsv1.Deployment{deployment("plain", "gateway", "1", "docker.io/istio/proxyv2:1.11.4")}},
			[]string{"Workload gateway-plain-east-deployment"}},
		{"pods that say themselves", discovery.Cluster{Deployments: []*appsv1.Deployment{optsOut, optsIn}}, []string{"Workload in-plain-east-deployment"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cluster.Name = "east"
			c.cluster.Namespaces = []*corev1.Namespace{namespace("shop", injected), namespace("plain", nil)}
			if diff := cmp.Diff(c.want, names(discovery.Objects(c.cluster))); diff != "" {
				t.Errorf("discovered (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHowItIsTold(t *testing.T) {
	s := service("shop", "cart", map[string]string{"app": "shop"})
	s.Spec.Type, s.Status.LoadBalancer.Ingress = corev1.ServiceTypeLoadBalancer, []corev1.LoadBalancerIngress{{IP: "127.0.0.2"}, {Hostname: "cart.test"}}
	got, err := yaml.Marshal(discovery.Objects(discovery.Cluster{Name: "east",
		Namespaces: []*corev1.Namespace{namespace("shop", injected)}, Services: []*corev1.Service{s},
		Deployments: []*appsv1.Deployment{deployment("shop", "one", "1", "shop"), deployment("shop", "two", "2", "shop")}})[:2])
	if err != nil {
		t.Fatal(err)
	}
	const want = `- apiVersion: discovery.mesh.gloo.solo.io/v1
  kind: Destination
  metadata:
    labels: &labels
      cluster.discovery.mesh.gloo.solo.io: east
      cluster.multicluster.solo.io: ""
      owner.discovery.mesh.gloo.solo.io: gloo-mesh
    name: cart-shop-east
    namespace: gloo-mesh
  spec:
    kubeService:
      externalAddresses: [{ip: 127.0.0.2}, {dnsName: cart.test}]
      labels: {app: cart}
      ports: [{name: http, port: 8080, protocol: TCP, targetPortNumber: 0}]
      ref: {clusterName: east, name: cart, namespace: shop}
      serviceType: LOAD_BALANCER
      subsets: {version: {values: ["1", "2"]}}
      workloadSelectorLabels: {app: shop}
    mesh: &mesh {name: istiod-istio-system-east, namespace: gloo-mesh}
- apiVersion: discovery.mesh.gloo.solo.io/v1
  kind: Workload
  metadata: {labels: *labels, name: one-shop-east-deployment, namespace: gloo-mesh}
  spec:
    kubernetes:
      controller: {clusterName: east, name: one, namespace: shop}
      podLabels: {app: shop, version: "1"}
      serviceAccountName: default
    mesh: *mesh
`
	if diff := cmp.Diff(parsed(t, want), parsed(t, string(got))); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

func parsed(t *testing.T, text string) (v any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// management is client-go's fake in which what is applied becomes the object.
func management(objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	f := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		workloads: "WorkloadList", destinations: "DestinationList"}, objects...)
	f.PrependReactor("patch", "*", func(a clienttesting.Action) (bool, runtime.Object, error) {
		p := a.(clienttesting.PatchAction)
		u := &unstructured.Unstructured{}
		if err := json.Unmarshal(p.GetPatch(), u); err != nil {
			return true, nil, err
		}
		err := f.Tracker().Create(p.GetResource(), u, p.GetNamespace())
		if apierrors.IsAlreadyExists(err) {
			err = f.Tracker().Update(p.GetResource(), u, p.GetNamespace())
		}
		return true, u, err
	})
	return f
}

var (
	workloads    = schema.GroupVersionResource{Group: "discovery.mesh.gloo.solo.io", Version: "v1", Resource: "workloads"}
	destinations = schema.GroupVersionResource{Group: "discovery.mesh.gloo.solo.io", Version: "v1", Resource: "destinations"}
)

// What runs comes and goes; what was registered by hand under the same name stays.
func TestFollowsWhatRuns(t *testing.T) {
	byHand := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "discovery.mesh.gloo.solo.io/v1", "kind": "Destination",
		"metadata": map[string]any{"name": "cart-shop-east", "namespace": "gloo-mesh"}, "spec": map[string]any{}}}
	mgmt := management(byHand)
	east := fake.NewClientset(namespace("shop", injected), service("shop", "cart", map[string]string{"app": "shop"}),
		service("shop", "till", map[string]string{"app": "shop"}), deployment("shop", "cart", "1", "shop"))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := discovery.Start(ctx, discovery.Options{Mgmt: mgmt, Clusters: map[string]kubernetes.Interface{"east": east}, Log: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	there := func() []string {
		var all []string
		for _, r := range []schema.GroupVersionResource{destinations, workloads} {
			list, err := mgmt.Resource(r).Namespace("gloo-mesh").List(ctx, metav1.ListOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for _, u := range list.Items {
				all = append(all, u.GetName())
			}
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff([]string{"cart-shop-east", "cart-shop-east-deployment", "till-shop-east"}, there()); diff != "" {
		t.Errorf("at the start (-want +got):\n%s", diff)
	}
	until := func(want ...string) {
		t.Helper()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for !slices.Equal(there(), want) {
			select {
			case <-ctx.Done():
				t.Fatalf("got %q, want %q", there(), want)
			case <-tick.C:
			}
		}
	}
	if _, err := east.AppsV1().Deployments("shop").Create(ctx, deployment("shop", "second", "2", "shop"), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	until("cart-shop-east", "cart-shop-east-deployment", "second-shop-east-deployment", "till-shop-east")
	for _, name := range []string{"cart", "second"} {
		if err := east.AppsV1().Deployments("shop").Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	until("cart-shop-east")
	u, err := mgmt.Resource(destinations).Namespace("gloo-mesh").Get(ctx, "cart-shop-east", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(byHand.Object, u.Object); diff != "" {
		t.Errorf("what was registered by hand (-want +got):\n%s", diff)
	}
}
