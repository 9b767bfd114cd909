package main

import (
	"encoding/json"
	"strings"
	"testing"
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

func TestPlanOfScenarios(t *testing.T) {
	const loose = `apiVersion: assay/v1
kind: Scenario
name: loose
needs: blue
steps:
- expect: {request: {path: /api}, shares: {blue: 50%, green: 50%}, tolerance: 20pp, errors: 20%, budget: {requests: 3000}}
- expect: {request: {path: /api}, shares: {blue: 50%, green: 50%}, tolerance: 20pp, errors: 20%}
`
	project(t, map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/b/loose.yaml": loose})
	for _, args := range []string{"loose", "l*", "scenarios/b", "scenarios/b/loose.yaml"} {
		says(t, typed{args: "plan --runs 10 " + args}, 0,
			"scenarios/a.yaml:5:3: blue: expect 100% blue, asked of ingress\nwanted: blue 100 %, green never, errors <= 0.5 %",
			"scenarios/b/loose.yaml:6:3: loose: expect 50% blue, 50% green, asked of ingress", "budget 3,000 requests;", "budget 100,000 requests;",
			"all 3 expectations together: ")
	}
	if got := transcript(typed{args: "plan --runs 10 blue"}); strings.Contains(got, "loose") || strings.Contains(got, "together") {
		t.Errorf("got more than what was asked for\n%s", got)
	}
	says(t, typed{args: "plan --runs 10 --budget 77"}, 0, "budget 77 requests", "all 3 expectations together")

	text := transcript(typed{args: "plan --runs 10 --json loose"})
	var all []planned
	if err := json.Unmarshal([]byte(text[strings.Index(text, "["):strings.LastIndex(text, "]")+1]), &all); err != nil {
		t.Fatal(err)
	}
	// Three expectations on one gateway share alpha; the first attempt has half.
	if len(all) != 3 || all[1].Scenario != "loose" || all[1].Budget != 3000 || all[1].Claim.Alpha != .001/3/2 || all[1].Forecast.Right.Median == 0 {
		t.Errorf("got %+v", all)
	}
}

func TestPlanRefuses(t *testing.T) {
	project(t, map[string]string{"scenarios/a.yaml": wellFormed, "scenarios/hasty.yaml": hasty,
		"scenarios/still.yaml": "apiVersion: assay/v1\nkind: Scenario\nname: still\nsteps:\n- assert: {cluster: mgmt, objects: [{apiVersion: v1, kind: Namespace, metadata: {name: a}}]}\n"})
	for _, tt := range []struct {
		args string
		want []string
	}{
		{"plan bleu", []string{"no scenario is called bleu (did you mean blue?)"}},
		{"plan hasty", []string{"scenarios/hasty.yaml:7:44: steps[2].expect.shares.blu: unknown outcome (did you mean blue?)", "5 mistakes"}},
		{"plan nowhere/", []string{"nowhere"}},
		{"plan blue --environment sandbx", []string{"did you mean sandbox?"}},
		{"plan still", []string{"none of these scenarios expects anything"}},
		{"plan --tolerance 3pp", []string{"--expect: is missing"}},
		{"plan --expect blue=100% blue", []string{"blue: scenarios say themselves what they expect (leave out --expect)"}},
		{"plan --expect blue=100% --runs 0", []string{"0 runs cannot be simulated"}},
		{"plan --expect blue=100% --budget 0", []string{"a budget of 0 cannot be simulated"}},
		{"plan --runs many", []string{`invalid argument "many"`}},
	} {
		says(t, typed{args: tt.args}, 2, tt.want...)
	}
}
