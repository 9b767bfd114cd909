package crd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubejson "sigs.k8s.io/json"

	"github.com/meshassay/assay/sandbox/crd"
)

// TestDefinitionsDecode reads every definition as the API server's own type,
// strictly: a field that is misspelt here would be dropped there.
func TestDefinitionsDecode(t *testing.T) {
	for _, set := range []crd.Set{crd.Istio, crd.GlooMesh, crd.Sandbox} {
		t.Run(string(set), func(t *testing.T) {
			definitions, err := crd.Definitions(set)
			if err != nil && set == crd.Istio && strings.Contains(err.Error(), "go run ./crd/fetch") {
				t.Skip("Istio's definitions were not fetched: ", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			names := map[string]bool{}
			for _, d := range definitions {
				data, err := json.Marshal(d.Object)
				if err != nil {
					t.Fatal(err)
				}
				var typed apiextensions.CustomResourceDefinition
				strict, err := kubejson.UnmarshalStrict(data, &typed)
				if err != nil || len(strict) != 0 {
					t.Errorf("%s: %v %v", d.GetName(), err, strict)
				}
				if want := typed.Spec.Names.Plural + "." + typed.Spec.Group; typed.Name != want || names[want] {
					t.Errorf("name: got %s, want %s, once", typed.Name, want)
				}
				names[typed.Name] = true
				if len(crd.Missing(definitions, nil)) == 0 {
					t.Errorf("%s serves no version", typed.Name)
				}
			}
		})
	}
}

func TestMissing(t *testing.T) {
	definition := func(plural string, versions ...any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
			"group": "example.com", "names": map[string]any{"plural": plural}, "versions": versions,
		}}}
	}
	version := func(name string, served bool) any { return map[string]any{"name": name, "served": served} }
	definitions := []*unstructured.Unstructured{
		definition("apples", version("v1", true), version("v2", true), version("v3", false)),
		definition("pears", version("v1", true)),
	}
	lists := []*metav1.APIResourceList{
		{GroupVersion: "example.com/v1", APIResources: []metav1.APIResource{{Name: "apples"}, {Name: "apples/status"}}},
		{GroupVersion: "other.com/v1", APIResources: []metav1.APIResource{{Name: "pears"}}},
	}
	want := []string{"example.com/v2/apples", "example.com/v1/pears"}
	if diff := cmp.Diff(want, crd.Missing(definitions, lists)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestUnknownSet(t *testing.T) {
	if _, err := crd.Definitions("nothing"); err == nil {
		t.Error("a set that does not exist has definitions")
	}
}
