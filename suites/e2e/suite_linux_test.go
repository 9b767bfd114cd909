package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
)

// The fault "weights off by six points" in words of a scenario that does not
// know of it; and others that share its sandbox, to save starts.
var wrongs = map[string]string{
	"weights-off.yaml": `apiVersion: assay/v1
kind: Scenario
name: weights-off
needs: blue-green-canary
steps:
- apply:
    cluster: mgmt
    objects:
    - {apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: weights-off}, spec: {weights: {points: 6, from: canary, to: blue}}}
- name: the split is as it was
  expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 3pp, converge: 1s}
- name: this is not looked at any more
  expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 3pp}
`,
	"weights-off-child.yaml": `apiVersion: assay/v1
kind: Scenario
name: weights-off-child
needs: weights-off
steps:
- name: a child of what failed must not be green
  expect: {request: {path: /api}, shares: {blue: 46%, green: 40%, canary: 14%}, tolerance: 5pp}
`,
	"vm-down.yaml": `apiVersion: assay/v1
kind: Scenario
name: vm-down
needs: blue-green-canary
steps:
- apply:
    cluster: mgmt
    objects:
    - {apiVersion: sandbox.assay/v1, kind: Fault, metadata: {name: vm-down}, spec: {vmDown: {}}}
- name: the split is as it was
  expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 3pp, converge: 1s}
`,
	"hasty.yaml": `apiVersion: assay/v1
kind: Scenario
name: hasty
needs: blue-green-canary
steps:
- apply: {cluster: mgnt, files: [nowhere.yaml]}
- expcet: {request: {path: /api}, shares: {blue: 100%}}
- expect: {request: {path: /api}, shares: {blu: 40, green: 60%}, tolerance: 3pp}
`,
}

// endless is a scenario whose expectation samples for minutes: telling 40 % from
// 40.3 % takes some 400,000 requests.
var endless = map[string]string{"endless.yaml": `apiVersion: assay/v1
kind: Scenario
name: endless
needs: blue-green-canary
steps:
- name: sample for a long time
  expect: {request: {path: /api}, shares: {blue: 40%, green: 40%, canary: 20%}, tolerance: 0.3pp, budget: {requests: 100000000, time: 1h}}
`}

// withScenarios copies the project's scenarios and adds some.
func withScenarios(t *testing.T, more map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "scenarios")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(root(t), "scenarios"))); err != nil {
		t.Fatal(err)
	}
	for name, text := range more {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestRightIsPassed(t *testing.T) {
	out, reports := t.TempDir(), filepath.Join(t.TempDir(), "ginkgo.json")
	c := ginkgo(t, []string{"-v", "--json-report=" + reports}, "--scenario", "blue-green-canary", "--scenario", "canary", "--scenario", "fault-blocks", "--out", out)
	c.until("sandbox.yaml)")
	sandbox := sandboxOf(t, c)
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	sandbox.gone(t)
	c.says("blue and green get 40 % each, canary 20 %", "the split is right all the same", "wrong with probability at most",
		"40 % +- 3 pp", "record: "+filepath.Join(out, "record.json"))
	r, err := record.Read(filepath.Join(out, "record.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range r.Scenarios {
		for _, step := range s.Steps {
			if step.State != record.Passed {
				t.Errorf("%s is %s: %s", step.Position, step.State, step.Error)
			}
			if step.Action == "expect" && len(step.Samples) != 2 {
				t.Errorf("%s has %d samples, want one of each gateway", step.Position, len(step.Samples))
			}
		}
	}
	checkLocations(t, reports)
}

// checkLocations looks at what Ginkgo's own report says of where specs are.
func checkLocations(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var reports []types.Report
	if err := json.Unmarshal(text, &reports); err != nil {
		t.Fatal(err)
	}
	specs := reports[0].SpecReports.WithLeafNodeType(types.NodeTypeIt)
	if len(specs) == 0 {
		t.Fatal("no spec in the report")
	}
	for _, spec := range specs {
		if at := spec.LeafNodeLocation; !strings.HasPrefix(at.FileName, "scenarios/") || at.LineNumber < 4 {
			t.Errorf("%s is located at %s", spec.LeafNodeText, at)
		}
	}
}

func TestWrongFails(t *testing.T) {
	dir, out := withScenarios(t, wrongs), t.TempDir()
	c := ginkgo(t, nil, "--scenarios", dir, "--out", out,
		"--scenario", "weights-off*", "--scenario", "vm-down", "--scenario", "hasty", "--scenario", "fault-blocks")
	c.until("sandbox.yaml)")
	sandbox := sandboxOf(t, c)
	if code := c.exit(); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	sandbox.gone(t)
	// The share, by how much, and the line.
	failed := regexp.MustCompile(regexp.QuoteMeta(filepath.Join(dir, "weights-off.yaml")) + `:10:3: failed: the split is as it was`)
	if !failed.MatchString(c.output()) {
		t.Errorf("it does not say %s", failed)
	}
	// Either share may be the first that is sure to be off.
	off := regexp.MustCompile(`ingress[12]: failed: (canary is at 1\d(\.\d)? % of [\d,]+, below 17 %|blue is at 4\d(\.\d)? % of [\d,]+, above 43 %)`)
	if !off.MatchString(c.output()) {
		t.Errorf("it does not say %s", off)
	}
	// Not the split: the backend.
	if down := section(c.output(), filepath.Join(dir, "vm-down.yaml")+":10:3: failed"); !strings.Contains(down, "backend down: canary never answered") {
		t.Errorf("of the VM that is down it says\n%s", down)
	}
	for _, mistake := range []string{
		`hasty.yaml:6:20: steps[0].apply.cluster: unknown cluster "mgnt" (did you mean mgmt?)`,
		`hasty.yaml:6:34: steps[0].apply.files[0]: no such file: nowhere.yaml`,
		`hasty.yaml:7:3: steps[1].expcet: unknown action "expcet" (did you mean expect?)`,
		`hasty.yaml:8:44: steps[2].expect.shares.blu: unknown outcome (did you mean blue?)`,
		`hasty.yaml:8:49: steps[2].expect.shares.blu: want a percentage such as 40%`,
	} {
		c.says(mistake)
	}
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{
		"weights-off": "passed failed skipped", "weights-off-child": "skipped", "vm-down": "passed failed", "fault-blocks": "passed passed",
	})
}

// status is what a GET of a URL is answered with.
func status(t *testing.T, url string) int {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	return response.StatusCode
}

// section is what follows a text, up to the next empty line.
func section(text, from string) string {
	_, after, _ := strings.Cut(text, from)
	section, _, _ := strings.Cut(after, "\n\n")
	return section
}

// checkStates compares the states of the steps of some scenarios in a record.
func checkStates(t *testing.T, file string, want map[string]string) {
	t.Helper()
	r, err := record.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range r.Scenarios {
		var states []string
		for _, step := range s.Steps {
			states = append(states, string(step.State))
		}
		got[s.Name] = strings.Join(states, " ")
	}
	for name, states := range want {
		if got[name] != states {
			t.Errorf("%s: %q, want %q", name, got[name], states)
		}
	}
}

// Nothing of these runs needs a sandbox, and none is started.
func TestNothingToRunFails(t *testing.T) {
	tests := []struct {
		reason string
		flags  []string
		args   []string
		want   string
	}{
		{"no such scenario", nil, []string{"--scenario", "canry"}, "did you mean canary?"},
		{"no such environment", nil, []string{"--environment", "sandbx"}, "did you mean sandbox?"},
		{"a filter that leaves nothing", []string{"--label-filter=nobody"}, nil, "nothing was selected: no step matches the filters"},
		{"a refusal that a filter would hide", []string{"--label-filter=vm"}, []string{"--scenario", "canry"}, "did you mean canary?"},
		{"a scenario for elsewhere", nil, []string{"--scenarios", withScenarios(t, map[string]string{"elsewhere.yaml": `apiVersion: assay/v1
kind: Scenario
name: elsewhere
environments: [moon]
steps:
- expect: {request: {path: /api}, shares: {blue: 100%}}
`}), "--scenario", "elsewhere", "--environment", writeEnvironment(t), "--out", t.TempDir()}, "elsewhere does not run here: it is for moon, and this is nowhere"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			c := ginkgo(t, tt.flags, tt.args...)
			if code := c.exit(); code != 1 {
				t.Errorf("exit code %d, want 1", code)
			}
			c.says(tt.want)
		})
	}
}

// writeEnvironment writes one without clusters.
func writeEnvironment(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nowhere.yaml")
	const text = `apiVersion: assay/v1
kind: Environment
name: nowhere
clusters: {mgmt: {context: nowhere}}
gateways: {ingress: {url: "http://127.0.0.1:1"}}
answers:
- {json: color, is: {blue: blue}}
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestDryRunStartsNothing(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	c := ginkgo(t, []string{"--dry-run", "-v"}, "--scenario", "canary", "--out", out)
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	c.says("deploy vm virtual-mesh gateway canary only canary answers", "scenarios/traffic-management/canary.yaml:")
	if strings.Contains(c.output(), "the sandbox is ready") {
		t.Error("it started a sandbox")
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("it wrote a record (%v)", err)
	}
}

func TestPlainGoTestSkips(t *testing.T) {
	c := start(t, false, nil, "go", "test", "-count=1", "-v", "-run", "^TestScenarios$", "./suites")
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	c.says("--- SKIP: TestScenarios", "go tool ginkgo ./suites")
}

// Ctrl-C in a terminal reaches all processes of the run but the sandbox.
func TestCtrlCEndsInOrder(t *testing.T) {
	out := t.TempDir()
	c := start(t, true, nil, suiteArgs([]string{"-v"}, []string{"--scenarios", withScenarios(t, endless), "--scenario", "endless", "--out", out})...)
	c.until("sample for a long time")
	sandbox := sandboxOf(t, c)
	if _, err := c.keys.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if code := c.exit(); code == 0 {
		t.Error("exit code 0, want another")
	}
	sandbox.gone(t)
	c.says("Interrupted by User", "record: "+filepath.Join(out, "record.json"))
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{"endless": "errored"})
}

func TestKilledSuiteLeavesNothing(t *testing.T) {
	out := t.TempDir()
	c := ginkgo(t, []string{"-v"}, "--scenarios", withScenarios(t, endless), "--scenario", "endless", "--out", out)
	c.until("sample for a long time")
	sandbox := sandboxOf(t, c)
	if err := syscall.Kill(sandbox.suite, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	sandbox.gone(t)
	if code := c.exit(); code == 0 {
		t.Error("exit code 0, want another")
	}
	// What was found until then is on disk.
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{"deploy": "passed passed passed passed passed"})
	// And it is not taken for all that was to be found.
	r, err := record.Read(filepath.Join(out, "record.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Overall(r); got.State == record.Passed || len(r.Unfinished) != 1 {
		t.Errorf("a killed run is %s (%q)", got.Headline, r.Unfinished)
	}
}

// A sandbox of its own accord, a suite that attaches to it and is interrupted,
// and the cluster as it was afterwards.
func TestAttachAndPutBack(t *testing.T) {
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	assay := filepath.Join(t.TempDir(), "assay")
	if code := start(t, false, nil, "go", "build", "-o", assay, "./cmd/assay").exit(); code != 0 {
		t.Fatalf("go build: exit code %d", code)
	}
	// Not by go run, which makes an exit code of its own of Ctrl-C.
	foreground := start(t, true, nil, assay, "sandbox", "--kubeconfig", kubeconfig)
	foreground.until("Ctrl-C ends the sandbox.")
	sandbox := sandboxOf(t, foreground)
	foreground.says("export ASSAY_SANDBOX="+kubeconfig, "gateway of cluster1", "gateway of cluster2", "kubectl --context mgmt")
	url := regexp.MustCompile(`curl (http://\S+)`).FindStringSubmatch(foreground.output())[1]
	if got := status(t, url); got != 404 {
		t.Errorf("before anything is deployed a gateway answers %d, want 404", got)
	}
	// Interrupted, it puts back. (TestInOneSandbox has runs that are not.)
	interrupted := start(t, true, []string{"ASSAY_SANDBOX=" + kubeconfig},
		suiteArgs([]string{"-v"}, []string{"--scenarios", withScenarios(t, endless), "--scenario", "endless", "--out", t.TempDir()})...)
	interrupted.until("sample for a long time")
	if _, err := interrupted.keys.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if code := interrupted.exit(); code == 0 {
		t.Error("interrupted, the suite's exit code is 0")
	}
	interrupted.says("using the sandbox of "+kubeconfig, "inventory: all is as it was before the run")
	if got := status(t, url); got != 404 {
		t.Errorf("after an interrupted run a gateway answers %d, want 404 as before", got)
	}
	if !alive(sandbox.pid) {
		t.Error("the suite has ended a sandbox that it did not start")
	}
	if _, err := foreground.keys.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if code := foreground.exit(); code != 0 {
		t.Errorf("assay sandbox: exit code %d, want 0", code)
	}
	sandbox.gone(t)
	if _, err := os.Stat(kubeconfig); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", kubeconfig, err)
	}
}
