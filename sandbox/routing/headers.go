package routing

import "net/http"

// Headers changes the headers of requests on their way to a destination, and
// of its answers on their way back.
type Headers struct{ Request, Response Operations }

// Operations change headers: first those of Remove go, then those of Set take
// the place of what is there, then those of Add come on top; as Istio orders
// Envoy's operations.
type Operations struct {
	Remove []string
	Set    []Pair
	Add    []Pair
}

// Pair is a header's name and a value.
type Pair struct{ Name, Value string }

// Apply changes h.
func (o *Operations) Apply(h http.Header) {
	for _, name := range o.Remove {
		h.Del(name)
	}
	for _, p := range o.Set {
		h.Set(p.Name, p.Value)
	}
	for _, p := range o.Add {
		h.Add(p.Name, p.Value)
	}
}
