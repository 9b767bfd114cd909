package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner/record"
)

// All of these share one sandbox, which they find, and must leave, as it was.
func TestInOneSandbox(t *testing.T) {
	kubeconfig := attachable(t)
	before := holdings(t, kubeconfig)
	for _, tt := range []struct {
		name string
		test func(t *testing.T, kubeconfig string)
	}{
		{"selection", testSelection},
		{"order", testOrder},
		{"action", testAction},
		{"own suite", testOwnSuite},
		{"real clusters", testRealClusters},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, kubeconfig) })
	}
	if diff := cmp.Diff(before, holdings(t, kubeconfig)); diff != "" {
		t.Errorf("the clusters are not as they were (-before +after):\n%s", diff)
	}
}

// A filter by label and a focus, together and in parallel processes: of three
// steps that the focus names one has the label. What it builds on is brought
// about, earlier steps of its own scenario too, and nothing of that is judged.
func testSelection(t *testing.T, kubeconfig string) {
	r := selected(t, kubeconfig,
		[]string{"--label-filter=fault", "--focus=the split is right all the same|only canary answers|runs blue", "--procs=2"},
		[]string{"--scenario", "fault-blocks", "--scenario", "canary"})
	ran, reached := stepsOf(r)
	if diff := cmp.Diff([]string{"fault-blocks 1"}, ran); diff != "" {
		t.Errorf("steps that ran (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"deploy 0", "deploy 1", "vm 0", "vm 1", "virtual-mesh 0", "virtual-mesh 1", "gateway 0", "blue-green-canary 0", "fault-blocks 0",
	}, reached); diff != "" {
		t.Errorf("steps that were done for it (-want +got):\n%s", diff)
	}
}

// The whole tutorial, and again without two chapters, in two orders.
func testOrder(t *testing.T, kubeconfig string) {
	var orders [][]string
	for _, flags := range [][]string{{"--seed=1"}, {"--seed=2", "--procs=2", "--label-filter=!access-policy && !resilience"}} {
		r := selected(t, kubeconfig, append(flags, "--randomize-all"), nil)
		if _, reached := stepsOf(r); len(reached) > 0 {
			t.Errorf("with all that they need selected, these were done for others: %s", reached)
		}
		orders = append(orders, orderOf(r))
	}
	if len(orders[0]) <= len(orders[1]) {
		t.Errorf("with two chapters left out %d scenarios ran, and with it %d", len(orders[1]), len(orders[0]))
	}
	chapter := slices.DeleteFunc(orders[0], func(name string) bool { return !slices.Contains(orders[1], name) })
	if slices.Equal(chapter, orders[1]) {
		t.Errorf("two seeds, one order: %s", chapter)
	}
}

// The example of a suite in a module of its own: what its README types.
func testOwnSuite(t *testing.T, kubeconfig string) {
	out := t.TempDir()
	own := func(args ...string) *command {
		c := start(t, false, []string{"ASSAY_SANDBOX=" + kubeconfig}, append([]string{"go", "-C", "examples/own-suite", "tool"}, args...)...)
		if code := c.exit(); code != 0 {
			t.Errorf("%s: exit code %d, want 0", args, code)
		}
		return c
	}
	own("assay", "check").says("2 scenarios, 4 steps, 2 expectations: no mistakes")
	own("ginkgo", "--no-color", ".", "--", "--scenario", "release", "--out", out).says("4 passed of 4 steps in 2 scenarios (sandbox")
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{"shop": "passed passed", "release": "passed passed"})
}

// attachable starts a sandbox that lives as long as the test, and returns its
// kubeconfig.
func attachable(t *testing.T) string {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	start(t, false, nil, "go", "run", "./cmd/assay", "sandbox", "--kubeconfig", kubeconfig).until("Ctrl-C ends the sandbox.")
	return kubeconfig
}

// selected runs the suite with some flags in a running sandbox. The run must
// pass, and its record must say the same as Ginkgo's own report.
func selected(t *testing.T, kubeconfig string, flags, args []string) *record.Record {
	t.Helper()
	out := t.TempDir()
	reports := filepath.Join(out, "ginkgo.json")
	c := start(t, false, []string{"ASSAY_SANDBOX=" + kubeconfig},
		suiteArgs(append(slices.Clone(flags), "--json-report="+reports), append(args, "--out", out))...)
	if code := c.exit(); code != 0 {
		t.Fatalf("exit code %d, want 0", code)
	}
	c.says("inventory: all is as it was before the run")
	r, err := record.Read(filepath.Join(out, "record.json"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(r.Inventory, "all is as it was before the run") {
		t.Errorf("inventory: %s", r.Inventory)
	}
	if diff := cmp.Diff(specsOf(t, reports), judgedOf(r)); diff != "" {
		t.Errorf("Ginkgo's report and the record do not agree (-Ginkgo +record):\n%s", diff)
	}
	return r
}

// specsOf returns the states of all specs that Ginkgo says it ran, by place and
// title.
func specsOf(t *testing.T, file string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		t.Fatal(err)
	}
	states := make(map[string]string)
	for _, spec := range reports[0].SpecReports.WithLeafNodeType(types.NodeTypeIt) {
		if spec.NumAttempts == 0 { // a filter left it out
			if !spec.State.Is(types.SpecStateSkipped) {
				t.Errorf("%s did not run and is %s", spec.LeafNodeText, spec.State)
			}
			continue
		}
		states[fmt.Sprintf("%s:%d %s", spec.LeafNodeLocation.FileName, spec.LeafNodeLocation.LineNumber, spec.LeafNodeText)] = spec.State.String()
	}
	if len(states) == 0 {
		t.Errorf("%s says that nothing ran", file)
	}
	return states
}

// judgedOf is the same of a record: the steps that were run for their own sake.
func judgedOf(r *record.Record) map[string]string {
	states := make(map[string]string)
	for _, s := range r.Scenarios {
		for _, step := range s.Steps {
			if !step.Reached {
				place := step.Position[:strings.LastIndexByte(step.Position, ':')]
				states[place+" "+step.Title] = string(step.State)
			}
		}
	}
	return states
}

// stepsOf lists a record's steps as "SCENARIO INDEX": those that ran for their
// own sake, and those that were done to bring about a state.
func stepsOf(r *record.Record) (ran, reached []string) {
	for _, s := range r.Scenarios {
		for _, step := range s.Steps {
			name := fmt.Sprintf("%s %d", s.Name, step.Index)
			if step.Reached {
				reached = append(reached, name)
			} else {
				ran = append(ran, name)
			}
		}
	}
	return ran, reached
}

// orderOf is the order in which a run came to its scenarios.
func orderOf(r *record.Record) []string {
	var names []string
	for _, s := range r.Scenarios {
		names = append(names, s.Name)
	}
	return names
}
