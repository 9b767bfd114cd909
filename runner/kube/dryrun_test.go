package kube

import (
	"errors"
	"strings"
	"testing"
)

// A dry run says what an apply would say, and changes nothing.
func TestDryRun(t *testing.T) {
	c := sandbox(t, "mgmt")
	policy := func(kind, name string, spec map[string]any) *Object {
		return &Object{Object: map[string]any{
			"apiVersion": "networking.mesh.gloo.solo.io/v1", "kind": kind,
			"metadata": map[string]any{"name": name, "namespace": "gloo-mesh"}, "spec": spec,
		}}
	}
	good := policy("TrafficPolicy", "assay-dry-run", map[string]any{"policy": map[string]any{}})
	if err := c.DryRun(t.Context(), good); err != nil {
		t.Error(err)
	}
	if live, err := c.Get(t.Context(), good.GroupVersionKind(), "gloo-mesh", "assay-dry-run"); err != nil || live != nil {
		t.Errorf("it is there: %v %v", live, err)
	}
	var refused *Refused
	err := c.DryRun(t.Context(), policy("TrafficPolicy", "assay-dry-run", map[string]any{"polcy": map[string]any{}}))
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "spec.polcy: unknown field") {
		t.Errorf("an unknown field: %v", err)
	}
	var none *NoKind
	if err := c.DryRun(t.Context(), policy("TraficPolicy", "assay-dry-run", nil)); !errors.As(err, &none) {
		t.Errorf("an unknown kind: %v", err)
	}
}
