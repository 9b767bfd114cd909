package runner

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
	"github.com/meshassay/assay/runner/route"
)

// stated is what the manifests of one scenario say of shares, as far as its
// steps have been planned.
type stated struct {
	order []string // identities, the latest applied last
	by    map[string]statement
}

type statement struct {
	manifest kube.Manifest
	split    route.Split
	ok       bool // false: this object, as it is now, divides nothing
}

// apply takes in what a step applies. The same object again replaces what it
// said before.
func (s *stated) apply(manifests []kube.Manifest) {
	if s.by == nil {
		s.by = make(map[string]statement)
	}
	for _, m := range manifests {
		id := kube.Identity(m.Object)
		split, ok := route.SplitOf(m.Object.Object)
		s.order = append(slices.DeleteFunc(s.order, func(o string) bool { return o == id }), id)
		s.by[id] = statement{m, split, ok}
	}
}

// delete takes out what a step deletes: it says nothing any more.
func (s *stated) delete(manifests []kube.Manifest) {
	for _, m := range manifests {
		id := kube.Identity(m.Object)
		s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
		delete(s.by, id)
	}
}

// only returns the one split that is in force for every request. With several,
// or with one that is for some requests only, nothing can be said without
// knowing how the mesh merges them.
func (s *stated) only() (statement, bool) {
	var found []statement
	for _, id := range s.order {
		if st := s.by[id]; st.ok {
			found = append(found, st)
		}
	}
	if len(found) != 1 || found[0].split.Conditional {
		return statement{}, false
	}
	return found[0], true
}

// contradiction compares the shares that a step expects with those that the
// scenario's own manifest states, and reports each that differs at its place.
// It says nothing where the manifest's destinations cannot be told apart in the
// environment.
func (p *planner) contradiction(shares document.Value, want map[string]float64) {
	st, ok := p.stated.only()
	if !ok {
		return
	}
	origin := fmt.Sprintf("%s, %s", st.manifest.Origin(), kube.Describe(st.manifest.Object))
	if strays := p.strays(st.split, want); len(strays) > 0 {
		for _, s := range strays {
			p.add(shares.Mistake("the manifest that this scenario applies sends traffic to %s", s).WithHint(origin))
		}
		return
	}
	says, ok := sharesOf(st.split, p.env)
	if !ok {
		return
	}
	names := slices.Sorted(maps.Keys(want))
	for name := range says {
		if _, listed := want[name]; !listed {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if math.Abs(says[name]-want[name]) < 1e-9 {
			continue
		}
		at := shares.Get(name)
		if !at.Exists() {
			at = shares
		}
		p.add(at.Mistake("%s is expected to get %s, but the manifest that this scenario applies gives it %s",
			name, percent(want[name]), percent(says[name])).WithHint(origin))
	}
}

// percent is a share to four decimals of a percent: weights need not divide evenly.
func percent(f float64) string { return document.Percent(math.Round(f*1e6) / 1e6).String() }

// strays are the targets that hold pods of a destination's service by labels that
// none of the service's destinations has: a slip, as in version: bleu. Where an
// outcome is wanted that is no destination nothing is said, for it may be theirs.
func (p *planner) strays(split route.Split, want map[string]float64) []string {
	for name, share := range want {
		if _, known := p.env.Destinations[name]; share > 0 && !known {
			return nil
		}
	}
	var strays []string
	for _, t := range split.Targets {
		var beside []string // destinations of the same service, if the target is none of them
		for _, name := range p.env.Order.Destinations {
			d := p.env.Destinations[name]
			if !serves(d, t) {
				continue
			}
			if overlaps(t.Subset, d.Subset) {
				beside = nil
				break
			}
			beside = append(beside, fmt.Sprintf("%s is %s", name, labelled(d.Subset)))
		}
		if len(beside) > 0 {
			strays = append(strays, fmt.Sprintf("%s of service %s/%s in %s, which is no destination of the environment: %s",
				labelled(t.Subset), t.Namespace, t.Name, t.Cluster, document.And(beside)))
		}
	}
	return strays
}

// labelled writes labels as kubectl's selectors do.
func labelled(set map[string]string) string {
	var labels []string
	for _, k := range slices.Sorted(maps.Keys(set)) {
		labels = append(labels, k+"="+set[k])
	}
	return strings.Join(labels, ",")
}

// sharesOf says a split in the environment's words.
func sharesOf(split route.Split, env *environment.Environment) (map[string]float64, bool) {
	shares := make(map[string]float64)
	sum := 0.0
	for _, t := range split.Targets {
		name, ok := destinationOf(t, env)
		if !ok {
			return nil, false
		}
		shares[name] += t.Weight
		sum += t.Weight
	}
	if sum <= 0 {
		return nil, false
	}
	for name := range shares {
		shares[name] /= sum
	}
	return shares, true
}

// destinationOf finds the one destination that a target can be.
func destinationOf(t route.Target, env *environment.Environment) (string, bool) {
	var found []string
	for _, name := range env.Order.Destinations {
		d := env.Destinations[name]
		if serves(d, t) && overlaps(t.Subset, d.Subset) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return "", false
	}
	return found[0], true
}

// serves reports whether a destination is of the target's service.
func serves(d environment.Destination, t route.Target) bool {
	return d.Cluster == t.Cluster && d.Service == t.Namespace+"/"+t.Name
}

// overlaps reports whether pods can be of both sets of labels.
func overlaps(a, b map[string]string) bool {
	for k, v := range a {
		if w, ok := b[k]; ok && v != w {
			return false
		}
	}
	return true
}
