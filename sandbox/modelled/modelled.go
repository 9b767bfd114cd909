// Package modelled says which of Kubernetes' own resources the sandbox models,
// and refuses to let any other be created. A cluster would take a StatefulSet,
// a NetworkPolicy or a volume claim here, and nothing would ever come of it:
// the controllers, networks and disks that act on them are not there.
//
// It is an admission plugin for the API servers of the sandbox's main program.
// Resources of CustomResourceDefinitions are none of its business.
package modelled

import (
	"context"
	"errors"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/admission"
)

// Plugin is the name under which Register registers it.
const Plugin = "SandboxModelled"

// groups are the API groups of which not everything is modelled, with what is.
var groups = map[string][]string{
	"": {"bindings", "configmaps", "events", "limitranges", "namespaces", "nodes", "pods", "secrets", "serviceaccounts", "services"},

	"apps":                {"deployments", "replicasets"},
	"autoscaling":         nil,
	"batch":               {"jobs"},
	"certificates.k8s.io": nil,
	// The API server itself keeps account of the addresses of Services in these.
	"networking.k8s.io":       {"ipaddresses", "servicecidrs"},
	"node.k8s.io":             nil,
	"policy":                  nil,
	"resource.k8s.io":         nil,
	"storage.k8s.io":          nil,
	"storagemigration.k8s.io": nil,
}

// instead names what does the same in the sandbox, where something does.
var instead = map[schema.GroupResource]string{
	{Resource: "replicationcontrollers"}:                     "a Deployment",
	{Resource: "endpoints"}:                                  "an EndpointSlice",
	{Group: "apps", Resource: "statefulsets"}:                "a Deployment",
	{Group: "apps", Resource: "daemonsets"}:                  "a Deployment",
	{Group: "batch", Resource: "cronjobs"}:                   "a Job",
	{Group: "networking.k8s.io", Resource: "ingresses"}:      "Istio's VirtualService",
	{Group: "networking.k8s.io", Resource: "ingressclasses"}: "Istio's Gateway",
}

// Refusal says why a resource may not be created; nil if it may.
func Refusal(r schema.GroupResource) error {
	modelled, listed := groups[r.Group]
	if !listed || slices.Contains(modelled, r.Resource) {
		return nil
	}
	text := "the sandbox does not model this kind: nothing would ever come of it"
	if other, ok := instead[r]; ok {
		text += "; use " + other
	}
	return errors.New(text)
}

// Register adds the plugin to those that an API server can have.
func Register(plugins *admission.Plugins) {
	plugins.Register(Plugin, func(io.Reader) (admission.Interface, error) {
		return gate{admission.NewHandler(admission.Create)}, nil
	})
}

type gate struct{ *admission.Handler }

// Validate refuses what Refusal refuses.
func (gate) Validate(_ context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if err := Refusal(a.GetResource().GroupResource()); err != nil {
		return admission.NewForbidden(a, err)
	}
	return nil
}
