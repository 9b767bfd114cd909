package gloomesh

import (
	"slices"
	"sort"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// A workload is a Workload of the management cluster, discovered or registered
// by hand: something that calls and is called.
type workload struct {
	meta
	cluster, in string // where its pods are: cluster and namespace
	account     string
	pods        map[string]string // their labels
}

// A registered is an object of the management cluster that others are about: a
// Destination of a service, the Mesh of a cluster, or a KubernetesCluster.
type registered struct {
	meta
	service serviceRef // of a Destination of a Kubernetes service
}

func textAt(u *unstructured.Unstructured, fields ...string) string {
	value, _, _ := unstructured.NestedString(u.Object, fields...)
	return value
}

func decodeWorkload(u *unstructured.Unstructured) *workload {
	w := &workload{
		meta:    newMeta(u),
		cluster: textAt(u, "spec", "kubernetes", "controller", "clusterName"),
		in:      textAt(u, "spec", "kubernetes", "controller", "namespace"),
		account: textAt(u, "spec", "kubernetes", "serviceAccountName"),
	}
	w.pods, _, _ = unstructured.NestedStringMap(u.Object, "spec", "kubernetes", "podLabels")
	return w
}

func decodeRegistered(u *unstructured.Unstructured) *registered {
	ref := func(field string) string { return textAt(u, "spec", "kubeService", "ref", field) }
	return &registered{newMeta(u), serviceRef{ref("clusterName"), ref("namespace"), ref("name")}}
}

// callsBy tells whether the workload's calls are those of p's sources.
func (p *trafficPolicy) callsBy(w *workload) bool {
	return len(p.sources) == 0 || slices.ContainsFunc(p.sources, func(s sourceSelector) bool {
		return anyOf(s.clusters, w.cluster) && anyOf(s.namespaces, w.in) && within(s.labels, w.pods)
	})
}

// letsIn tells whether the workload is one of those that p is for.
func (p *accessPolicy) letsIn(w *workload) bool {
	return len(p.sources) == 0 || slices.ContainsFunc(p.sources, func(s identitySelector) bool {
		if s.matcher == nil && len(s.accounts) == 0 {
			return true
		}
		if s.matcher != nil && anyOf(s.matcher.clusters, w.cluster) && anyOf(s.matcher.namespaces, w.in) {
			return true
		}
		return slices.ContainsFunc(s.accounts, func(a accountRef) bool {
			return pathRef(a).selects(serviceRef{w.cluster, w.in, w.account})
		})
	})
}

// workloadsFor names the workloads that a policy on calls to services is about,
// as Gloo Mesh counts them: those that it selects, in a mesh of one of the
// services, or in one that a virtual mesh joins with such.
func (t *translation) workloadsFor(services []serviceRef, selects func(*workload) bool) []any {
	reach := map[string]bool{}
	for _, s := range services {
		reach[s.cluster] = true
		for _, m := range t.virtualMeshes {
			for _, mesh := range m.meshes {
				if m.ok() && m.joins(s.cluster) {
					reach[mesh.cluster] = true
				}
			}
		}
	}
	var names []string
	for _, w := range t.workloads {
		if reach[w.cluster] && selects(w) {
			names = append(names, w.key())
		}
	}
	sort.Strings(names)
	return listAny(names)
}

// discoveredStatuses say of every registered object what is in force there.
func (t *translation) discoveredStatuses() []Status {
	var out []Status
	for _, w := range t.workloads {
		out = append(out, w.observed(nil))
	}
	for _, r := range t.registered {
		switch r.kind {
		case "Destination":
			out = append(out, r.observed(t.destinationFields(r.service)))
		case "Mesh":
			out = append(out, r.observed(t.discoveredMeshFields(r.ref)))
		case "KubernetesCluster": // which has no generation in its status
			out = append(out, Status{Parent{r.kind, r.namespace, r.name}, r.generation, map[string]any{"namespace": ownNamespace}})
		}
	}
	return out
}

// observed is the status of what is not accepted or refused.
func (m *meta) observed(more map[string]any) Status {
	fields := map[string]any{"observedGeneration": m.generation}
	for name, value := range more {
		fields[name] = value
	}
	return Status{Parent{m.kind, m.namespace, m.name}, m.generation, fields}
}

// appliedAs is a policy in full, in the status of what it was applied to.
func (m *meta) appliedAs() map[string]any {
	return map[string]any{"ref": m.any(), "observedGeneration": m.generation, "spec": m.spec}
}

func (t *translation) destinationFields(to serviceRef) map[string]any {
	fields := map[string]any{}
	service, err := t.snapshot.find(to)
	if err != nil {
		return fields // one of another kind, or whose service has gone
	}
	fields["localFqdn"] = t.host(to.cluster, to)
	var traffic, access, subsets []any
	for _, p := range t.policies {
		if p.ok() && p.serves(to, service) {
			traffic = append(traffic, p.appliedAs())
		}
		if p.ok() && slices.ContainsFunc(p.shift, func(d destination) bool { return d.service == to && len(d.subset) > 0 }) {
			shift, _, _ := unstructured.NestedMap(p.spec, "policy", shiftField)
			subsets = append(subsets, map[string]any{"trafficPolicyRef": p.any(), "observedGeneration": p.generation, "trafficShift": shift})
		}
	}
	for _, p := range t.accessPolicies {
		if p.ok() && p.opens(to, service) {
			access = append(access, p.appliedAs())
		}
	}
	addList(fields, "appliedTrafficPolicies", traffic)
	addList(fields, "appliedAccessPolicies", access)
	addList(fields, "requiredSubsets", subsets)
	for _, m := range t.virtualMeshes {
		if !m.ok() || !m.joins(to.cluster) {
			continue
		}
		var meshes []any
		for _, mesh := range m.meshes {
			if mesh.cluster != to.cluster && t.federates(m, to, mesh.cluster) {
				meshes = append(meshes, mesh.any())
			}
		}
		if len(meshes) > 0 {
			fields["appliedFederation"] = map[string]any{"virtualMeshRef": m.any(), "federatedHostname": federatedHost(to), "federatedToMeshes": meshes}
		}
	}
	return fields
}

func (t *translation) discoveredMeshFields(name ref) map[string]any {
	fields := map[string]any{}
	for _, m := range t.virtualMeshes {
		for _, mesh := range m.meshes {
			if !m.ok() || mesh.ref != name {
				continue
			}
			fields["appliedVirtualMesh"] = m.appliedAs()
			if service := t.gatewayService(mesh.cluster); service != nil {
				fields["appliedEastWestIngressGateways"] = []any{map[string]any{
					"destinationRef":    serviceRef{mesh.cluster, service.Namespace, service.Name}.object().any(),
					"externalAddresses": listAny(service.Addresses),
					"externalPort":      tlsPort(service),
					"port":              tlsPort(service),
				}}
			}
		}
	}
	return fields
}

// serves tells whether a policy is for a service, if that is a destination.
func (p *trafficPolicy) serves(to serviceRef, service *Service) bool {
	return discovered(service) && (len(p.services) == 0 || slices.ContainsFunc(p.services, func(s serviceSelector) bool { return s.selects(to, service.Labels) }))
}

// approvals say of each destination how a policy fares there: which of those
// that were accepted it was, from 0, which is left out.
func (t *translation) approvals(p *meta, services []serviceRef, before func(serviceRef, *Service) int) map[string]any {
	out := map[string]any{}
	for _, s := range services {
		approval := map[string]any{"state": p.problems.state()}
		addList(approval, "errors", listAny(p.problems.texts()))
		if service, err := t.snapshot.find(s); err == nil && p.ok() {
			if n := before(s, service); n > 0 {
				approval["acceptanceOrder"] = int64(n)
			}
		}
		out[s.object().key()] = approval
	}
	return out
}
