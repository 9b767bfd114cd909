package gloomesh

import (
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// An Output is what Translate makes of a Snapshot.
type Output struct {
	Objects  map[string][]Object // Istio objects, by cluster; every cluster has an entry
	Statuses []Status            // of every object of the snapshot
}

// An Object is an Istio object for one cluster, and what it was made from: who
// is told when it cannot be written.
type Object struct {
	*unstructured.Unstructured
	Parents []Parent

	shown []Parent // as its annotation tells it, where that is not the same
}

// A Parent is an object of the management cluster.
type Parent struct{ Kind, Namespace, Name string }

// A Status is what is to stand in the status of one object.
type Status struct {
	Parent
	Generation int64
	Fields     map[string]any
}

// Translate decides what Gloo Mesh would write into each cluster, and what it
// would say about each object. It is pure: the same snapshot gives the same
// output, in the same order.
func Translate(in Snapshot) Output {
	t := newTranslation(in)
	t.joinMeshes()
	t.checkRoutes()
	t.selectGateways()
	t.attachHosts()
	t.followRoutes()
	t.applyPolicies()
	t.writeHosts()
	t.writeCalls()
	t.writeSubsets()
	t.federate()
	t.authorize()
	return Output{Objects: t.objects(), Statuses: t.statuses()}
}

// A translation is the state of one Translate. Objects are ordered by age, so
// that in a conflict whoever comes first is right.
type translation struct {
	snapshot Snapshot

	policies        []*trafficPolicy
	accessPolicies  []*accessPolicy
	virtualMeshes   []*virtualMesh
	virtualGateways []*virtualGateway
	virtualHosts    []*virtualHost
	routeTables     []*routeTable
	workloads       []*workload
	registered      []*registered

	gateways map[*virtualGateway][]selectedGateway
	attached map[*virtualHost][]*virtualGateway // in the order of virtualGateways
	routes   map[*virtualHost][]flatRoute
	moves    map[routeKey][]*trafficPolicy // the oldest first
	applied  map[*trafficPolicy][]appliedRoute

	subsets map[string]map[string]*subsetUse // by cluster and host
	written map[string]map[string]*Object    // by cluster, by kind and name
}

func newTranslation(in Snapshot) *translation {
	t := &translation{
		snapshot: in,
		gateways: map[*virtualGateway][]selectedGateway{},
		attached: map[*virtualHost][]*virtualGateway{},
		routes:   map[*virtualHost][]flatRoute{},
		moves:    map[routeKey][]*trafficPolicy{},
		applied:  map[*trafficPolicy][]appliedRoute{},
		subsets:  map[string]map[string]*subsetUse{},
		written:  map[string]map[string]*Object{},
	}
	for _, c := range in.Clusters {
		t.subsets[c.Name] = map[string]*subsetUse{}
		t.written[c.Name] = map[string]*Object{}
	}
	for _, u := range in.Objects {
		switch u.GetKind() {
		case "TrafficPolicy":
			t.policies = append(t.policies, decodeTrafficPolicy(u))
		case "AccessPolicy":
			t.accessPolicies = append(t.accessPolicies, decodeAccessPolicy(u))
		case "VirtualMesh":
			t.virtualMeshes = append(t.virtualMeshes, decodeVirtualMesh(u))
		case "VirtualGateway":
			t.virtualGateways = append(t.virtualGateways, decodeVirtualGateway(u))
		case "VirtualHost":
			t.virtualHosts = append(t.virtualHosts, decodeVirtualHost(u))
		case "RouteTable":
			t.routeTables = append(t.routeTables, decodeRouteTable(u))
		case "Workload":
			t.workloads = append(t.workloads, decodeWorkload(u))
		case "Destination", "Mesh", "KubernetesCluster":
			t.registered = append(t.registered, decodeRegistered(u))
		}
	}
	byAge(t.policies, func(p *trafficPolicy) *meta { return &p.meta })
	byAge(t.accessPolicies, func(p *accessPolicy) *meta { return &p.meta })
	byAge(t.virtualMeshes, func(m *virtualMesh) *meta { return &m.meta })
	byAge(t.virtualGateways, func(g *virtualGateway) *meta { return &g.meta })
	byAge(t.virtualHosts, func(h *virtualHost) *meta { return &h.meta })
	byAge(t.routeTables, func(r *routeTable) *meta { return &r.meta })
	byAge(t.workloads, func(w *workload) *meta { return &w.meta })
	byAge(t.registered, func(r *registered) *meta { return &r.meta })
	return t
}

func byAge[T any](list []T, of func(T) *meta) {
	sort.Slice(list, func(i, j int) bool { return of(list[i]).olderThan(of(list[j])) })
}

// write adds an object to a cluster, or a parent to one that is there already.
func (t *translation) write(cluster string, u *unstructured.Unstructured, parents ...*meta) *Object {
	id := u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
	o := t.written[cluster][id]
	if o == nil {
		o = &Object{Unstructured: u}
		t.written[cluster][id] = o
	}
	for _, m := range parents {
		o.addParent(Parent{m.kind, m.namespace, m.name})
	}
	return o
}

func (o *Object) addParent(p Parent) {
	for _, old := range o.Parents {
		if old == p {
			return
		}
	}
	o.Parents = append(o.Parents, p)
}

// objects are the written ones in a fixed order, marked as Gloo Mesh's own.
func (t *translation) objects() map[string][]Object {
	out := map[string][]Object{}
	for cluster, objects := range t.written {
		out[cluster] = []Object{}
		for _, id := range sortedKeys(objects) {
			o := objects[id]
			sort.Slice(o.Parents, func(i, j int) bool { return o.Parents[i].less(o.Parents[j]) })
			o.own(cluster)
			out[cluster] = append(out[cluster], *o)
		}
	}
	return out
}

func (p Parent) less(q Parent) bool {
	if p.Kind != q.Kind {
		return p.Kind < q.Kind
	}
	if p.Namespace != q.Namespace {
		return p.Namespace < q.Namespace
	}
	return p.Name < q.Name
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}
