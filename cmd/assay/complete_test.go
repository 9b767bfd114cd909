package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// completed is what a shell offers behind the words; the last one may be begun
// or empty.
func completed(t *testing.T, words ...string) (offered []string, directive string) {
	t.Helper()
	var out, errs strings.Builder
	if code := run(append([]string{"__complete"}, words...), &out, &errs); code != 0 {
		t.Fatalf("%v: exit code %d: %s", words, code, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	last := len(lines) - 1
	return lines[:last], lines[last]
}

const (
	anyFile  = ":0"
	noFile   = ":4"
	noSpace  = ":6" // and no file
	byEnding = ":8"
)

func TestCompletion(t *testing.T) {
	project(t, map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/b.yaml": needing,
		"scenarios/environments/slow.yaml": "apiVersion: assay/v1\nkind: Environment\nname: slow\nclusters: {mgmt: {context: \"${NOT_DEFINED}\"}}\n"})
	const blue, both = "blue\tblue", "both\tboth"
	tests := []struct {
		words     string // parted by spaces; at the end of it stands the cursor
		want      []string
		directive string
	}{
		{"plan ", []string{blue, both}, anyFile},
		{"run bo", []string{both}, anyFile},
		{"run blue ", []string{both}, anyFile}, // what is there already is not offered again
		{"plan x", nil, anyFile},
		{"plan scenarios/", []string{"yaml", "yml"}, byEnding},
		{"check ", []string{"yaml", "yml"}, byEnding},
		{"check --environment ", []string{"sandbox\t1 cluster, 1 gateway (scenarios/environments/sandbox.yaml)", "slow\t1 cluster, 0 gateways (scenarios/environments/slow.yaml)"}, anyFile},
		{"run --environment sl", []string{"slow\t1 cluster, 0 gateways (scenarios/environments/slow.yaml)"}, anyFile},
		{"run --environment ./", []string{"yaml", "yml"}, byEnding},
		{"new ", []string{"scenario\tWrite a scenario to start from, with the policy that it applies", "environment\tWrite an environment for clusters of your own"}, noFile},
		{"new scenario ", nil, noFile},
		{"new scenario --expect ", []string{"blue=", "green="}, noSpace},
		{"new scenario --expect blue=50%,g", []string{"blue=50%,green="}, noSpace},
		{"new scenario --needs b", []string{blue, both}, anyFile},
		{"new environment x --cluster m", []string{"mgmt="}, noSpace},
		{"schema ", []string{"scenario", "environment"}, noFile},
	}
	for _, tt := range tests {
		t.Run(tt.words, func(t *testing.T) {
			got, directive := completed(t, strings.Split(tt.words, " ")...)
			if !slices.Equal(got, tt.want) || directive != tt.directive {
				t.Errorf("got %q %s, want %q %s", got, directive, tt.want, tt.directive)
			}
		})
	}
}

// The latest record first, whose folder's name is its time.
func TestCompletionOfRecords(t *testing.T) {
	project(t, map[string]string{".assay/20260102T000000.000Z/record.json": "{}", ".assay/20260103T000000.000Z/record.json": "{}", ".assay/20260104T000000.000Z/report.txt": ""})
	got, _ := completed(t, "report", "")
	want := []string{filepath.Join(".assay", "20260103T000000.000Z", "record.json"), filepath.Join(".assay", "20260102T000000.000Z", "record.json")}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, directive := completed(t, "report", "elsewhere/"); directive != byEnding || !slices.Equal(got, []string{"json"}) {
		t.Errorf("got %q %s, want files of JSON", got, directive)
	}
}

// Outside of any project nothing is offered, and nothing goes wrong.
func TestCompletionOutsideOfAProject(t *testing.T) {
	elsewhere(t)
	if got, directive := completed(t, "run", ""); len(got) > 0 || directive != anyFile {
		t.Errorf("got %q %s", got, directive)
	}
	if got, _ := completed(t, "run", "--environment", ""); len(got) != 1 || !strings.HasPrefix(got[0], "sandbox\t3 clusters, 2 gateways (sandbox.yaml (built in))") {
		t.Errorf("got %q", got)
	}
}

// Each shell gets its script, and the help says how to take it into use.
func TestCompletionScripts(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var out, errs strings.Builder
		if code := run([]string{"completion", shell}, &out, &errs); code != 0 || !strings.Contains(out.String(), "assay") || !strings.Contains(out.String(), "__complete") {
			t.Errorf("%s: exit code %d, %d bytes, %s", shell, code, out.Len(), errs.String())
		}
	}
	says(t, typed{args: "completion --help"}, 0, "source <(assay completion bash)", "assay completion fish > ~/.config/fish/completions/assay.fish")
	says(t, typed{args: "--help"}, 0, "completion  ")
	says(t, typed{args: "completion zhs"}, exitMisused, `unknown shell "zhs" (did you mean zsh?)`)
	says(t, typed{args: "completion"}, exitMisused, "want one shell: bash, zsh, fish and powershell")
}

// Every command that there is begins with what it is for, and shows by examples
// how it is typed.
func TestEveryCommandTeachesByExample(t *testing.T) {
	root := rootCommand()
	for _, c := range append(root.Commands(), newCommand().Commands()...) {
		if c.Name() == "help" || c.Hidden {
			continue
		}
		if c.GroupID == "" && c.Parent() == root && c.Name() != "completion" {
			t.Errorf("%s is in no group of the root's help", c.Name())
		}
		if c.HasSubCommands() {
			continue // what it is for, its commands say
		}
		if c.Short == "" || c.Long == "" || !strings.Contains(c.Example, "assay "+c.Name()) && !strings.Contains(c.Example, "assay new "+c.Name()) {
			t.Errorf("%s: it needs Short, Long, and an example with its name", c.CommandPath())
		}
		if strings.HasSuffix(c.Short, ".") || len(c.Short) > 80 {
			t.Errorf("%s: %q: want one short line without a full stop", c.CommandPath(), c.Short)
		}
		for line := range strings.Lines(c.Long) {
			if n := len([]rune(strings.TrimRight(line, "\n"))); n > 135 {
				t.Errorf("%s: a line of its help has %d characters: %s", c.CommandPath(), n, line)
			}
		}
	}
}
