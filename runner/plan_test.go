package runner

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/scenario"
)

// engineIn returns an engine in an environment of testdata.
func engineIn(t *testing.T, name string) *Engine {
	t.Helper()
	env, err := environment.Load(name, "testdata/environments", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Environment: env, Root: "testdata", Out: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// parsed reads one scenario, which must be a good one as far as the language goes.
func parsed(t *testing.T, file string) *scenario.Scenario {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, ms := scenario.Parse(file, source)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	return s
}

// TestExamples plans every example file of every action: a good one gives the
// plan, and a *.bad.yaml the mistakes, that its .want file has.
func TestExamples(t *testing.T) {
	for _, folder := range append(Actions(), "plan") {
		files, err := filepath.Glob("testdata/" + folder + "/*.yaml")
		if err != nil || len(files) < 2 {
			t.Fatalf("%s: found %d example files, want good and bad ones (%v)", folder, len(files), err)
		}
		for _, file := range files {
			t.Run(strings.TrimSuffix(strings.TrimPrefix(file, "testdata/"), ".yaml"), func(t *testing.T) {
				plan, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{parsed(t, file)})
				var ms document.Mistakes
				if err != nil && !errors.As(err, &ms) {
					t.Fatal(err)
				}
				if bad := strings.HasSuffix(file, ".bad.yaml"); bad != (len(ms) > 0) {
					t.Fatalf("mistakes: %v", err)
				}
				golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".want", shownPlan(plan, ms))
			})
		}
	}
}

// shownPlan is a plan, or what is wrong, as text.
func shownPlan(p *Plan, ms document.Mistakes) string {
	var b bytes.Buffer
	if len(ms) > 0 {
		ms.Show(&b)
		return strings.ReplaceAll(b.String(), "\\", "/")
	}
	for _, s := range p.Scenarios {
		fmt.Fprintf(&b, "%s", s.Scenario.Name)
		if s.Skip != "" {
			fmt.Fprintf(&b, ": skipped: %s", s.Skip)
		}
		fmt.Fprintln(&b)
		for _, step := range s.Steps {
			fmt.Fprintf(&b, "%s: %s", step.Position(), step.Title)
			if step.Changes {
				fmt.Fprint(&b, " (changes)")
			}
			if step.Expectations > 0 {
				fmt.Fprintf(&b, " (%d expectations)", step.Expectations)
			}
			fmt.Fprintln(&b)
		}
	}
	fmt.Fprintf(&b, "%d expectations, clusters %v\n", p.Expectations, p.clusters)
	return b.String()
}

// The rate that an environment allows bounds what can be decided in time.
func TestPlanRefusesWhatTheRateCannotDecide(t *testing.T) {
	s, ms := scenario.Parse("rate.yaml", []byte(`apiVersion: assay/v1
kind: Scenario
name: rate
steps:
- expect: {shares: {blue: 50%, green: 50%}, tolerance: 3pp}
`))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	_, err := engineIn(t, "shared").Plan([]*scenario.Scenario{s})
	if err == nil || !strings.Contains(err.Error(), "rate.yaml:5:56: steps[0].expect.tolerance: ") ||
		!strings.Contains(err.Error(), "at the 20/s that environment shared allows there are 1,200 in 1 min") {
		t.Errorf("got %v, want the rate named at the tolerance", err)
	}
}

// A case's header takes the place of the step's, whichever way each is written.
func TestACasesHeaderTakesThePlaceOfTheSteps(t *testing.T) {
	for range 20 { // a map has no order: once may be luck
		r := begin(t, `- expect:
    request: {path: /api, headers: {user-agent: step, accept: step}}
    cases: [{headers: {User-Agent: case}, shares: {blue: 100%}}]
`, "http://127.0.0.1:1")
		header := r.plan.Scenarios[0].Steps[0].work.(*expectWork).cases[0].request.Header
		if agent, accept := header.Get("User-Agent"), header.Get("Accept"); agent != "case" || accept != "step" {
			t.Fatalf("User-Agent %q, Accept %q, want the case's and the step's", agent, accept)
		}
	}
}

func TestPlanMakesATree(t *testing.T) {
	parse := func(text string) *scenario.Scenario {
		s, ms := scenario.Parse("tree.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\n"+text+
			"\nsteps: [{expect: {shares: {blue: 100%}}}, {wait: {cluster: mgmt, resource: namespaces, object: x, until: object.status.ok}}]\n"))
		if len(ms) > 0 {
			t.Fatal(ms)
		}
		return s
	}
	root := parse("name: root")
	elsewhere := parse("name: elsewhere\nneeds: root\nenvironments: [tutorial]")
	below := parse("name: below\nneeds: elsewhere")
	child := parse("name: child\nneeds: root")
	plan, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{root, elsewhere, below, child})
	if err != nil {
		t.Fatal(err)
	}
	if plan.Expectations != 4 {
		t.Errorf("%d expectations, want 4: two scenarios on two gateways, none of the skipped ones", plan.Expectations)
	}
	planned := plan.Scenarios
	if planned[3].Parent != planned[0] || len(planned[0].Children) != 2 || planned[0].Parent != nil {
		t.Errorf("child's parent is %v, root has %d children, want root and 2", planned[3].Parent, len(planned[0].Children))
	}
	for i, want := range []string{"", "it is for tutorial, and this is sandbox", "it needs elsewhere, which is skipped: it is for tutorial, and this is sandbox", ""} {
		if got := planned[i].Skip; got != want {
			t.Errorf("%s: skip %q, want %q", planned[i].Scenario.Name, got, want)
		}
	}
	if planned[0].Steps[0].Changes || !planned[0].Steps[1].Changes {
		t.Error("a wait is part of bringing about a state, and an expect is not")
	}
}

func TestPlanRefusesAScenarioWithoutWhatItNeeds(t *testing.T) {
	s, ms := scenario.Parse("alone.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: alone\nneeds: other\nsteps: [{expect: {shares: {blue: 100%}}}]\n"))
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	_, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{s})
	want := `alone.yaml:4:8: needs: scenario "other" is not among those that are to run`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNewRefusesProbabilities(t *testing.T) {
	env := engineIn(t, "sandbox").env
	for _, o := range []Options{{}, {Environment: env, Alpha: 1.5}, {Environment: env, Beta: -0.1}} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) took it", o)
		}
	}
}

// A file may be reached by ".." within the root, and not beyond it, by no
// symbolic link either.
func TestFilesStayInTheRoot(t *testing.T) {
	root := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	const namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n"
	write(outside, namespace)
	write(filepath.Join(root, "inside.yaml"), namespace)
	write(filepath.Join(root, "base", "kustomization.yaml"), "resources: ["+filepath.Base(outside)+"]\n")
	for _, link := range []string{filepath.Join(root, "link.yaml"), filepath.Join(root, "base", filepath.Base(outside))} {
		if err := os.Symlink(outside, link); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ source, want string }{
		{"files: [../inside.yaml]", ""},
		{"files: [../link.yaml]", "leads out of the root"},
		{"files: [../../" + filepath.Base(filepath.Dir(outside)) + "/outside.yaml]", "leads out of the root"},
		{"kustomize: ../base", "is outside the root"},
	}
	for _, tt := range tests {
		e := engineIn(t, "sandbox")
		e.options.Root = root
		file := filepath.Join(root, "scenarios", "s.yaml")
		write(file, "apiVersion: assay/v1\nkind: Scenario\nname: s\nsteps: [{apply: {cluster: mgmt, "+tt.source+"}}]\n")
		_, err := e.Plan([]*scenario.Scenario{parsed(t, file)})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.source, err, tt.want)
		}
	}
}
