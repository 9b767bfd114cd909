package assay_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// workflow is what is looked at in a file of .github/workflows. actionlint looks at the rest.
type workflow struct {
	On          yaml.Node
	Permissions map[string]string
	Concurrency yaml.Node
	Jobs        map[string]job
}

type job struct {
	Permissions    map[string]string
	TimeoutMinutes int `yaml:"timeout-minutes"`
	Concurrency    yaml.Node
	Environment    yaml.Node
	Steps          []step
}

// step is one of a job, or of a composite action.
type step struct {
	ID, Name, If, Uses, Run, Shell string
	With, Env                      map[string]string
}

// action is action.yml, all of it: actionlint does not look at it, so a key that is not here is refused.
type action struct {
	Name, Description string
	Branding          struct{ Icon, Color string }
	Inputs            map[string]struct {
		Description string
		Default     *string
	}
	Outputs map[string]struct{ Description, Value string }
	Runs    struct {
		Using string
		Steps []step
	}
}

func readWorkflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil || len(files) < 2 {
		t.Fatalf("workflows: %v (%v)", files, err)
	}
	all := make(map[string]workflow)
	for _, file := range files {
		var w workflow
		if err := yaml.Unmarshal(read(t, file), &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[file] = w
	}
	return all
}

func readAction(t *testing.T) action {
	t.Helper()
	var a action
	strict := yaml.NewDecoder(bytes.NewReader(read(t, "action.yml")))
	strict.KnownFields(true)
	if err := strict.Decode(&a); err != nil {
		t.Fatalf("action.yml: %v", err)
	}
	return a
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWorkflowsMayOnlyReadAndEnd(t *testing.T) {
	for file, w := range readWorkflows(t) {
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: permissions are %v, want contents: read and nothing else", file, w.Permissions)
		}
		if w.On.Kind != yaml.MappingNode || strings.Contains(string(read(t, file)), "pull_request_target") {
			t.Errorf("%s: on must be a mapping, without pull_request_target", file)
		}
		for name, j := range w.Jobs {
			if j.Permissions != nil {
				t.Errorf("%s: job %s has permissions of its own: %v", file, name, j.Permissions)
			}
			if j.TimeoutMinutes < 1 || j.TimeoutMinutes > 90 {
				t.Errorf("%s: job %s may take %d minutes", file, name, j.TimeoutMinutes)
			}
			if w.Concurrency.IsZero() && j.Concurrency.IsZero() {
				t.Errorf("%s: job %s has no concurrency group", file, name)
			}
			secret := strings.Contains(section(t, file, name), "secrets.")
			if secret == j.Environment.IsZero() {
				t.Errorf("%s: job %s: secrets: %t, a protected environment: %t; want both or neither", file, name, secret, !j.Environment.IsZero())
			}
			for i, s := range j.Steps {
				checkStep(t, fmt.Sprintf("%s: job %s: step %d", file, name, i+1), s)
			}
		}
	}
}

// section is the text of a job.
func section(t *testing.T, file, job string) string {
	t.Helper()
	text := string(read(t, file))
	from := strings.Index(text, "\n  "+job+":\n")
	if from < 0 {
		t.Fatalf("%s: no job %s", file, job)
	}
	rest := text[from+1:]
	if next := regexp.MustCompile(`\n  [a-z][\w-]*:\n`).FindStringIndex(rest); next != nil {
		return rest[:next[0]]
	}
	return rest
}

// What somebody else may have written (a title, a branch, an input) is never part of a script.
func checkStep(t *testing.T, where string, s step) {
	t.Helper()
	if strings.Contains(s.Run, "${{") {
		t.Errorf("%s: an expression in a script: hand it over in env", where)
	}
	if (s.Run == "") == (s.Uses == "") {
		t.Errorf("%s: want either run or uses", where)
	}
	if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
		t.Errorf("%s: leaves the credentials behind; want persist-credentials: false", where)
	}
}

// A tag can be moved, a commit cannot. The version stands beside it for those who read.
var pinned = regexp.MustCompile(`^\s*(?:- )?uses: ([\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$`)

func TestActionsArePinned(t *testing.T) {
	files, err := filepath.Glob(".github/workflows/*.yml")
	if err != nil {
		t.Fatal(err)
	}
	commits := make(map[string]string)
	for _, file := range append(files, "action.yml") {
		for i, line := range strings.Split(string(read(t, file)), "\n") {
			if !strings.Contains(line, "uses: ") || strings.HasPrefix(line, "#") || strings.HasSuffix(line, "uses: ./") {
				continue
			}
			pin := pinned.FindStringSubmatch(line)
			if pin == nil {
				t.Errorf("%s:%d: %s: want uses: OWNER/NAME@COMMIT # vX.Y.Z", file, i+1, strings.TrimSpace(line))
				continue
			}
			if known := commits[pin[1]]; known != "" && known != pin[2]+" "+pin[3] {
				t.Errorf("%s:%d: %s is %s %s here, and %s elsewhere", file, i+1, pin[1], pin[2], pin[3], known)
			}
			commits[pin[1]] = pin[2] + " " + pin[3]
		}
	}
	if len(commits) < 4 {
		t.Errorf("only these are used: %v", commits)
	}
}

// expressions are what GitHub puts in.
var expressions = regexp.MustCompile(`\$\{\{ *(.*?) *\}\}`)

func TestActionIsWhole(t *testing.T) {
	a := readAction(t)
	if a.Name == "" || a.Description == "" || a.Runs.Using != "composite" {
		t.Errorf("action.yml: name %q, description %q, using %q", a.Name, a.Description, a.Runs.Using)
	}
	known := []string{"github.action_path"}
	for name, in := range a.Inputs {
		if in.Description == "" || in.Default == nil {
			t.Errorf("input %s has no description or no default", name)
		}
		known = append(known, "inputs."+name)
	}
	used := make(map[string]bool)
	uses := func(where, text string) {
		for _, e := range expressions.FindAllStringSubmatch(text, -1) {
			if !slices.Contains(known, e[1]) {
				t.Errorf("action.yml: %s: nothing is called %s there", where, e[1])
			}
			used[e[1]] = true
		}
	}
	for i, s := range a.Runs.Steps {
		where := fmt.Sprintf("step %d", i+1)
		checkStep(t, "action.yml: "+where, s)
		if s.Run != "" && s.Shell != "bash" {
			t.Errorf("action.yml: %s: shell %q, want bash", where, s.Shell)
		}
		for _, values := range []map[string]string{s.With, s.Env} {
			for key, value := range values {
				uses(where+": "+key, value)
			}
		}
		for _, output := range outputsOf(t, s) {
			known = append(known, "steps."+s.ID+".outputs."+output)
		}
	}
	for name, out := range a.Outputs {
		if out.Description == "" {
			t.Errorf("output %s has no description", name)
		}
		uses("output "+name, out.Value)
	}
	for name := range a.Inputs {
		if !used["inputs."+name] {
			t.Errorf("input %s is not used", name)
		}
	}
}

// told is how a script tells an output, in the ways that ours do.
var told = regexp.MustCompile(`(?m)^\s*(?:\S.*; )?(?:tell|echo) "?([a-z]+)(?: |=|<<)|\b[a-z]+\.(?:json|html):([a-z]+)\b`)

// outputsOf are the outputs that a step's script tells.
func outputsOf(t *testing.T, s step) []string {
	t.Helper()
	if s.ID == "" {
		return nil
	}
	script := s.Run
	if _, file, ok := strings.Cut(script, `bash "$GITHUB_ACTION_PATH/`); ok {
		script = string(read(t, strings.Trim(strings.TrimSpace(file), `"`)))
	}
	var names []string
	for _, m := range told.FindAllStringSubmatch(script, -1) {
		names = append(names, m[1]+m[2])
	}
	return names
}

// What the README tells a newcomer to type is what a fresh machine types, too.
func TestCITypesWhatTheREADMESays(t *testing.T) {
	run := string(read(t, ".ci/run"))
	_, after, _ := strings.Cut(string(read(t, "README.md")), "\n## Run it\n")
	block := regexp.MustCompile("(?s)```console\n(.*?)```").FindStringSubmatch(after)
	if block == nil {
		t.Fatal("the README does not say how to run it")
	}
	var typed []string
	for _, line := range strings.Split(block[1], "\n") {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			command, _, _ = strings.Cut(command, "#")
			typed = append(typed, strings.TrimSpace(command))
		}
	}
	if !slices.Equal(typed, []string{"make demo", "make test"}) {
		t.Errorf("the README's commands are %q", typed)
	}
	for _, command := range typed {
		if !strings.Contains(run, "\n"+command+"\n") {
			t.Errorf(".ci/run does not run %q", command)
		}
	}
	for _, j := range readWorkflows(t)[".github/workflows/ci.yml"].Jobs {
		if slices.ContainsFunc(j.Steps, func(s step) bool { return s.Run == "bash .ci/run" }) {
			return
		}
	}
	t.Error("ci.yml does not run .ci/run")
}

// The README's job: five lines, with inputs that there are, and the pin that our own workflows have.
func TestREADMEsJobIsTheAction(t *testing.T) {
	block := regexp.MustCompile("(?s)```yaml\n(runs-on: .*?)```").FindSubmatch(read(t, "README.md"))
	if block == nil {
		t.Fatal("the README does not show how to use the action")
	}
	var j struct {
		RunsOn string `yaml:"runs-on"`
		Steps  []step
	}
	if err := yaml.Unmarshal(block[1], &j); err != nil {
		t.Fatal(err)
	}
	if lines := bytes.Count(block[1], []byte("\n")); lines != 5 || len(j.Steps) != 2 || j.RunsOn == "" {
		t.Fatalf("it has %d lines and %d steps, want five and two", lines, len(j.Steps))
	}
	if checkout := "uses: " + j.Steps[0].Uses + " "; !bytes.Contains(read(t, ".github/workflows/ci.yml"), []byte(checkout)) {
		t.Errorf("our own workflow does not say %s", checkout)
	}
	a := readAction(t)
	for name := range j.Steps[1].With {
		if _, ok := a.Inputs[name]; !ok {
			t.Errorf("action.yml has no input %s", name)
		}
	}
}

// make demo names the scenarios of one chapter: all of them, and no other's.
func TestDemoIsTheChapter(t *testing.T) {
	_, recipe, _ := strings.Cut(string(read(t, "Makefile")), "\ndemo: ")
	recipe, _, _ = strings.Cut(recipe, "\n\n")
	var globs []string
	for _, m := range regexp.MustCompile(`--scenario '?([\w*-]+)`).FindAllStringSubmatch(recipe, -1) {
		globs = append(globs, m[1])
	}
	files, err := filepath.Glob("scenarios/*/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("scenarios: %v (%v)", files, err)
	}
	for _, file := range files {
		name := regexp.MustCompile(`(?m)^name: (\S+)$`).FindSubmatch(read(t, file))
		if name == nil {
			t.Errorf("%s has no name", file)
			continue
		}
		named := slices.ContainsFunc(globs, func(glob string) bool {
			ok, err := filepath.Match(glob, string(name[1]))
			return ok && err == nil
		})
		if chapter := filepath.Base(filepath.Dir(file)) == "traffic-management"; named != chapter {
			t.Errorf("%s: of the chapter: %t, run by make demo: %t", file, chapter, named)
		}
	}
}
