// Package bootstrap makes the objects that a reader finds in the clusters at
// the start: Istio's in the workload clusters, Gloo Mesh's in the management
// cluster, as the tutorial's set-up chapter leaves them. Every one is labelled
// app.kubernetes.io/managed-by: sandbox.
//
// It is for the sandbox's main program. It makes nothing that is the
// tutorial's own: that is what scenarios apply.
package bootstrap

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"text/template"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

const (
	fieldManager = "sandbox"
	managedBy    = "app.kubernetes.io/managed-by"
)

//go:embed objects/*.yaml
var files embed.FS

// resources are the kinds used here. Not discovery: the start is faster
// without, and knows what it makes.
var resources = map[schema.GroupKind]schema.GroupVersionResource{
	{Kind: "Namespace"}:                                        {Version: "v1", Resource: "namespaces"},
	{Kind: "ServiceAccount"}:                                   {Version: "v1", Resource: "serviceaccounts"},
	{Kind: "Service"}:                                          {Version: "v1", Resource: "services"},
	{Group: "apps", Kind: "Deployment"}:                        deployments,
	{Group: "networking.istio.io", Kind: "Gateway"}:            {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	{Group: "networking.istio.io", Kind: "VirtualService"}:     {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	{Group: "multicluster.solo.io", Kind: "KubernetesCluster"}: {Group: "multicluster.solo.io", Version: "v1alpha1", Resource: "kubernetesclusters"},
	{Group: "discovery.mesh.gloo.solo.io", Kind: "Mesh"}:       {Group: "discovery.mesh.gloo.solo.io", Version: "v1", Resource: "meshes"},
}

var deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}

// Management returns the objects of the management cluster, with which the
// workload clusters of these names are registered.
func Management(clusters []string) ([]*unstructured.Unstructured, error) {
	return read("management", struct{ Clusters []string }{clusters})
}

// Workload returns the objects of a workload cluster whose ingress gateway
// answers at that port.
func Workload(gatewayPort int) ([]*unstructured.Unstructured, error) {
	return read("workload", struct{ GatewayPort int }{gatewayPort})
}

// VM returns the objects by which a client of the VM is found, for the cluster
// that the VM belongs to; its proxy answers at that port.
func VM(proxyPort int) ([]*unstructured.Unstructured, error) {
	return read("vm", struct{ ProxyPort int }{proxyPort})
}

func read(name string, values any) ([]*unstructured.Unstructured, error) {
	manifest, err := template.ParseFS(files, "objects/"+name+".yaml")
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := manifest.Execute(&text, values); err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for document := range bytes.SplitSeq(text.Bytes(), []byte("\n---\n")) {
		o := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict(document, &o.Object); err != nil {
			return nil, fmt.Errorf("%s.yaml: %w", name, err)
		}
		labels := o.GetLabels()
		if labels == nil {
			labels = map[string]string{}
		}
		labels[managedBy] = "sandbox"
		o.SetLabels(labels)
		objects = append(objects, o)
	}
	return objects, nil
}

// Apply applies the objects, those of one rank at once, and may be repeated.
func Apply(ctx context.Context, client dynamic.Interface, objects []*unstructured.Unstructured) error {
	ranks := make([][]*unstructured.Unstructured, 3)
	for _, o := range objects {
		ranks[rank(o)] = append(ranks[rank(o)], o)
	}
	for _, rank := range ranks {
		errs := make(chan error, len(rank))
		for _, o := range rank {
			go func() { errs <- apply(ctx, client, o) }()
		}
		var all []error
		for range rank {
			all = append(all, <-errs)
		}
		if err := errors.Join(all...); err != nil {
			return err
		}
	}
	return nil
}

// rank orders what depends on each other: nothing can be in a namespace that
// does not exist, and no pod starts before its service account.
func rank(o *unstructured.Unstructured) int {
	switch o.GetKind() {
	case "Namespace":
		return 0
	case "ServiceAccount":
		return 1
	}
	return 2
}

func apply(ctx context.Context, client dynamic.Interface, o *unstructured.Unstructured) error {
	resource, ok := resources[o.GroupVersionKind().GroupKind()]
	if !ok {
		return fmt.Errorf("%s %s: a kind that is not in the table of resources", o.GetKind(), o.GetName())
	}
	_, err := client.Resource(resource).Namespace(o.GetNamespace()).Apply(ctx, o.GetName(), o,
		metav1.ApplyOptions{FieldManager: fieldManager, Force: true})
	if err != nil {
		return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

// WaitAvailable waits until every Deployment of the objects is available, so
// that a reader's first look finds all pods running.
func WaitAvailable(ctx context.Context, client dynamic.Interface, objects []*unstructured.Unstructured) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		for {
			now, err := client.Resource(deployments).Namespace(o.GetNamespace()).Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				return fmt.Errorf("Deployment %s: %w", o.GetName(), err)
			}
			wanted, _, _ := unstructured.NestedInt64(now.Object, "spec", "replicas")
			available, _, _ := unstructured.NestedInt64(now.Object, "status", "availableReplicas")
			if available >= wanted {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("waiting for Deployment %s: %d of %d pods are available: %w", o.GetName(), available, wanted, ctx.Err())
			case <-tick.C:
			}
		}
	}
	return nil
}
