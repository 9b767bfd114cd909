package kube

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What a controller makes of another object comes and goes with that, and is
// nobody's to compare; what people write is, whatever its kind.
func TestInventoryLeavesOutWhatControllersMake(t *testing.T) {
	const destination = "apiVersion: discovery.mesh.gloo.solo.io/v1\nkind: Destination\n"
	kind := schema.GroupKind{Group: "discovery.mesh.gloo.solo.io", Kind: "Destination"}
	i := &Inventory{Objects: map[string]*Object{}, Kinds: map[schema.GroupKind]bool{}, Unread: map[schema.GroupKind]string{}}
	byHand := object(t, destination+"metadata: {namespace: gloo-mesh, name: by-hand, labels: {cluster.discovery.mesh.gloo.solo.io: cluster1}}")
	i.add(kind, []*Object{
		byHand,
		object(t, destination+"metadata: {namespace: gloo-mesh, name: discovered, labels: {owner.discovery.mesh.gloo.solo.io: gloo-mesh}}"),
		object(t, destination+"metadata: {namespace: gloo-mesh, name: owned, ownerReferences: [{kind: X, name: x, controller: true}]}"),
	}, nil)
	if diff := cmp.Diff([]string{Identity(byHand)}, slices.Collect(maps.Keys(i.Objects))); diff != "" {
		t.Errorf("objects (-want +got):\n%s", diff)
	}
}
