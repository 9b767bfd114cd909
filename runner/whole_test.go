package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
)

// notebook is an Observer that writes down what it is told.
type notebook struct{ lines []string }

func (n *notebook) note(format string, args ...any) {
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

func (n *notebook) Scenario(s *PlannedScenario) {
	n.note("%s", strings.TrimSpace(s.Scenario.Name+" "+s.Skip))
}
func (n *notebook) Step(s *PlannedStep)                   { n.note("  %s begins", s.Title) }
func (n *notebook) Ended(s *PlannedStep, got record.Step) { n.note("  %s is %s", s.Title, got.State) }
func (n *notebook) PuttingBack(s *PlannedScenario)        { n.note("%s is put back", s.Scenario.Name) }
func (n *notebook) Comparing()                            { n.note("compared") }

// treeOf starts a run of scenarios, "NAME" or "NAME < PARENT", of one step each
// that does what works says of its scenario, or passes.
func treeOf(t *testing.T, works map[string]doing, names ...string) *Run {
	t.Helper()
	e := engineIn(t, "sandbox")
	var all []*scenario.Scenario
	for _, name := range names {
		name, parent, _ := strings.Cut(name, " < ")
		text := "apiVersion: assay/v1\nkind: Scenario\nname: " + name + "\n"
		if parent != "" {
			text += "needs: " + parent + "\n"
		}
		if name == "elsewhere" {
			text += "environments: [moon]\n"
		}
		s, ms := scenario.Parse(name+".yaml", []byte(text+"steps:\n- name: step of "+name+"\n  expect: {shares: {blue: 100%}, gateways: [ingress1]}\n"))
		if len(ms) > 0 {
			t.Fatal(ms)
		}
		all = append(all, s)
	}
	plan, err := e.Plan(all)
	if err != nil {
		t.Fatal(err)
	}
	plan.clusters = nil // none is connected to
	for _, s := range plan.Scenarios {
		for _, step := range s.Steps {
			step.work = doing(pass)
			if w := works[s.Scenario.Name]; w != nil {
				step.work = w
			}
		}
	}
	r, err := e.Start(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWholeRunsTheTree(t *testing.T) {
	wrong := func(context.Context, *Run, *PlannedStep, *record.Step) error { return failf("wrong") }
	r := treeOf(t, map[string]doing{"gateway": wrong}, "deploy", "gateway < deploy", "canary < gateway", "vm < deploy", "elsewhere", "other")
	var n notebook
	rec, path, err := r.Whole(t.Context(), &n)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"deploy", "  step of deploy begins", "  step of deploy is passed",
		"gateway", "  step of gateway begins", "  step of gateway is failed",
		"canary", "  step of canary begins", "  step of canary is skipped",
		"vm", "  step of vm begins", "  step of vm is passed",
		"elsewhere it is for moon, and this is sandbox",
		"other", "  step of other begins", "  step of other is passed",
	}
	if !slices.Equal(n.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(n.lines, "\n"), strings.Join(want, "\n"))
	}
	on, err := record.Read(path)
	if err != nil || len(on.Scenarios) != 6 || len(rec.Scenarios) != 6 {
		t.Errorf("the record on disk has %d scenarios, the one returned %d (%v)", len(on.Scenarios), len(rec.Scenarios), err)
	}
}

// Whoever is interrupted begins nothing more.
func TestWholeStopsInOrder(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var r *Run
	interrupted := func(ctx context.Context, r *Run, s *PlannedStep, _ *record.Step) error {
		if l := r.Live(); l.Step != s {
			t.Errorf("Live tells of %v", l.Step)
		}
		cancel()
		return ctx.Err()
	}
	r = treeOf(t, map[string]doing{"gateway": interrupted}, "deploy", "gateway < deploy", "canary < gateway", "vm < deploy", "other")
	var n notebook
	rec, _, err := r.Whole(ctx, &n)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"deploy", "  step of deploy begins", "  step of deploy is passed",
		"gateway", "  step of gateway begins", "  step of gateway is errored",
	}
	if !slices.Equal(n.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(n.lines, "\n"), strings.Join(want, "\n"))
	}
	if want := "the run was stopped before all was done: 3 steps did not run"; !slices.Equal(rec.Unfinished, []string{want}) {
		t.Errorf("the record says %q, want %q", rec.Unfinished, want)
	}
	if got := rec.Scenarios[1].Steps[0].Error; !strings.HasPrefix(got, "stopped (") {
		t.Errorf("the step that was cut short says %q", got)
	}
	if l := r.Live(); l.Step != nil || len(l.Parts) > 0 {
		t.Errorf("afterwards Live tells of %+v", l)
	}
}

// A run that is stopped between two steps has no step that says so, and one whose
// program is killed cannot say anything any more.
func TestWhatDidNotRunIsNoPass(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	inTheMidst := func(_ context.Context, r *Run, _ *PlannedStep, _ *record.Step) error {
		on, err := record.Read(r.path)
		if err != nil || len(on.Unfinished) != 1 || report.Overall(on).State != record.Errored {
			t.Errorf("in its midst the record on disk says %q and is %s (%v)", on.Unfinished, report.Overall(on).State, err)
		}
		cancel()
		return nil
	}
	r := treeOf(t, map[string]doing{"gateway": inTheMidst}, "deploy", "gateway < deploy", "canary < gateway")
	rec, _, err := r.Whole(ctx, &notebook{})
	if err != nil || len(rec.Unfinished) != 1 || report.Overall(rec).State == record.Passed {
		t.Errorf("stopped between two steps: %q, %s (%v)", rec.Unfinished, report.Overall(rec).State, err)
	}
	r = treeOf(t, nil, "deploy", "gateway < deploy", "elsewhere")
	rec, path, err := r.Whole(t.Context(), &notebook{})
	on, _ := record.Read(path)
	if err != nil || len(rec.Unfinished)+len(on.Unfinished) > 0 || report.Overall(rec).State != record.Passed {
		t.Errorf("to its end: %q, %q, %s (%v)", rec.Unfinished, on.Unfinished, report.Overall(rec).State, err)
	}
}
