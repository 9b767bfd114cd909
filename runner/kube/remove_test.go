package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What is not there is no error; a kind that is not served is one, and the last
// of the manifests comes first.
func TestFindAll(t *testing.T) {
	c := sandbox(t, "mgmt")
	here := apply(t, c, object(t, fmt.Sprintf(settings, "assay-found"))).After
	absent := object(t, fmt.Sprintf(settings, "assay-absent"))
	manifest := object(t, fmt.Sprintf(settings, "assay-found"))
	manifest.SetNamespace("") // it is where Apply would put it
	found, err := c.FindAll(t.Context(), []*Object{manifest, absent})
	if err != nil || len(found) != 2 {
		t.Fatal(found, err)
	}
	if found[0].Live != nil || found[0].Manifest != absent {
		t.Errorf("first %v, want the one that is not there", found[0])
	}
	if live := found[1].Live; live == nil || live.GetUID() != here.GetUID() || found[1].Resource != "configmaps" || found[1].Going() {
		t.Errorf("second %v, want the one that is there", found[1])
	}
	none := &Object{Object: map[string]any{"apiVersion": "example.com/v1", "kind": "Nothing", "metadata": map[string]any{"name": "x"}}}
	var of *ObjectError
	if _, err := c.FindAll(t.Context(), []*Object{none}); !errors.As(err, &of) || !strings.Contains(err.Error(), "serves no example.com/v1 Nothing") {
		t.Errorf("got %v", err)
	}
}

// A finalizer that nobody takes away must not make a deletion wait for ever;
// and who puts back what is on its way out waits until it is gone.
func TestDeleteSaysWhatKeepsAnObject(t *testing.T) {
	c := sandbox(t, "mgmt")
	o := object(t, fmt.Sprintf(settings, "assay-held"))
	o.SetFinalizers([]string{"example.com/held"})
	before := apply(t, c, o).After
	release := func() {
		patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`))
		if err := c.api().Patch(context.WithoutCancel(t.Context()), o.DeepCopy(), patch); err != nil {
			t.Error(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err := c.DeleteAll(ctx, []*Object{before})
	var late *NotYet
	if !errors.As(err, &late) || !strings.Contains(err.Error(), "it is being deleted, its finalizers are example.com/held") {
		t.Errorf("got %v, want to be told what keeps it", err)
	}
	if found, err := c.FindAll(t.Context(), []*Object{o}); err != nil || !found[0].Going() {
		t.Errorf("found %v, %v, want it going", found, err)
	}
	ended := make(chan error)
	go func() { ended <- c.Restore(t.Context(), before) }()
	release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	live := read(t, c, o)
	if live == nil || live.GetUID() == before.GetUID() || !Same(before, live) {
		t.Fatalf("put back as %v, want another that is the same", live)
	}
	release()
	if err := c.Delete(t.Context(), live); err != nil {
		t.Error(err)
	}
}

// What takes others along is refused by whoever must be able to put it back.
func TestTakesAlong(t *testing.T) {
	for kind, want := range map[schema.GroupKind]bool{
		{Kind: "Namespace"}: true, kindCRD.GroupKind(): true, {Kind: "PersistentVolumeClaim"}: true,
		{Kind: "ConfigMap"}: false, {Group: "apps", Kind: "Deployment"}: false, {Group: "example.com", Kind: "Namespace"}: false,
	} {
		if got := TakesAlong(kind); (got != "") != want {
			t.Errorf("%s: %q", kind, got)
		}
	}
}
