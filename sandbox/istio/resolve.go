package istio

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/meshassay/assay/sandbox/routing"
)

// service is a Kubernetes Service with its ready endpoints.
type service struct {
	namespace, name string
	selector        map[string]string
	ports           []port
}

// port of a service, and who answers at it.
type port struct {
	number    int64
	name      string
	target    int64  // 0 where the target is a name
	targetBy  string // that name
	endpoints []endpoint
}

type endpoint struct {
	address string // "10.244.0.7:3000"
	labels  map[string]string
}

// destination resolves a route's destination: the service of this cluster, or
// what a ServiceEntry declares, then the subset's part of it.
func (b *builder) destination(d destination) routing.Destination {
	out := routing.Destination{Host: d.host, Subset: d.subset, Weight: d.weight, Authority: d.authority, Headers: d.headers}
	wanted, random, ok := b.subset(d)
	if !ok {
		out.Unknown = true
		return out
	}
	if random {
		out.Balance = routing.Random
	}
	var found []endpoint
	if name, ok := strings.CutSuffix(d.host, ".svc.cluster.local"); ok {
		found, ok = b.here.endpoints(name, d.port)
		out.Unknown = !ok
	} else {
		found, out.Unknown = b.declared(d, wanted)
	}
	found = slices.DeleteFunc(slices.Clone(found), func(e endpoint) bool { return !has(e.labels, wanted) })
	slices.SortFunc(found, func(a, b endpoint) int { return cmp.Compare(a.address, b.address) })
	for _, e := range found {
		out.Endpoints = append(out.Endpoints, e.address)
	}
	out.Endpoints = slices.Compact(out.Endpoints)
	out.Version = version(found, wanted)
	return out
}

// version is the label version that the subset asks for, or that all
// endpoints carry.
func version(found []endpoint, wanted map[string]string) string {
	if v, ok := wanted["version"]; ok || len(found) == 0 {
		return v
	}
	v := found[0].labels["version"]
	for _, e := range found {
		if e.labels["version"] != v {
			return ""
		}
	}
	return v
}

// subset finds the labels of a destination's subset among the DestinationRules
// for its host; those of the oldest object that has it.
func (b *builder) subset(d destination) (labels map[string]string, random, ok bool) {
	rules := slices.DeleteFunc(slices.Clone(b.here.destinationRules), func(r destinationRule) bool {
		return len(r.problems) > 0 || !within(d.host, r.host)
	})
	sortByAge(rules, func(r destinationRule) meta { return r.meta })
	for _, r := range rules {
		if d.subset == "" {
			return nil, r.random, true
		}
		for _, s := range r.subsets {
			if s.name == d.subset {
				return s.labels, s.random, true
			}
		}
	}
	return nil, false, d.subset == ""
}

// declared resolves a host that is no service of this cluster through the
// ServiceEntry that declares it. A federated service NAME.NS.svc.CLUSTER.global
// is what that cluster's own gateway would find there, as long as the entry
// has an endpoint with the labels wanted; other hosts are the entry's endpoints.
func (b *builder) declared(d destination, wanted map[string]string) (found []endpoint, unknown bool) {
	entries := slices.Clone(b.here.serviceEntries)
	sortByAge(entries, func(s serviceEntry) meta { return s.meta })
	for _, s := range entries {
		if len(s.problems) > 0 || !slices.Contains(s.hosts, d.host) {
			continue
		}
		p, ok := s.port(d.port)
		if !ok {
			continue
		}
		name, cluster, remote := federated(d.host)
		if !remote || b.world[cluster] == nil {
			return s.static(p), false
		}
		if !slices.ContainsFunc(s.endpoints, func(w workload) bool { return has(w.labels, wanted) }) {
			return nil, false
		}
		found, _ := b.world[cluster].endpoints(name, p.number)
		return found, false
	}
	return nil, true
}

// federated splits NAME.NS.svc.CLUSTER.global.
func federated(host string) (name, cluster string, ok bool) {
	rest, ok := strings.CutSuffix(host, ".global")
	if !ok {
		return "", "", false
	}
	name, cluster, ok = strings.Cut(rest, ".svc.")
	return name, cluster, ok && !strings.Contains(cluster, ".")
}

func (s serviceEntry) port(number int64) (servicePort, bool) {
	for _, p := range s.ports {
		if p.number == number || number == 0 && len(s.ports) == 1 {
			return p, true
		}
	}
	return servicePort{}, false
}

func (s serviceEntry) static(p servicePort) []endpoint {
	var out []endpoint
	for _, w := range s.endpoints {
		at := cmp.Or(w.ports[p.name], p.target, p.number)
		out = append(out, endpoint{join(w.address, at), w.labels})
	}
	return out
}

// endpoints gives who is ready to answer at a port of the service NAME.NS: its
// pods, and the WorkloadEntries that its selector selects.
func (s *snapshot) endpoints(name string, number int64) ([]endpoint, bool) {
	service, ok := s.services[name]
	if !ok {
		return nil, false
	}
	for _, p := range service.ports {
		if p.number != number && (number != 0 || len(service.ports) > 1) {
			continue
		}
		out := slices.Clone(p.endpoints)
		for _, w := range s.workloads {
			if len(w.problems) > 0 || w.namespace != service.namespace || len(service.selector) == 0 || !has(w.labels, service.selector) {
				continue
			}
			if at := cmp.Or(w.ports[p.name], p.target, w.ports[p.targetBy]); at != 0 {
				out = append(out, endpoint{join(w.address, at), w.labels})
			}
		}
		return out, true
	}
	return nil, false
}

func join(address string, port int64) string {
	return net.JoinHostPort(address, strconv.FormatInt(port, 10))
}

// has tells whether labels hold all that are wanted.
func has(labels, wanted map[string]string) bool {
	for k, v := range wanted {
		if got, ok := labels[k]; !ok || got != v {
			return false
		}
	}
	return true
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
