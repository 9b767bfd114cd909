package istio

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/sandbox/strict"
)

// kind is an Istio kind that is watched, in the one version v1: the others are
// the same objects.
type kind struct {
	gvr  schema.GroupVersionResource
	kind string
}

var (
	gateways            = networking("gateways", "Gateway")
	virtualServices     = networking("virtualservices", "VirtualService")
	destinationRules    = networking("destinationrules", "DestinationRule")
	serviceEntries      = networking("serviceentries", "ServiceEntry")
	workloadEntries     = networking("workloadentries", "WorkloadEntry")
	peerAuthentications = security("peerauthentications", "PeerAuthentication")
	authorizations      = security("authorizationpolicies", "AuthorizationPolicy")

	kinds = []kind{gateways, virtualServices, destinationRules, serviceEntries, workloadEntries, peerAuthentications, authorizations}
)

func networking(resource, name string) kind {
	return kind{schema.GroupVersionResource{Group: "networking.istio.io", Version: "v1", Resource: resource}, name}
}

func security(resource, name string) kind {
	return kind{schema.GroupVersionResource{Group: "security.istio.io", Version: "v1", Resource: resource}, name}
}

// meta is what the sandbox needs to know of any object.
type meta struct {
	namespace, name string
	created         time.Time
	problems        []string // why the object is not in force as it stands; none: it is

	object *unstructured.Unstructured // as it was read; not to be changed
}

func metaOf(u *unstructured.Unstructured) meta {
	return meta{namespace: u.GetNamespace(), name: u.GetName(), created: u.GetCreationTimestamp().Time, object: u}
}

func (m meta) String() string { return m.namespace + "/" + m.name }

// older orders objects as Istio does where two say something about the same
// host: the older first, then by name.
func older(a, b meta) int {
	return cmp.Or(a.created.Compare(b.created), cmp.Compare(a.name, b.name), cmp.Compare(a.namespace, b.namespace))
}

func sortByAge[T any](list []T, of func(T) meta) {
	slices.SortStableFunc(list, func(a, b T) int { return older(of(a), of(b)) })
}

// spec opens an object's spec.
func spec(u *unstructured.Unstructured, m *meta) *strict.Object {
	values, _ := u.Object["spec"].(map[string]any)
	return strict.New("spec", values, (*strict.Lines)(&m.problems))
}

// own tells whether an object belongs to the plumbing that the sandbox sets up
// for its readers' eyes: the gateways and routes by which real VMs and clusters
// reach istiod and each other. They carry TCP and TLS to things that the
// sandbox does not run, so they are neither served nor reported on.
func own(u *unstructured.Unstructured) bool {
	return u.GetNamespace() == "istio-system" && u.GetLabels()["app.kubernetes.io/managed-by"] == "sandbox"
}
