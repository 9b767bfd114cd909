package kube

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// DryRun asks the API server whether it would take an object, by everything
// that decides on that (schema, validation, webhooks that allow it), and changes
// nothing. The error says why not; a kind that is not served is a *NoKind.
func (c *Cluster) DryRun(ctx context.Context, manifest *Object) error {
	o := manifest.DeepCopy()
	resource, err := c.Of(o.GroupVersionKind())
	if err != nil {
		return err
	}
	switch {
	case resource.Namespaced && o.GetNamespace() == "":
		o.SetNamespace("default")
	case !resource.Namespaced && o.GetNamespace() != "":
		return &Refused{Text: fmt.Sprintf("has metadata.namespace %q, but a %s lives in no namespace", o.GetNamespace(), o.GetKind())}
	}
	body, err := json.Marshal(o.Object)
	if err != nil {
		return err
	}
	return plainly(c.api().Patch(ctx, o, client.RawPatch(types.ApplyPatchType, body), client.DryRunAll,
		client.FieldOwner(Manager), client.ForceOwnership, client.FieldValidation(metav1.FieldValidationStrict)))
}
