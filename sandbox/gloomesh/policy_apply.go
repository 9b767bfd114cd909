package gloomesh

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// shiftField is the part of a policy that moves requests. It is for each
// destination of a route by itself; every other part is for a route as a whole.
const shiftField = "trafficShift"

// fields lists the parts that a policy has.
func (p policy) fields() []string {
	var out []string
	if len(p.shift) > 0 {
		out = append(out, shiftField)
	}
	for _, one := range p.parts {
		out = append(out, one.field)
	}
	return out
}

// part finds a part; nil if the policy does not have it.
func (p policy) part(field string) *part {
	i := slices.IndexFunc(p.parts, func(one part) bool { return one.field == field })
	if i < 0 {
		return nil
	}
	return &p.parts[i]
}

// targets are all destinations that a policy names.
func (p policy) targets() []destination {
	out := slices.Clone(p.shift)
	for _, one := range p.parts {
		if one.mirror != nil {
			out = append(out, one.mirror.to)
		}
	}
	return out
}

// says is the same for policies whose part of that name does the same.
func (p policy) says(field string) string {
	one := p.part(field)
	if one == nil {
		return ""
	}
	says := []any{one.route}
	if m := one.mirror; m != nil {
		says = append(says, m.to.id(), m.percent)
	}
	text, _ := json.Marshal(says) // maps are written in the order of their keys
	return string(text)
}

// agrees tells whether two policies do the same in one of their parts.
func (p policy) agrees(field string, other policy) bool {
	if field == shiftField {
		return sameShift(p.shift, other.shift)
	}
	return p.says(field) == other.says(field)
}

// checkWhole refuses what p does with the requests of a whole route where it
// selects only some of that route's destinations: an HTTPRoute cannot say it.
func (p *trafficPolicy) checkWhole(f flatRoute, services []serviceRef) {
	if len(p.parts) == 0 {
		return
	}
	for _, d := range f.destinations {
		if slices.Contains(services, d.service) {
			continue
		}
		for _, one := range p.parts {
			p.problems.failf(one.path, "route %s sends to %s too, which the policy does not select, and Istio knows this for a route as a whole only", f.name(), d.service)
		}
	}
}

// inline are the parts that the objects along a route say themselves: the
// options of the nearest route that has any, and for the rest the host's.
func (f flatRoute) inline(h *virtualHost) []part {
	var out []part
	for _, l := range slices.Backward(f.chain) {
		if l.route.options != nil {
			out = l.route.options.parts
			break
		}
	}
	if h.options != nil {
		out = firstOf(out, h.options.parts)
	}
	return out
}

// firstOf takes every part from the first list that has it.
func firstOf(lists ...[]part) []part {
	var out []part
	for _, list := range lists {
		for _, one := range list {
			if !slices.ContainsFunc(out, func(o part) bool { return o.field == one.field }) {
				out = append(out, one)
			}
		}
	}
	return out
}

// checkOptions holds what routes and hosts say themselves to services that
// exist, and to what a route without a destination can do.
func (t *translation) checkOptions(m *meta, options *policy, answers bool) {
	if options == nil {
		return
	}
	t.checkDestinations(options.targets(), &m.problems)
	for _, one := range options.parts {
		if answers && !forAnswers(one) {
			m.problems.invalidf(one.path, "the route asks no destination, so that this could have no effect")
		}
	}
}

// forAnswers tells whether a part says something about a redirect or a direct
// response.
func forAnswers(p part) bool { return p.field == "headerManipulation" || p.field == "corsPolicy" }

// checkRewrite refuses conditions of p on a path that a route rewrites: the
// rewriting replaces what matched, which would then be p's.
func (p *trafficPolicy) checkRewrite(f flatRoute) {
	if f.last().rewrite == "" {
		return
	}
	both, _ := conjunctions(f.matchers, p.matchers)
	for _, m := range both {
		if !slices.ContainsFunc(f.matchers, func(of matcher) bool { return of.uri == m.uri }) && m.uri.kind != "" {
			p.problems.failf("spec.httpRequestMatchers", "the condition on the path is not the one of route %s, which is rewritten by what matched: the sandbox does not honour both", f.name())
			return
		}
	}
}

// addParts puts parts into an HTTPRoute. It notes the mirror's parents, as for
// any other destination.
func (t *translation) addParts(out map[string]any, cluster string, parts []part) {
	for _, one := range parts {
		for name, value := range one.route {
			out[name] = value
		}
		if m := one.mirror; m != nil {
			out["mirror"] = t.istioDestination(cluster, m.to, nil)
			out["mirrorPercentage"] = map[string]any{"value": m.percent}
		}
	}
}

// checkMirrors finds copies, asked for along a route, that cannot reach anybody
// from a cluster.
func (t *translation) checkMirrors(h *virtualHost, f flatRoute, cluster string) {
	check := func(m *meta, options *policy) {
		if options == nil {
			return
		}
		for _, one := range options.parts {
			if one.mirror == nil {
				continue
			}
			if _, err := t.snapshot.find(one.mirror.to.service); err != nil {
				continue // said already
			}
			if why := t.unreachable(cluster, one.mirror.to.service); why != "" {
				m.problems.invalidf(one.mirror.to.path, "%s", why)
			}
		}
	}
	check(&h.meta, h.options)
	for _, l := range f.chain {
		check(l.of, l.route.options)
	}
}

// noRegex says why a path that is matched otherwise than by exact or prefix
// cannot be rewritten, "" if it can.
func (f flatRoute) noRegex() string {
	for _, m := range f.matchers {
		if m.uri.kind == "regex" {
			return fmt.Sprintf("the path is matched by a regular expression (%s), and Gloo Mesh rewrites only what an exact path or a prefix matched", strings.TrimSpace(m.uri.value))
		}
	}
	return ""
}
