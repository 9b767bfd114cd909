package suites

import (
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/scenario"
)

// How long the nodes that tidy up may take, also after a Ctrl-C or a time-out:
// without a limit of their own Ginkgo gives them its grace period only.
// (Deleting a namespace with pods takes about 10 s.)
const (
	putBackWithin = 4 * time.Minute
	stopWithin    = time.Minute
)

// register gives Ginkgo the nodes of the whole suite.
func (s *suite) register() {
	if s.refused != nil {
		s.registerRefusal()
		return
	}
	if config, _ := ginkgo.GinkgoConfiguration(); config.RandomizeAllSpecs {
		shuffle(s.Plan, config.RandomSeed)
	}
	ginkgo.SynchronizedBeforeSuite(s.start, func() {})
	for _, b := range s.Broken {
		registerBroken(b)
	}
	for _, p := range s.Plan.Scenarios {
		if p.Parent == nil {
			s.container(p)
		}
	}
	ginkgo.ReportAfterSuite("the report of the run", s.report)
}

// shuffle puts scenarios that need the same one into a random order. Ginkgo's
// --randomize-all leaves the inside of an Ordered container as it is, and a whole
// chapter is inside of one. It is the order of Ginkgo's seed, so that every process
// of -p builds the same tree, and a run can be repeated.
func shuffle(p *runner.Plan, seed int64) {
	chance := rand.New(rand.NewPCG(uint64(seed), 0))
	for _, s := range p.Scenarios {
		chance.Shuffle(len(s.Children), func(i, j int) {
			s.Children[i], s.Children[j] = s.Children[j], s.Children[i]
		})
	}
}

// registerRefusal makes the one failing spec of a suite that has no tree. It
// is a spec, and not a failure of the test around it, so that it is in all of
// Ginkgo's reports and -p does not wait for a process that has gone.
func (s *suite) registerRefusal() {
	message := s.refused.Error()
	var mistakes document.Mistakes
	if errors.As(s.refused, &mistakes) {
		message = shown(mistakes)
	}
	ginkgo.It("reads its scenarios", types.NewCustomCodeLocation("before the first scenario"), func() { ginkgo.Fail(message) })
	ginkgo.ReportAfterSuite("the report of the run", func(r ginkgo.Report) {
		if r.SuiteSucceeded && !r.SuiteConfig.DryRun { // a filter has left the spec out
			ginkgo.Fail(message)
		}
	})
}

// registerBroken makes the failing spec of a file that cannot run.
func registerBroken(b scenario.Broken) {
	at := document.Pos{File: b.File, Line: 1}
	if len(b.Mistakes) > 0 {
		at = b.Mistakes[0].Pos
	}
	ginkgo.It(b.File+" is a scenario", location(at), func() { ginkgo.Fail(shown(b.Mistakes)) })
}

// shown is every mistake with its line and a caret.
func shown(ms document.Mistakes) string {
	var b strings.Builder
	ms.Show(&b)
	return strings.TrimRight(b.String(), "\n")
}

// container makes a scenario's container: its steps, and in it the containers
// of the scenarios that need it. A root is Ordered, and so is all below it;
// ContinueOnFailure, because a sibling of what failed runs all the same (what
// must not run skips itself); and Serial, because there is one environment. Its
// text is the name alone: Ginkgo prints those of all containers around a spec.
func (s *suite) container(p *runner.PlannedScenario) {
	decorators := []any{location(p.Scenario.Source.Get("name").Pos()), ginkgo.Label(runner.Labels(p.Scenario)...), ginkgo.Ordered}
	if p.Parent == nil {
		decorators = append(decorators, ginkgo.ContinueOnFailure, ginkgo.Serial)
	}
	ginkgo.Describe(p.Scenario.Name, decorators, func() {
		if p.Skip != "" {
			ginkgo.It("does not run here", location(p.Scenario.Source.Pos()), func() { ginkgo.Skip(p.Skip) })
		} else {
			s.specs(p)
		}
		for _, child := range p.Children {
			s.container(child)
		}
		if p.Skip == "" {
			ginkgo.AfterAll(func(ctx ginkgo.SpecContext) { s.putBack(ctx, p) },
				location(p.Scenario.Source.Pos()), ginkgo.NodeTimeout(putBackWithin))
		}
	})
}

// specs makes a spec for each step. There is no BeforeAll: Run.Step itself
// brings about what a step builds on and no spec has done, since filters may
// leave out earlier steps of the same scenario too, and since a BeforeAll that
// fails in an Ordered container that continues on failure would skip every
// later spec of it, those of other branches of the tree included.
func (s *suite) specs(p *runner.PlannedScenario) {
	for _, step := range p.Steps {
		ginkgo.It(step.Title, location(step.Step.Source.Pos()), func(ctx ginkgo.SpecContext) { s.step(ctx, step) })
	}
}

// location makes a place in a YAML file the place of a node.
func location(at document.Pos) types.CodeLocation {
	return types.CodeLocation{FileName: at.File, LineNumber: at.Line}
}
