package kube

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// sandbox connects to a cluster of the running sandbox.
func sandbox(t *testing.T, name string) *Cluster {
	t.Helper()
	kubeconfig := os.Getenv("ASSAY_SANDBOX")
	if kubeconfig == "" {
		t.Skip("needs a running sandbox: set ASSAY_SANDBOX to its kubeconfig")
	}
	c, err := Connect(t.Context(), name, kubeconfig, name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func object(t *testing.T, source string) *Object {
	t.Helper()
	manifests, problems := Decode("test.yaml", []byte(source))
	if len(problems) > 0 || len(manifests) != 1 {
		t.Fatalf("%d objects, %v", len(manifests), problems)
	}
	return manifests[0].Object
}

// apply applies an object, and deletes it when the test ends if it made it.
func apply(t *testing.T, c *Cluster, o *Object) Applied {
	t.Helper()
	a, err := c.Apply(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if a.What == Created {
		t.Cleanup(func() {
			if err := c.Delete(context.WithoutCancel(t.Context()), a.After); err != nil {
				t.Error(err)
			}
		})
	}
	return a
}

func read(t *testing.T, c *Cluster, o *Object) *Object {
	t.Helper()
	live, err := c.Get(t.Context(), o.GroupVersionKind(), o.GetNamespace(), o.GetName())
	if err != nil {
		t.Fatal(err)
	}
	return live
}

const settings = `
apiVersion: v1
kind: ConfigMap
metadata: {name: %s, namespace: default, labels: {one: "1"}}
data: {a: "1", b: "2"}
`

func TestApplyTellsWhatItDid(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-what"))
	first := apply(t, c, o)
	if first.What != Created || first.Before != nil || first.Resource != "configmaps" {
		t.Errorf("first: %s, before %v, resource %s", first.What, first.Before, first.Resource)
	}
	if again := apply(t, c, o); again.What != Unchanged {
		t.Errorf("again: %s", again.What)
	}
	o.Object["data"] = map[string]any{"a": "1"}
	changed := apply(t, c, o)
	if changed.What != Changed || changed.Before == nil {
		t.Errorf("changed: %s, before %v", changed.What, changed.Before)
	}
	if diff := cmp.Diff(map[string]any{"a": "1"}, read(t, c, o).Object["data"]); diff != "" {
		t.Errorf("a field of the earlier manifest stays behind (-want +got):\n%s", diff)
	}
}

// What kubectl's several commands wrote, and what another tool applied on the
// server's side, is gone when the object is applied; what a controller wrote stays.
func TestApplyTakesOverFromKubectl(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-takeover"))
	write := func(manager, key string, operation metav1.ManagedFieldsOperationType) {
		t.Helper()
		live := read(t, c, o)
		if operation == metav1.ManagedFieldsOperationApply {
			part := &Object{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap",
				"metadata": map[string]any{"name": o.GetName(), "namespace": "default"}, "data": map[string]any{key: "x"}}}
			//lint:ignore SA1019 the typed way needs a generated type
			if err := c.api().Patch(t.Context(), part, client.Apply, client.FieldOwner(manager), client.ForceOwnership); err != nil {
				t.Fatal(err)
			}
			return
		}
		if err := unstructured.SetNestedField(live.Object, "x", "data", key); err != nil {
			t.Fatal(err)
		}
		if manager == "kubectl-client-side-apply" {
			live.SetAnnotations(map[string]string{lastApplied: "{}"})
		}
		if err := c.api().Update(t.Context(), live, client.FieldOwner(manager)); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, c, o)
	write("kubectl-client-side-apply", "by-apply", metav1.ManagedFieldsOperationUpdate)
	write("kubectl-edit", "by-edit", metav1.ManagedFieldsOperationUpdate)
	write("kubectl", "by-server-side-apply", metav1.ManagedFieldsOperationApply)
	write("some-controller", "by-controller", metav1.ManagedFieldsOperationUpdate)

	before := read(t, c, o)
	done := apply(t, c, o)
	live := read(t, c, o)
	if diff := cmp.Diff(map[string]any{"a": "1", "b": "2", "by-controller": "x"}, live.Object["data"]); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
	if _, ok := live.GetAnnotations()[lastApplied]; ok {
		t.Error("kubectl's annotation stays behind: its next apply would compare with a manifest that is gone")
	}

	// And everything comes back, with its owners.
	if err := c.Restore(t.Context(), done.Before); err != nil {
		t.Fatal(err)
	}
	restored := read(t, c, o)
	if !Same(before, restored) {
		t.Errorf("restored (-want +got):\n%s", cmp.Diff(content(before), content(restored)))
	}
	if diff := cmp.Diff(owners(before), owners(restored)); diff != "" {
		t.Errorf("owners of fields (-want +got):\n%s", diff)
	}
}

func TestRestoreMakesADeletedObjectAgain(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-deleted"))
	before := apply(t, c, o).After
	if err := c.Delete(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	if live := read(t, c, o); live != nil {
		t.Fatal("Delete returned before it was gone")
	}
	if err := c.Delete(t.Context(), before); err != nil {
		t.Errorf("deleting what is gone: %v", err)
	}
	if err := c.Restore(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	live := read(t, c, o)
	t.Cleanup(func() { _ = c.Delete(context.WithoutCancel(t.Context()), live) })
	if live == nil || !Same(before, live) {
		t.Errorf("made again as %v, want %v", live, before)
	}
}

// Delete does not touch an object of the same name that somebody made since.
func TestDeleteLeavesAnothersObject(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-another"))
	ours := apply(t, c, o).After
	if err := c.Delete(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	apply(t, c, o)
	if err := c.Delete(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	if read(t, c, o) == nil {
		t.Error("the other object is gone")
	}
}

const widgets = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.kube.test}
spec:
  group: kube.test
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties: {spec: {type: object, properties: {size: {type: integer}}}}
`

// A kind, its namespace and its object, given in the wrong order.
func TestApplyAllEstablishesKindsFirst(t *testing.T) {
	c := sandbox(t, "mgmt")
	widget := object(t, "apiVersion: kube.test/v1\nkind: Widget\nmetadata: {name: w, namespace: assay-widgets}\nspec: {size: 3}\n")
	if _, err := c.Of(widget.GroupVersionKind()); err == nil {
		t.Fatal("the sandbox knows widgets already")
	}
	namespace := object(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: assay-widgets}\n")
	applied, err := c.ApplyAll(t.Context(), []*Object{widget, namespace, object(t, widgets)})
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	var made []*Object
	for _, a := range applied {
		order = append(order, a.After.GetKind()+" "+a.What)
		made = append([]*Object{a.After}, made...)
	}
	if diff := cmp.Diff([]string{"CustomResourceDefinition created", "Namespace created", "Widget created"}, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	typo := widget.DeepCopy()
	typo.Object["spec"] = map[string]any{"siez": int64(3)}
	var refused *Refused
	if _, err := c.Apply(t.Context(), typo); !errors.As(err, &refused) || refused.Text != "spec.siez: unknown field" {
		t.Errorf("an unknown field: got %v", err)
	}
	if err := c.DeleteAll(t.Context(), made); err != nil {
		t.Fatal(err)
	}
	var none *NoKind
	if _, err := c.Of(widget.GroupVersionKind()); !errors.As(err, &none) {
		t.Errorf("after its definition is gone: %v, want that it is not served", err)
	}
}

func TestReadyAndFind(t *testing.T) {
	c := sandbox(t, "cluster1")
	kind := schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}
	deployments, err := c.List(t.Context(), kind, "istio-system", nil)
	if err != nil || len(deployments) == 0 {
		t.Fatalf("%d deployments in istio-system, %v", len(deployments), err)
	}
	if err := c.Ready(t.Context(), deployments, time.Minute, nil); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"services": "services", "deployments.apps": "deployments.apps", "virtualservices.networking.istio.io": "virtualservices.networking.istio.io"} {
		if got, err := c.Find(name); err != nil || got.String() != want || !got.Namespaced {
			t.Errorf("Find(%s) = %v, %v", name, got, err)
		}
	}
	var none *NoKind
	if _, err := c.Of(schema.GroupVersionKind{Group: "apps", Version: "v9", Kind: "Deployment"}); !errors.As(err, &none) || !slices.Contains(none.Similar, "apps/v1") {
		t.Errorf("apps/v9: %v, want to be told of apps/v1", err)
	}
}

// A controller may call an object invalid until it has seen another one.
func TestAPassingRefusalIsNoFailure(t *testing.T) {
	c := sandbox(t, "mgmt")
	applied := apply(t, c, object(t, fmt.Sprintf(settings, "assay-refusal"))).After
	looks, refusals := 0, 2
	rule := func(map[string]any) (Readiness, bool) {
		looks++
		return Readiness{Ready: looks > refusals, Failed: looks <= refusals, Why: "no such gateway"}, true
	}
	if err := c.Ready(t.Context(), []*Object{applied}, 0, rule); err != nil || looks != refusals+1 {
		t.Errorf("%d looks: %v, want it ready", looks, err)
	}
	refusals = math.MaxInt
	var never *Never
	if err := c.Ready(t.Context(), []*Object{applied}, 0, rule); !errors.As(err, &never) || never.Why != "no such gateway" {
		t.Errorf("got %v, want the lasting refusal to end the wait", err)
	}
}

func TestWarningsAreKept(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, `
apiVersion: v1
kind: Pod
metadata: {name: assay-warns, namespace: default, annotations: {seccomp.security.alpha.kubernetes.io/pod: runtime/default}}
spec: {containers: [{name: a, image: "example.com/none:1"}], nodeSelector: {beta.kubernetes.io/arch: none}}
`)
	apply(t, c, o)
	if w := c.Warnings(); len(w) == 0 || !strings.Contains(strings.Join(w, " "), "deprecated") {
		t.Errorf("warnings %q, want the deprecated label named", w)
	}
	if w := c.Warnings(); len(w) > 0 {
		t.Errorf("again %q, want them forgotten", w)
	}
}

// Credentials that the server does not know are told as such.
func TestConnectTellsExpiredCredentials(t *testing.T) {
	sandbox(t, "mgmt")
	source, err := os.ReadFile(os.Getenv("ASSAY_SANDBOX"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := yaml.Unmarshal(source, &config); err != nil {
		t.Fatal(err)
	}
	for _, u := range config["users"].([]any) {
		u.(map[string]any)["user"] = map[string]any{"token": "stale"}
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	path := t.TempDir() + "/kubeconfig"
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Connect(t.Context(), "mgmt", path, "mgmt")
	if err == nil || !strings.Contains(err.Error(), "does not accept the credentials") || !strings.Contains(err.Error(), "log in again") {
		t.Errorf("got %v", err)
	}
}
