package gloomesh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	schemagvk "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// crdSchema is what an API server makes of one CRD: what it refuses (an unknown
// field, a wrong type, a oneOf) is decided by these two.
type crdSchema struct {
	structural *schema.Structural
	validator  validation.SchemaValidator
	raw        *apiextensions.JSONSchemaProps
}

// loadSchemas reads every CRD that the sandbox installs for Gloo Mesh.
func loadSchemas(t testing.TB) map[schemagvk.GroupVersionKind]crdSchema {
	t.Helper()
	files, err := filepath.Glob("../crd/gloomesh/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no CRDs found: %v", err)
	}
	out := map[schemagvk.GroupVersionKind]crdSchema{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(data, &crd); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if want := crd.Spec.Names.Plural + "." + crd.Spec.Group; crd.Name != want {
			t.Errorf("%s: metadata.name is %s, want %s", file, crd.Name, want)
		}
		if want := crd.Spec.Group + "_" + crd.Spec.Names.Plural + ".yaml"; filepath.Base(file) != want {
			t.Errorf("%s: want the file name %s", file, want)
		}
		for _, v := range crd.Spec.Versions {
			var internal apiextensions.JSONSchemaProps
			if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &internal, nil); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			structural, err := schema.NewStructural(&internal)
			if err != nil {
				t.Fatalf("%s: not structural: %v", file, err)
			}
			if errs := schema.ValidateStructural(field.NewPath("schema"), structural); len(errs) > 0 {
				t.Fatalf("%s: %v", file, errs.ToAggregate())
			}
			validator, _, err := validation.NewSchemaValidator(&internal)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			out[schemagvk.GroupVersionKind{Group: crd.Spec.Group, Version: v.Name, Kind: crd.Spec.Names.Kind}] = crdSchema{structural, validator, &internal}
		}
	}
	return out
}

// refusals is what an API server would answer to obj under strict field validation.
func (s crdSchema) refusals(obj *unstructured.Unstructured) []string {
	var out []string
	options := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	for _, p := range pruning.PruneWithOptions(obj.DeepCopy().Object, s.structural, true, options) {
		out = append(out, fmt.Sprintf("unknown field %q", p))
	}
	for _, e := range validation.ValidateCustomResource(nil, obj.Object, s.validator) {
		out = append(out, e.Error())
	}
	return out
}

// readObjects decodes every document of a YAML file.
func readObjects(t testing.TB, data []byte) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(data), 4096)
	for {
		obj := map[string]any{}
		err := decoder.Decode(&obj)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(obj) > 0 {
			// numbers as the API machinery holds them: int64, not float64
			out = append(out, &unstructured.Unstructured{Object: runtime.DeepCopyJSON(normal(obj).(map[string]any))})
		}
	}
}

// normal turns the float64 that encoding/json makes of whole numbers into int64.
func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = normal(x)
		}
	case []any:
		for i, x := range v {
			v[i] = normal(x)
		}
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	}
	return v
}

func TestEveryKindHasASchema(t *testing.T) {
	schemas := loadSchemas(t)
	for _, want := range []string{
		"networking.mesh.gloo.solo.io/v1, Kind=TrafficPolicy",
		"networking.mesh.gloo.solo.io/v1, Kind=AccessPolicy",
		"networking.mesh.gloo.solo.io/v1, Kind=VirtualMesh",
		"networking.enterprise.mesh.gloo.solo.io/v1beta1, Kind=VirtualGateway",
		"networking.enterprise.mesh.gloo.solo.io/v1beta1, Kind=VirtualHost",
		"networking.enterprise.mesh.gloo.solo.io/v1beta1, Kind=RouteTable",
		"discovery.mesh.gloo.solo.io/v1, Kind=Mesh",
		"discovery.mesh.gloo.solo.io/v1, Kind=Workload",
		"discovery.mesh.gloo.solo.io/v1, Kind=Destination",
		"multicluster.solo.io/v1alpha1, Kind=KubernetesCluster",
	} {
		found := false
		for gvk := range schemas {
			found = found || gvk.String() == want
		}
		if !found {
			t.Errorf("no schema for %s", want)
		}
	}
	if len(schemas) != 10 {
		t.Errorf("got %d schemas, want 10", len(schemas))
	}
}

// A field may not be known to one object's policy and unknown to another's: the
// API has one Policy message for all three.
func TestPolicyIsTheSameWhereverItStands(t *testing.T) {
	schemas := loadSchemas(t)
	at := func(kind string, group string, path ...string) schema.Structural {
		for gvk, s := range schemas {
			if gvk.Kind != kind || gvk.Group != group {
				continue
			}
			node := *s.structural
			for _, p := range path {
				if p == "[]" {
					node = *node.Items
				} else {
					node = node.Properties[p]
				}
			}
			return node
		}
		t.Fatalf("no schema for %s", kind)
		return schema.Structural{}
	}
	const enterprise = "networking.enterprise.mesh.gloo.solo.io"
	want := at("TrafficPolicy", "networking.mesh.gloo.solo.io", "spec", "policy")
	if len(want.Properties) < 13 {
		t.Fatalf("the policy has only %d fields", len(want.Properties))
	}
	for _, got := range []schema.Structural{
		at("VirtualHost", enterprise, "spec", "options", "trafficPolicy"),
		at("VirtualHost", enterprise, "spec", "routes", "[]", "options"),
		at("RouteTable", enterprise, "spec", "routes", "[]", "options"),
	} {
		if g, w := fmt.Sprint(fieldsOf(got)), fmt.Sprint(fieldsOf(want)); g != w {
			t.Errorf("policy differs:\ngot  %s\nwant %s", g, w)
		}
	}
}

// fieldsOf lists every field below s with its type.
func fieldsOf(s schema.Structural) map[string]string {
	out := map[string]string{}
	var walk func(path string, s schema.Structural)
	walk = func(path string, s schema.Structural) {
		out[path] = s.Type
		for name, p := range s.Properties {
			walk(strings.TrimPrefix(path+"."+name, "."), p)
		}
		if s.Items != nil {
			walk(path+"[]", *s.Items)
		}
		if s.AdditionalProperties != nil && s.AdditionalProperties.Structural != nil {
			walk(path+"{}", *s.AdditionalProperties.Structural)
		}
	}
	walk("", s)
	return out
}
