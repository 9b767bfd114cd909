// Package istio stands in for istiod: it watches the Istio objects, Services,
// EndpointSlices and Pods of each workload cluster, whoever made them, builds
// one routing table for each cluster's gateway and for the VM's sidecar, with
// who may call whom, and swaps it once the propagation delay is over. Reading
// and building are pure functions on objects; only watch.go, status.go and
// start.go speak to an API server.
//
// It honours what a request through an ingress gateway, or from the VM, can tell
// apart: Gateway (HTTP servers), VirtualService (http routes, of gateways and of
// sidecars, with what they do besides routing), DestinationRule (subsets),
// ServiceEntry (STATIC), WorkloadEntry, AuthorizationPolicy (ALLOW and DENY, by
// identity, method, path, host and port).
// A field that it cannot honour takes the whole object out of force (and shuts
// the workloads that an AuthorizationPolicy selects) and is named, with its
// path, in a condition of the object's status and a Warning event; nothing is
// silently ignored.
package istio
