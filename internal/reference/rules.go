package main

import (
	"slices"

	"github.com/meshassay/assay/runner/document"
)

// rules are the sentences on which keys go together.
func rules(m *mapping) []string {
	var all []string
	for _, k := range m.keys {
		group := []string{k.name}
		for _, other := range m.keys {
			if other.or == k.name {
				group = append(group, other.name)
			}
		}
		if len(group) > 1 {
			all = append(all, "Exactly one of "+ticked(group)+" is given.")
		}
		for _, c := range k.without {
			if k.unless == "" {
				all = append(all, ticked([]string{k.name, c.words()})+" exclude each other.")
			}
		}
		if len(k.with) > 0 {
			all = append(all, with(m, k)...)
		}
	}
	return append(all, dispensable(m)...)
}

// with are the sentences on what a key goes with; none where that is said of
// another key already.
func with(m *mapping, k *key) []string {
	var conditions []string
	for _, c := range k.with {
		conditions = append(conditions, "`"+c.words()+"`")
	}
	names := ring(m, k)
	switch {
	case names != nil && names[0] == k.name:
		return []string{ticked(names) + " go together."}
	case names != nil:
		return nil
	case k.required:
		return []string{"At least one of " + document.And(conditions) + " is given."}
	}
	return []string{"`" + k.name + "` goes with " + or(conditions) + " only."}
}

// dispensable is the sentence on keys that only another makes dispensable.
func dispensable(m *mapping) []string {
	var names []string
	other := ""
	for _, k := range m.keys {
		if k.unless != "" {
			names, other = append(names, k.name), k.unless
		}
	}
	if other == "" {
		return nil
	}
	return []string{"Either `" + other + "` is given, or " + ticked(names) + "."}
}

// ring returns the keys of which each goes with the next only, and the last with
// this one, in the order of the mapping; nil when there are none.
func ring(m *mapping, k *key) []string {
	found := map[string]bool{}
	for next := k; next != nil && !found[next.name]; {
		found[next.name] = true
		if len(next.with) != 1 || next.with[0].value != "" {
			return nil
		}
		i := slices.IndexFunc(m.keys, func(o *key) bool { return o.name == next.with[0].key })
		if i < 0 {
			return nil
		}
		if next = m.keys[i]; found[next.name] && next != k {
			return nil
		}
	}
	var names []string
	for _, o := range m.keys {
		if found[o.name] {
			names = append(names, o.name)
		}
	}
	return names
}

// ticked joins the names of keys.
func ticked(names []string) string {
	all := make([]string, len(names))
	for i, n := range names {
		all[i] = "`" + n + "`"
	}
	return document.And(all)
}
