package suites

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/launch"
	"github.com/meshassay/assay/runner/scenario"
)

// project writes a project with the scenarios, name to what follows the name,
// and makes it the working directory.
func project(t *testing.T, scenarios map[string]string) {
	t.Helper()
	root := t.TempDir()
	files := map[string]string{".git/HEAD": "", "scenarios/environments/sandbox.yaml": `apiVersion: assay/v1
kind: Environment
name: sandbox
clusters: {mgmt: {context: mgmt}}
gateways: {ingress: {url: "http://127.0.0.1:18001"}}
destinations:
  blue: {cluster: mgmt, service: app/app, subset: {version: blue}}
  green: {cluster: mgmt, service: app/app, subset: {version: green}}
answers:
- {json: color, is: {blue: blue, green: green}}
`}
	for name, text := range scenarios {
		files["scenarios/"+name+".yaml"] = "apiVersion: assay/v1\nkind: Scenario\nname: " + name + "\n" + text
	}
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(root)
}

const (
	allBlue  = "steps:\n- expect: {request: {path: /api}, shares: {blue: 100%}}\n"
	allBrown = "steps:\n- expect: {request: {path: /api}, shares: {brown: 100%}}\n"
)

func planned(p *runner.Plan) string {
	var names []string
	for _, s := range p.Scenarios {
		names = append(names, s.Scenario.Name)
	}
	return strings.Join(names, " ")
}

func brokenNames(broken []scenario.Broken) string {
	var names []string
	for _, b := range broken {
		names = append(names, b.Name)
	}
	return strings.Join(names, " ")
}

func TestLoad(t *testing.T) {
	tree := map[string]string{
		"deploy":    "labels: [deployment]\n" + allBlue,
		"gateway":   "needs: deploy\n" + allBlue,
		"canary":    "needs: gateway\n" + allBlue,
		"fault-off": "needs: gateway\nlabels: [fault]\n" + allBlue,
	}
	with := func(name, text string) map[string]string {
		files := map[string]string{name: text}
		for n, t := range tree {
			if n != name {
				files[n] = t
			}
		}
		return files
	}
	tests := []struct {
		reason    string
		scenarios map[string]string
		names     []string
		filter    string
		want      string // what is planned
		broken    string
		err       string
	}{
		{"by default without faults", tree, nil, "", "deploy gateway canary", "", ""},
		{"faults by label", tree, nil, "fault", "deploy gateway canary fault-off", "", ""},
		{"faults by name", tree, []string{"fault-*"}, "", "deploy gateway fault-off", "", ""},
		{"one with what it needs", tree, []string{"gateway"}, "", "deploy gateway", "", ""},
		{"a name that is not there", tree, []string{"canry"}, "", "", "", "did you mean canary?"},
		{"one that cannot be planned, and its children", with("gateway", "needs: deploy\n"+allBrown), nil, "", "deploy", "canary gateway", ""},
		{"one that cannot be planned spares others", with("other", allBrown), []string{"canary"}, "", "deploy gateway canary", "", ""},
		{"one that is broken", with("gateway", "needs: deploy\nsteps: 3\n"), nil, "", "deploy", "canary fault-off gateway", ""},
		{"a broken one that was asked for", with("canary", "steps: 3\n"), []string{"canary"}, "", "", "", "scenarios/canary.yaml:4:8"},
		{"a broken one beside one that was asked for", with("canary", "steps: 3\n"), []string{"gateway"}, "", "deploy gateway", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			project(t, tt.scenarios)
			s, err := load(Options{}.withDefaults(), settings{scenario: tt.names}, tt.filter)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := planned(s.plan); got != tt.want {
				t.Errorf("planned %q, want %q", got, tt.want)
			}
			if got := brokenNames(s.broken); got != tt.broken {
				t.Errorf("broken %q, want %q", got, tt.broken)
			}
			for _, b := range s.broken {
				if len(b.Mistakes) == 0 {
					t.Errorf("%s is broken without a mistake", b.File)
				}
			}
		})
	}
}

func TestLoadFailsWithoutEnvironment(t *testing.T) {
	project(t, map[string]string{"deploy": allBlue})
	_, err := load(Options{}.withDefaults(), settings{environment: "sandbx"}, "")
	if err == nil || !strings.Contains(err.Error(), "did you mean sandbox?") {
		t.Errorf("got %v", err)
	}
	_, err = load(Options{Scenarios: "nowhere"}.withDefaults(), settings{}, "")
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestMentions(t *testing.T) {
	tests := []struct {
		filter string
		want   bool
	}{
		{"", false}, {"fault", true}, {"!fault", true}, {"vm && (fault || slow)", true}, {"/fault/", true},
		{"faults", false}, {"no-fault", false}, {"!vm", false},
	}
	for _, tt := range tests {
		if got := mentions(tt.filter, "fault"); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func TestOwnLabels(t *testing.T) {
	got := ownLabels(&scenario.Scenario{Labels: []string{"vm"}, Chapter: "traffic-management#canary"})
	if want := []string{"vm", "traffic-management"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = ownLabels(&scenario.Scenario{Labels: []string{"traffic-management"}, Chapter: "traffic-management"})
	if want := []string{"traffic-management"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLocation(t *testing.T) {
	at := document.Pos{File: "scenarios/canary.yaml", Line: 12, Col: 3}
	if got, want := location(at).String(), "scenarios/canary.yaml:12"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnfounded(t *testing.T) {
	spec := func(state types.SpecState, why string) types.SpecReport {
		return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: "step", State: state, Failure: types.Failure{Message: why}}
	}
	report := func(specs ...types.SpecReport) types.Report {
		r := types.Report{SpecReports: specs}
		for _, s := range specs {
			if s.State != types.SpecStateSkipped || s.Failure.Message != "" {
				r.PreRunStats.SpecsThatWillRun++
			}
		}
		return r
	}
	broken := []scenario.Broken{{File: "a.yaml", Mistakes: document.Mistakes{{Pos: document.Pos{File: "a.yaml", Line: 1, Col: 2}, Text: "wrong"}}}}
	tests := []struct {
		reason string
		report types.Report
		broken []scenario.Broken
		want   string
	}{
		{"one passed", report(spec(types.SpecStatePassed, ""), spec(types.SpecStateSkipped, "")), nil, ""},
		{"none was selected", report(spec(types.SpecStateSkipped, "")), nil, "nothing was selected: no step matches the filters"},
		{"all were skipped", report(spec(types.SpecStateSkipped, "it is for sandbox")), nil, "nothing ran:\nstep: it is for sandbox"},
		{"a broken file was filtered out", report(spec(types.SpecStatePassed, "")), broken, "files that cannot run were left out by a filter:\na.yaml:1:2: wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := unfounded(tt.report, tt.broken); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// --keep must not promise what it cannot do.
func TestKeepIsRefusedWhereItKeepsNothing(t *testing.T) {
	project(t, map[string]string{"one": allBlue, "two": allBlue, "below": "needs: one\n" + allBlue})
	tests := []struct{ sandbox, scenario, want string }{
		{"", "below", "this sandbox ends with the run"},
		{"kubeconfig", "*", "one and two need nothing of each other"},
		{"kubeconfig", "below", ""},
	}
	for _, tt := range tests {
		t.Setenv(launch.Attach, tt.sandbox)
		_, err := load(Options{}.withDefaults(), settings{keep: true, scenario: list{tt.scenario}}, "")
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q in sandbox %q: got %v, want %q", tt.scenario, tt.sandbox, err, tt.want)
		}
	}
}
