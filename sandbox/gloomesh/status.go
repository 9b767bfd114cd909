package gloomesh

import (
	"fmt"
	"slices"
	"sort"
)

// statuses says of every object what became of it, in the fields that the API
// has for its kind.
func (t *translation) statuses() []Status {
	var out []Status
	for _, m := range t.virtualMeshes {
		out = append(out, m.status(t.meshFields(m)))
	}
	for _, g := range t.virtualGateways {
		out = append(out, g.status(t.gatewayFields(g)))
	}
	for _, h := range t.virtualHosts {
		out = append(out, h.status(t.hostFields(h)))
	}
	for _, table := range t.routeTables {
		out = append(out, table.status(t.tableFields(table)))
	}
	for _, p := range t.policies {
		out = append(out, p.status(t.policyFields(p)))
	}
	for _, p := range t.accessPolicies {
		out = append(out, p.status(t.accessFields(p)))
	}
	return append(out, t.discoveredStatuses()...)
}

// status is what every kind has, and more.
func (m *meta) status(more map[string]any) Status {
	fields := map[string]any{"observedGeneration": m.generation, "state": m.problems.state()}
	addList(fields, "errors", listAny(m.problems.texts()))
	addList(fields, "warnings", listAny(m.warnings))
	for name, value := range more {
		fields[name] = value
	}
	return Status{Parent: Parent{m.kind, m.namespace, m.name}, Generation: m.generation, Fields: fields}
}

func addList(fields map[string]any, name string, list []any) {
	if len(list) > 0 {
		fields[name] = list
	}
}

func addMap(fields map[string]any, name string, m map[string]any) {
	if len(m) > 0 {
		fields[name] = m
	}
}

func (r ref) any() map[string]any { return map[string]any{"name": r.name, "namespace": r.namespace} }

// key is how a status names an object of the management cluster. The empty part
// after the last dot stands for that cluster.
func (r ref) key() string { return r.name + "." + r.namespace + "." }

// refsOf lists objects by name, each once.
func refsOf(list []*meta) []any {
	seen := map[ref]bool{}
	for _, m := range list {
		seen[m.ref] = true
	}
	var refs []ref
	for r := range seen {
		refs = append(refs, r)
	}
	sort.Slice(refs, func(i, j int) bool { return refs[i].String() < refs[j].String() })
	var out []any
	for _, r := range refs {
		out = append(out, r.any())
	}
	return out
}

func (t *translation) meshFields(m *virtualMesh) map[string]any {
	fields, meshes, destinations := map[string]any{}, map[string]any{}, map[string]any{}
	approval := map[string]any{"state": m.problems.state()}
	for _, mesh := range m.meshes {
		if mesh.cluster != "" {
			meshes[mesh.key()] = approval
		}
		if !m.ok() {
			continue
		}
		for _, service := range t.snapshot.cluster(mesh.cluster).Services {
			to := serviceRef{mesh.cluster, service.Namespace, service.Name}
			if slices.ContainsFunc(m.meshes, func(o meshRef) bool { return o.cluster != mesh.cluster && t.federates(m, to, o.cluster) }) {
				destinations[to.object().key()] = approval
			}
		}
	}
	addMap(fields, "meshes", meshes)
	addMap(fields, "destinations", destinations)
	return fields
}

func (t *translation) gatewayFields(g *virtualGateway) map[string]any {
	fields, created := map[string]any{}, map[string]any{}
	var applied, selected []any
	var hosts, tables []*meta
	if !g.ok() {
		return fields
	}
	for _, one := range t.gateways[g] {
		destination := serviceRef{one.cluster, one.service.Namespace, one.service.Name}
		applied = append(applied, map[string]any{
			"destinationRef":    destination.object().any(),
			"externalAddresses": listAny(one.service.Addresses),
			"externalPort":      one.external,
			"port":              one.port.Number,
		})
		if slices.ContainsFunc(g.selectors, func(s gatewaySelector) bool { return s.byWorkload }) {
			selected = append(selected, map[string]any{
				"clusterName": one.cluster,
				"labels":      textsAny(one.service.Selector),
				"name":        one.service.Name,
				"namespace":   one.service.Namespace,
			})
		}
		refs, _ := created[one.cluster].(map[string]any)
		if refs == nil {
			refs = map[string]any{"refs": []any{}}
			created[one.cluster] = refs
		}
		refs["refs"] = append(refs["refs"].([]any), ref{one.service.Namespace, one.name}.any())
	}
	for _, h := range t.virtualHosts {
		if h.ok() && slices.Contains(t.attached[h], g) {
			hosts = append(hosts, &h.meta)
			tables = append(tables, t.tablesUnder(h, &h.meta)...)
		}
	}
	addList(fields, "appliedIngressGateways", applied)
	addList(fields, "selectedGateways", selected)
	addMap(fields, "createdIstioGateways", created)
	addList(fields, "selectedVirtualHosts", refsOf(hosts))
	addList(fields, "selectedRouteTables", refsOf(tables))
	return fields
}

// tablesUnder lists the route tables along the routes of h that come after m.
func (t *translation) tablesUnder(h *virtualHost, m *meta) []*meta {
	var out []*meta
	for _, f := range t.routes[h] {
		i := slices.IndexFunc(f.chain, func(l link) bool { return l.of == m })
		if i < 0 {
			continue
		}
		for _, l := range f.chain[i+1:] {
			out = append(out, l.of)
		}
	}
	return out
}

func (t *translation) hostFields(h *virtualHost) map[string]any {
	fields := map[string]any{}
	if !h.ok() {
		return fields
	}
	var gateways []*meta
	for _, g := range t.attached[h] {
		gateways = append(gateways, &g.meta)
	}
	addList(fields, "attachedVirtualGateways", refsOf(gateways))
	addList(fields, "selectedRouteTables", refsOf(t.tablesUnder(h, &h.meta)))
	addList(fields, "appliedTrafficPolicies", t.appliedTo(&h.meta))
	return fields
}

func (t *translation) tableFields(table *routeTable) map[string]any {
	fields := map[string]any{}
	var under []*meta
	by := map[Parent]bool{}
	for _, h := range t.virtualHosts {
		under = append(under, t.tablesUnder(h, &table.meta)...)
		for _, f := range t.routes[h] {
			if i := slices.IndexFunc(f.chain, func(l link) bool { return l.of == &table.meta }); i > 0 {
				from := f.chain[i-1].of
				by[Parent{from.kind, from.namespace, from.name}] = true
			}
		}
	}
	var parents []Parent
	for p := range by {
		parents = append(parents, p)
	}
	sort.Slice(parents, func(i, j int) bool { return parents[i].less(parents[j]) })
	var selectedBy []any
	for _, p := range parents {
		selectedBy = append(selectedBy, map[string]any{"name": p.Name, "namespace": p.Namespace, "type": p.Kind})
	}
	addList(fields, "selectedBy", selectedBy)
	addList(fields, "selectedRouteTables", refsOf(under))
	addList(fields, "appliedTrafficPolicies", t.appliedTo(&table.meta))
	return fields
}

// appliedTo lists the policies on the routes of one object, the oldest first.
func (t *translation) appliedTo(m *meta) []any {
	var out []any
	for _, p := range t.policies {
		if routes := t.routesOf(p, m); len(routes) > 0 {
			one := p.appliedAs()
			one["routes"] = listAny(routes)
			out = append(out, one)
		}
	}
	return out
}

// routesOf names the routes of one object that p was applied to, * if all.
func (t *translation) routesOf(p *trafficPolicy, m *meta) []string {
	var out []string
	for _, a := range t.applied[p] {
		switch {
		case a.of != m:
		case a.all:
			return []string{"*"}
		case !slices.Contains(out, a.route.name):
			out = append(out, a.route.name)
		}
	}
	return out
}

func (t *translation) policyFields(p *trafficPolicy) map[string]any {
	fields, routes := map[string]any{}, map[string]any{}
	var unsaid problems // a reference to nothing is among the errors already
	services := slices.DeleteFunc(t.snapshot.selectServices(p.services, &unsaid), func(s serviceRef) bool {
		service, err := t.snapshot.find(s)
		return err != nil || !discovered(service)
	})
	for _, a := range t.applied[p] {
		routes[fmt.Sprintf("%s.%s (%s)", a.of.name, a.of.namespace, a.of.kind)] = map[string]any{"routes": listAny(t.routesOf(p, a.of))}
	}
	addMap(fields, "destinations", t.approvals(&p.meta, services, func(s serviceRef, service *Service) int {
		i := slices.Index(t.policies, p)
		return count(t.policies[:i], func(o *trafficPolicy) bool { return o.ok() && o.serves(s, service) })
	}))
	addMap(fields, "gatewayRoutes", routes)
	if p.ok() {
		addList(fields, "workloads", t.workloadsFor(services, p.callsBy))
	}
	return fields
}

// count is how many of a list satisfy a condition.
func count[T any](list []T, holds func(T) bool) int {
	n := 0
	for _, one := range list {
		if holds(one) {
			n++
		}
	}
	return n
}
