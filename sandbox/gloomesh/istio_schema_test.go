package gloomesh

import (
	"context"
	"math"
	"strings"
	"testing"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/meshassay/assay/sandbox/crd"
)

// istioKind is what an API server makes of one of Istio's definitions, its
// rules in CEL among it; the one version v1.
type istioKind struct {
	crdSchema
	rules *cel.Validator
}

// istioSchemas reads Istio's own definitions; false where they were not fetched.
func istioSchemas(t *testing.T) (map[string]istioKind, bool) {
	t.Helper()
	definitions, err := crd.Definitions(crd.Istio)
	if err != nil {
		if strings.Contains(err.Error(), "go run ./crd/fetch") {
			return nil, false
		}
		t.Fatal(err)
	}
	out := map[string]istioKind{}
	for _, d := range definitions {
		var typed apiextensionsv1.CustomResourceDefinition
		must(runtime.DefaultUnstructuredConverter.FromUnstructured(d.Object, &typed))
		for _, v := range typed.Spec.Versions {
			if v.Name != "v1" {
				continue
			}
			var internal apiextensions.JSONSchemaProps
			must(apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(v.Schema.OpenAPIV3Schema, &internal, nil))
			structural, err := schema.NewStructural(&internal)
			must(err)
			validator, _, err := validation.NewSchemaValidator(&internal)
			must(err)
			out[typed.Spec.Names.Kind] = istioKind{crdSchema{structural, validator, &internal}, cel.NewValidator(structural, true, celconfig.PerCallLimit)}
		}
	}
	return out, true
}

// Whatever is translated, Istio's own API takes it.
func TestIstioTakesWhatIsTranslated(t *testing.T) {
	kinds, fetched := istioSchemas(t)
	if !fetched {
		t.Skip("Istio's definitions were not fetched (go run ./crd/fetch)")
	}
	seen := map[string]bool{}
	for _, files := range [][]string{
		{virtualMeshFile, gatewayFile, divideFile},
		{virtualMeshFile, gatewayFile, "testdata/browsers.yaml"},
		{virtualMeshFile, gatewayFile, "testdata/policy.yaml"},
		{virtualMeshFile, "testdata/options.yaml"},
		{virtualMeshFile, "testdata/delegation.yaml"},
		{virtualMeshFile, gatewayFile, "testdata/access.yaml"},
	} {
		for cluster, objects := range Translate(tutorial(t, files...)).Objects {
			for _, o := range objects {
				k, ok := kinds[o.GetKind()]
				if !ok {
					t.Errorf("%s: %s is no kind of Istio", cluster, o.GetKind())
					continue
				}
				seen[o.GetKind()] = true
				refused := k.refusals(o.Unstructured)
				if k.rules != nil {
					errs, _ := k.rules.Validate(context.Background(), nil, k.structural, o.Object, nil, math.MaxInt64)
					for _, e := range errs {
						refused = append(refused, e.Error())
					}
				}
				for _, why := range refused {
					t.Errorf("%s of %v: %s %s: %s", cluster, files, o.GetKind(), o.GetName(), why)
				}
			}
		}
	}
	for _, kind := range []string{"VirtualService", "DestinationRule", "Gateway", "ServiceEntry"} {
		if !seen[kind] {
			t.Errorf("nothing was translated to a %s", kind)
		}
	}
}
