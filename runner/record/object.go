package record

import "time"

// Object is an object of a cluster as it was when a step had not passed.
type Object struct {
	Cluster   string `json:"cluster"`
	Resource  string `json:"resource,omitempty"` // trafficpolicies.networking.mesh.gloo.solo.io; "" when the cluster serves no such kind
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Generation counts the changes of its spec; Observed is the one that its
	// status is about, 0 where the status does not say.
	Generation int64 `json:"generation,omitempty"`
	Observed   int64 `json:"observed,omitempty"`
	// State is how it is, in a few words: ACCEPTED, or "2 of 2 replicas are available".
	State string `json:"state,omitempty"`
	// Messages say what is not as it should be; none: all is.
	Messages []string `json:"messages,omitempty"`
	Missing  bool     `json:"missing,omitempty"` // it is not there
	// Stray says that it has a say in routing and that no step of the run has
	// applied it: it was there before, or somebody else has made it.
	Stray bool `json:"stray,omitempty"`
}

// Deviates says whether an object is not as it should be.
func (o Object) Deviates() bool { return o.Missing || len(o.Messages) > 0 }

// Event is what a cluster has noted of an object, as often as it came.
type Event struct {
	Cluster string    `json:"cluster"`
	Object  string    `json:"object"` // "pod shop/blue-7d9"
	Type    string    `json:"type"`   // Normal or Warning
	Reason  string    `json:"reason"`
	Message string    `json:"message"`
	Count   int64     `json:"count"`
	Last    time.Time `json:"last"`
}
