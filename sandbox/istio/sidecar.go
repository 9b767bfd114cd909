package istio

import (
	"cmp"
	"fmt"
	"net/http"
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
// A call goes to the Service that it names, or where the oldest VirtualService
// for sidecars that has a route for such callers sends what is for that host. A
// call that fits none of that object's routes is answered with 404.
func (w world) sidecar(address string, workloads map[string][]authorization.Policy) proxied {
	for _, cluster := range sortedKeys(w) {
		entries := slices.Clone(w[cluster].workloads)
		sortByAge(entries, func(e workload) meta { return e.meta })
		for _, e := range entries {
			if len(e.problems) > 0 || e.address != address {
				continue
			}
			b := builder{world: w, cluster: cluster, here: w[cluster], proxy: proxy{e.namespace, e.labels}, notes: map[string][]string{}}
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

// outbound makes the routes of a workload in namespace, by host: those of each
// port of each name that it can call.
func (b *builder) outbound(namespace string) []routing.Host {
	hosts := map[string]*routing.Host{}
	add := func(name string, port int64, to destination) {
		if hosts[name] == nil {
			hosts[name] = &routing.Host{Name: name}
		}
		hosts[name].Routes = append(hosts[name].Routes, b.toPort(name, port, b.called(to))...)
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
	declared := map[string]bool{}
	for _, e := range b.here.serviceEntries {
		if len(e.problems) > 0 {
			continue
		}
		for _, host := range e.hosts {
			for _, p := range e.ports {
				if key := fmt.Sprintf("%s:%d", host, p.number); !declared[key] {
					declared[key] = true
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

// called gives the routes of who calls a destination by its host and port.
func (b *builder) called(to destination) []routing.Route {
	ordered := slices.Clone(b.here.virtualServices)
	sortByAge(ordered, func(v virtualService) meta { return v.meta })
	for _, v := range ordered {
		if len(v.problems) > 0 || !slices.Contains(v.gateways, sidecars) || !slices.Contains(v.hosts, to.host) {
			continue
		}
		// One that has nothing for this caller or port is as good as none.
		if routes := b.routes(v, bound{map[string]bool{sidecars: true}, map[int64]bool{to.port: true}}); len(routes) > 0 {
			if last(routes[len(routes)-1]) == 0 {
				routes = append(routes, routing.Route{Name: v.String() + ": no route", Answer: &routing.Answer{Status: http.StatusNotFound}})
			}
			return routes
		}
	}
	return []routing.Route{{Name: "service " + to.host, Destinations: []routing.Destination{b.destination(to)}}}
}

// toPort narrows routes to the calls for a name at a port. A condition that a
// route itself has on the Host header stays.
func (b *builder) toPort(name string, port int64, routes []routing.Route) []routing.Route {
	authorities := []string{fmt.Sprintf("%s:%d", name, port)}
	if port == 80 { // which a URL leaves out
		authorities = append(authorities, name)
	}
	var out []routing.Route
	for _, r := range routes {
		matches := r.Match
		if len(matches) == 0 {
			matches = []routing.Match{{}}
		}
		r.Match = nil
		for _, m := range matches {
			if m.Authority.Kind != routing.Any {
				r.Match = append(r.Match, m)
				continue
			}
			for _, a := range authorities {
				m.Authority = routing.Text{Kind: routing.Exact, Value: a}
				r.Match = append(r.Match, m)
			}
		}
		out = append(out, r)
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
