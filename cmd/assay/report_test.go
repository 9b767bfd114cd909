package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner"
	"github.com/meshassay/assay/runner/record"
)

// runs makes a working directory with records of some runs, the later last.
func runs(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i, name := range names {
		r := &record.Record{
			Version: record.Version, Environment: name,
			Scenarios: []record.Scenario{{Name: "canary", Steps: []record.Step{
				{Action: "apply", Title: "send everything to canary", State: record.Passed,
					Changes: []record.Change{{Cluster: "mgmt", Resource: "trafficpolicies", Name: "p", What: record.Created}}},
				{Action: "expect", Title: "only canary answers", State: record.Failed, Error: "wrong"},
			}}},
		}
		file := filepath.Join(runner.OutFolder, name, record.FileName)
		if err := record.Write(file, r); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i) * time.Second)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReport(t *testing.T) {
	runs(t, "later-by-name", "first")
	const summary = "1 passed, 1 failed of 2 steps in 1 scenario (first, 0 s)"
	tests := []struct {
		args string
		code int
		want []string
		not  string
	}{
		{"", 0, []string{"passed: send everything to canary", "failed: only canary answers", summary}, "created"},
		{"-v", 0, []string{"created", summary}, ""},
		{".assay/later-by-name", 0, []string{"1 scenario (later-by-name, "}, ""},
		{".assay/later-by-name/record.json", 0, []string{"1 scenario (later-by-name, "}, ""},
		{".assay", 0, []string{summary}, ""},
		{"--format html", 0, []string{"<!DOCTYPE html>", "only canary answers"}, ""},
		{"--format markdown", 0, []string{"| ", "only canary answers"}, "<!DOCTYPE"},
		{"--format junit", 0, []string{"<testsuites name=", "only canary answers", "failures=\"1\""}, ""},
		{"--format htm", 2, []string{"--format htm: there is no such format (did you mean html?)"}, ""},
		{"nowhere", 2, []string{"nowhere: no such file"}, ""},
		{".", 2, []string{"neither it nor a folder in it holds a record.json"}, ""},
		{"a b", 2, []string{"accepts at most 1 arg"}, ""},
	}
	for _, tt := range tests {
		says(t, typed{args: "report " + tt.args}, tt.code, tt.want...)
		if got := transcript(typed{args: "report " + tt.args}); tt.not != "" && strings.Contains(got, tt.not) {
			t.Errorf("%s: it says %q:\n%s", tt.args, tt.not, got)
		}
	}
}

func TestReportIntoAFile(t *testing.T) {
	runs(t, "first")
	for file, want := range map[string]string{"page.html": "<!doctype html>", "page.md": "| ", "page.txt": "1 passed, 1 failed", "page": "1 passed, 1 failed"} {
		if got := transcript(typed{args: "report -o " + file}); got != "$ assay report -o "+file+"\nexit code 0\n\n" {
			t.Errorf("it says %s", got)
		}
		if text, err := os.ReadFile(file); err != nil || !strings.Contains(strings.ToLower(string(text)), want) {
			t.Errorf("%s: %v, want %q in it", file, err, want)
		}
	}
}

func TestReportOfNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	says(t, typed{args: "report"}, 2, "there is no run in .assay yet", "assay run")
	if err := os.WriteFile("r.json", []byte(`{"version": 99}`), 0o644); err != nil {
		t.Fatal(err)
	}
	says(t, typed{args: "report r.json"}, 2, "a record of version 99; this program reads version 1")
}
