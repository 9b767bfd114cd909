package kube

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestOriginOfAField(t *testing.T) {
	const source = `# two documents
kind: Namespace
apiVersion: v1
metadata: {name: shop}
---
# the second
apiVersion: example.com/v1
kind: Split
metadata:
  name: split
spec:
  to:
  - name: blue
    wieght: 50
  - {name: green,
     weight: x}
`
	manifests, problems := Decode("m.yaml", []byte(source))
	if len(manifests) != 2 || len(problems) > 0 {
		t.Fatalf("got %v, %v", manifests, problems)
	}
	for _, tt := range []struct{ field, want string }{
		{"spec.to[0].wieght", "m.yaml:14"},
		{"spec.to[1].weight", "m.yaml:16"},
		{"spec.to[2].weight", "m.yaml:12"},
		{`spec.to[name="blue"].wieght`, "m.yaml:12"},
		{"metadata.name", "m.yaml:10"},
		{"status", "m.yaml:7"},
		{"", "m.yaml:7"},
	} {
		if got := manifests[1].OriginOf(tt.field); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.field, got, tt.want)
		}
	}
	if got := manifests[0].OriginOf("metadata.name"); got != "m.yaml:4" {
		t.Errorf("the first document: got %s", got)
	}
	if got := (Manifest{File: "overlay"}).OriginOf("spec"); got != "overlay" {
		t.Errorf("a folder: got %s", got)
	}
}

func TestMisfits(t *testing.T) {
	for _, tt := range []struct{ text, want, field string }{
		{".spec.policy.trafficShfit: field not declared in schema", "spec.policy.trafficShfit: unknown field", "spec.policy.trafficShfit"},
		{"errors:\n  .spec.to[0].wieght: field not declared in schema\n  .spec.to[1].weight: expected numeric (int or float), got string\n",
			"spec.to[0].wieght: unknown field; spec.to[1].weight: expected numeric (int or float), got string", "spec.to[0].wieght"},
		{"something else", "something else", ""},
	} {
		if got, field := misfits(tt.text); got != tt.want || field != tt.field {
			t.Errorf("%q: got %q and %q", tt.text, got, field)
		}
	}
}

// What is invalid is told without what follows from it, and with its field.
func TestInvalidObjects(t *testing.T) {
	status := metav1.Status{Status: metav1.StatusFailure, Code: 422, Reason: metav1.StatusReasonInvalid,
		Message: `X "shop" is invalid: [spec.mode: Unsupported value: "A"` + unchecked + "]",
		Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Field: "<nil>"}, {Field: "spec.mode"}, {Field: "spec.other"}}}}
	var refused *Refused
	if err := plainly(&apierrors.StatusError{ErrStatus: status}); !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	if want := `X "shop" is invalid: [spec.mode: Unsupported value: "A"]`; refused.Text != want || refused.Field != "spec.mode" {
		t.Errorf("got %q and %q", refused.Text, refused.Field)
	}
}
