// Package fault makes the sandbox lie on demand: a Fault object in cluster
// mgmt (sandbox.assay/v1, cluster-scoped) takes a gateway or the VM out of
// what is right, in one known way, so that a harness can be seen to notice.
// Decoding and effects are pure; whoever watches the objects applies them.
//
// A new kind of fault is one file here with its effect, one line in kinds, and
// its fields in the CustomResourceDefinition.
package fault

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/strict"
)

// Resource names the Fault objects.
var Resource = schema.GroupVersionResource{Group: "sandbox.assay", Version: "v1", Resource: "faults"}

// Fault is a Fault object that was read and can be put into force.
type Fault struct {
	Name     string
	revision string   // of the object: what it asks for is the same as long as this is
	clusters []string // whose gateways; none is all
	effect   effect
}

// effect is what a fault changes. Each part may be missing.
type effect struct {
	route  func(*routing.Route) // each route of the gateways concerned
	moves  *moves               // what route moves, for Check
	vmDown bool
}

// moves is from which destination to which a fault moves weight; "" is any.
type moves struct{ from, to string }

// kind is a way to lie: the field of spec that asks for it, and how to read it.
type kind struct {
	field string
	read  func(*strict.Object) effect
}

var kinds = []kind{
	{"weights", readWeights},
	{"vmDown", readVMDown},
	{"sticky", readSticky},
	{"blocks", readBlocks},
	{"errors", readErrors},
}

// Read reads a Fault object. The gateways that it may name are those of the
// given clusters. Any problem means that nothing of it is in force.
func Read(u *unstructured.Unstructured, clusters []string) (f Fault, problems []string) {
	f.Name = u.GetName()
	f.revision = fmt.Sprintf("%s %s %d", u.GetName(), u.GetUID(), u.GetGeneration())
	values, _ := u.Object["spec"].(map[string]any)
	spec := strict.New("spec", values, (*strict.Lines)(&problems))
	for i, c := range spec.Texts("clusters") {
		if !slices.Contains(clusters, c) {
			spec.Refuse(fmt.Sprintf("clusters[%d]", i), "no gateway in %q (there is one in %s)", c, strings.Join(clusters, ", "))
		}
		f.clusters = append(f.clusters, c)
	}
	var asked, known []string
	for _, k := range kinds {
		known = append(known, k.field)
		if !spec.Has(k.field) {
			continue
		}
		asked = append(asked, k.field)
		before := len(problems)
		if o := spec.Object(k.field); o != nil {
			f.effect = k.read(o)
			o.Done()
		} else if len(problems) == before {
			spec.Refuse(k.field, "want an object; {} will do where it has no fields")
		}
	}
	if len(asked) != 1 {
		problems = append(problems, fmt.Sprintf("spec: want exactly one of %s, not %d", strings.Join(known, ", "), len(asked)))
	}
	if f.effect.vmDown && len(f.clusters) > 0 {
		spec.Refuse("clusters", "the VM is one machine for all clusters")
	}
	spec.Done()
	return f, problems
}

// Apply gives the routes of a cluster's gateway with the faults in force, in
// their order. The routes it is given stay as they are.
func Apply(faults []Fault, cluster string, hosts []routing.Host) []routing.Host {
	out := make([]routing.Host, 0, len(hosts))
	for _, h := range hosts {
		h.Routes = slices.Clone(h.Routes)
		for i := range h.Routes {
			r := &h.Routes[i]
			r.Destinations, r.Aborts = slices.Clone(r.Destinations), slices.Clone(r.Aborts)
			for _, f := range faults {
				if f.effect.route != nil && (len(f.clusters) == 0 || slices.Contains(f.clusters, cluster)) {
					f.effect.route(r)
				}
			}
		}
		out = append(out, h)
	}
	return out
}

// Same tells whether two lists are the same faults, asking for the same.
func Same(a, b []Fault) bool {
	return slices.EqualFunc(a, b, func(a, b Fault) bool { return a.revision == b.revision })
}

// VMDown tells whether any of the faults has taken the VM down.
func VMDown(faults []Fault) bool {
	return slices.ContainsFunc(faults, func(f Fault) bool { return f.effect.vmDown })
}
