package gloomesh

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A Snapshot is everything that Translate goes by.
type Snapshot struct {
	Objects  []*unstructured.Unstructured // of the management cluster, of the kinds that Translate reads
	Clusters []Cluster                    // the workload clusters that are registered
}

// A Cluster is a workload cluster under its registered name.
type Cluster struct {
	Name     string
	Services []Service
}

// A Service is what matters of a Kubernetes Service.
type Service struct {
	Namespace, Name string
	Labels          map[string]string
	Selector        map[string]string
	Ports           []Port
	Addresses       []string // of its load balancer: addresses or host names
}

// A Port is one port of a Service.
type Port struct {
	Name       string
	Number     int64
	TargetPort int64 // 0 where it is a name
}

const (
	ownNamespace     = "gloo-mesh"    // of Gloo Mesh, in every cluster
	meshNamespace    = "istio-system" // of Istio, in the workload clusters
	gatewayPort      = "http2"        // the port at which a gateway answers
	federationDomain = "global"
)

// gatewayLabels are those of a mesh's ingress gateways when nothing else is said.
var gatewayLabels = map[string]string{"istio": "ingressgateway"}

// cluster finds a cluster, nil if it is not registered.
func (s *Snapshot) cluster(name string) *Cluster {
	for i := range s.Clusters {
		if s.Clusters[i].Name == name {
			return &s.Clusters[i]
		}
	}
	return nil
}

func (c *Cluster) service(namespace, name string) *Service {
	for i := range c.Services {
		if s := &c.Services[i]; s.Namespace == namespace && s.Name == name {
			return s
		}
	}
	return nil
}

// find finds the service, or says what is missing and what there is instead.
func (s *Snapshot) find(r serviceRef) (*Service, error) {
	c := s.cluster(r.cluster)
	if c == nil {
		var names []string
		for _, c := range s.Clusters {
			names = append(names, c.Name)
		}
		return nil, fmt.Errorf("no cluster %s is registered (there are %s)", r.cluster, strings.Join(names, ", "))
	}
	if service := c.service(r.namespace, r.name); service != nil {
		return service, nil
	}
	var near []string
	for _, service := range c.Services {
		if service.Name == r.name || service.Namespace == r.namespace {
			near = append(near, service.Namespace+"/"+service.Name)
		}
	}
	if len(near) == 0 {
		return nil, fmt.Errorf("no service %s/%s in %s", r.namespace, r.name, r.cluster)
	}
	sort.Strings(near)
	return nil, fmt.Errorf("no service %s/%s in %s (did you mean %s?)", r.namespace, r.name, r.cluster, strings.Join(near, " or "))
}

// port finds the port that requests for the service go to.
func (s *Service) port(number int64) (Port, error) {
	var numbers []string
	for _, p := range s.Ports {
		if p.Number == number || number == 0 && len(s.Ports) == 1 {
			return p, nil
		}
		numbers = append(numbers, fmt.Sprint(p.Number))
	}
	if number == 0 {
		return Port{}, fmt.Errorf("required: service %s/%s has the ports %s", s.Namespace, s.Name, strings.Join(numbers, ", "))
	}
	return Port{}, fmt.Errorf("service %s/%s has no port %d (it has %s)", s.Namespace, s.Name, number, strings.Join(numbers, ", "))
}

func (s *Service) named(port string) (Port, bool) {
	for _, p := range s.Ports {
		if p.Name == port {
			return p, true
		}
	}
	return Port{}, false
}

// selectServices lists the services that one of the selectors selects, in the
// order of clusters and names; no selector selects all. A reference to nothing
// is a problem.
func (s *Snapshot) selectServices(selectors []serviceSelector, found *problems) []serviceRef {
	var out []serviceRef
	for _, c := range s.Clusters {
		for i := range c.Services {
			service := &c.Services[i]
			r := serviceRef{c.Name, service.Namespace, service.Name}
			if len(selectors) == 0 || slices.ContainsFunc(selectors, func(sel serviceSelector) bool { return sel.selects(r, service.Labels) }) {
				out = append(out, r)
			}
		}
	}
	for _, sel := range selectors {
		for _, r := range sel.refs {
			if r.cluster == "" || r.namespace == "" || r.name == "" {
				if !slices.ContainsFunc(out, r.selects) {
					found.invalidf(r.path, "selects no service of any registered cluster")
				}
			} else if _, err := s.find(r.serviceRef); err != nil {
				found.invalidf(r.path, "%v", err)
			}
		}
	}
	return out
}

func (p pathRef) selects(r serviceRef) bool {
	return (p.cluster == "" || p.cluster == r.cluster) && (p.namespace == "" || p.namespace == r.namespace) && (p.name == "" || p.name == r.name)
}

func (sel serviceSelector) selects(r serviceRef, labels map[string]string) bool {
	if sel.matcher != nil && sel.matcher.selects(r, labels) {
		return true
	}
	return slices.ContainsFunc(sel.refs, func(p pathRef) bool { return p.selects(r) })
}

func (m serviceMatcher) selects(r serviceRef, labels map[string]string) bool {
	return anyOf(m.clusters, r.cluster) && anyOf(m.namespaces, r.namespace) && within(m.labels, labels)
}

// anyOf holds for every value when the list is empty.
func anyOf(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// within tells whether labels has all of want.
func within(want, labels map[string]string) bool {
	for k, v := range want {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// selects tells whether an object is selected by one that stands in namespace.
func (s objectSelector) selects(namespace string, m *meta) bool {
	inNamespace := slices.Contains(s.namespaces, m.namespace) || slices.Contains(s.namespaces, "*")
	if len(s.namespaces) == 0 {
		inNamespace = m.namespace == namespace
	}
	return inNamespace && within(s.labels, m.labels) && s.meets(m.labels)
}
