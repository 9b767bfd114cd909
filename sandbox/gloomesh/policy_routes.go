package gloomesh

import (
	"slices"
	"sort"
)

// routeRules are what policies do with the requests of one flat route under
// one set of conditions.
type routeRules struct {
	by    *trafficPolicy   // the oldest of them
	moved []*trafficPolicy // by destination: who moves its requests, nil for nobody
	parts []part
}

// take adds a policy to the rules for the jth destination; policies come from
// the oldest to the youngest, and the older is right.
func (r *routeRules) take(j int, p *trafficPolicy) {
	if r.by == nil || p.olderThan(&r.by.meta) {
		r.by = p
	}
	if r.moved[j] == nil && len(p.shift) > 0 {
		r.moved[j] = p
	}
	r.parts = firstOf(r.parts, p.parts)
}

// under are the rules where those without conditions hold as well.
func (r *routeRules) under(always *routeRules) *routeRules {
	out := &routeRules{by: r.by, moved: slices.Clone(r.moved), parts: firstOf(r.parts, always.parts)}
	for j := range out.moved {
		if out.moved[j] == nil {
			out.moved[j] = always.moved[j]
		}
	}
	return out
}

// istioRoutes makes the HTTPRoutes of one flat route: first one for each set of
// conditions that policies set, those of the oldest policy first, then the
// route itself. It returns the policies as well.
func (t *translation) istioRoutes(h *virtualHost, index int, cluster string) ([]any, []*meta) {
	f := t.routes[h][index]
	inline := f.inline(h)
	fresh := func() *routeRules { return &routeRules{moved: make([]*trafficPolicy, len(f.destinations))} }
	always, when := fresh(), map[string]*routeRules{} // by conditions
	var order []string
	var parents []*meta
	for j := range f.destinations {
		for _, p := range t.moves[routeKey{h, index, j}] {
			parents = append(parents, &p.meta)
			if len(p.matchers) == 0 {
				always.take(j, p)
				continue
			}
			k := key(p.matchers)
			if when[k] == nil {
				when[k] = fresh()
				order = append(order, k)
			}
			when[k].take(j, p)
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return when[order[a]].by.olderThan(&when[order[b]].by.meta) })
	by := append(f.parents(), parents...)
	var out []any
	for _, k := range order {
		rules := when[k].under(always)
		both, _ := conjunctions(f.matchers, rules.by.matchers) // what cannot be said was refused before
		out = append(out, t.istioRoute(f, f.name()+"."+rules.by.name, cluster, both, divide(f.destinations, rules.moved), firstOf(inline, rules.parts), by))
	}
	return append(out, t.istioRoute(f, f.name(), cluster, f.matchers, divide(f.destinations, always.moved), firstOf(inline, always.parts), by)), parents
}

// istioRoute is one HTTPRoute. A single destination has no weight.
func (t *translation) istioRoute(f flatRoute, name, cluster string, matchers []matcher, destinations []destination, parts []part, by []*meta) map[string]any {
	out := map[string]any{"name": name}
	var match []any
	for _, m := range matchers {
		match = append(match, m.istio())
	}
	if len(match) > 0 {
		out["match"] = match
	}
	if f.last().rewrite != "" {
		out["rewrite"] = map[string]any{"uri": f.last().rewrite}
	}
	if answer := f.last().answer; answer != nil {
		for name, value := range answer {
			out[name] = value
		}
		parts = slices.DeleteFunc(slices.Clone(parts), func(p part) bool { return !forAnswers(p) })
	}
	t.addParts(out, cluster, parts)
	var route []any
	for _, d := range destinations {
		one := map[string]any{"destination": t.istioDestination(cluster, d, by)}
		if len(destinations) > 1 {
			one["weight"] = d.weight
		}
		if d.headers != nil {
			one["headers"] = d.headers
		}
		route = append(route, one)
	}
	if len(route) > 0 {
		out["route"] = route
	}
	return out
}
