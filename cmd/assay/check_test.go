package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
)

// project writes a small project and makes it the working directory.
func project(t *testing.T, files map[string]string) {
	t.Helper()
	root := t.TempDir()
	files[".git/HEAD"] = ""
	files["scenarios/environments/sandbox.yaml"] = `apiVersion: assay/v1
kind: Environment
name: sandbox
clusters: {mgmt: {context: mgmt}}
gateways: {ingress: {url: "http://127.0.0.1:18001"}}
destinations:
  blue: {cluster: mgmt, service: app/app, subset: {version: blue}}
  green: {cluster: mgmt, service: app/app, subset: {version: green}}
answers:
- {json: color, is: {blue: blue, green: green}}
`
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

// A mistake in the frame of a scenario does not hide those in its steps.
func TestCheckTellsTheMistakesOfStepsToo(t *testing.T) {
	project(t, map[string]string{"scenarios/lost.yaml": `apiVersion: assay/v1
kind: Scenario
name: lost
needs: nobody
steps:
- expcet: {request: {path: /api}, shares: {blue: 100%}}
- expect: {request: {path: /api}, shares: {blu: 100%}}
`})
	var got bytes.Buffer
	if err := check(&got, nil, "sandbox", os.LookupEnv); err == nil {
		t.Error("check finds nothing wrong")
	}
	for _, want := range []string{
		"scenarios/lost.yaml:4:8: needs: no scenario is called nobody",
		`scenarios/lost.yaml:6:3: steps[0].expcet: unknown action "expcet" (did you mean expect?)`,
		"scenarios/lost.yaml:7:44: steps[1].expect.shares.blu: unknown outcome (did you mean blue?)",
		"3 mistakes in 1 file",
	} {
		if !strings.Contains(got.String(), want) {
			t.Errorf("got\n%s\nwant in it\n%s", got.String(), want)
		}
	}
}

// A scenario for an environment that does not exist would be skipped for ever.
func TestCheckFindsMisspeltEnvironments(t *testing.T) {
	project(t, map[string]string{"scenarios/only.yaml": `apiVersion: assay/v1
kind: Scenario
name: only
environments: [sanbox, elsewhere]
steps:
- expect: {request: {path: /api}, shares: {blue: 100%}}
`})
	var got bytes.Buffer
	if err := check(&got, nil, "sandbox", os.LookupEnv); err == nil {
		t.Error("check finds nothing wrong")
	}
	want := `scenarios/only.yaml:4:16: environments[0]: no environment is called sanbox (did you mean sandbox?)
  4 | environments: [sanbox, elsewhere]
    |                ^

1 mistake in 1 file
`
	if got.String() != want {
		t.Errorf("got\n%swant\n%s", got.String(), want)
	}
}

const (
	wellFormed = `apiVersion: assay/v1
kind: Scenario
name: blue
steps:
- expect: {request: {path: /api}, shares: {blue: 100%}}
`
	needing = `apiVersion: assay/v1
kind: Scenario
name: both
needs: blue
steps:
- expect: {request: {path: /api}, shares: {blue: 50%, green: 50%}, tolerance: 5pp}
- expect: {request: {path: /api}, shares: {blue: 50%, green: 50%}, tolerance: 5pp}
`
	// Five mistakes, in the words of a reader in a hurry.
	hasty = `apiVersion: assay/v1
kind: Scenario
name: hasty
steps:
- apply: {cluster: mgnt, files: [nowhere.yaml]}
- expcet: {request: {path: /api}, shares: {blue: 100%}}
- expect: {request: {path: /api}, shares: {blu: 40, green: 60%}, tolerance: 3pp}
`
)

func TestCheck(t *testing.T) {
	tests := []struct {
		reason, args string
		files        map[string]string
		code         int
		want         []string // in what it says
	}{
		{"all is well", "check", map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/b/b.yaml": needing}, exitWell,
			[]string{"2 scenarios, 3 steps, 3 expectations: no mistakes\n"}},
		{"a folder that needs another", "check scenarios/b", map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/b/b.yaml": needing}, exitWell,
			[]string{"1 scenario, 2 steps, 2 expectations: no mistakes\n"}},
		{"another's mistakes are not of this file", "check scenarios/a.yaml", map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/hasty.yaml": hasty}, exitWell,
			[]string{"1 scenario, 1 step, 1 expectation: no mistakes\n"}},
		{"no such folder", "check nowhere", map[string]string{}, exitNotWell, []string{"nowhere"}},
		{"no scenario in it", "check scenarios", map[string]string{}, exitNotWell, []string{"scenarios: no scenario found"}},
		{"no such environment", "check --environment sandbx", map[string]string{"scenarios/a.yaml": wellFormed}, exitNotWell,
			[]string{"no environment is called sandbx in scenarios/environments (did you mean sandbox?)"}},
		{"a file that is no scenario", "check scenarios/environments/sandbox.yaml", map[string]string{"scenarios/a.yaml": wellFormed}, exitNotWell,
			[]string{"scenarios/environments/sandbox.yaml:2:"}},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			project(t, tt.files)
			var stdout, stderr bytes.Buffer
			if got := run(strings.Fields(tt.args), &stdout, &stderr); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			said := stdout.String() + stderr.String()
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("it says\n%s\nwant in it\n%s", said, want)
				}
			}
		})
	}
}

func TestCheckShowsEverythingAtOnce(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	project(t, map[string]string{"scenarios/hasty.yaml": hasty})
	var stdout, stderr bytes.Buffer
	if got := run([]string{"check"}, &stdout, &stderr); got != exitNotWell || stderr.Len() > 0 {
		t.Errorf("exit code %d, want %d; standard error %q, want nothing", got, exitNotWell, stderr.String())
	}
	t.Chdir(here)
	golden.Compare(t, "testdata/check.golden", stdout.String())
}
