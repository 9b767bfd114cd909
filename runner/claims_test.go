package runner

import (
	"testing"
	"time"

	"github.com/meshassay/assay/runner/scenario"
)

// What a plan says of its claims is what a run judges at its first attempt.
func TestClaims(t *testing.T) {
	source := []byte(`apiVersion: assay/v1
kind: Scenario
name: claims
steps:
- name: look
  expect: {request: {path: /api}, shares: {blue: 60%, green: 40%}, tolerance: 3pp, budget: {requests: 9000, time: 20s}}
- expect:
    cases:
    - {name: all, path: /, shares: {blue: 100%}}
    - {name: none, path: /no, shares: {green: 100%}}
`)
	s, ms := scenario.Parse("claims.yaml", source)
	plan, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{s})
	if err != nil || len(ms) > 0 {
		t.Fatal(err, ms)
	}
	steps := plan.Scenarios[0].Steps
	first, second := plan.Claims(steps[0]), plan.Claims(steps[1])
	if len(first) != 1 || len(second) != 2 || second[1].Case != "none" {
		t.Fatalf("got %+v and %+v", first, second)
	}
	c := first[0]
	if c.Requests != 9000 || c.Time != 20*time.Second || len(c.Gateways) == 0 {
		t.Errorf("got %+v", c)
	}
	// Half of the run's alpha, which all expectations share, and half of beta.
	if want := .001 / float64(plan.Expectations) / 2; plan.Expectations != 3*len(c.Gateways) || c.Claim.Alpha != want || c.Claim.Beta != .005 {
		t.Errorf("%d expectations: alpha %g, beta %g", plan.Expectations, c.Claim.Alpha, c.Claim.Beta)
	}
}
