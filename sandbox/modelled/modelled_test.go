package modelled_test

import (
	"io"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"

	"github.com/meshassay/assay/sandbox/modelled"
)

func TestValidate(t *testing.T) {
	plugins := admission.NewPlugins()
	modelled.Register(plugins)
	chain, err := plugins.NewFromPlugins([]string{modelled.Plugin}, noConfiguration{}, admission.PluginInitializers{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	const nothing = "the sandbox does not model this kind: nothing would ever come of it"
	for _, test := range []struct {
		resource, subresource string
		operation             admission.Operation
		want                  string // "" is allowed
	}{
		{"statefulsets.v1.apps", "", admission.Create, `statefulsets.apps "x" is forbidden: ` + nothing + "; use a Deployment"},
		{"daemonsets.v1.apps", "", admission.Create, `daemonsets.apps "x" is forbidden: ` + nothing + "; use a Deployment"},
		{"cronjobs.v1.batch", "", admission.Create, `cronjobs.batch "x" is forbidden: ` + nothing + "; use a Job"},
		{"ingresses.v1.networking.k8s.io", "", admission.Create, `ingresses.networking.k8s.io "x" is forbidden: ` + nothing + "; use Istio's VirtualService"},
		{"networkpolicies.v1.networking.k8s.io", "", admission.Create, `networkpolicies.networking.k8s.io "x" is forbidden: ` + nothing},
		{"horizontalpodautoscalers.v2.autoscaling", "", admission.Create, `horizontalpodautoscalers.autoscaling "x" is forbidden: ` + nothing},
		{"poddisruptionbudgets.v1.policy", "", admission.Create, `poddisruptionbudgets.policy "x" is forbidden: ` + nothing},
		{"persistentvolumeclaims.v1.", "", admission.Create, `persistentvolumeclaims "x" is forbidden: ` + nothing},
		{"resourcequotas.v1.", "", admission.Create, `resourcequotas "x" is forbidden: ` + nothing},

		{"statefulsets.v1.apps", "", admission.Delete, ""}, // of one that is not there: not found is the better answer
		{"deployments.v1.apps", "", admission.Create, ""},
		{"jobs.v1.batch", "", admission.Create, ""},
		{"pods.v1.", "", admission.Create, ""},
		{"pods.v1.", "eviction", admission.Create, ""},
		{"serviceaccounts.v1.", "token", admission.Create, ""},
		{"ipaddresses.v1.networking.k8s.io", "", admission.Create, ""},
		{"roles.v1.rbac.authorization.k8s.io", "", admission.Create, ""},
		{"endpointslices.v1.discovery.k8s.io", "", admission.Create, ""},
		{"virtualservices.v1.networking.istio.io", "", admission.Create, ""},
	} {
		resource, _ := schema.ParseResourceArg(test.resource)
		a := admission.NewAttributesRecord(&metav1.PartialObjectMetadata{}, nil, resource.GroupVersion().WithKind("X"), "default", "x",
			*resource, test.subresource, test.operation, &metav1.CreateOptions{}, false, nil)
		got := ""
		if chain.Handles(test.operation) {
			if err := chain.(admission.ValidationInterface).Validate(t.Context(), a, nil); err != nil {
				got = err.Error()
			}
		}
		if got != test.want {
			t.Errorf("%s %s/%s:\n got %q\nwant %q", test.operation, test.resource, test.subresource, got, test.want)
		}
	}
}

type noConfiguration struct{}

func (noConfiguration) ConfigFor(string) (io.Reader, error) { return nil, nil }
