package gloomesh

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// A flatRoute is one way from a VirtualHost, through any number of route
// tables, to destinations.
type flatRoute struct {
	chain        []link    // the first is the VirtualHost's, the last has the destinations
	matchers     []matcher // any of them; none matches everything
	destinations []destination
}

// A link is a route of one object.
type link struct {
	of    *meta
	route *route
}

// last is the route that has the destinations.
func (f flatRoute) last() *route { return f.chain[len(f.chain)-1].route }

// owner is the object that names the destinations.
func (f flatRoute) owner() *meta { return f.chain[len(f.chain)-1].of }

// name is made of the names along the way.
func (f flatRoute) name() string {
	parts := []string{f.chain[0].of.name}
	for _, l := range f.chain {
		if l.route.name != "" {
			parts = append(parts, l.route.name)
		}
	}
	return strings.Join(parts, ".")
}

// parents are the objects along the way.
func (f flatRoute) parents() []*meta {
	var out []*meta
	for _, l := range f.chain {
		out = append(out, l.of)
	}
	return out
}

// checkRoutes finds what is wrong with routes wherever they are used.
func (t *translation) checkRoutes() {
	for _, h := range t.virtualHosts {
		t.checkRoutesOf(&h.meta, h.routes)
		t.checkOptions(&h.meta, h.options, false)
	}
	for _, table := range t.routeTables {
		t.checkRoutesOf(&table.meta, table.routes)
	}
}

func (t *translation) checkRoutesOf(m *meta, routes []route) {
	for _, r := range routes {
		t.checkDestinations(r.destinations, &m.problems)
		t.checkOptions(m, r.options, r.answer != nil)
		if r.delegate == nil {
			continue
		}
		for _, match := range r.matchers {
			if match.uri.kind == "exact" || match.uri.kind == "regex" {
				m.problems.invalidf(match.path+".uri", "a route that delegates matches by prefix")
			}
		}
		for i, name := range r.delegate.refs {
			if t.table(name) == nil {
				m.problems.invalidf(fmt.Sprintf("%s.refs[%d]", r.delegate.path, i), "there is no RouteTable %s", name)
			}
		}
	}
}

// checkDestinations holds destinations to services and ports that exist.
func (t *translation) checkDestinations(destinations []destination, found *problems) {
	for _, d := range destinations {
		if d.service.cluster == "" || d.service.namespace == "" || d.service.name == "" {
			continue // said already
		}
		service, err := t.snapshot.find(d.service)
		if err != nil {
			found.invalidf(d.path, "%v", err)
			continue
		}
		if _, err := service.port(d.port); err != nil {
			found.invalidf(d.path+".port", "%v", err)
		}
	}
}

func (t *translation) table(name ref) *routeTable {
	for _, table := range t.routeTables {
		if table.ref == name {
			return table
		}
	}
	return nil
}

// followRoutes makes the flat routes of every VirtualHost that is on a gateway.
// What turns out to be wrong on the way is left out, so it is repeated until
// nothing new is wrong; each round takes at least one object out.
func (t *translation) followRoutes() {
	for {
		before := t.broken()
		for _, h := range t.virtualHosts {
			t.routes[h] = nil
			if len(t.clustersOf(h)) > 0 {
				t.routes[h] = t.follow(nil, &h.meta, h.routes, nil)
			}
			t.checkReach(h)
		}
		if t.broken() == before {
			return
		}
	}
}

// broken counts the objects that are not accepted.
func (t *translation) broken() int {
	n := 0
	for _, h := range t.virtualHosts {
		if !h.ok() {
			n++
		}
	}
	for _, table := range t.routeTables {
		if !table.ok() {
			n++
		}
	}
	return n
}

// checkReach finds the destinations that a gateway cannot reach.
func (t *translation) checkReach(h *virtualHost) {
	for _, cluster := range t.clustersOf(h) {
		for _, f := range t.routes[h] {
			for _, d := range f.destinations {
				if why := t.unreachable(cluster, d.service); why != "" {
					f.owner().problems.invalidf(d.path, "%s", why)
				}
			}
			t.checkMirrors(h, f, cluster)
			if why := f.noRegex(); why != "" && f.last().rewrite != "" {
				f.owner().problems.invalidf(f.last().path+".routeAction.pathRewrite", "%s", why)
			}
		}
	}
}

// follow makes the flat routes of one object, at the end of a chain of routes
// that delegate to it under the conditions inherited.
func (t *translation) follow(chain []link, m *meta, routes []route, inherited []matcher) []flatRoute {
	var out []flatRoute
	for i := range routes {
		if !m.ok() {
			return nil
		}
		r := &routes[i]
		matchers, errs := conjunctions(inherited, r.matchers)
		for _, err := range errs {
			if errors.Is(err, errDisjoint) {
				m.warn("%v", err)
			} else {
				m.problems.add(problem{failed, err.Error()})
			}
		}
		if len(matchers) == 0 && len(errs) > 0 {
			continue
		}
		here := append(slices.Clip(chain), link{m, r})
		if r.delegate == nil {
			out = append(out, flatRoute{chain: here, matchers: matchers, destinations: r.destinations})
			continue
		}
		for _, table := range t.tablesOf(m, r.delegate) {
			if slices.ContainsFunc(here, func(l link) bool { return l.of == &table.meta }) {
				m.problems.invalidf(r.delegate.path, "delegates in a circle: back to RouteTable %s", table)
				continue
			}
			out = append(out, t.follow(here, &table.meta, table.routes, matchers)...)
		}
	}
	return out
}

func (m *meta) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if !slices.Contains(m.warnings, text) {
		m.warnings = append(m.warnings, text)
	}
}

// tablesOf lists the route tables that a route of m delegates to: heavier ones
// first, then those named before those selected, and these by age.
func (t *translation) tablesOf(m *meta, d *delegate) []*routeTable {
	var out []*routeTable
	for _, name := range d.refs {
		if table := t.table(name); table != nil {
			out = append(out, table)
		}
	}
	if d.selector != nil {
		for _, table := range t.routeTables {
			if d.selector.selects(m.namespace, &table.meta) && !slices.Contains(out, table) {
				out = append(out, table)
			}
		}
	}
	if len(out) == 0 {
		m.warn("%s: selects no route table", d.path)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].weight > out[j].weight })
	return out
}
