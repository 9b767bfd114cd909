package gloomesh

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A selectedGateway is an ingress gateway that a VirtualGateway is put on.
type selectedGateway struct {
	cluster  string
	service  *Service
	port     Port   // of the Istio Gateway
	external int64  // the service's port that leads there, 0 if none does
	name     string // of the Istio Gateway, in the service's namespace
}

// istioName is how a VirtualService names the Gateway.
func (g selectedGateway) istioName() string { return g.service.Namespace + "/" + g.name }

// selectGateways finds the ingress gateways of every VirtualGateway.
func (t *translation) selectGateways() {
	for _, g := range t.virtualGateways {
		for _, s := range g.selectors {
			t.selectBy(g, s)
		}
	}
}

func (t *translation) selectBy(g *virtualGateway, s gatewaySelector) {
	selected := 0
	for _, r := range t.gatewaysOf(s, &g.problems) {
		selected++
		service, _ := t.snapshot.find(r)
		one := selectedGateway{cluster: r.cluster, service: service, name: gatewayName(g, service)}
		if !one.choosePort(g, s, r) {
			continue
		}
		if !slices.ContainsFunc(t.gateways[g], func(o selectedGateway) bool { return o.cluster == one.cluster && o.istioName() == one.istioName() }) {
			t.gateways[g] = append(t.gateways[g], one)
		}
	}
	if selected == 0 && g.ok() {
		g.problems.invalidf(s.path, "selects no ingress gateway in any registered cluster")
	}
}

// gatewaysOf lists the services before the selected gateways. A gateway's
// workload is known by the service that selects its pods.
func (t *translation) gatewaysOf(s gatewaySelector, found *problems) []serviceRef {
	if !s.byWorkload && len(s.services) > 0 {
		return t.snapshot.selectServices(s.services, found)
	}
	var out []serviceRef
	for _, c := range t.snapshot.Clusters {
		for _, service := range c.Services {
			r := serviceRef{c.Name, service.Namespace, service.Name}
			byWorkload := slices.ContainsFunc(s.workloads, func(m serviceMatcher) bool { return m.selects(r, service.Selector) })
			if byWorkload || !s.byWorkload && within(gatewayLabels, service.Labels) {
				out = append(out, r)
			}
		}
	}
	return out
}

// choosePort finds the port of the Istio Gateway; false, with a problem of g, if
// there is none. The sandbox's gateways answer at one port of their service,
// whatever the number; another one cannot be served.
func (one *selectedGateway) choosePort(g *virtualGateway, s gatewaySelector, r serviceRef) bool {
	ports := one.service.Ports
	if s.byWorkload {
		one.port = Port{Name: gatewayPort, Number: s.bindPort}
		i := slices.IndexFunc(ports, func(p Port) bool { return p.Number == s.bindPort || p.TargetPort == s.bindPort })
		if i < 0 {
			g.warn("%s.bindPort: no port of service %s leads to %d", s.path, r, s.bindPort)
			return true
		}
		one.external = ports[i].Number
		return true
	}
	name := s.portName
	if name == "" {
		name = "tls" // the API's default
	}
	port, ok := one.service.named(name)
	switch {
	case !ok:
		var names []string
		for _, p := range ports {
			names = append(names, p.Name)
		}
		g.problems.invalidf(s.path+".portName", "service %s has no port %s (it has %s)", r, name, strings.Join(names, ", "))
		return false
	case name != gatewayPort:
		g.problems.failf(s.path+".portName", "%s is not honoured by the sandbox: its gateways answer at port %s", name, gatewayPort)
		return false
	}
	one.port, one.external = port, port.Number
	return true
}

// gatewayName is the VirtualGateway's name and a decimal hash of what it is and
// which pods serve it: the same in every cluster, and another for a gateway of
// the same name in another namespace.
func gatewayName(g *virtualGateway, service *Service) string {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s", g.ref, service.Namespace)
	for _, k := range sortedKeys(service.Selector) {
		fmt.Fprintf(h, " %s=%s", k, service.Selector[k])
	}
	return fmt.Sprintf("%s-%d", g.name, h.Sum64())
}

// istioGateway listens for every host: which are served, the VirtualServices say.
func istioGateway(g selectedGateway) *unstructured.Unstructured {
	return istioObject("Gateway", g.service.Namespace, g.name, map[string]any{
		"selector": textsAny(g.service.Selector),
		"servers": []any{map[string]any{
			"port":  map[string]any{"number": g.port.Number, "name": g.port.Name, "protocol": "HTTP"},
			"hosts": []any{"*"},
		}},
	})
}

// attachHosts puts every VirtualHost on the gateways that select it. On one
// gateway a domain belongs to one host: the older one.
func (t *translation) attachHosts() {
	for _, g := range t.virtualGateways {
		if !g.ok() {
			continue
		}
		taken := map[string]*virtualHost{}
		for _, h := range t.virtualHosts {
			if !h.ok() || !slices.ContainsFunc(g.hosts, func(s objectSelector) bool { return s.selects(g.namespace, &h.meta) }) {
				continue
			}
			for i, domain := range h.domains {
				if other := taken[domain]; other != nil && other != h {
					h.problems.invalidf(fmt.Sprintf("spec.domains[%d]", i), "%s belongs to VirtualHost %s on VirtualGateway %s, which is older", domain, other, g)
				}
			}
			if !h.ok() {
				continue
			}
			for _, domain := range h.domains {
				taken[domain] = h
			}
			t.attached[h] = append(t.attached[h], g)
		}
	}
}

// clustersOf lists the clusters whose gateways serve h, in the snapshot's order.
func (t *translation) clustersOf(h *virtualHost) []string {
	var out []string
	for _, c := range t.snapshot.Clusters {
		if len(t.gatewaysIn(h, c.Name)) > 0 {
			out = append(out, c.Name)
		}
	}
	return out
}

// gatewaysIn lists the gateways of a cluster that serve h.
func (t *translation) gatewaysIn(h *virtualHost, cluster string) []selectedGateway {
	var out []selectedGateway
	if !h.ok() {
		return nil
	}
	for _, g := range t.attached[h] {
		for _, one := range t.gateways[g] {
			if one.cluster == cluster {
				out = append(out, one)
			}
		}
	}
	return out
}
