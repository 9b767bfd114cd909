package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Object is one Kubernetes object as plain data.
type Object = unstructured.Unstructured

// Describe names an object for a person: "trafficpolicy gloo-mesh/canary".
func Describe(o *Object) string {
	name := o.GetName()
	if ns := o.GetNamespace(); ns != "" {
		name = ns + "/" + name
	}
	return strings.ToLower(o.GetKind()) + " " + name
}

// Resource is a kind that an API server serves.
type Resource struct {
	Kind       schema.GroupVersionKind
	Plural     string // "trafficpolicies"
	Namespaced bool
}

// String is the resource as kubectl takes it: "trafficpolicies.networking.mesh.gloo.solo.io".
func (r Resource) String() string {
	if r.Kind.Group == "" {
		return r.Plural
	}
	return r.Plural + "." + r.Kind.Group
}

// NoKind says that an API server does not serve a kind or resource. Similar
// are the resources that it serves under the same name or group.
type NoKind struct {
	Cluster, Wanted string
	Similar         []string
}

func (e *NoKind) Error() string {
	text := fmt.Sprintf("cluster %s serves no %s", e.Cluster, e.Wanted)
	if len(e.Similar) > 0 {
		text += " (it serves " + strings.Join(e.Similar, ", ") + ")"
	}
	return text
}

// Of resolves the kind of an object: its resource and whether it lives in a
// namespace. A kind that is not served is a *NoKind.
func (c *Cluster) Of(kind schema.GroupVersionKind) (Resource, error) {
	m, err := c.api().RESTMapper().RESTMapping(kind.GroupKind(), kind.Version)
	if isNoKind(err) {
		return Resource{}, &NoKind{Cluster: c.Name, Wanted: kind.GroupVersion().String() + " " + kind.Kind, Similar: c.versions(kind.GroupKind())}
	}
	if err != nil {
		return Resource{}, err
	}
	return resourceOf(m), nil
}

func resourceOf(m *meta.RESTMapping) Resource {
	return Resource{
		Kind:       m.GroupVersionKind,
		Plural:     m.Resource.Resource,
		Namespaced: m.Scope.Name() == meta.RESTScopeNameNamespace,
	}
}

// versions lists the versions in which a kind is served, when the one wanted is not.
func (c *Cluster) versions(kind schema.GroupKind) []string {
	mappings, err := c.api().RESTMapper().RESTMappings(kind)
	if err != nil {
		return nil
	}
	var known []string
	for _, m := range mappings {
		known = append(known, m.GroupVersionKind.GroupVersion().String())
	}
	slices.Sort(known)
	return known
}

// Find resolves a resource by the name that kubectl takes: "services",
// "deployments.apps", "trafficpolicies.networking.mesh.gloo.solo.io". One that
// is not served is a *NoKind.
func (c *Cluster) Find(name string) (Resource, error) {
	plural, group, _ := strings.Cut(name, ".")
	mapper := c.api().RESTMapper()
	kind, err := mapper.KindFor(schema.GroupVersionResource{Group: group, Resource: plural})
	if isNoKind(err) {
		return Resource{}, &NoKind{Cluster: c.Name, Wanted: "resource " + name}
	}
	var ambiguous *meta.AmbiguousResourceError
	if errors.As(err, &ambiguous) {
		return Resource{}, fmt.Errorf("cluster %s serves several resources called %s: add the group (%s.GROUP)", c.Name, name, plural)
	}
	if err != nil {
		return Resource{}, err
	}
	return c.Of(kind)
}

// Get reads one object; nil without an error when there is none.
func (c *Cluster) Get(ctx context.Context, kind schema.GroupVersionKind, namespace, name string) (*Object, error) {
	o := &Object{}
	o.SetGroupVersionKind(kind)
	err := c.api().Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, o)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, c.explain(err, kind)
	}
	return o, nil
}

// List reads all objects of a kind, in one namespace or (when empty) in all,
// sorted by namespace and name. Labels, when given, must all match.
func (c *Cluster) List(ctx context.Context, kind schema.GroupVersionKind, namespace string, labels map[string]string) ([]*Object, error) {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind + "List"})
	err := c.api().List(ctx, list, client.InNamespace(namespace), client.MatchingLabels(labels))
	if err != nil {
		return nil, c.explain(err, kind)
	}
	objects := make([]*Object, 0, len(list.Items))
	for i := range list.Items {
		objects = append(objects, &list.Items[i])
	}
	slices.SortFunc(objects, func(a, b *Object) int {
		return strings.Compare(a.GetNamespace()+"\x00"+a.GetName(), b.GetNamespace()+"\x00"+b.GetName())
	})
	return objects, nil
}

// explain turns "no match" into a *NoKind and leaves everything else.
func (c *Cluster) explain(err error, kind schema.GroupVersionKind) error {
	if isNoKind(err) {
		return &NoKind{Cluster: c.Name, Wanted: kind.GroupVersion().String() + " " + kind.Kind, Similar: c.versions(kind.GroupKind())}
	}
	return err
}
