package report

import (
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
)

func TestStepFailureKeepsTheVerdictAndTheFirstFault(t *testing.T) {
	step := record.Step{
		State: record.Failed, Position: "canary.yaml:9:3", Title: "a split", Error: "ingress1: failed: errors are at 20 %\n  backend down: canary never answered",
		Samples: []record.Sample{{
			Gateway: "ingress1", Diagnosis: "backend down: canary never answered",
			Examples: []record.Example{
				{Of: "blue", Which: "first", Body: "blue's body"}, {Fault: "refused", Which: "first", Detail: "the first fault"},
				{Fault: "refused", Which: "last", Detail: "the last fault"},
			},
		}},
	}
	got := StepFailure(step)
	if !strings.HasPrefix(got, "canary.yaml:9:3: failed: a split") {
		t.Errorf("it begins otherwise than with its position:\n%s", got)
	}
	for text, want := range map[string]int{"backend down": 1, "the first fault": 1, "the last fault": 0, "blue's body": 0} {
		if n := strings.Count(got, text); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, n, want, got)
		}
	}
	if len(step.Samples[0].Examples) != 3 || step.Samples[0].Diagnosis == "" {
		t.Error("the record's own step has been changed")
	}
}
