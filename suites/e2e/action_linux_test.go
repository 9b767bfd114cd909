package e2e

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/meshassay/assay/runner/record"
)

// shopRepository is a repository of somebody else's: with a scenario that holds
// on an empty mesh, where every gateway answers 404, and one that does not.
var shopRepository = map[string]string{
	".git/HEAD": "ref: refs/heads/main\n",
	"mesh tests/environments/sandbox.yaml": `apiVersion: assay/v1
kind: Environment
name: sandbox
clusters: {shop: {context: cluster1}}
gateways: {ingress: {cluster: shop, service: istio-system/istio-ingressgateway, port: http2}}
answers:
- {status: 404, is: closed}
- {status: 200, is: open}
limits: {rate: 2000/s}
`,
	"mesh tests/closed.yaml": `apiVersion: assay/v1
kind: Scenario
name: closed
labels: [night]
steps:
- expect: {request: {path: /}, shares: {closed: 100%}}
`,
	"mesh tests/open.yaml": `apiVersion: assay/v1
kind: Scenario
name: open
labels: [day]
steps:
- name: the shop is open
  expect: {request: {path: /}, shares: {open: 100%}, converge: 1s}
`,
}

// The steps of action.yml, in another repository.
func testAction(t *testing.T, kubeconfig string) {
	workspace := t.TempDir()
	for name, text := range shopRepository {
		file := filepath.Join(workspace, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		reason  string
		inputs  map[string]string
		verdict string
		files   []string // that are kept
		summary []string // texts of it
	}{
		{
			"what holds",
			map[string]string{"scenario": "clos*\n", "out": "what came of it", "run-scripts": "false"},
			"passed", []string{"junit.xml", "record.json", "report.html", "report.txt", "summary.md"},
			[]string{"## ✅ Passed", "**closed**"},
		},
		{
			"what does not hold, by its label, with the environment as a file",
			map[string]string{"label-filter": "day || /$(touch injected)/", "environment": "mesh tests/environments/sandbox.yaml", "artifact": "a name"},
			"failed", []string{"junit.xml", "record.json", "report.html", "report.txt", "summary.md"},
			[]string{"## ❌ Failed", "the shop is open"},
		},
		{
			"a name that nothing has", map[string]string{"scenario": "opne"},
			"errored", []string{"junit.xml"}, []string{"No scenario was begun"},
		},
		{
			"a folder that is not there", map[string]string{"scenarios": "messh"},
			"errored", nil, []string{"No scenario was begun"},
		},
		{
			"neither yes nor no", map[string]string{"run-scripts": "maybe"},
			"errored", nil, []string{"No scenario was begun"},
		},
		{
			"an input that would be a command of the runner", map[string]string{"label-filter": "day\n::add-mask::day"},
			"errored", nil, []string{"No scenario was begun"},
		},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			inputs := map[string]string{"scenarios": "mesh tests"}
			maps.Copy(inputs, tt.inputs)
			job := runAction(t, workspace, kubeconfig, inputs)
			if job.failed != (tt.verdict != "passed") || job.outputs["verdict"] != tt.verdict {
				t.Errorf("failed: %t, verdict %q, want %q", job.failed, job.outputs["verdict"], tt.verdict)
			}
			for _, text := range tt.summary {
				if !strings.Contains(job.summary, text) {
					t.Errorf("the summary does not say %q:\n%s", text, job.summary)
				}
			}
			if got := kept(t, job); !slices.Equal(got, tt.files) {
				t.Errorf("kept are %v, want %v", got, tt.files)
			}
			checkCache(t, job)
			if slices.Contains(tt.files, "record.json") {
				checkRecord(t, job)
			} else if job.outputs["record"]+job.outputs["report"] != "" {
				t.Errorf("record %q, report %q: want none", job.outputs["record"], job.outputs["report"])
			}
		})
	}
	if _, err := os.Stat(filepath.Join(workspace, "injected")); err == nil {
		t.Error("an input was executed")
	}
}

// checkRecord reads what the outputs name.
func checkRecord(t *testing.T, job actionRun) {
	t.Helper()
	r, err := record.Read(job.outputs["record"])
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Scenarios) != 1 || string(r.Scenarios[0].Steps[0].State) != job.outputs["verdict"] {
		t.Errorf("the record has %d scenarios, want one that has %s", len(r.Scenarios), job.outputs["verdict"])
	}
	if _, err := os.Stat(job.outputs["report"]); err != nil {
		t.Error(err)
	}
}

// checkCache looks at what is kept from run to run, and what is installed.
func checkCache(t *testing.T, job actionRun) {
	t.Helper()
	if _, err := os.Stat(job.used["actions/setup-go"]["go-version-file"]); err != nil {
		t.Errorf("where Go's version is said: %v", err)
	}
	cache := job.used["actions/cache"]
	if !regexp.MustCompile(`^assay-Linux-X64-go1[\d.]+-[0-9a-f]{16}-[0-9a-f]{16}$`).MatchString(cache["key"]) ||
		!strings.HasPrefix(cache["key"], cache["restore-keys"]) {
		t.Errorf("the cache's key is %q, and else %q", cache["key"], cache["restore-keys"])
	}
	folders := strings.Split(cache["path"], "\n")
	if len(folders) != 3 || !strings.HasSuffix(folders[2], "/assay/sandbox") {
		t.Errorf("cached are %q, want two folders of Go and the built sandboxes", folders)
	}
	for _, folder := range folders {
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			t.Errorf("cached is %s: %v", folder, err)
		}
	}
}

// kept lists the files of the artefact.
func kept(t *testing.T, job actionRun) []string {
	t.Helper()
	upload, ok := job.used["actions/upload-artifact"]
	if !ok {
		return nil
	}
	if upload["name"] == "" || strings.ContainsAny(upload["name"], `":<>|*?\/`+"\r\n") {
		t.Errorf("an artefact cannot be called %q", upload["name"])
	}
	entries, err := os.ReadDir(upload["path"])
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// actionRun is what came of the steps of a composite action.
type actionRun struct {
	failed  bool
	outputs map[string]string
	summary string
	used    map[string]map[string]string // the with of each action that a step uses, by the action's name
}

// runAction does what GitHub's runner does with action.yml, as far as that has
// anything to do with it: it puts in expressions, runs scripts in the workspace
// until one fails (and then those that run always), and reads outputs. Actions
// that steps use are not run; what they are given is noted.
func runAction(t *testing.T, workspace, kubeconfig string, inputs map[string]string) actionRun {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs  map[string]struct{ Default string }
		Outputs map[string]struct{ Value string }
		Runs    struct {
			Steps []struct {
				ID, If, Uses, Run string
				With, Env         map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	known := values{"github.action_path": root(t)}
	for name, in := range action.Inputs {
		known["inputs."+name] = in.Default
	}
	for name, value := range inputs {
		known["inputs."+name] = value
	}
	job := actionRun{outputs: map[string]string{}, used: map[string]map[string]string{}}
	for _, step := range action.Runs.Steps {
		switch {
		case !known.holds(t, step.If, job.failed):
		case step.Uses != "":
			name, _, _ := strings.Cut(step.Uses, "@")
			job.used[name] = known.all(step.With)
		default:
			ok, outputs, summary := runScript(t, step.Run, workspace, kubeconfig, known.all(step.Env))
			job.failed = job.failed || !ok
			job.summary += summary
			for name, value := range outputs {
				known["steps."+step.ID+".outputs."+name] = value
			}
		}
	}
	for name, out := range action.Outputs {
		job.outputs[name] = known.in(out.Value)
	}
	return job
}

// runScript runs the script of a step as GitHub's runner does.
func runScript(t *testing.T, script, workspace, kubeconfig string, env map[string]string) (ok bool, outputs map[string]string, summary string) {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"script": script, "output": "", "summary": ""}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", filepath.Join(dir, "script"))
	cmd.Dir = workspace
	cmd.Env = append(without(os.Environ(), "ASSAY_E2E"), "ASSAY_SANDBOX="+kubeconfig,
		"GITHUB_ACTION_PATH="+root(t), "GITHUB_WORKSPACE="+workspace, "GITHUB_JOB=mesh", "GITHUB_RUN_ID=7", "GITHUB_RUN_ATTEMPT=1",
		"GITHUB_OUTPUT="+filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY="+filepath.Join(dir, "summary"),
		"RUNNER_OS=Linux", "RUNNER_ARCH=X64", "RUNNER_TEMP="+dir)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	said, err := cmd.CombinedOutput()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: %v\n%s", strings.TrimSpace(script), err, said)
		}
	})
	for name := range files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return err == nil, readOutputs(files["output"]), files["summary"]
}

// anOutput is NAME=VALUE, or NAME<<END with lines up to END.
var anOutput = regexp.MustCompile(`(?ms)^([\w-]+)<<END\n(.*?)\nEND$|^([\w-]+)=(.*?)$`)

func readOutputs(text string) map[string]string {
	outputs := make(map[string]string)
	for _, m := range anOutput.FindAllStringSubmatch(text, -1) {
		outputs[m[1]+m[3]] = m[2] + m[4]
	}
	return outputs
}

// values are what expressions can name.
type values map[string]string

var expression = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

// in puts values in for the expressions of a text. What is not known is empty.
func (v values) in(text string) string {
	return expression.ReplaceAllStringFunc(text, func(e string) string { return v[expression.FindStringSubmatch(e)[1]] })
}

func (v values) all(texts map[string]string) map[string]string {
	done := make(map[string]string)
	for name, text := range texts {
		done[name] = v.in(text)
	}
	return done
}

// holds says whether a step with this condition runs.
func (v values) holds(t *testing.T, condition string, failed bool) bool {
	t.Helper()
	runs := !failed
	for i, term := range strings.Split(condition, " && ") {
		name, notEmpty := strings.CutSuffix(term, " != ''")
		switch {
		case condition == "":
		case i == 0 && term == "always()":
			runs = true
		case notEmpty:
			runs = runs && v[name] != ""
		default:
			t.Fatalf("what does %q mean?", term)
		}
	}
	return runs
}
