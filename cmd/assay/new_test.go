package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/verdict"
)

// elsewhere makes an empty folder the working directory, and returns what
// compares with golden files of this one.
func elsewhere(t *testing.T) (compare func(name, got string)) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	return func(name, got string) {
		t.Helper()
		t.Chdir(here)
		golden.Compare(t, "testdata/new/"+name, got)
		t.Chdir(dir)
	}
}

// tutorial copies the project's scenarios into the working directory.
func tutorial(t *testing.T, from string) {
	t.Helper()
	if err := os.CopyFS("scenarios", os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(".git", 0o755); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, file string) string {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// Beside the tutorial's scenarios a new one needs gateway, asks for its path,
// and says what one wants.
func TestNewScenario(t *testing.T) {
	from, err := filepath.Abs("../../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	compare := elsewhere(t)
	tutorial(t, from)
	said := transcript(typed{args: "new scenario thirds --expect blue=40%,green=40%,canary=20% --tolerance 2.5pp"})
	compare("thirds.said.golden", said)
	compare("thirds.golden", text(t, "scenarios/thirds.yaml"))
	compare("thirds.manifest.golden", text(t, "scenarios/manifests/thirds.yaml"))
	says(t, typed{args: "check"}, 0, "no mistakes")

	// With everything there, only two files come.
	says(t, typed{args: "new scenario third-two --dir scenarios/mine --needs thirds --environment tutorial --expect green=100%"}, 0,
		"wrote "+filepath.Join("scenarios", "mine", "third-two.yaml")+"\nwrote "+filepath.Join("scenarios", "mine", "manifests", "third-two.yaml")+"\nchecked: 1 scenario, 2 steps, 2 expectations: no mistakes\n")
	if got := text(t, "scenarios/mine/third-two.yaml"); !strings.Contains(got, "needs: thirds ") || strings.Contains(got, "tolerance") ||
		!strings.HasPrefix(got, "# yaml-language-server: $schema=../scenario.schema.json\n") {
		t.Errorf("got\n%s", got)
	}
}

// In an empty folder the tutorial's base comes along, and all of it is right.
func TestNewScenarioInAnEmptyFolder(t *testing.T) {
	elsewhere(t)
	says(t, typed{args: "new scenario"}, 0, "checked: 1 scenario, 2 steps, 2 expectations: no mistakes\n", " beside it: ")
	says(t, typed{args: "check"}, 0, "5 scenarios, 16 steps, 4 expectations: no mistakes\n")
	// Once more beside the first one.
	says(t, typed{args: "new scenario second --expect blue=100%"}, 0, "checked: 1 scenario")
	if got := text(t, "scenarios/second.yaml"); !strings.Contains(got, "needs: gateway") || !strings.Contains(got, "path: /api") {
		t.Errorf("got\n%s", got)
	}
}

func TestNewScenarioWithoutNeeds(t *testing.T) {
	elsewhere(t)
	says(t, typed{args: "new scenario alone --needs="}, 0, "checked: 1 scenario")
	if entries, err := os.ReadDir("scenarios"); err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == "deployment" }) {
		t.Errorf("got %v and %v, want nothing of the tutorial", entries, err)
	}
}

// Whatever an environment has, what is written for it is right.
func TestNewScenarioForOtherEnvironments(t *testing.T) {
	const frame = "apiVersion: assay/v1\nkind: Environment\nname: own\nclusters: {prod: {context: \"${PROD}\"}}\n"
	const gateway = `gateways: {in: {url: "http://127.0.0.1:18001"}}` + "\n"
	const shop = "destinations: {stable: {cluster: prod, service: shop/shop, subset: {version: v1}}, next: {cluster: prod, service: shop/shop, subset: {version: v2}}}\n" +
		"answers: [{header: X-Version, is: {v1: stable, v2: next}}, {status: 403, is: denied}]\n"
	tests := []struct {
		name, environment, args string
		want, never             []string
	}{
		{"no gateways", frame, "", []string{"assert: {cluster: prod"}, []string{"expect:", "needs:"}},
		{"answers that tell nothing", frame + gateway, "", []string{"call: {request: {path: /}, answer: {status: 200}}"}, []string{"expect:"}},
		{"no dialect", frame + gateway + shop, "", []string{"shares: {stable: 50%, next: 50%}", "# - apply: {cluster: prod,"}, []string{"\n- name: divide"}},
		{"a dialect", frame + gateway + shop + "dialect: gloo-mesh-1\n", "", []string{"apply: {cluster: prod, files: [manifests/own.yaml]}", "tolerance: 3pp"}, nil},
		{"nobody to send it to", frame + gateway + shop + "dialect: gloo-mesh-1\n", "--expect stable=80%,denied=20%", []string{"shares: {stable: 80%, denied: 20%}", "# - apply:"}, nil},
		{"one destination", frame + gateway + "destinations: {only: {cluster: prod, service: shop/shop}}\nanswers: [{status: 200, is: only}]\n", "", []string{"shares: {only: 100%}"}, []string{"tolerance"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			project(t, map[string]string{"scenarios/environments/own.yaml": tt.environment})
			says(t, typed{args: strings.TrimSpace("new scenario own --environment own " + tt.args)}, 0, "no mistakes", "plan own --environment own")
			got := text(t, "scenarios/own.yaml")
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("got\n%s\nwant in it %s", got, want)
				}
			}
			for _, never := range tt.never {
				if strings.Contains(got, never) {
					t.Errorf("got\n%s\nwant nothing of %s", got, never)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		args string
		want []string
	}{
		{"new scenario blue", []string{"blue: a scenario is called so already: scenarios/a.yaml (choose another name)"}},
		{"new scenario there", []string{"scenarios/there.yaml: there already, and nothing is overwritten"}},
		{"new scenario Upper", []string{`Upper: want a name of small letters, digits and dashes, got "Upper" (such as upper)`}},
		{"new scenario scenarios/mine/x.yaml", []string{"want the name of the scenario, not of its file", "new scenario x --dir scenarios/mine"}},
		{"new scenario one two", []string{"one two: want one name"}},
		{"new scenario x --expect blu=50%,green=50%", []string{"--expect blu: environment sandbox has no such outcome (did you mean blue?)"}},
		{"new scenario x --expect blue=50%,green=40%", []string{"--expect", "sum"}},
		{"new scenario x --expect blue=50%+-1pp,green=50%", []string{"all shares of an expectation have one tolerance (--tolerance 3pp)"}},
		{"new scenario x --tolerance 3pp", []string{"--tolerance: is of no use without --expect"}},
		{"new scenario x --needs bleu", []string{"--needs bleu: no scenario is called so (did you mean blue?)"}},
		{"new scenario x --environment sandbx", []string{"did you mean sandbox?"}},
		{"new environment", []string{"what shall it be called?"}},
		{"new environment sandbox", []string{"sandbox: an environment is called so already"}},
		{"new environment x --cluster one --cluster two= --cluster A=b --cluster c=1 --cluster c=2",
			[]string{"--cluster one: want NAME=CONTEXT (for example cluster1=east)", "--cluster two=: want", "--cluster A=b: want a name", "--cluster c=2: the cluster is given twice"}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			project(t, map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/there.yaml": "kept", "scenarios/manifests/there.yaml": "kept"})
			says(t, typed{args: tt.args}, exitNotWell, tt.want...)
			if got := text(t, "scenarios/there.yaml"); got != "kept" {
				t.Errorf("overwritten: %s", got)
			}
			if _, err := os.Stat("scenarios/x.yaml"); err == nil {
				t.Error("something was written")
			}
		})
	}
}

// What cannot be judged at the environment's rate is said at once.
func TestNewScenarioThatCannotBeJudged(t *testing.T) {
	elsewhere(t)
	says(t, typed{args: "new scenario fine --expect blue=50%,green=50% --tolerance 0.1pp"}, exitNotWell, "scenarios/fine.yaml", "tolerance")
}

func TestNewEnvironment(t *testing.T) {
	compare := elsewhere(t)
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "none"))
	says(t, typed{args: "new environment staging"}, 0, "wrote scenarios/environments/staging.yaml\n", "check --connect --environment staging")
	compare("staging.golden", text(t, "scenarios/environments/staging.yaml"))
	says(t, typed{args: "new scenario first"}, 0, "no mistakes")
	says(t, typed{args: "check --environment staging"}, 0, "5 scenarios, 16 steps, 4 expectations: no mistakes\n")

	says(t, typed{args: "new environment there --dir tests/mesh"}, 0, "check --environment there tests/mesh ")
	says(t, typed{args: "new environment shop --cluster prod=admin@prod"}, 0, "wrote scenarios/environments/shop.yaml\n")
	compare("shop.golden", text(t, "scenarios/environments/shop.yaml"))
	e, err := environment.Load("shop", "scenarios/environments", os.LookupEnv)
	if err != nil || e.Clusters["prod"].Context != "admin@prod" || len(e.Gateways) != 1 {
		t.Errorf("got %+v and %v", e, err)
	}
}

// The contexts that one may choose from are told.
func TestNewEnvironmentTellsTheContexts(t *testing.T) {
	elsewhere(t)
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, []byte("apiVersion: v1\nkind: Config\ncontexts: [{name: west, context: {cluster: c}}, {name: east, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", file)
	says(t, typed{args: "new environment x"}, 0, "your kubeconfig has the contexts east and west\n")
	got, _ := completeContexts(nil, nil, "cluster1=e")
	if !slices.Equal(got, []string{"cluster1=east"}) {
		t.Errorf("completed %v", got)
	}
}

func TestWeightsAreWholeNumbers(t *testing.T) {
	tests := []struct {
		shares []float64
		want   []int64
	}{
		{[]float64{.5, .5}, []int64{50, 50}},
		{[]float64{1}, []int64{100}},
		{[]float64{.125, .875}, []int64{125, 875}},
		{[]float64{.0001, .9999}, []int64{1, 9999}},
		{[]float64{.333, .333, .334}, []int64{333, 333, 334}},
	}
	for _, tt := range tests {
		var shares []verdict.Share
		for _, want := range tt.shares {
			shares = append(shares, verdict.Share{Want: want})
		}
		if got := weights(shares); !slices.Equal(got, tt.want) {
			t.Errorf("%v: got %v, want %v", tt.shares, got, tt.want)
		}
	}
}

func TestToldCountsWhatIsBeside(t *testing.T) {
	var b bytes.Buffer
	if err := say(&b, told([]created{{path: "a"}, {path: "b", beside: "base"}, {path: "c", beside: "schema"}, {path: "d", beside: "base"}})); err != nil {
		t.Fatal(err)
	}
	if want := "wrote a\nwrote 2 files beside it: base\nwrote c: schema\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
