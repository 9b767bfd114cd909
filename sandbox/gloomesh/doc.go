// Package gloomesh is the sandbox's stand-in for the networking server of Gloo
// Mesh 1.x: for what a reader applies in the management cluster (VirtualGateway,
// VirtualHost, RouteTable, TrafficPolicy, AccessPolicy, VirtualMesh) it writes
// Istio objects into the workload clusters, for their gateways and for calls from
// within the mesh, and says in every object's status what became of it; in those
// of what is discovered (Destination, Workload, Mesh), what is in force there.
//
// Translate is pure: a Snapshot of the clusters in, Istio objects and statuses
// out. Start runs it whenever something changes.
//
// It refuses loudly. What the API has and this stand-in cannot honour becomes
// state FAILED with the field's path in errors; what is wrong in itself (weights
// that do not sum to 100, a destination that does not exist) becomes INVALID. In
// both cases the object has no effect, as if it had not been applied.
package gloomesh
