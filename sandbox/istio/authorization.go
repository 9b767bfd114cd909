package istio

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/strict"
)

const (
	// rootNamespace is where a policy without a selector holds for every workload
	// of the cluster, its ingress gateway among them.
	rootNamespace = "istio-system"
	// trustDomain is Istio's default, which the clusters of the sandbox keep.
	trustDomain = "cluster.local"
	// gatewayPort is where the ingress gateway's pod listens, whatever the number
	// of its Service.
	gatewayPort = 8080
)

// ingressIdentity is who the ingress gateways are, in every cluster.
var ingressIdentity = authorization.Caller{TrustDomain: trustDomain, Namespace: rootNamespace, ServiceAccount: "istio-ingressgateway-service-account"}

// authorizationPolicy is an AuthorizationPolicy that was read. One that says
// something that is not honoured shuts its workloads to everybody: left out of
// force, a policy that denies would let calls pass that it was written against,
// and nobody would see it in the answers.
type authorizationPolicy struct {
	meta
	selector map[string]string // none: every workload of its namespace
	policy   authorization.Policy
	audit    bool // it only takes note of calls
}

// inForce is the policy that the proxies go by; false if there is none.
func (a authorizationPolicy) inForce() (authorization.Policy, bool) {
	switch {
	case len(a.problems) == 0:
		return a.policy, true
	case a.audit:
		return authorization.Policy{}, false
	}
	return authorization.Policy{Name: a.policy.Name, Deny: true, Rules: []authorization.Rule{{}}}, true
}

func readAuthorizationPolicy(u *unstructured.Unstructured) authorizationPolicy {
	a := authorizationPolicy{meta: metaOf(u)}
	a.policy.Name = a.String()
	f := spec(u, &a.meta)
	if s := f.Object("selector"); s != nil {
		a.selector = s.Labels("matchLabels")
		s.Done()
	}
	a.audit = f.Text("action") == "AUDIT"
	a.policy.Deny = f.OneOf("action", "the sandbox's sidecars do not know that", "ALLOW", "DENY", "") == "DENY"
	for _, r := range f.Objects("rules") {
		a.policy.Rules = append(a.policy.Rules, readAuthorizationRule(r))
	}
	f.Done()
	return a
}

func readAuthorizationRule(f *strict.Object) authorization.Rule {
	var rule authorization.Rule
	for _, from := range f.Objects("from") {
		if !from.Set("source") { // or it would be anybody
			from.Refuse("source", "want who calls")
		}
		rule.From = append(rule.From, readSource(from.Within("source")))
		from.Done()
	}
	for _, to := range f.Objects("to") {
		if !to.Set("operation") {
			to.Refuse("operation", "want what is asked")
		}
		rule.To = append(rule.To, readOperation(to.Within("operation")))
		to.Done()
	}
	for name, entries := range map[string]int{"from": len(rule.From), "to": len(rule.To)} {
		if f.Set(name) && entries == 0 { // an empty list must not pass for one that is not there
			f.Refuse(name, "want at least one entry, or leave it out")
		}
	}
	f.Done()
	return rule
}

func readSource(f *strict.Object) authorization.Source {
	defer f.Done()
	return authorization.Source{
		Principals: f.Texts("principals"), NotPrincipals: f.Texts("notPrincipals"),
		Namespaces: f.Texts("namespaces"), NotNamespaces: f.Texts("notNamespaces"),
	}
}

func readOperation(f *strict.Object) authorization.Operation {
	defer f.Done()
	return authorization.Operation{
		Methods: f.Texts("methods"), NotMethods: f.Texts("notMethods"),
		Paths: readPaths(f, "paths"), NotPaths: readPaths(f, "notPaths"),
		Hosts: f.Texts("hosts"), NotHosts: f.Texts("notHosts"),
		Ports: readPorts(f, "ports"), NotPorts: readPorts(f, "notPorts"),
	}
}

func readPaths(f *strict.Object, name string) []string {
	paths := f.Texts(name)
	for i, p := range paths {
		if strings.ContainsAny(p, "{}") {
			f.Refuse(fmt.Sprintf("%s[%d]", name, i), "%q: the sandbox knows no templates of paths (want a path, PREFIX* or *SUFFIX)", p)
		}
	}
	return paths
}

func readPorts(f *strict.Object, name string) []int {
	var ports []int
	for i, text := range f.Texts(name) {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > 65535 {
			f.Refuse(fmt.Sprintf("%s[%d]", name, i), "%q is not a port", text)
		}
		ports = append(ports, number)
	}
	return ports
}

// guards makes what the clusters' policies say of every workload, by IP
// address; workloads without a policy are not in it. Every pod counts as one
// with a sidecar.
func (w world) guards() map[string][]authorization.Policy {
	out := map[string][]authorization.Policy{}
	known := map[string]bool{} // an address that is registered twice is the first's, as in sidecar
	for _, cluster := range sortedKeys(w) {
		s := w[cluster]
		guard := func(address, namespace string, labels map[string]string) {
			if known[address] {
				return
			}
			known[address] = true
			if policies := s.policiesOf(namespace, labels); len(policies) > 0 {
				out[address] = policies
			}
		}
		for _, key := range sortedKeys(s.services) {
			service := s.services[key]
			for _, p := range service.ports {
				for _, e := range p.endpoints {
					if ip, _, err := net.SplitHostPort(e.address); err == nil {
						guard(ip, service.namespace, e.labels)
					}
				}
			}
		}
		entries := slices.Clone(s.workloads)
		sortByAge(entries, func(e workload) meta { return e.meta })
		for _, entry := range entries {
			if len(entry.problems) == 0 {
				guard(entry.address, entry.namespace, entry.labels)
			}
		}
	}
	return out
}

// policiesOf lists the policies in force that select a workload, by name.
func (s *snapshot) policiesOf(namespace string, labels map[string]string) []authorization.Policy {
	var out []authorization.Policy
	for _, a := range s.authorizations {
		policy, ok := a.inForce()
		if ok && (a.namespace == namespace || a.namespace == rootNamespace) && has(labels, a.selector) {
			out = append(out, policy)
		}
	}
	slices.SortFunc(out, func(a, b authorization.Policy) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// gatewayGuard is what the ingress gateway of a cluster knows; workloads is
// what guards made.
func (w world) gatewayGuard(cluster string, workloads map[string][]authorization.Policy) authorization.Guard {
	return authorization.Guard{Caller: ingressIdentity, Port: gatewayPort, Own: w[cluster].policiesOf(rootNamespace, ingress), Workloads: workloads}
}
