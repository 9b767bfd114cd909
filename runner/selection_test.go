package runner

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

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
		files["scenarios/"+name+".yaml"] = "apiVersion: assay/v1\nkind: Scenario\nname: " + path.Base(name) + "\n" + text
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

func planned(p *Plan) string {
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

// everything is a selection in the project of a test.
func everything(s Selection) Selection {
	s.Folder, s.Environment = first(s.Folder, "scenarios"), first(s.Environment, "sandbox")
	s.OnRequest = OnRequest
	return s
}

func TestSelect(t *testing.T) {
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
		labels    []string
		want      string // what is planned
		broken    string
		err       string
	}{
		{"by default without faults", tree, nil, nil, "deploy gateway canary", "", ""},
		{"faults by label", tree, nil, []string{"fault"}, "deploy gateway fault-off", "", ""},
		{"faults beside others by label", tree, nil, []string{"deployment", "fault"}, "deploy gateway canary fault-off", "", ""},
		{"by an inherited label", tree, nil, []string{"deployment"}, "deploy gateway canary", "", ""},
		{"by name and label", tree, []string{"canary", "fault-*"}, []string{"fault"}, "deploy gateway fault-off", "", ""},
		{"by a label that nothing has", tree, nil, []string{"vm"}, "", "", ""},
		{"faults by name", tree, []string{"fault-*"}, nil, "deploy gateway fault-off", "", ""},
		{"one with what it needs", tree, []string{"gateway"}, nil, "deploy gateway", "", ""},
		{"a name that is not there", tree, []string{"canry"}, nil, "", "", "did you mean canary?"},
		{"one that cannot be planned, and its children", with("gateway", "needs: deploy\n"+allBrown), nil, nil, "deploy", "canary gateway", ""},
		{"one that cannot be planned spares others", with("other", allBrown), []string{"canary"}, nil, "deploy gateway canary", "", ""},
		{"what only one that cannot be planned needs", with("canary", "needs: gateway\n"+allBrown), []string{"canary"}, nil, "", "canary", ""},
		{"what another needs, too", with("canary", "needs: gateway\n"+allBrown), []string{"canary", "fault-off"}, nil, "deploy gateway fault-off", "canary", ""},
		{"one that is broken", with("gateway", "needs: deploy\nsteps: 3\n"), nil, nil, "deploy", "canary fault-off gateway", ""},
		{"a broken one that was asked for", with("canary", "steps: 3\n"), []string{"canary"}, nil, "", "", "scenarios/canary.yaml:4:8"},
		{"a broken one beside one that was asked for", with("canary", "steps: 3\n"), []string{"gateway"}, nil, "deploy gateway", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			project(t, tt.scenarios)
			s, err := Select(everything(Selection{Names: tt.names, Labels: tt.labels}), Options{})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := planned(s.Plan); got != tt.want {
				t.Errorf("planned %q, want %q", got, tt.want)
			}
			if got := brokenNames(s.Broken); got != tt.broken {
				t.Errorf("broken %q, want %q", got, tt.broken)
			}
			for _, b := range s.Broken {
				if len(b.Mistakes) == 0 {
					t.Errorf("%s is broken without a mistake", b.File)
				}
			}
		})
	}
}

func TestSelectByPath(t *testing.T) {
	project(t, map[string]string{
		"deploy": allBlue, "blue/blue": "needs: deploy\n" + allBlue, "blue/wrong-split": "needs: deploy\nlabels: [fault]\n" + allBlue,
		"blue/wrong": allBrown, "green": "needs: deploy\n" + allBlue,
	})
	outside := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(outside, []byte("apiVersion: assay/v1\nkind: Scenario\nname: mine\nneeds: deploy\n"+allBlue), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reason       string
		names, paths []string
		want, broken string
	}{
		{"a file, and what it needs", nil, []string{"scenarios/green.yaml"}, "deploy green", ""},
		{"a folder, without what is held back", nil, []string{"scenarios/blue"}, "deploy blue", "wrong"},
		{"a file that would be held back", nil, []string{"scenarios/blue/wrong-split.yaml"}, "deploy wrong-split", ""},
		{"a file and a name", []string{"green"}, []string{"scenarios/blue/blue.yaml"}, "deploy blue green", ""},
		{"a file elsewhere", nil, []string{outside}, "deploy mine", ""},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			s, err := Select(everything(Selection{Names: tt.names, Paths: tt.paths}), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := planned(s.Plan); got != tt.want {
				t.Errorf("planned %q, want %q", got, tt.want)
			}
			if got := brokenNames(s.Broken); got != tt.broken {
				t.Errorf("broken %q, want %q", got, tt.broken)
			}
		})
	}
}

func TestSelectFailsWithoutEnvironment(t *testing.T) {
	project(t, map[string]string{"deploy": allBlue})
	_, err := Select(everything(Selection{Environment: "sandbx"}), Options{})
	if err == nil || !strings.Contains(err.Error(), "did you mean sandbox?") {
		t.Errorf("got %v", err)
	}
	_, err = Select(everything(Selection{Folder: "nowhere"}), Options{})
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestLabels(t *testing.T) {
	got := Labels(&scenario.Scenario{Labels: []string{"vm"}, Chapter: "traffic-management#canary"})
	if want := []string{"vm", "traffic-management"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = Labels(&scenario.Scenario{Labels: []string{"traffic-management"}, Chapter: "traffic-management"})
	if want := []string{"traffic-management"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// --keep must not promise what it cannot do.
func TestKeepIsRefusedWhereItKeepsNothing(t *testing.T) {
	project(t, map[string]string{"one": allBlue, "two": allBlue, "below": "needs: one\n" + allBlue})
	tests := []struct {
		throwaway      bool
		scenario, want string
	}{
		{true, "below", "this sandbox ends with the run"},
		{false, "*", "one and two need nothing of each other"},
		{false, "below", ""},
	}
	for _, tt := range tests {
		_, err := Select(everything(Selection{Names: []string{tt.scenario}, Throwaway: tt.throwaway}), Options{Keep: true})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%q (throwaway %v): got %v, want %q", tt.scenario, tt.throwaway, err, tt.want)
		}
	}
}
