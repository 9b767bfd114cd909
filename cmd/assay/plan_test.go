package main

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPlanOfAClaim(t *testing.T) {
	says(t, typed{args: "plan --runs 20 --expect blue=60%,green=40% --tolerance 20pp --errors 10%"}, 0,
		"wanted: blue 60 % +- 20 pp, green 40 % +- 20 pp, errors <= 10 %\n",
		"a mesh that is", "right", "off by half the tolerance", "off by twice the tolerance",
		"budget 100,000 requests; ", " do for practically every run of a mesh that is right\n",
		"simulated: 20 runs of each mesh (seed 1)\n")
	says(t, typed{args: "plan --runs 20 --budget 50 --expect blue=60%,green=40% --tolerance 2pp"}, 0, "> 50", "too small: 50 requests cannot decide")
	again := typed{args: "plan --runs 20 --expect green=100% --errors 20%"}
	if first, second := transcript(again), transcript(again); first != second {
		t.Errorf("the same seed gives\n%s\nand\n%s", first, second)
	}
}

// Two scenarios, a broken one apart: what the one does that needs the other.
var looseProject = map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/b/loose.yaml": `apiVersion: assay/v1
kind: Scenario
name: loose
needs: blue
steps:
- apply: {cluster: mgmt, files: [policy.yaml]}
- call: {request: {path: /api}, answer: {status: 200}}
- expect: {request: {path: /api}, shares: {blue: 50%, green: 50%}, tolerance: 20pp, errors: 20%, budget: {requests: 3000}}
- delete: {cluster: mgmt, files: [policy.yaml]}
- name: two at once
  expect:
    tolerance: 20pp
    errors: 20%
    cases:
    - {name: one, path: /one, shares: {blue: 50%, green: 50%}}
    - {name: two, path: /two, shares: {blue: 50%, green: 50%}}
`, "scenarios/b/policy.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {namespace: app, name: policy}\n"}

func TestPlanOfScenarios(t *testing.T) {
	project(t, maps.Clone(looseProject))
	for _, args := range []string{"loose", "l*", "scenarios/b", "scenarios/b/loose.yaml"} {
		says(t, typed{args: "plan --runs 10 " + args}, 0,
			"in the environment sandbox (scenarios/environments/sandbox.yaml); nothing is touched now\n\nblue: blue (scenarios/a.yaml)\n  1. expect 100% blue (line 5)\n",
			"loose: loose (scenarios/b/loose.yaml)\n  1. apply policy.yaml to mgmt (line 6)\n",
			"ConfigMap app/policy  scenarios/b/policy.yaml:1\n",
			"call from local, to ingress: GET /api\n       wanted: status 200, 10 times in a row, within 30s; 10 requests, 500 ms at least\n",
			"delete from mgmt, then wait until all of them are gone (at most 1m)\n",
			"GET /two (two)\n", "each gateway for its 2 cases in turn, when right: median ",
			"put back afterwards, the last change first: loose (1 object)\n",
			"in all: 2 scenarios, 6 steps, 1 object changed, 4 verdicts\n", "calls: 10\n")
	}
	if got := transcript(typed{args: "plan --runs 10 blue"}); strings.Contains(got, "loose") || !strings.Contains(got, "put back afterwards: nothing") {
		t.Errorf("got more than what was asked for\n%s", got)
	}
	if got := transcript(typed{args: "plan --runs 10 loose"}); strings.Contains(got, "off by half") {
		t.Errorf("wrong meshes are simulated without being asked for\n%s", got)
	}
	says(t, typed{args: "plan --runs 10 --budget 77 --verbose"}, 0, "budget 77 requests", "off by half the tolerance", "the budget does not always do")
	says(t, typed{args: "plan still"}, 2, "no scenario is called still")
}

func TestPlanAsJSON(t *testing.T) {
	project(t, maps.Clone(looseProject))
	text := transcript(typed{args: "plan --runs 10 --json loose"})
	var run plannedRun
	if err := json.Unmarshal([]byte(text[strings.Index(text, "{"):strings.LastIndex(text, "}")+1]), &run); err != nil {
		t.Fatal(err)
	}
	if len(run.Scenarios) != 2 || run.Scenarios[1].Needs != "blue" || len(run.Scenarios[1].Steps) != 5 {
		t.Fatalf("got %+v", run)
	}
	steps := run.Scenarios[1].Steps
	// Four expectations on one gateway share alpha; the first attempt has half.
	one := steps[2].Expectations
	if len(one) != 1 || one[0].Budget != 3000 || one[0].Claim.Alpha != .001/4/2 || one[0].Forecast.Right.Median == 0 || one[0].Forecast.Half.Median != 0 {
		t.Errorf("got %+v", one)
	}
	both := steps[4]
	if len(both.Expectations) != 2 || both.Sampling.Median != 2*max(both.Expectations[0].Forecast.Right.Median, both.Expectations[1].Forecast.Right.Median) {
		t.Errorf("two cases in turn take twice as many requests as the longer, got %+v", both)
	}
	// Without a rate in the environment 16 requests are under way, 10 ms each.
	if both.Sampling.Rate != 1600 || !both.Sampling.Assumed {
		t.Errorf("got %+v", both.Sampling)
	}
	want := []putBack{{Cluster: "mgmt", Object: steps[0].Objects[0], What: "deleted, or made as it was"}}
	if got := run.Scenarios[1].PutBack; !reflect.DeepEqual(got, want) {
		t.Errorf("put back %+v, want %+v", got, want)
	}
	if n := run.Total; n.Scenarios != 2 || n.Steps != 6 || n.Objects != 1 || n.Verdicts != 4 || n.Calls != 10 || n.MedianTime <= 500*time.Millisecond {
		t.Errorf("in all %+v", n)
	}
}

// A gateway that may be asked seldom takes long, and what is not for this
// environment is not in the plan.
func TestPlanKeepsToTheEnvironment(t *testing.T) {
	files := maps.Clone(looseProject)
	files["scenarios/only.yaml"] = strings.Replace(wellFormed, "name: blue\n", "name: only\nenvironments: [elsewhere]\n", 1)
	files["scenarios/environments/slow.yaml"] = `apiVersion: assay/v1
kind: Environment
name: slow
clusters: {mgmt: {context: mgmt}}
gateways: {ingress: {url: "http://127.0.0.1:18001"}}
destinations: {blue: {cluster: mgmt, service: app/app}}
answers: [{status: 200, is: blue}]
limits: {rate: 100/s}
`
	project(t, files)
	says(t, typed{args: "plan --runs 10 --environment slow only blue"}, 0,
		"skipped: it is for elsewhere, and this is slow\n", "median 1,178 requests in 11.8 s, 99th percentile 1,178 in 11.8 s (at 100/s)\n", "in all: 1 scenario, 1 step,")
}

func TestPlanRefuses(t *testing.T) {
	project(t, map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/hasty.yaml": hasty})
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"plan bleu", []string{"no scenario is called bleu (did you mean blue?)"}},
		{"plan hasty", []string{"scenarios/hasty.yaml:7:44: steps[2].expect.shares.blu: unknown outcome (did you mean blue?)", "5 mistakes"}},
		{"plan nowhere/", []string{"nowhere"}},
		{"plan blue --environment sandbx", []string{"did you mean sandbox?"}},
		{"plan --tolerance 3pp", []string{"--expect: is missing"}},
		{"plan --expect blue=100% blue", []string{"blue: scenarios say themselves what they expect (leave out --expect)"}},
		{"plan --expect blue=100% --runs 0", []string{"0 runs cannot be simulated"}},
		{"plan --expect blue=100% --budget 0", []string{"a budget of 0 cannot be simulated"}},
		{"plan --runs many", []string{`invalid argument "many"`}},
	} {
		says(t, typed{args: tt.args}, 2, tt.want...)
	}
}

// A script that a scenario runs is planned with what it touches, where that is.
func TestPlanOfAScript(t *testing.T) {
	project(t, map[string]string{"scenarios/script.yaml": `apiVersion: assay/v1
kind: Scenario
name: script
steps:
- run: {script: bin/change.sh, touches: [mgmt/configmaps/app/one], timeout: 5s}
`, "scenarios/bin/change.sh": "#!/bin/sh\n"})
	says(t, typed{args: "plan script"}, 0, "run bin/change.sh, then wait until it has ended with exit status 0", "(at most 5s)", "configmaps app/one",
		"put back afterwards, the last change first: script (1 object)")
}

// Where there is nothing yet, the first thing to do is told.
func TestNothingThereYet(t *testing.T) {
	elsewhere(t)
	for _, args := range []string{"check", "plan", "plan first", "run first"} {
		got := transcript(typed{args: args})
		if !strings.Contains(got, "there is no folder scenarios here; go run ./cmd/assay new scenario writes a first one") {
			t.Errorf("got %s", got)
		}
	}
}
