package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDocsCheck(t *testing.T) {
	t.Setenv("ASSAY_SANDBOX", "")
	const at = "../../runner/proofread/testdata/"
	tests := []struct {
		args string
		code int
		want string
	}{
		{"docs check --root " + at + "good --scenarios " + at + "good/scenarios " + at + "good/docs/shop.md", exitWell, "nothing found: 1 page, 6 headings"},
		{"docs check --root " + at + "bad --scenarios " + at + "bad/scenarios " + at + "bad/docs/shop.md", exitNotWell, "bad/docs/shop.md:9:10: blue is said to get 60%, but half at"},
		{"docs check", exitMisused, "requires at least 1 arg"},
		{"docs check --scenarios " + at + "good/scenarios nothing.md", exitBadInput, "nothing.md: no such file"},
		{"docs check --scenarios nowhere " + at + "good/docs/shop.md", exitBadInput, "read the scenarios of nowhere"},
		{"docs check --environment sandbox --root " + at + "good --scenarios " + at + "good/scenarios " + at + "good/docs/shop.md", exitBadInput, "no sandbox is running to be asked"},
		{"docs check --scenarios " + at + "good/scenarios ../../LICENSE", exitBadInput, "there was nothing to compare in 1 page: no block of commands"},
		{"docs", exitWell, "Compare a tutorial's pages"},
	}
	for _, tt := range tests {
		var stdout, stderr strings.Builder
		code := run(strings.Fields(tt.args), &stdout, &stderr)
		if out := stdout.String() + stderr.String(); code != tt.code || !strings.Contains(out, tt.want) {
			t.Errorf("%s: code %d, want %d and %q:\n%s", tt.args, code, tt.code, tt.want, out)
		}
	}
}

func TestDocsCheckAsJSON(t *testing.T) {
	const at = "../../runner/proofread/testdata/bad"
	var stdout, stderr strings.Builder
	code := run([]string{"docs", "check", "--json", "--root", at, "--scenarios", at + "/scenarios", at + "/docs/shop.md"}, &stdout, &stderr)
	var got docsResult
	if err := json.Unmarshal([]byte(stdout.String()), &got); err != nil || code != exitNotWell {
		t.Fatalf("code %d, %v\n%s", code, err, stderr.String())
	}
	for _, f := range got.Findings {
		if f.Kind == "percentage" && f.Line == 9 && f.Col == 10 && strings.HasSuffix(f.Other, "scenarios/half.yaml:7:43") {
			return
		}
	}
	t.Errorf("the percentage is not among %+v", got.Findings)
}
