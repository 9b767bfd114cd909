package environment

import (
	"fmt"
	"slices"

	"github.com/meshassay/assay/runner/document"
)

// APIVersion and Kind are what an environment's file begins with.
const (
	APIVersion = "assay/v1"
	Kind       = "Environment"
)

// Dialects are the routing APIs in which a split can be said.
var Dialects = []string{"gloo-mesh-1"}

// Local is the client that is always there: the machine that the runner runs on.
const Local = "local"

// Environment is where scenarios run.
type Environment struct {
	File         string
	Name         string
	Dialect      string // one of Dialects, or "" when nothing is said through one
	Clusters     map[string]Cluster
	Gateways     map[string]Gateway
	Clients      map[string]Client
	Destinations map[string]Destination
	Answers      []Answer // in the file's order: the first that matches names the outcome
	Limits       Limits
	Vars         map[string]string // for ${NAME} in manifests
	Order        Order
	// Kubeconfig is not read from the file: whoever launches the sandbox sets it. Empty
	// means kubectl's own rules ($KUBECONFIG, then ~/.kube/config).
	Kubeconfig string
	Source     document.Value
}

// Order has the names of the maps as the file has them.
type Order struct {
	Clusters, Gateways, Clients, Destinations []string
}

// Cluster is a Kubernetes cluster.
type Cluster struct {
	Context string // of the kubeconfig
}

// Gateway is what is asked. Its address is either URL, or looked up in the status of
// the load-balancer Service that Service and Port name in Cluster.
type Gateway struct {
	URL     string // http or https, without a path
	Cluster string
	Service string // NAMESPACE/NAME
	Port    string // a name or a number
}

// Client is who asks, when it is not the runner itself: through a proxy, or by a
// command that runs a command line elsewhere. It has exactly one of them. The proxy's
// address is either Proxy, or looked up in the status of the load-balancer Service
// that Service and Port name in Cluster, as a gateway's is.
type Client struct {
	Proxy   string // http, https or socks5
	Cluster string
	Service string // NAMESPACE/NAME; what is looked up is an HTTP proxy
	Port    string // a name or a number
	Command []string
}

// Destination is who can answer.
type Destination struct {
	Cluster string
	Service string            // NAMESPACE/NAME
	Subset  map[string]string // labels
}

// Answer is a rule that tells an answer's outcome. All that it names must match.
type Answer struct {
	JSON   string   // a field of the JSON body, as a path with dots: "color", "pod.name"
	Header string   // a header of the answer
	Status int      // 0: any below 500; an answer of 500 and more is an error unless its status is given
	Body   string   // a part of the body
	Match  string   // a regular expression (RE2) on the value of JSON or Header, or else on the body
	Is     Outcomes // what the answer then is
	Source document.Value
}

// Outcomes is one outcome, or which outcome each value of JSON or Header stands for.
type Outcomes struct {
	Name   string
	Values map[string]string // value -> outcome; nil when Name is given
	Order  []string          // the keys of Values as the file has them
}

// Names returns the outcomes in the file's order, each once.
func (o Outcomes) Names() []string {
	if o.Values == nil {
		return []string{o.Name}
	}
	var names []string
	for _, value := range o.Order {
		if name := o.Values[value]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Limits is what a shared gateway may be asked to bear. The zero Limits says nothing.
type Limits struct {
	Rate    document.Rate // requests a second
	Workers int           // requests at the same time
}

// Outcomes returns what an answer can be: the destinations, then the other names
// that answers give, both in the file's order.
func (e *Environment) Outcomes() []string {
	names := slices.Clone(e.Order.Destinations)
	for _, a := range e.Answers {
		for _, name := range a.Is.Names() {
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Expand replaces ${NAME} by the environment's var of that name. Any other $ stays
// as it is. The error names every NAME that is not defined, with its line.
func (e *Environment) Expand(text string) (string, error) {
	expanded, undefined := expand(text, func(name string) (string, bool) {
		value, ok := e.Vars[name]
		return value, ok
	})
	if len(undefined) == 0 {
		return expanded, nil
	}
	return "", undefinedError{environment: e, text: text, names: undefined}
}

// undefinedError says which names of a text are not defined.
type undefinedError struct {
	environment *Environment
	text        string
	names       []string
}

// Error gives one line for each name.
func (u undefinedError) Error() string {
	var known []string
	for name := range u.environment.Vars {
		known = append(known, name)
	}
	slices.Sort(known)
	var text string
	for i, name := range u.names {
		if i > 0 {
			text += "\n"
		}
		text += fmt.Sprintf("line %d: ${%s} is not defined", lineOf(u.text, "${"+name+"}"), name)
		hint := "add it to vars in " + u.environment.File
		if near := document.DidYouMean(name, known); near != "" {
			hint = near
		}
		text += " (" + hint + ")"
	}
	return text
}
