package fault

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshassay/assay/sandbox/routing"
)

// Check holds a fault that was read against the routes of the gateways (by
// cluster, in force or about to be) and the names of all destinations that
// there are, routed to or not. It returns what is wrong with the fault, or else
// why it has no effect so far, or neither.
//
// A name is wrong only when there are routes and nothing goes by it: before
// that, whatever it means may still come.
func (f Fault) Check(routes map[string][]routing.Host, names []string) (problems []string, idle string) {
	if f.effect.route == nil {
		return nil, ""
	}
	var all []routing.Destination
	both := false
	for cluster, hosts := range routes {
		if len(f.clusters) > 0 && !slices.Contains(f.clusters, cluster) {
			continue
		}
		for _, h := range hosts {
			for _, r := range h.Routes {
				all = append(all, r.Destinations...)
				if f.effect.moves != nil {
					source, sink := pair(r.Destinations, f.effect.moves.from, f.effect.moves.to)
					both = both || source >= 0 && sink >= 0
				}
			}
		}
	}
	switch {
	case len(all) == 0:
		return nil, "no effect yet: no gateway has a route to a destination"
	case f.effect.moves == nil || both:
		return nil, ""
	}
	m := f.effect.moves
	for _, n := range []struct{ field, name string }{{"from", m.from}, {"to", m.to}} {
		if n.name != "" && !slices.Contains(names, n.name) && !slices.ContainsFunc(all, func(d routing.Destination) bool { return named(d, n.name) }) {
			problems = append(problems, fmt.Sprintf("spec.weights.%s: no destination is called %q (there is %s)", n.field, n.name, strings.Join(called(all, names), ", ")))
		}
	}
	if len(problems) > 0 {
		return problems, ""
	}
	return nil, "no effect yet: " + m.missing()
}

// called are the names to choose from, the short ones: versions, or else what
// is there.
func called(all []routing.Destination, names []string) []string {
	var short []string
	add := func(name string) {
		if name != "" && !strings.Contains(name, ".") && !slices.Contains(short, name) {
			short = append(short, name)
		}
	}
	for _, d := range all {
		add(d.Version)
	}
	for _, n := range names {
		add(n)
	}
	if len(short) == 0 {
		for _, d := range all {
			short = append(short, d.Host)
		}
	}
	slices.Sort(short)
	return slices.Compact(short)
}

// missing says what no route has.
func (m moves) missing() string {
	switch {
	case m.from == "" && m.to == "":
		return "no route has two destinations"
	case m.from == "":
		return fmt.Sprintf("no route has %s and another destination", m.to)
	case m.to == "":
		return fmt.Sprintf("no route has %s and another destination", m.from)
	}
	return fmt.Sprintf("no route has both %s and %s", m.from, m.to)
}
