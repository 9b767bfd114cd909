package environment

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/document"
)

// process is the process environment of the tests.
func process(name string) (string, bool) {
	value, ok := map[string]string{
		"MGMT": "mgmt-context", "CLUSTER1": "one", "VM_ADDRESS": "192.168.64.10", "EMPTY": "", "DEFINED": "yes",
	}[name]
	return value, ok
}

// nothing is an empty process environment.
func nothing(string) (string, bool) { return "", false }

// TestBadFiles compares what Show prints for each testdata/bad/*.bad.yaml with the
// .want file beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.bad.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d bad files, want the corpus (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".bad.yaml"), func(t *testing.T) {
			getenv := process
			if strings.Contains(file, "contexts") || strings.Contains(file, "vars") {
				getenv = func(name string) (string, bool) {
					value, ok := process(name)
					return value, ok && (name == "EMPTY" || name == "DEFINED")
				}
			}
			_, ms := Parse(filepath.Base(file), read(t, file), getenv)
			if len(ms) == 0 {
				t.Fatal("no mistake found")
			}
			var got bytes.Buffer
			ms.Show(&got)
			golden.Compare(t, strings.TrimSuffix(file, ".yaml")+".want", got.String())
		})
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func tutorial(t *testing.T) *Environment {
	t.Helper()
	e, ms := Parse("tutorial.yaml", read(t, "testdata/good/tutorial.yaml"), process)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	return e
}

func TestParse(t *testing.T) {
	want := &Environment{
		File: "tutorial.yaml", Name: "tutorial", Dialect: "gloo-mesh-1",
		Clusters: map[string]Cluster{"mgmt": {"mgmt-context"}, "cluster1": {"kind-one"}, "cluster2": {"arn:aws:eks:$x/y"}},
		Gateways: map[string]Gateway{
			"ingress1": {Cluster: "cluster1", Service: "istio-system/istio-ingressgateway", Port: "http2"},
			"ingress2": {Cluster: "cluster2", Service: "istio-system/istio-ingressgateway", Port: "80"},
			"ingress3": {URL: "http://127.0.0.1:8080"},
		},
		Clients: map[string]Client{"vm": {Command: []string{"vagrant", "ssh", "-c"}}, "bastion": {Proxy: "http://127.0.0.1:3128"},
			"behind": {Cluster: "cluster1", Service: "sandbox/vm-proxy", Port: "3128"}},
		Destinations: map[string]Destination{
			"blue":   {"cluster1", "blue-green-canary/blue-green-canary", map[string]string{"version": "blue"}},
			"green":  {"cluster2", "blue-green-canary/blue-green-canary", map[string]string{"version": "green"}},
			"canary": {"cluster1", "vm-blue-green-canary/blue-green-canary", nil},
		},
		Answers: []Answer{
			{JSON: "color", Is: Outcomes{
				Values: map[string]string{"blue": "blue", "green": "green", "yellow": "canary", "7": "seven"},
				Order:  []string{"blue", "green", "yellow", "7"},
			}},
			{Header: "x-pod", Match: "^vm-", Is: Outcomes{Name: "canary"}},
			{Status: 403, Body: "RBAC: access denied", Is: Outcomes{Name: "denied"}},
			{Status: 200, Match: "(?i)canary2", Is: Outcomes{Name: "canary2"}},
		},
		Limits: Limits{Rate: 200, Workers: 20},
		Vars:   map[string]string{"VM_ADDRESS": "192.168.64.10", "PRICE": "5 $ or $$", "EMPTY": ""},
		Order: Order{
			Clusters: []string{"mgmt", "cluster1", "cluster2"}, Gateways: []string{"ingress2", "ingress1", "ingress3"},
			Clients: []string{"vm", "bastion", "behind"}, Destinations: []string{"blue", "green", "canary"},
		},
	}
	e := tutorial(t)
	if diff := cmp.Diff(want, e, cmpopts.IgnoreTypes(document.Value{})); diff != "" {
		t.Errorf("read otherwise (-want +got):\n%s", diff)
	}
	if got := e.Answers[2].Source.Pos().String(); got != "tutorial.yaml:17:3" {
		t.Errorf("the third answer stands at %s", got)
	}
	if got, want := e.Outcomes(), []string{"blue", "green", "canary", "seven", "denied", "canary2"}; !slices.Equal(got, want) {
		t.Errorf("outcomes are %v, want %v", got, want)
	}
}

func TestParseLeast(t *testing.T) {
	e, ms := Parse("least.yaml", read(t, "testdata/good/least.yaml"), nothing)
	if len(ms) > 0 {
		t.Fatal(ms)
	}
	if e.Name != "least" || e.Clusters["mgmt"].Context != "mgmt" || len(e.Outcomes()) != 0 || e.Limits != (Limits{}) {
		t.Errorf("got %+v", e)
	}
}

func TestExpand(t *testing.T) {
	e := tutorial(t)
	tests := []struct{ text, want, err string }{
		{"address: ${VM_ADDRESS}", "address: 192.168.64.10", ""},
		{"${VM_ADDRESS}${VM_ADDRESS}", "192.168.64.10192.168.64.10", ""},
		{"a${EMPTY}b", "ab", ""},
		{"$VM_ADDRESS $1 $$ ${1} ${A:-b} $(C) ${", "$VM_ADDRESS $1 $$ ${1} ${A:-b} $(C) ${", ""},
		{"${PRICE}", "5 $ or $$", ""},
		{"", "", ""},
		{"a\nb: ${MGMT}\n", "", "line 2: ${MGMT} is not defined (add it to vars in tutorial.yaml)"},
		{"a: ${VM_ADRESS}\nb: ${X} ${X}", "", "line 1: ${VM_ADRESS} is not defined (did you mean VM_ADDRESS?)\n" +
			"line 2: ${X} is not defined (add it to vars in tutorial.yaml)"},
	}
	for _, tt := range tests {
		got, err := e.Expand(tt.text)
		if tt.err != "" && (err == nil || err.Error() != tt.err) || tt.err == "" && err != nil {
			t.Errorf("%q: got error %v, want %q", tt.text, err, tt.err)
		}
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestExpandOnce: what a var holds is not looked at again.
func TestExpandOnce(t *testing.T) {
	e := &Environment{Vars: map[string]string{"A": "${B}", "B": "x"}}
	if got, err := e.Expand("${A}"); got != "${B}" || err != nil {
		t.Errorf("got %q and %v", got, err)
	}
}

// The sandbox needs no file; one that is there counts.
func TestSandboxIsBuiltIn(t *testing.T) {
	e, err := Load(Sandbox, t.TempDir(), nothing)
	if err != nil || e.Name != Sandbox || len(e.Gateways) != 2 || e.File != "sandbox.yaml (built in)" {
		t.Fatalf("got %+v and %v", e, err)
	}
	dir := t.TempDir()
	own := strings.Replace(string(read(t, "testdata/good/least.yaml")), "name: least", "name: sandbox", 1)
	if err := os.WriteFile(filepath.Join(dir, "sandbox.yaml"), []byte(own), 0o644); err != nil {
		t.Fatal(err)
	}
	if e, err := Load(Sandbox, dir, nothing); err != nil || e.File != filepath.Join(dir, "sandbox.yaml") {
		t.Errorf("got %+v and %v, want the file that is there", e, err)
	}
}

func TestLoad(t *testing.T) {
	dir := filepath.Join("testdata", "good")
	for _, nameOrFile := range []string{"tutorial", "testdata/good/tutorial.yaml", "./testdata/good/tutorial.yaml"} {
		e, err := Load(nameOrFile, dir, process)
		if err != nil || e.Name != "tutorial" || filepath.ToSlash(e.File) != filepath.ToSlash(filepath.Clean("testdata/good/tutorial.yaml")) && e.File != nameOrFile {
			t.Errorf("%s: got %+v and %v", nameOrFile, e, err)
		}
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "sandbox.yaml"), read(t, "testdata/good/least.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ nameOrFile, dir, want string }{
		{"tutoral", dir, "no environment is called tutoral in testdata/good (did you mean tutorial?)"},
		{"production", dir, "no environment is called production in testdata/good (known are least, sandbox and tutorial; a file elsewhere is named by its path: ./production.yaml)"},
		{"production", "testdata", "no environment is called production in testdata (known is sandbox; a file elsewhere is named by its path: ./production.yaml)"},
		{"nowhere.yaml", dir, "environment: open nowhere.yaml: no such file or directory"},
		{"sandbox", other, filepath.Join(other, "sandbox.yaml") + ":3:7: name: the file is called sandbox.yaml and the environment least (give both the same name)"},
	}
	for _, tt := range tests {
		if _, err := Load(tt.nameOrFile, tt.dir, process); err == nil || err.Error() != tt.want {
			t.Errorf("%s in %s: got %v, want %s", tt.nameOrFile, tt.dir, err, tt.want)
		}
	}
	var ms document.Mistakes
	if _, err := Load("testdata/bad/dialect.bad.yaml", dir, process); err == nil || !reflect.DeepEqual(reflect.TypeOf(err), reflect.TypeOf(ms)) {
		t.Errorf("a wrong file gives Mistakes, got %T", err)
	}
}

// TestUndefinedNamesAreSaidAtTheirPlace: one message for each name of the tutorial's
// environment that the process lacks, each under its dollar sign.
func TestUndefinedNamesAreSaidAtTheirPlace(t *testing.T) {
	_, ms := Parse("t.yaml", read(t, "testdata/good/tutorial.yaml"), nothing)
	want := `t.yaml:4:29: clusters.mgmt.context: ${MGMT} is not defined in the process environment (export MGMT=… with one of kubectl config get-contexts)
t.yaml:4:66: clusters.cluster1.context: ${CLUSTER1} is not defined in the process environment (export CLUSTER1=… with one of kubectl config get-contexts)
t.yaml:21:21: vars.VM_ADDRESS: ${VM_ADDRESS} is not defined in the process environment (export VM_ADDRESS=…)`
	if diff := cmp.Diff(want, ms.Error()); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse: no input makes Parse panic; mistakes stand inside the file and are the
// same each time; without mistakes every name leads somewhere.
func FuzzParse(f *testing.F) {
	for _, glob := range []string{"testdata/bad/*.yaml", "testdata/good/*.yaml", "../document/testdata/*.yaml"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(source)
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		e, ms := Parse("f.yaml", source, process)
		_, again := Parse("f.yaml", source, process)
		if !reflect.DeepEqual(ms, again) {
			t.Fatalf("once:\n%v\nand again:\n%v", ms, again)
		}
		lines := strings.Split(string(source), "\n")
		for _, m := range ms {
			p := m.Pos
			if p.Line > len(lines) || p.Line > 0 && (p.Col < 1 || p.Col > utf8.RuneCountInString(lines[p.Line-1])+1) {
				t.Fatalf("%v stands outside the file", m)
			}
		}
		if len(ms) > 0 {
			return
		}
		for name, g := range e.Gateways {
			if _, ok := e.Clusters[g.Cluster]; !ok && g.Cluster != "" || g.URL == "" && (g.Cluster == "" || g.Service == "" || g.Port == "") {
				t.Fatalf("no mistake, and yet gateway %s is %+v", name, g)
			}
		}
		outcomes := e.Outcomes()
		for _, a := range e.Answers {
			for _, name := range a.Is.Names() {
				if bad, _ := document.BadName(name); !slices.Contains(outcomes, name) || bad != "" {
					t.Fatalf("no mistake, and yet %q is an outcome", name)
				}
			}
		}
	})
}

// TestTheProjectsOwnEnvironments: every file under scenarios/environments is right,
// and both can tell the same outcomes, so that the same scenarios run on them.
func TestTheProjectsOwnEnvironments(t *testing.T) {
	given := func(string) (string, bool) { return "given", true }
	var outcomes [][]string
	for _, name := range []string{"sandbox", "tutorial"} {
		e, err := Load(name, "../../scenarios/environments", given)
		if err != nil {
			t.Fatal(err)
		}
		outcomes = append(outcomes, e.Outcomes())
	}
	if diff := cmp.Diff(outcomes[0], outcomes[1]); diff != "" {
		t.Errorf("outcomes differ (-sandbox +tutorial):\n%s", diff)
	}
	if want := []string{"blue", "green", "canary", "denied", "aborted"}; !slices.Equal(outcomes[0], want) {
		t.Errorf("outcomes are %v, want %v", outcomes[0], want)
	}
}
