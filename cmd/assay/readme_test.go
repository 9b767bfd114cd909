package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What the README shows of check is what check prints.
func TestREADMEShowsWhatCheckPrints(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "scenarios"), os.DirFS("../../scenarios")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	shows := func(args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		run(args, &out, &errs)
		typed := "$ go run ./cmd/assay " + strings.Join(args, " ") + "\n"
		if want := typed + out.String() + "```"; !strings.Contains(string(readme), want) {
			t.Errorf("the README does not have\n%s%s", want, errs.String())
		}
	}
	shows("check")
	const mine = `apiVersion: assay/v1
kind: Scenario
name: my
needs: gateway
steps:
- expect: {request: {path: /api}, shares: {green: 60%, blu: 40}, tolerance: 3pp}
`
	if err := os.WriteFile("scenarios/my.yaml", []byte(mine), 0o644); err != nil {
		t.Fatal(err)
	}
	shows("check", "scenarios/my.yaml")
}

// The first scenario that the README writes comes out as it shows, and its plan
// too, but for what it leaves out (a line with nothing but …).
func TestREADMEShowsWhatNewAndPlanPrint(t *testing.T) {
	readme := text(t, "../../README.md")
	from, err := filepath.Abs("../../scenarios")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	tutorial(t, from)
	commands := []string{"new scenario halves --expect blue=50%,green=50%"}
	if runtime.GOARCH == "amd64" { // elsewhere the last digits of a simulation may be others
		commands = append(commands, "plan halves")
	}
	for _, args := range commands {
		_, after, found := strings.Cut(readme, "```console\n$ go run ./cmd/assay "+args+"\n")
		if !found {
			t.Errorf("the README does not show %s", args)
			continue
		}
		shown, _, _ := strings.Cut(after, "```")
		var out, errs bytes.Buffer
		run(strings.Fields(args), &out, &errs)
		rest := "\n" + out.String()
		for _, piece := range strings.Split("\n"+shown, "\n…\n") {
			if strings.TrimSpace(piece) == "" {
				continue // it begins or ends with something left out
			}
			_, behind, found := strings.Cut(rest, "\n"+strings.Trim(piece, "\n")+"\n")
			if !found {
				t.Errorf("%s does not print\n%s\nbut%s%s", args, piece, rest, errs.String())
				break
			}
			rest = "\n" + behind
		}
		if !strings.Contains(shown, "\n…\n") && strings.TrimSpace(shown) != strings.TrimSpace(out.String()) {
			t.Errorf("%s prints\n%s\nand the README shows\n%s", args, out.String(), shown)
		}
	}
}

// What a page shows of verdict and plan is what they print.
func TestDocsShowWhatVerdictAndPlanPrint(t *testing.T) {
	page, err := os.ReadFile("../../docs/without-a-scenario.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := []string{"verdict --expect blue=40%,green=40%,canary=20% --tolerance 5pp blue=812 green=790 canary=398"}
	if runtime.GOARCH == "amd64" { // elsewhere the last digits of a simulation may be others
		commands = append(commands, "plan --expect blue=40%,green=40%,canary=20% --tolerance 5pp")
	}
	for _, args := range commands {
		var out, errs bytes.Buffer
		run(strings.Fields(args), &out, &errs)
		if want := "$ go run ./cmd/assay " + args + "\n" + out.String() + "```"; !strings.Contains(string(page), want) {
			t.Errorf("the page does not have\n%s%s", want, errs.String())
		}
	}
}

// The scenario that the README begins with is one of ours.
func TestREADMEShowsAScenario(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	scenario, err := os.ReadFile("../../scenarios/traffic-management/blue-green-canary.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```yaml\n"+string(scenario)+"```\n") {
		t.Error("the README's scenario is not scenarios/traffic-management/blue-green-canary.yaml")
	}
}
