package suites

import (
	"slices"
	"testing"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/scenario"
)

// chapter is a scenario, three that need it, and three that need the first of these.
func chapter() *runner.Plan {
	plan := &runner.Plan{}
	add := func(name string, parent *runner.PlannedScenario) *runner.PlannedScenario {
		s := &runner.PlannedScenario{Scenario: &scenario.Scenario{Name: name}, Parent: parent}
		plan.Scenarios = append(plan.Scenarios, s)
		if parent != nil {
			parent.Children = append(parent.Children, s)
		}
		return s
	}
	gateway := add("gateway", nil)
	blue := add("blue", gateway)
	add("canary", gateway)
	add("green", gateway)
	add("firefox", blue)
	add("iphone", blue)
	add("mobile", blue)
	return plan
}

func order(plan *runner.Plan) []string {
	var names []string
	var walk func(s *runner.PlannedScenario)
	walk = func(s *runner.PlannedScenario) {
		names = append(names, s.Scenario.Name)
		for _, child := range s.Children {
			walk(child)
		}
	}
	walk(plan.Scenarios[0])
	return names
}

func TestShuffleMovesSiblingsOnly(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range int64(50) {
		plan := chapter()
		shuffle(plan, seed)
		got := order(plan)
		again := chapter()
		shuffle(again, seed)
		if !slices.Equal(got, order(again)) {
			t.Errorf("seed %d: %v, then %v: want the same twice", seed, got, order(again))
		}
		sorted := slices.Sorted(slices.Values(got))
		if want := slices.Sorted(slices.Values(order(chapter()))); !slices.Equal(sorted, want) {
			t.Errorf("seed %d: %v is not all of %v", seed, got, want)
		}
		for _, s := range plan.Scenarios {
			for _, child := range s.Children {
				if child.Parent != s {
					t.Errorf("seed %d: %s is below %s", seed, child.Scenario.Name, s.Scenario.Name)
				}
			}
		}
		seen[got[1]] = true
	}
	if len(seen) != 3 {
		t.Errorf("of three siblings only %v ever came first", seen)
	}
}
