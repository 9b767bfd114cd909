package gloomesh

import (
	"encoding/json"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// istioVersion is the API version of everything that is written, but of
// authorization policies.
const istioVersion = "networking.istio.io/v1"

// istioKinds are the kinds that are written, and the resources that serve them.
var istioKinds = map[string]schema.GroupVersionResource{
	"Gateway":         {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
	"VirtualService":  {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	"DestinationRule": {Group: "networking.istio.io", Version: "v1", Resource: "destinationrules"},
	"ServiceEntry":    {Group: "networking.istio.io", Version: "v1", Resource: "serviceentries"},

	"AuthorizationPolicy": {Group: "security.istio.io", Version: "v1", Resource: "authorizationpolicies"},
}

// How Gloo Mesh marks what it has written: by its labels it finds it again, by
// the annotation a reader finds what it was made from.
const (
	ownerLabel        = "owner.networking.mesh.gloo.solo.io"
	ownerValue        = "gloo-mesh"
	clusterLabel      = "cluster.multicluster.solo.io"
	parentsAnnotation = "parents.networking.mesh.gloo.solo.io"

	federationAnnotation = "federation.networking.mesh.gloo.solo.io" // whom of another cluster it is about
)

func istioObject(kind, namespace, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": istioVersion,
		"kind":       kind,
		"metadata":   map[string]any{"namespace": namespace, "name": name},
		"spec":       spec,
	}}
}

// own marks the object as Gloo Mesh's, for a cluster.
func (o *Object) own(cluster string) {
	o.SetLabels(map[string]string{ownerLabel: ownerValue, clusterLabel: cluster})
	type parent struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	}
	parents := map[string][]parent{}
	shown := o.shown
	if shown == nil {
		shown = o.Parents
	}
	for _, p := range shown {
		r := resourceFor(p.Kind)
		gvk := r.Group + "/" + r.Version + ", Kind=" + p.Kind
		parents[gvk] = append(parents[gvk], parent{p.Name, p.Namespace})
	}
	text, _ := json.Marshal(parents) // strings only: it cannot fail
	annotations := o.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[parentsAnnotation] = string(text)
	o.SetAnnotations(annotations)
}

// host is the name by which a cluster's proxies know a service.
func (t *translation) host(cluster string, r serviceRef) string {
	if r.cluster != cluster {
		return federatedHost(r)
	}
	return strings.Join([]string{r.name, r.namespace, "svc.cluster.local"}, ".")
}

// subsetName is the name of the subset with these labels: version-green.
func subsetName(labels map[string]string) string {
	var parts []string
	for _, k := range sortedKeys(labels) {
		parts = append(parts, k+"-"+labels[k])
	}
	sort.Strings(parts)
	clean := func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}
	return strings.Map(clean, strings.ToLower(strings.Join(parts, "-")))
}

func textsAny(m map[string]string) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

func listAny(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}
