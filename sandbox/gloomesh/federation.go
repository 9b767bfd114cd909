package gloomesh

import (
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshassay/assay/sandbox/strict"
)

func decodeVirtualMesh(u *unstructured.Unstructured) *virtualMesh {
	m := &virtualMesh{meta: newMeta(u)}
	spec := m.specOf()
	defer spec.Done()
	m.meshes = decodeMeshes(spec)
	if len(m.meshes) == 0 {
		spec.Refuse("meshes", "required: the meshes that it joins")
	}
	tls := spec.Within("mtlsConfig")
	tls.Ignore("autoRestartPods") // nothing here reads a certificate
	if shared := tls.Object("shared"); shared != nil {
		m.trust = true
		decodeTrust(shared)
	}
	tls.Done()
	m.federation = decodeFederation(spec.Within("federation"))
	// MESH_DEFAULT is Istio's own default, which is to let every call through.
	m.closed = spec.OneOf("globalAccessPolicy", "unknown", "ENABLED", "DISABLED", "MESH_DEFAULT", "") == "ENABLED"
	if !m.trust && len(m.meshes) > 1 && len(m.federation) > 0 {
		m.problems.invalidf("spec.mtlsConfig.shared", "required: without a shared root of trust the meshes refuse each other's calls")
	}
	return m
}

// decodeTrust allows the root that Gloo Mesh generates, with any options of it.
func decodeTrust(shared *strict.Object) {
	defer shared.Done()
	shared.Ignore("intermediateCertOptions")
	root := shared.Within("rootCertificateAuthority")
	defer root.Done()
	root.Ignore("generated")
}

func decodeFederation(o *strict.Object) []federationSelector {
	defer o.Done()
	var out []federationSelector
	if o.Object("permissive") != nil {
		out = append(out, federationSelector{})
	}
	for _, s := range o.Objects("selectors") {
		out = append(out, federationSelector{services: decodeServiceSelectors(s, "destinationSelectors"), meshes: decodeMeshes(s)})
		s.Done()
	}
	return out
}

func decodeMeshes(parent *strict.Object) []meshRef {
	var out []meshRef
	for _, o := range parent.Objects("meshes") {
		out = append(out, meshRef{path: o.Path(), ref: ref{o.Text("namespace"), o.Text("name")}})
		o.Done()
	}
	return out
}

// meshOf is the name of a cluster's Mesh object, as discovery names it.
func meshOf(cluster string) ref { return ref{ownNamespace, "istiod-" + meshNamespace + "-" + cluster} }

// joinMeshes finds out which clusters the virtual meshes join. Of two that want
// the same mesh, the older has it.
func (t *translation) joinMeshes() {
	taken := map[string]*virtualMesh{}
	for _, m := range t.virtualMeshes {
		t.resolveMeshes(m, m.meshes)
		for _, s := range m.federation {
			t.resolveMeshes(m, s.meshes)
			t.snapshot.selectServices(s.services, &m.problems)
		}
		for _, mesh := range m.meshes {
			if other := taken[mesh.cluster]; other != nil {
				m.problems.invalidf(mesh.path, "mesh %s belongs to VirtualMesh %s, which is older", mesh.ref, other)
			}
			if mesh.cluster != "" && t.gatewayService(mesh.cluster) == nil && len(m.meshes) > 1 {
				m.problems.invalidf(mesh.path, "%s has no ingress gateway that other clusters can reach: no service labelled istio=ingressgateway has an address", mesh.cluster)
			}
		}
		if !m.ok() {
			continue
		}
		for _, mesh := range m.meshes {
			taken[mesh.cluster] = m
		}
	}
}

func (t *translation) resolveMeshes(m *virtualMesh, meshes []meshRef) {
	for i := range meshes {
		var known []string
		for _, c := range t.snapshot.Clusters {
			if meshOf(c.Name) == meshes[i].ref {
				meshes[i].cluster = c.Name
			}
			known = append(known, meshOf(c.Name).String())
		}
		if meshes[i].cluster == "" {
			m.problems.invalidf(meshes[i].path, "no mesh %s was discovered (there are %s)", meshes[i].ref, strings.Join(known, ", "))
		}
	}
}

// gatewayService is the service before a cluster's ingress gateway that the
// other clusters reach, nil if there is none with an address.
func (t *translation) gatewayService(cluster string) *Service {
	c := t.snapshot.cluster(cluster)
	for i := range c.Services {
		if s := &c.Services[i]; within(gatewayLabels, s.Labels) && len(s.Addresses) > 0 {
			return s
		}
	}
	return nil
}

// unreachable says why a gateway of cluster from cannot send requests to a
// service, "" if it can.
func (t *translation) unreachable(from string, to serviceRef) string {
	if from == to.cluster {
		return ""
	}
	for _, m := range t.virtualMeshes {
		if !m.ok() || !m.joins(from) || !m.joins(to.cluster) {
			continue
		}
		if t.federates(m, to, from) {
			return ""
		}
		return fmt.Sprintf("%s cannot be reached from %s: VirtualMesh %s does not federate it there", to, from, m)
	}
	return fmt.Sprintf("%s cannot be reached from %s: no accepted VirtualMesh joins the two clusters", to, from)
}

func (m *virtualMesh) joins(cluster string) bool {
	for _, mesh := range m.meshes {
		if mesh.cluster == cluster {
			return true
		}
	}
	return false
}

// federates tells whether a service of one of m's meshes can be called from
// another cluster of m.
func (t *translation) federates(m *virtualMesh, to serviceRef, from string) bool {
	service, err := t.snapshot.find(to)
	if err != nil || !destinationOfMesh(service) {
		return false
	}
	for _, s := range m.federation {
		selected := len(s.services) == 0
		for _, sel := range s.services {
			selected = selected || sel.selects(to, service.Labels)
		}
		there := len(s.meshes) == 0
		for _, mesh := range s.meshes {
			there = there || mesh.cluster == from
		}
		if selected && there {
			return true
		}
	}
	return false
}

// destinationOfMesh leaves out what is not part of an application: a service
// that selects nothing, and those of Kubernetes, Istio and Gloo Mesh themselves.
func destinationOfMesh(s *Service) bool {
	return len(s.Selector) > 0 && !strings.HasPrefix(s.Namespace, "kube-") && s.Namespace != meshNamespace && s.Namespace != ownNamespace
}

// federate writes, into every cluster of an accepted virtual mesh, the gateway
// that other clusters come in by and an entry for every service that it can
// call there.
func (t *translation) federate() {
	for _, m := range t.virtualMeshes {
		if !m.ok() {
			continue
		}
		for _, here := range m.meshes {
			if len(m.meshes) > 1 {
				t.write(here.cluster, eastWestGateway(here.cluster, t.gatewayService(here.cluster)), &m.meta)
			}
			for _, there := range m.meshes {
				if here.cluster == there.cluster {
					continue
				}
				for _, service := range t.snapshot.cluster(there.cluster).Services {
					to := serviceRef{there.cluster, service.Namespace, service.Name}
					if t.federates(m, to, here.cluster) {
						var subsets map[string]map[string]string
						if use := t.subsets[here.cluster][federatedHost(to)]; use != nil {
							subsets = use.labels
						}
						t.write(here.cluster, serviceEntry(to, &service, t.gatewayService(there.cluster), subsets), &m.meta)
					}
				}
			}
		}
	}
}

// eastWestGateway passes the TLS connections of other clusters on by their
// server name.
func eastWestGateway(cluster string, service *Service) *unstructured.Unstructured {
	name := serviceRef{cluster, service.Namespace, service.Name}.object()
	return istioObject("Gateway", service.Namespace, name.name+"-"+name.namespace, map[string]any{
		"selector": textsAny(service.Selector),
		"servers": []any{map[string]any{
			"port":  map[string]any{"number": tlsPort(service), "name": "tls", "protocol": "TLS"},
			"hosts": []any{"*." + federationDomain},
			"tls":   map[string]any{"mode": "AUTO_PASSTHROUGH"},
		}},
	})
}

// tlsPort is where a gateway takes the connections of other clusters: its port
// tls, or the one that Istio has for it where its service does not say.
func tlsPort(s *Service) int64 {
	if p, ok := s.named("tls"); ok {
		return p.Number
	}
	return 15443
}

// serviceEntry declares a service of another cluster: whoever calls it calls
// that cluster's gateway. Each subset that is asked for is an endpoint, so that
// a DestinationRule can tell them apart by labels.
func serviceEntry(to serviceRef, service, gateway *Service, subsets map[string]map[string]string) *unstructured.Unstructured {
	host := federatedHost(to)
	var ports []any
	endpointPorts := map[string]any{}
	for _, p := range service.Ports {
		name := p.Name
		if name == "" {
			name = fmt.Sprintf("tcp-%d", p.Number)
		}
		ports = append(ports, map[string]any{"number": p.Number, "name": name, "protocol": protocol(name)})
		endpointPorts[name] = tlsPort(gateway)
	}
	endpoint := func(labels map[string]string) any {
		all := map[string]any{"cluster": to.cluster}
		for k, v := range labels {
			all[k] = v
		}
		return map[string]any{"address": gateway.Addresses[0], "ports": endpointPorts, "labels": all}
	}
	var endpoints []any
	for _, name := range sortedKeys(subsets) {
		endpoints = append(endpoints, endpoint(subsets[name]))
	}
	if len(endpoints) == 0 {
		endpoints = []any{endpoint(nil)}
	}
	resolution := "STATIC"
	if _, err := netip.ParseAddr(gateway.Addresses[0]); err != nil {
		resolution = "DNS"
	}
	return istioObject("ServiceEntry", meshNamespace, host, map[string]any{
		"hosts":      []any{host},
		"location":   "MESH_INTERNAL",
		"resolution": resolution,
		"ports":      ports,
		"endpoints":  endpoints,
	})
}

// protocol is what Istio takes a port to speak by its name: http, grpc-web …
func protocol(port string) string {
	name, _, _ := strings.Cut(port, "-")
	switch name {
	case "http", "http2", "https", "grpc", "tls", "mongo":
		return strings.ToUpper(name)
	}
	return "TCP"
}

func federatedHost(r serviceRef) string {
	return strings.Join([]string{r.name, r.namespace, "svc", r.cluster, federationDomain}, ".")
}
