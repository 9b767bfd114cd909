// Package route knows the objects of routing APIs: when such an object is
// accepted, and how it says that traffic is to be divided.
//
// It is for the runner, which applies such objects, waits for them, and
// compares what they say with what a scenario expects. It is pure: objects
// are plain data (as encoding/json makes it), and no cluster is needed. An
// object that it does not know it says nothing of.
//
// One file holds one dialect; the tables below hold what there is, by group
// and kind, so that a new dialect is a file and its lines here.
package route

import (
	"fmt"
	"strings"
)

// Kind is what tells objects apart: the version is not part of it.
type Kind struct{ Group, Name string }

// Readiness is how far an object is.
type Readiness struct {
	Ready  bool
	Failed bool   // it was refused: waiting will hardly help
	Why    string // why it is not ready
}

// Target is one of several places to which an object sends traffic.
type Target struct {
	Cluster   string
	Namespace string
	Name      string            // of the Service
	Subset    map[string]string // labels of the pods; empty: all of the Service's
	Weight    float64           // as written: a part of the sum of all weights
}

// Split is how an object divides traffic.
type Split struct {
	Targets []Target
	// Conditional says that the object is for some requests only (by header,
	// path, method …).
	Conditional bool
}

var ready = map[Kind]func(map[string]any) Readiness{
	{glooPolicies, "TrafficPolicy"}:    accepted,
	{glooPolicies, "AccessPolicy"}:     accepted,
	{glooPolicies, "VirtualMesh"}:      accepted,
	{glooEnterprise, "VirtualGateway"}: accepted,
	{glooEnterprise, "VirtualHost"}:    accepted,
	{glooEnterprise, "RouteTable"}:     accepted,
	{sandboxGroup, "Fault"}:            accepted,
}

var splits = map[Kind]func(map[string]any) (Split, bool){
	{glooPolicies, "TrafficPolicy"}: trafficShift,
}

// sandboxGroup is the group of the sandbox's own objects, which report like
// those of Gloo Mesh.
const sandboxGroup = "sandbox.assay"

// Ready says how far an object is; known is false when its kind has no rule.
func Ready(object map[string]any) (r Readiness, known bool) {
	rule, known := ready[kindOf(object)]
	if !known {
		return Readiness{}, false
	}
	return rule(object), true
}

// SplitOf returns how an object divides traffic; ok is false when it does not,
// or when its kind is not known.
func SplitOf(object map[string]any) (s Split, ok bool) {
	read, known := splits[kindOf(object)]
	if !known {
		return Split{}, false
	}
	return read(object)
}

func kindOf(object map[string]any) Kind {
	version, _ := object["apiVersion"].(string)
	name, _ := object["kind"].(string)
	group, _, grouped := strings.Cut(version, "/")
	if !grouped {
		group = ""
	}
	return Kind{group, name}
}

// at walks down mappings; nil when a step is not there.
func at(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func text(v any, path ...string) string {
	s, _ := at(v, path...).(string)
	return s
}

func list(v any, path ...string) []any {
	l, _ := at(v, path...).([]any)
	return l
}

func number(v any, path ...string) (float64, bool) {
	switch n := at(v, path...).(type) {
	case int64:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// accepted is the rule of objects that report observedGeneration, state and
// errors in their status: it must speak of this generation and say ACCEPTED.
func accepted(object map[string]any) Readiness {
	generation, _ := number(object, "metadata", "generation")
	observed, looked := number(object, "status", "observedGeneration")
	state := text(object, "status", "state")
	switch {
	case !looked && state == "":
		return Readiness{Why: "it has no status yet"}
	case observed != generation:
		return Readiness{Why: fmt.Sprintf("its status is of generation %v, wanted %v", observed, generation)}
	case state == "ACCEPTED":
		return Readiness{Ready: true}
	case state == "INVALID" || state == "FAILED":
		return Readiness{Failed: true, Why: "it is " + state + reasons(object)}
	case state == "":
		return Readiness{Why: "its status has no state yet"}
	}
	return Readiness{Why: "its state is " + state + ", wanted ACCEPTED" + reasons(object)}
}

// reasons are the errors that a status gives.
func reasons(object map[string]any) string {
	var errors []string
	for _, e := range list(object, "status", "errors") {
		errors = append(errors, fmt.Sprint(e))
	}
	if len(errors) == 0 {
		return " (its status gives no errors)"
	}
	return ": " + strings.Join(errors, "; ")
}
