package gloomesh

import (
	"math"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/strict"
)

// trustDomain is that of every mesh of the sandbox, as its Mesh object says.
const trustDomain = "cluster.local"

// What the authorization policies of a virtual mesh are called.
const (
	globalPolicy        = "global-access-control"
	gatewayPolicyPrefix = "allow-ingress-gateway-"
)

// An accessPolicy lets the identities that it selects call the services that it
// selects, in what it allows. A service that any policy selects is closed to
// everybody else, whether or not the mesh is closed as a whole.
type accessPolicy struct {
	meta
	sources        []identitySelector // none: everybody
	services       []serviceSelector  // none: all
	paths, methods []string           // none: any
	ports          []int64
}

// An identitySelector selects callers; all of them when it says nothing.
type identitySelector struct {
	matcher  *identityMatcher
	accounts []accountRef
}

// An identityMatcher selects the service accounts of namespaces; without
// clusters those of every cluster.
type identityMatcher struct {
	path                 string
	clusters, namespaces []string
}

// An accountRef names a service account; in every cluster, and every one of a
// namespace or of all, where a part is left out.
type accountRef struct {
	path string
	serviceRef
}

func decodeAccessPolicy(u *unstructured.Unstructured) *accessPolicy {
	p := &accessPolicy{meta: newMeta(u)}
	spec := p.specOf()
	defer spec.Done()
	for _, o := range spec.Objects("sourceSelector") {
		p.sources = append(p.sources, decodeIdentities(o))
	}
	p.services = decodeServiceSelectors(spec, "destinationSelector")
	p.paths, p.methods = spec.Texts("allowedPaths"), spec.Texts("allowedMethods")
	p.ports = spec.Numbers("allowedPorts", 1, math.MaxUint16)
	return p
}

func decodeIdentities(o *strict.Object) identitySelector {
	defer o.Done()
	var s identitySelector
	if m := o.Object("kubeIdentityMatcher"); m != nil {
		s.matcher = &identityMatcher{path: m.Path(), clusters: m.Texts("clusters"), namespaces: m.Texts("namespaces")}
		m.Done()
	}
	refs := o.Within("kubeServiceAccountRefs")
	for _, r := range refs.Objects("serviceAccounts") {
		s.accounts = append(s.accounts, accountRef{r.Path(), serviceRef{r.Text("clusterName"), r.Text("namespace"), r.Text("name")}})
		r.Done()
	}
	refs.Done()
	return s
}

// resolveAccess finds what the policies name. They are settled before anything
// is written, so that a policy that is not accepted has no part in it.
func (t *translation) resolveAccess() {
	for _, p := range t.accessPolicies {
		t.snapshot.selectServices(p.services, &p.problems)
		for _, s := range p.sources {
			if s.matcher != nil {
				for i, cluster := range s.matcher.clusters {
					t.wantCluster(&p.problems, s.matcher.path+".clusters["+strconv.Itoa(i)+"]", cluster)
				}
			}
			for _, a := range s.accounts {
				if a.cluster != "" {
					t.wantCluster(&p.problems, a.path+".clusterName", a.cluster)
				}
			}
		}
	}
}

func (t *translation) wantCluster(found *problems, path, name string) {
	if _, err := t.snapshot.find(serviceRef{cluster: name}); err != nil && t.snapshot.cluster(name) == nil {
		found.invalidf(path, "%v", err)
	}
}

// authorize writes what the access policies allow, and closes the meshes that
// are to be closed.
func (t *translation) authorize() {
	t.resolveAccess()
	for _, c := range t.snapshot.Clusters {
		for i := range c.Services {
			t.authorizeService(serviceRef{c.Name, c.Services[i].Namespace, c.Services[i].Name}, &c.Services[i])
		}
	}
	for _, m := range t.virtualMeshes {
		if !m.ok() || !m.closed {
			continue
		}
		for _, mesh := range m.meshes {
			t.close(m, mesh.cluster)
		}
	}
}

// close writes a policy that allows nothing, for every workload of a cluster;
// and one that lets everybody into the gateway by which other clusters come,
// for who may go on from there the services decide.
func (t *translation) close(m *virtualMesh, cluster string) {
	t.write(cluster, authorizationPolicy(meshNamespace, globalPolicy, map[string]any{}), &m.meta)
	service := t.gatewayService(cluster)
	if len(m.meshes) < 2 || service == nil {
		return // no other cluster comes
	}
	gateway := serviceRef{cluster, service.Namespace, service.Name}.object()
	t.write(cluster, authorizationPolicy(meshNamespace, gatewayPolicyPrefix+gateway.name+"."+gateway.namespace, map[string]any{
		"selector": map[string]any{"matchLabels": textsAny(service.Selector)},
		"action":   "ALLOW",
		"rules":    []any{map[string]any{}},
	}), &m.meta)
}

// authorizeService writes one policy for the workloads of a service, with a rule
// for every access policy that selects it, the oldest first.
func (t *translation) authorizeService(r serviceRef, service *Service) {
	var rules []any
	var parents []*meta
	for _, p := range t.accessPolicies {
		if p.ok() && p.opens(r, service) {
			rules = append(rules, p.rule())
			parents = append(parents, &p.meta)
		}
	}
	if len(rules) == 0 {
		return
	}
	t.write(r.cluster, authorizationPolicy(service.Namespace, service.Name, map[string]any{
		"selector": map[string]any{"matchLabels": textsAny(service.Selector)},
		"action":   "ALLOW",
		"rules":    rules,
	}), parents...)
}

// opens tells whether the policy is for a service. Those of Kubernetes, Istio
// and Gloo Mesh themselves are no destinations, but the gateways are.
func (p *accessPolicy) opens(r serviceRef, service *Service) bool {
	if !discovered(service) {
		return false
	}
	return len(p.services) == 0 || slices.ContainsFunc(p.services, func(s serviceSelector) bool { return s.selects(r, service.Labels) })
}

// rule is the policy as a rule of an AuthorizationPolicy. What it does not say
// is left out, for it holds for all.
func (p *accessPolicy) rule() map[string]any {
	rule := map[string]any{}
	var from []any
	for _, s := range p.sources {
		from = append(from, map[string]any{"source": s.source()})
	}
	addList(rule, "from", from)
	operation := map[string]any{}
	addList(operation, "paths", listAny(p.paths))
	addList(operation, "methods", listAny(p.methods))
	var ports []any
	for _, port := range p.ports {
		ports = append(ports, strconv.FormatInt(port, 10))
	}
	addList(operation, "ports", ports)
	if len(operation) > 0 {
		rule["to"] = []any{map[string]any{"operation": operation}}
	}
	return rule
}

// source is the selector as Istio knows callers: by the name of a certificate,
// which has the trust domain, the namespace and the service account. Of clusters
// with one trust domain the same name is said once.
func (s identitySelector) source() map[string]any {
	source := map[string]any{}
	var principals []string
	add := func(namespace, account string) {
		if p := principal(namespace, account); !slices.Contains(principals, p) {
			principals = append(principals, p)
		}
	}
	switch {
	case s.matcher == nil:
	case len(s.matcher.clusters) == 0:
		addList(source, "namespaces", listAny(s.matcher.namespaces))
	case len(s.matcher.namespaces) == 0:
		add("", "")
	default:
		for _, namespace := range s.matcher.namespaces {
			add(namespace, "")
		}
	}
	for _, a := range s.accounts {
		add(a.namespace, a.name)
	}
	addList(source, "principals", listAny(principals))
	return source
}

// principal is the name of a service account, or a pattern for all of a
// namespace or of the trust domain.
func principal(namespace, account string) string {
	switch {
	case namespace == "":
		return trustDomain + "/ns/*"
	case account == "":
		return trustDomain + "/ns/" + namespace + "/sa/*"
	}
	return trustDomain + "/ns/" + namespace + "/sa/" + account
}

func authorizationPolicy(namespace, name string, spec map[string]any) *unstructured.Unstructured {
	u := istioObject("AuthorizationPolicy", namespace, name, spec)
	u.SetAPIVersion("security.istio.io/v1")
	return u
}

// accessFields are what the status of an access policy says of the services
// that it selects.
func (t *translation) accessFields(p *accessPolicy) map[string]any {
	fields := map[string]any{}
	var services []serviceRef
	for _, c := range t.snapshot.Clusters {
		for i := range c.Services {
			if r := (serviceRef{c.Name, c.Services[i].Namespace, c.Services[i].Name}); p.opens(r, &c.Services[i]) {
				services = append(services, r)
			}
		}
	}
	addMap(fields, "destinations", t.approvals(&p.meta, services, func(s serviceRef, service *Service) int {
		i := slices.Index(t.accessPolicies, p)
		return count(t.accessPolicies[:i], func(o *accessPolicy) bool { return o.ok() && o.opens(s, service) })
	}))
	if p.ok() {
		addList(fields, "workloads", t.workloadsFor(services, p.letsIn))
	}
	return fields
}

// openFirst orders policies that go away: what closes everything goes first, or
// whoever is let in would be shut out for a moment.
func openFirst(a, b *unstructured.Unstructured) int {
	rank := func(u *unstructured.Unstructured) int {
		if u.GetName() == globalPolicy && u.GetNamespace() == meshNamespace {
			return 0
		}
		return 1
	}
	return rank(a) - rank(b)
}
