package route

import "slices"

// routing are the kinds of objects that have a say in where a request goes, or
// whether it gets there. One that nobody remembers is the first to look at when
// traffic goes elsewhere. (Not here are gateways and entries, which send nothing
// anywhere, and filters, some of which come with Istio itself.)
var routing = []Kind{
	{glooPolicies, "TrafficPolicy"}, {glooPolicies, "AccessPolicy"}, {glooPolicies, "VirtualMesh"},
	{glooEnterprise, "VirtualGateway"}, {glooEnterprise, "VirtualHost"}, {glooEnterprise, "RouteTable"},
	{istioNetworking, "VirtualService"}, {istioNetworking, "DestinationRule"},
	{istioSecurity, "AuthorizationPolicy"}, {istioSecurity, "PeerAuthentication"},
	{sandboxGroup, "Fault"},
}

// Istio's API groups: Gloo Mesh writes its routes in them.
const (
	istioNetworking = "networking.istio.io"
	istioSecurity   = "security.istio.io"
)

// Routing lists the kinds that have a say in where a request goes.
func Routing() []Kind { return slices.Clone(routing) }

// Routes says whether an object is of such a kind, and has a say in requests
// over HTTP: a VirtualService may be about other connections only.
func Routes(object map[string]any) bool {
	kind := kindOf(object)
	if kind == (Kind{istioNetworking, "VirtualService"}) && len(list(object, "spec", "http")) == 0 {
		return false
	}
	return slices.Contains(routing, kind)
}

// translatedBy is the label by which Gloo Mesh marks what it has written.
const translatedBy = "owner.networking.mesh.gloo.solo.io"

// Translated says that an object was made of others by a controller, so that
// nobody applied it.
func Translated(object map[string]any) bool {
	if _, ok := at(object, "metadata", "labels", translatedBy).(string); ok {
		return true
	}
	return len(list(object, "metadata", "ownerReferences")) > 0
}
