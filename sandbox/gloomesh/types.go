package gloomesh

import (
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubelabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// The groups and versions of the API.
const (
	networking = "networking.mesh.gloo.solo.io"
	enterprise = "networking.enterprise.mesh.gloo.solo.io"
	discovery  = "discovery.mesh.gloo.solo.io"
)

// The kinds that Translate reads, and the resources that serve them.
var kinds = map[string]schema.GroupVersionResource{
	"TrafficPolicy":  {Group: networking, Version: "v1", Resource: "trafficpolicies"},
	"AccessPolicy":   {Group: networking, Version: "v1", Resource: "accesspolicies"},
	"VirtualMesh":    {Group: networking, Version: "v1", Resource: "virtualmeshes"},
	"VirtualGateway": {Group: enterprise, Version: "v1beta1", Resource: "virtualgateways"},
	"VirtualHost":    {Group: enterprise, Version: "v1beta1", Resource: "virtualhosts"},
	"RouteTable":     {Group: enterprise, Version: "v1beta1", Resource: "routetables"},
}

// The kinds that are discovered, or registered by hand: nothing is translated
// from them, but their statuses say what is in force there.
var discoveredKinds = map[string]schema.GroupVersionResource{
	"Destination":       {Group: discovery, Version: "v1", Resource: "destinations"},
	"Workload":          {Group: discovery, Version: "v1", Resource: "workloads"},
	"Mesh":              {Group: discovery, Version: "v1", Resource: "meshes"},
	"KubernetesCluster": {Group: "multicluster.solo.io", Version: "v1alpha1", Resource: "kubernetesclusters"},
}

// resourceFor finds the resource of a kind of the management cluster.
func resourceFor(kind string) schema.GroupVersionResource {
	if r, ok := kinds[kind]; ok {
		return r
	}
	return discoveredKinds[kind]
}

// A ref names an object of the management cluster.
type ref struct{ namespace, name string }

func (r ref) String() string { return r.namespace + "/" + r.name }

// meta is what every object has; problems are why it is not accepted.
type meta struct {
	ref
	kind       string
	labels     map[string]string
	generation int64
	created    time.Time
	spec       map[string]any
	problems   problems
	warnings   []string
}

func newMeta(u *unstructured.Unstructured) meta {
	spec, _, _ := unstructured.NestedMap(u.Object, "spec")
	return meta{
		ref:        ref{u.GetNamespace(), u.GetName()},
		kind:       u.GetKind(),
		labels:     u.GetLabels(),
		generation: u.GetGeneration(),
		created:    u.GetCreationTimestamp().Time,
		spec:       spec,
	}
}

// ok tells whether nothing speaks against the object so far.
func (m *meta) ok() bool { return len(m.problems) == 0 }

// olderThan orders objects by age, as conflicts are decided; equal ages (the
// API counts seconds) by name.
func (m *meta) olderThan(o *meta) bool {
	if !m.created.Equal(o.created) {
		return m.created.Before(o.created)
	}
	return m.String() < o.String()
}

// A virtualGateway puts the hosts that it selects on ingress gateways.
type virtualGateway struct {
	meta
	selectors []gatewaySelector
	hosts     []objectSelector
}

// A gatewaySelector is one entry of ingressGatewaySelectors, or all of
// deployToIngressGateways.
type gatewaySelector struct {
	path       string
	services   []serviceSelector // none: every service labelled istio=ingressgateway
	portName   string
	byWorkload bool             // deployToIngressGateways
	workloads  []serviceMatcher // of their pods
	bindPort   int64
}

// A virtualHost holds domains and routes; a routeTable only routes.
type virtualHost struct {
	meta
	domains []string
	routes  []route
	options *policy // for all of its routes
}

type routeTable struct {
	meta
	routes []route
	weight int64
}

// A route sends what it matches to destinations, or asks route tables.
type route struct {
	path         string
	name         string
	labels       map[string]string
	matchers     []matcher // any of them; none matches everything
	options      *policy   // for what it delegates to as well
	destinations []destination
	rewrite      string         // of what the path's condition matched
	answer       map[string]any // the part of an HTTPRoute that answers instead of a destination
	delegate     *delegate
}

type delegate struct {
	path     string
	refs     []ref
	selector *objectSelector
}

// A destination is a service of a cluster, or a subset of its instances.
type destination struct {
	path    string // of kubeService
	service serviceRef
	subset  map[string]string
	port    int64 // 0: the service's only one
	weight  int64
	headers map[string]any // Istio's Headers, for what goes there
}

// A serviceRef names a service of a registered cluster.
type serviceRef struct{ cluster, namespace, name string }

func (r serviceRef) String() string { return r.namespace + "/" + r.name + " of " + r.cluster }

// object is the name of the service's Destination in the management cluster.
func (r serviceRef) object() ref {
	return ref{ownNamespace, r.name + "-" + r.namespace + "-" + r.cluster}
}

// A serviceSelector selects services by matcher or by reference.
type serviceSelector struct {
	path    string
	matcher *serviceMatcher
	refs    []pathRef
}

// A pathRef selects services by reference; what it leaves out may be anything.
type pathRef struct {
	path string
	serviceRef
}

type serviceMatcher struct {
	clusters, namespaces []string
	labels               map[string]string
}

// An objectSelector selects objects of the management cluster.
type objectSelector struct {
	namespaces  []string // none: that of the object that selects; "*": all
	labels      map[string]string
	expressions []kubelabels.Requirement // on labels as well
}

// A trafficPolicy moves the requests for the services that it selects, on the
// routes that it selects.
//
// The routes are those of gateways. Calls from within the mesh have none: the
// policy is for all of them that come from the sources.
type trafficPolicy struct {
	meta
	sources  []sourceSelector  // of calls from within the mesh; none: all
	services []serviceSelector // none: all
	routes   []routeSelector   // none: all
	matchers []matcher
	policy
}

// A sourceSelector selects workloads that call; its clusters must be registered.
type sourceSelector struct {
	path string
	serviceMatcher
}

type routeSelector struct {
	hosts, tables       *objectSelector
	hostRefs, tableRefs []ref
	labels              map[string]string
}

// A virtualMesh lets the clusters of its meshes call each other's services.
type virtualMesh struct {
	meta
	meshes     []meshRef
	federation []federationSelector // none: nothing is federated
	trust      bool
	closed     bool // calls are denied unless an access policy allows them
}

type meshRef struct {
	path string
	ref
	cluster string // "" while unknown
}

type federationSelector struct {
	services []serviceSelector // none: all
	meshes   []meshRef         // none: all of the virtual mesh
}
