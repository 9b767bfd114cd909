package scenario

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/meshassay/assay/runner/document"
)

// entry is one file on its way into a Set.
type entry struct {
	file     string
	name     string
	scenario *Scenario // nil when nothing could be read
	mistakes document.Mistakes
}

// tree puts the scenarios of many files together and finds what is wrong between them.
type tree struct{ entries []*entry }

// nameLine finds a scenario's name in a file that does not parse, so that those
// that need it are told the right thing.
var nameLine = regexp.MustCompile(`(?m)^name:[ \t]*["']?([-a-z0-9]+)["']?[ \t]*(?:#.*)?\r?$`)

func (t *tree) add(file string, source []byte, s *Scenario, ms document.Mistakes) {
	e := &entry{file: file, scenario: s, mistakes: ms}
	if s != nil {
		e.name = s.Name
	} else if m := nameLine.FindSubmatch(source); m != nil {
		e.name = string(m[1])
	}
	t.entries = append(t.entries, e)
}

func (t *tree) set() Set {
	t.checkNames()
	t.checkNeeds()
	t.checkCycles()
	t.checkAncestors()
	var set Set
	for _, e := range t.entries {
		if len(e.mistakes) > 0 {
			set.Broken = append(set.Broken, Broken{File: e.file, Name: e.name, Mistakes: document.Sort(e.mistakes), Scenario: e.scenario})
		}
	}
	set.Scenarios = t.below("")
	return set
}

// below returns the scenarios that need the one of that name, each followed by what
// is below it. What is broken is not reached: all below it is broken too.
func (t *tree) below(name string) []*Scenario {
	var siblings []*Scenario
	for _, e := range t.entries {
		if len(e.mistakes) == 0 && e.scenario.Needs == name {
			siblings = append(siblings, e.scenario)
		}
	}
	slices.SortFunc(siblings, func(a, b *Scenario) int { return cmp.Compare(a.Name, b.Name) })
	var all []*Scenario
	for _, s := range siblings {
		all = append(append(all, s), t.below(s.Name)...)
	}
	return all
}

// named returns the first entry of that name, or nil; nil for "".
func (t *tree) named(name string) *entry {
	for _, e := range t.entries {
		if name != "" && e.name == name {
			return e
		}
	}
	return nil
}

func (t *tree) names() []string {
	var names []string
	for _, e := range t.entries {
		names = append(names, e.name)
	}
	return names
}

// checkNames refuses names that two files have. Both are broken: which of them is
// meant cannot be told, and to run either would prove nothing about the other.
func (t *tree) checkNames() {
	for _, e := range t.entries {
		for _, other := range t.entries {
			if e == other || e.name == "" || e.name != other.name {
				continue
			}
			text := "also the name of " + other.file
			if e.scenario != nil {
				e.mistakes = append(e.mistakes, e.scenario.Source.Get("name").Mistake("%s", text))
			}
			break
		}
	}
}

// checkNeeds refuses needs that no file satisfies.
func (t *tree) checkNeeds() {
	for _, e := range t.entries {
		if e.scenario == nil || e.scenario.Needs == "" || t.named(e.scenario.Needs) != nil {
			continue
		}
		others := slices.DeleteFunc(t.names(), func(n string) bool { return n == "" || n == e.name })
		slices.Sort(others)
		needs := e.scenario.Source.Get("needs")
		e.mistakes = append(e.mistakes, needs.Mistake("no scenario is called %s", e.scenario.Needs).
			WithHint(document.OneOf(e.scenario.Needs, others)))
	}
}

// checkCycles refuses scenarios that need each other in a ring. One that needs
// itself has its mistake from Parse.
func (t *tree) checkCycles() {
	for _, e := range t.entries {
		ring := t.ringOf(e)
		if len(ring) < 2 {
			continue
		}
		way := strings.Join(append(ring, e.name), " -> ")
		e.mistakes = append(e.mistakes, e.scenario.Source.Get("needs").Mistake("the scenarios need each other in a ring: %s", way))
	}
}

// ringOf returns the names from e along its needs back to e, or nil when they do
// not lead back.
func (t *tree) ringOf(e *entry) []string {
	var way []string
	for at := e; at != nil && at.scenario != nil && !slices.Contains(way, at.name); {
		way = append(way, at.name)
		if at = t.named(at.scenario.Needs); at == e {
			return way
		}
		if at == nil || at.scenario == nil || at.scenario.Needs == "" {
			return nil
		}
	}
	return nil
}

// checkAncestors breaks what needs a broken scenario, and says why. Entries are
// gone through until nothing changes, since they are not in the tree's order.
func (t *tree) checkAncestors() {
	for changed := true; changed; {
		changed = false
		for _, e := range t.entries {
			if len(e.mistakes) > 0 || e.scenario.Needs == "" {
				continue
			}
			parent := t.named(e.scenario.Needs)
			if len(parent.mistakes) == 0 {
				continue
			}
			why := e.scenario.Source.Get("needs").Mistake("%s is broken", parent.name).
				WithHint("see " + document.Sort(parent.mistakes)[0].Pos.String())
			e.mistakes = append(e.mistakes, why)
			changed = true
		}
	}
}
