package runner

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// Plan is what will be done, known before a cluster is touched.
type Plan struct {
	Scenarios []*PlannedScenario // parents before their children
	// Expectations is the number of verdicts that the plan may come to: each
	// case of each expect step on each gateway. The run's alpha is divided by it.
	Expectations int
	// Broken are the files that were selected and cannot run, a line each with why.
	Broken []string

	env      *environment.Environment
	clusters []string                  // those that are used, sorted
	kinds    map[schema.GroupKind]bool // of the manifests, and
	named    map[string]bool           // the identities of their objects
}

// PlannedScenario is one scenario of a plan.
type PlannedScenario struct {
	Scenario *scenario.Scenario
	Parent   *PlannedScenario // the one that it needs, or nil
	Children []*PlannedScenario
	Steps    []*PlannedStep
	// Skip says why the scenario does not run in this environment; "" when it
	// does. A scenario that is skipped has no steps planned.
	Skip string
}

// PlannedStep is one step of a plan.
type PlannedStep struct {
	Step     scenario.Step
	Scenario *PlannedScenario
	Title    string // in words, for the name of a spec
	// Expectations is how many verdicts the step comes to.
	Expectations int
	// Changes says that the step is part of bringing about the scenario's
	// state: it changes objects, or waits for them.
	Changes bool

	work work
}

// Position is where the step stands: "file:line:col".
func (s *PlannedStep) Position() string { return s.Step.Source.Pos().String() }

// planner collects what planning finds.
type planner struct {
	engine   *Engine
	env      *environment.Environment
	mistakes document.Mistakes
	used     map[string]bool           // clusters
	kinds    map[schema.GroupKind]bool // of manifests
	named    map[string]bool           // the identities of their objects
	step     *PlannedStep
	stated   *stated // what the manifests of this scenario say of shares
}

func (p *planner) add(ms ...document.Mistake) { p.mistakes = append(p.mistakes, ms...) }

// Plan checks scenarios against the environment and prepares their steps. The
// scenarios come with everything that they need, parents first, as
// scenario.Set.Select returns them. The error is document.Mistakes: everything
// that is wrong, at once.
func (e *Engine) Plan(scenarios []*scenario.Scenario) (*Plan, error) {
	p := &planner{engine: e, env: e.env, used: make(map[string]bool), kinds: make(map[schema.GroupKind]bool), named: make(map[string]bool)}
	plan := &Plan{env: e.env, kinds: p.kinds, named: p.named}
	byName := make(map[string]*PlannedScenario)
	for _, s := range scenarios {
		planned := &PlannedScenario{Scenario: s}
		if s.Needs != "" {
			planned.Parent = byName[s.Needs]
			if planned.Parent == nil {
				p.add(s.Source.Get("needs").Mistake("scenario %q is not among those that are to run", s.Needs))
			} else {
				planned.Parent.Children = append(planned.Parent.Children, planned)
			}
		}
		byName[s.Name] = planned
		plan.Scenarios = append(plan.Scenarios, planned)
		p.scenario(planned)
		for _, step := range planned.Steps {
			plan.Expectations += step.Expectations
		}
	}
	for name := range p.used {
		plan.clusters = append(plan.clusters, name)
	}
	slices.Sort(plan.clusters)
	return plan, document.Sort(p.mistakes).Err()
}

// Check returns what is wrong with the steps of one scenario, whatever is wrong
// with what it needs: for scenarios that cannot be planned, so that all their
// mistakes are told at once.
func (e *Engine) Check(s *scenario.Scenario) document.Mistakes {
	p := &planner{engine: e, env: e.env, used: make(map[string]bool), kinds: make(map[schema.GroupKind]bool), named: make(map[string]bool)}
	p.scenario(&PlannedScenario{Scenario: s})
	return document.Sort(p.mistakes)
}

func (p *planner) scenario(s *PlannedScenario) {
	if s.Skip = p.skip(s); s.Skip != "" {
		return
	}
	p.stated = &stated{}
	for _, step := range s.Scenario.Steps {
		if step.Action == "" {
			continue // it has no action, or several: its mistake is told already
		}
		planned := &PlannedStep{Step: step, Scenario: s, Title: step.Name}
		a := actionNamed(step.Action)
		if a == nil {
			p.add(step.Body.KeyMistake("unknown action %q", step.Action).WithHint(document.OneOf(step.Action, Actions())))
			continue
		}
		planned.Changes = a.changes
		p.step = planned
		planned.work = a.plan(p, planned)
		if planned.Title == "" {
			planned.Title = step.Action
		}
		s.Steps = append(s.Steps, planned)
	}
}

// skip says why a scenario does not run here.
func (p *planner) skip(s *PlannedScenario) string {
	if parent := s.Parent; parent != nil && parent.Skip != "" {
		return fmt.Sprintf("it needs %s, which is skipped: %s", parent.Scenario.Name, parent.Skip)
	}
	in := s.Scenario.Environments
	if len(in) > 0 && !slices.Contains(in, p.env.Name) {
		return fmt.Sprintf("it is for %s, and this is %s", document.And(in), p.env.Name)
	}
	if p.engine.options.NoRun {
		for _, step := range s.Scenario.Steps {
			if step.Action == "run" {
				return fmt.Sprintf("%s: it runs a program of its own, and that is switched off (--no-run)", step.Source.Pos())
			}
		}
	}
	return ""
}

// time reads a time that a step may give; one of 0 would wait for nothing.
func (p *planner) time(v document.Value, into *time.Duration) {
	var d document.Duration
	if !v.Exists() || len(v.Decode(&d)) > 0 {
		return // not given, or it has its mistake
	}
	if *into = time.Duration(d); d == 0 {
		p.add(v.Mistake("a time of 0 is over before anything is looked at"))
	}
}

// clusters reads the fields cluster and clusters, of which a step has exactly
// one, and checks that the environment has them.
func (p *planner) clusters(body document.Value, one string, several []string) []string {
	v, list := body.Get("cluster"), body.Get("clusters")
	known := p.env.Order.Clusters
	check := func(v document.Value, name string) {
		if _, ok := p.env.Clusters[name]; ok {
			p.used[name] = true
		} else if name != "" {
			p.add(v.Mistake("unknown cluster %q", name).WithHint(document.OneOf(name, known)))
		}
	}
	switch {
	case v.Exists() && list.Exists():
		p.add(list.KeyMistake("want either cluster or clusters, not both"))
	case v.Exists():
		check(v, one)
		return []string{one}
	case !list.Exists():
		p.add(body.KeyMistake("cluster is missing").WithHint("add cluster: NAME or clusters: [NAME, …]"))
	case list.Kind() == document.Sequence && list.Len() == 0:
		p.add(list.Mistake("the list is empty"))
	}
	for i, name := range several {
		check(list.Index(i), name)
		if slices.Index(several, name) < i && name != "" {
			p.add(list.Index(i).Mistake("cluster %q is listed twice", name))
		}
	}
	return several
}
