package kube

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TakesAlong says what else goes when an object of a kind is deleted and cannot
// be put back, because nobody has read it: "everything in it"; "" when nothing
// does. What a controller makes of an object (pods of a Deployment) it makes again.
func TakesAlong(kind schema.GroupKind) string {
	switch kind {
	case schema.GroupKind{Kind: "Namespace"}:
		return "everything in it"
	case kindCRD.GroupKind():
		return "every object of its kind"
	case schema.GroupKind{Kind: "PersistentVolumeClaim"}, schema.GroupKind{Kind: "PersistentVolume"}:
		return "the data on it"
	}
	return ""
}

// Found is an object as it is before it is deleted.
type Found struct {
	Resource string  // "trafficpolicies.networking.mesh.gloo.solo.io"
	Live     *Object // nil: there is none
	Manifest *Object
}

// Going reports whether somebody has deleted the object already, and it is on
// its way out.
func (f Found) Going() bool { return f.Live != nil && f.Live.GetDeletionTimestamp() != nil }

// FindAll reads the objects that manifests are about, in the reverse of the
// order in which they are applied, so that what refers to another goes first.
// A namespaced object without a namespace is looked for where Apply would put
// it. The error is an *ObjectError; a kind that is not served is one, too.
func (c *Cluster) FindAll(ctx context.Context, manifests []*Object) ([]Found, error) {
	var all []Found
	for _, manifest := range slices.Backward(Order(manifests)) {
		f, err := c.find(ctx, manifest)
		if err != nil {
			return nil, &ObjectError{Cluster: c.Name, Object: manifest, Err: err}
		}
		all = append(all, f)
	}
	return all, nil
}

func (c *Cluster) find(ctx context.Context, manifest *Object) (Found, error) {
	kind := manifest.GroupVersionKind()
	resource, err := c.Of(kind)
	if err != nil {
		return Found{}, err
	}
	namespace := manifest.GetNamespace()
	switch {
	case !resource.Namespaced:
		namespace = ""
	case namespace == "":
		namespace = "default"
	}
	f := Found{Resource: resource.String(), Manifest: manifest}
	err = c.Until(ctx, againLimit, func(ctx context.Context) (_ bool, _ string, err error) {
		f.Live, err = c.Get(ctx, kind, namespace, manifest.GetName())
		return err == nil, "", err
	})
	if apierrors.IsForbidden(err) {
		err = plainly(err)
	}
	return f, err
}
