package istio

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/routing"
)

// sidecarOfVM is the VM's sidecar among the proxies that are configured.
const sidecarOfVM = "vm"

// sidecar is what the sidecar of the machine at an address knows, for the calls
// that the machine makes: the Services and declared hosts of the cluster where
// a WorkloadEntry names the address, and the identity that the entry gives it.
// A machine that no cluster knows is in no mesh: it is nobody, and knows nobody.
//
// A call goes to the Service that it names. VirtualServices are for gateways
// only; those for sidecars are refused when they are read.
func (w world) sidecar(address string, workloads map[string][]authorization.Policy) proxied {
	for _, cluster := range sortedKeys(w) {
		entries := slices.Clone(w[cluster].workloads)
		sortByAge(entries, func(e workload) meta { return e.meta })
		for _, e := range entries {
			if len(e.problems) > 0 || e.address != address {
				continue
			}
			b := builder{world: w, cluster: cluster, here: w[cluster]}
			return proxied{
				hosts: b.outbound(e.namespace),
				guard: authorization.Guard{
					Caller:    authorization.Caller{TrustDomain: trustDomain, Namespace: e.namespace, ServiceAccount: cmp.Or(e.account, "default")},
					Workloads: workloads,
				},
			}
		}
	}
	return proxied{}
}

// outbound makes the routes of a workload in namespace, by host: one for each
// port of each name that it can call.
func (b *builder) outbound(namespace string) []routing.Host {
	hosts := map[string]*routing.Host{}
	add := func(name string, port int64, to destination) {
		if hosts[name] == nil {
			hosts[name] = &routing.Host{Name: name}
		}
		r := routing.Route{Name: fmt.Sprintf("%s:%d", name, port), Destinations: []routing.Destination{b.destination(to)}}
		exactly := func(authority string) {
			r.Match = append(r.Match, routing.Match{Authority: routing.Text{Kind: routing.Exact, Value: authority}})
		}
		exactly(r.Name)
		if port == 80 { // the port that a URL leaves out
			exactly(name)
		}
		hosts[name].Routes = append(hosts[name].Routes, r)
	}
	for _, key := range sortedKeys(b.here.services) {
		s := b.here.services[key]
		for _, p := range s.ports {
			to := destination{host: key + ".svc.cluster.local", port: p.number, weight: 1}
			for _, name := range s.names(namespace) {
				add(name, p.number, to)
			}
		}
	}
	for _, e := range b.here.serviceEntries {
		if len(e.problems) > 0 {
			continue
		}
		for _, host := range e.hosts {
			for _, p := range e.ports {
				if hosts[host] == nil || !slices.ContainsFunc(hosts[host].Routes, func(r routing.Route) bool { return r.Name == fmt.Sprintf("%s:%d", host, p.number) }) {
					add(host, p.number, destination{host: host, port: p.number, weight: 1})
				}
			}
		}
	}
	var out []routing.Host
	for _, name := range sortedKeys(hosts) {
		out = append(out, *hosts[name])
	}
	return out
}

// names are those by which a workload in a namespace knows a Service.
func (s service) names(from string) []string {
	full := strings.Join([]string{s.name, s.namespace, "svc", "cluster", "local"}, ".")
	names := []string{full, s.name + "." + s.namespace + ".svc", s.name + "." + s.namespace}
	if s.namespace == from {
		names = append(names, s.name)
	}
	return names
}
