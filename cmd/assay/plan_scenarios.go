package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
	"github.com/meshassay/assay/runner/verdict"
)

// plannedRun is what a run will do, as --json prints it.
type plannedRun struct {
	Environment string            `json:"environment"`
	File        string            `json:"file"` // of the environment
	Scenarios   []plannedScenario `json:"scenarios"`
	Total       planTotal         `json:"total"`
}

type plannedScenario struct {
	Name  string        `json:"name"`
	Title string        `json:"title"`
	File  string        `json:"file"`
	Needs string        `json:"needs,omitempty"`
	Skip  string        `json:"skip,omitempty"` // why it does not run here
	Steps []plannedStep `json:"steps,omitempty"`
	// PutBack is what is undone at the scenario's end, the last change first.
	PutBack []putBack `json:"putBack,omitempty"`
}

type plannedStep struct {
	Title    string `json:"title"`
	Position string `json:"position"` // FILE:LINE:COL
	runner.Outline
	Expectations []planned `json:"expectations,omitempty"`
	// Sampling is what the step asks each of its gateways.
	Sampling *planSampling `json:"sampling,omitempty"`

	line int
}

// planSampling is how much a step asks each gateway when the mesh is right, all
// its cases together.
type planSampling struct {
	Median     int64         `json:"median"`
	P99        int64         `json:"p99"`
	MedianTime time.Duration `json:"medianTimeNanos"`
	P99Time    time.Duration `json:"p99TimeNanos"`
	// Rate is how fast, and Assumed that the environment gives no rate, so that
	// it is reckoned with answers that take answerTime.
	Rate    float64 `json:"rate"`
	Assumed bool    `json:"assumed,omitempty"`
	// Beyond says that the budget does not do for either.
	Beyond bool `json:"beyond,omitempty"`
}

type putBack struct {
	Cluster string                `json:"cluster"`
	Object  runner.OutlinedObject `json:"object"`
	What    string                `json:"what"`
}

type planTotal struct {
	Scenarios  int           `json:"scenarios"`
	Steps      int           `json:"steps"`
	Objects    int           `json:"objectsChanged"` // each in each of its clusters, once
	Verdicts   int           `json:"verdicts"`
	Calls      int           `json:"calls"`
	Median     int64         `json:"medianRequests"`
	P99        int64         `json:"p99Requests"`
	MedianTime time.Duration `json:"medianTimeNanos"`
	P99Time    time.Duration `json:"p99TimeNanos"`
}

// answerTime is how long an answer takes where nothing else says how fast a
// gateway may be asked.
const answerTime = 10 * time.Millisecond

// ofScenarios plans what args name.
func (f *planFlags) ofScenarios(stdout, stderr io.Writer, args []string, budgeted bool) error {
	plan, env, err := f.plan(args)
	mistakes, err := mistakesOf(err)
	switch {
	case err != nil:
		return unjudged(err)
	case len(mistakes) > 0:
		return refused(stderr, "plan", mistakes)
	}
	run := plannedRun{Environment: env.Name, File: env.File}
	forecasts := forecaster{flags: f, known: make(map[string]verdict.Forecast)}
	for _, s := range plan.Scenarios {
		one := plannedScenario{Name: s.Scenario.Name, Title: s.Scenario.Title, File: s.Scenario.File, Needs: s.Scenario.Needs, Skip: s.Skip}
		for _, step := range s.Steps {
			p := plannedStep{Title: step.Title, Position: step.Position(), Outline: plan.Outline(step), line: step.Step.Source.Pos().Line}
			if p.Expectations, err = forecasts.of(p.Claims, budgeted); err != nil {
				return unjudged(err)
			}
			p.Sampling = samplingOf(p.Claims, p.Expectations)
			one.Steps = append(one.Steps, p)
		}
		one.PutBack = undone(one.Steps)
		run.Scenarios = append(run.Scenarios, one)
	}
	run.Total = totalOf(run.Scenarios)
	if f.asJSON {
		return unjudged(printJSON(stdout, run))
	}
	_, err = io.WriteString(stdout, run.text(f))
	return unjudged(err)
}

// forecaster makes forecasts; what is expected several times is simulated once.
type forecaster struct {
	flags *planFlags
	known map[string]verdict.Forecast
}

func (f *forecaster) of(claims []runner.PlannedClaim, budgeted bool) ([]planned, error) {
	simulate := verdict.SimulateRight
	if f.flags.verbose {
		simulate = verdict.Simulate
	}
	var all []planned
	for _, c := range claims {
		p := planned{Case: c.Case, Gateways: c.Gateways, Claim: c.Claim, Budget: c.Requests, Time: c.Time}
		if budgeted {
			p.Budget = f.flags.budget
		}
		key := fmt.Sprintf("%+v %d", p.Claim, p.Budget)
		forecast, ok := f.known[key]
		if !ok {
			var err error
			if forecast, err = simulate(p.Claim, p.Budget, f.flags.runs, f.flags.seed); err != nil {
				return nil, err
			}
			f.known[key] = forecast
		}
		p.Forecast = forecast
		all = append(all, p)
	}
	return all, nil
}

// samplingOf is what a step asks each gateway. Cases are asked in turn until
// the last of them is decided.
func samplingOf(claims []runner.PlannedClaim, forecasts []planned) *planSampling {
	if len(claims) == 0 {
		return nil
	}
	s := &planSampling{Rate: claims[0].Rate}
	for _, p := range forecasts {
		s.Median, s.P99 = max(s.Median, p.Forecast.Right.Median), max(s.P99, p.Forecast.Right.P99)
		s.Beyond = s.Beyond || p.Forecast.Right.Undecided >= .01
	}
	s.Median, s.P99 = s.Median*int64(len(claims)), s.P99*int64(len(claims))
	if s.Rate <= 0 {
		s.Rate, s.Assumed = float64(claims[0].Workers)/answerTime.Seconds(), true
	}
	at := func(n int64) time.Duration {
		return min(claims[0].Time, time.Duration(float64(n)/s.Rate*float64(time.Second)))
	}
	s.MedianTime, s.P99Time = at(s.Median), at(s.P99)
	return s
}

// undone is what putting a scenario back undoes, the last change first: the
// first that a scenario does to an object says how it was before.
func undone(steps []plannedStep) []putBack {
	var all []putBack
	seen := make(map[string]bool)
	for _, s := range steps {
		if s.Changes == "" {
			continue
		}
		for _, o := range s.Objects {
			in := s.Clusters
			if o.Cluster != "" {
				in = []string{o.Cluster} // one that a script touches is in one of them
			}
			for _, cluster := range in {
				if o.Cluster != "" && o.Cluster != cluster {
					continue
				}
				if id := cluster + " " + o.String(); !seen[id] {
					seen[id] = true
					what := "deleted, or made as it was"
					switch s.Changes {
					case "deleted":
						what = "made again as it was"
					case "touched":
						what = "deleted, or made as it was, if it is changed"
					}
					all = append(all, putBack{Cluster: cluster, Object: o, What: what})
				}
			}
		}
	}
	slices.Reverse(all)
	return all
}

func totalOf(scenarios []plannedScenario) planTotal {
	var t planTotal
	for _, s := range scenarios {
		if s.Skip != "" {
			continue
		}
		t.Scenarios++
		t.Steps += len(s.Steps)
		t.Objects += len(s.PutBack)
		for _, step := range s.Steps {
			t.Calls += step.Calls
			t.MedianTime, t.P99Time = t.MedianTime+step.CallsTime, t.P99Time+step.CallsTime
			if n := step.Sampling; n != nil {
				t.Verdicts += len(step.Expectations) * len(step.Gateways)
				t.Median += n.Median * int64(len(step.Gateways))
				t.P99 += n.P99 * int64(len(step.Gateways))
				t.MedianTime, t.P99Time = t.MedianTime+n.MedianTime, t.P99Time+n.P99Time
			}
		}
	}
	return t
}

// plan plans what args name. The error is document.Mistakes where something is
// wrong with the files.
func (f *planFlags) plan(args []string) (*runner.Plan, *environment.Environment, error) {
	paths, names := parted(args)
	roots := slices.Clone(paths)
	if len(names) > 0 || len(args) == 0 {
		roots = append(roots, defaultScenarios)
	}
	environments := environment.Folder(roots[0])
	set, _, err := runner.ReadScenarios(filepath.Dir(environments), roots...)
	if err != nil {
		return nil, nil, orNew(err)
	}
	env, engine, err := engineFor(f.environment, environments, os.LookupEnv)
	if err != nil {
		return nil, nil, err
	}
	named := make(map[string]bool)
	if len(names) > 0 {
		chosen, err := set.Select(names...)
		if err != nil {
			return nil, nil, err
		}
		for _, s := range chosen {
			named[s.File] = true
		}
	}
	asked := func(file string) bool {
		return len(args) == 0 || named[file] || slices.ContainsFunc(paths, func(path string) bool { return inside(path, file) })
	}
	plan, err := soundPlan(engine, set, asked)
	return plan, env, err
}

// soundPlan plans the scenarios asked for and what they need; all mistakes are
// told at once.
func soundPlan(engine *runner.Engine, set scenario.Set, asked func(file string) bool) (*runner.Plan, error) {
	var mistakes document.Mistakes
	for _, b := range set.Broken {
		if asked(b.File) {
			mistakes = append(append(mistakes, b.Mistakes...), stepsOf(engine, b)...)
		}
	}
	plan, err := engine.Plan(withNeeds(set, asked))
	wrong, err := mistakesOf(err)
	if err != nil {
		return nil, err
	}
	if mistakes = document.Sort(append(mistakes, wrong...)); len(mistakes) > 0 {
		return nil, mistakes
	}
	return plan, nil
}

// parted tells files and folders from names and globs.
func parted(args []string) (paths, names []string) {
	for _, arg := range args {
		_, err := os.Stat(arg)
		if err == nil || strings.ContainsRune(arg, filepath.Separator) || strings.HasSuffix(arg, ".yaml") || strings.HasSuffix(arg, ".yml") {
			paths = append(paths, arg)
		} else {
			names = append(names, arg)
		}
	}
	return paths, names
}
