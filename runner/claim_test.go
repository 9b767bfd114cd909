package runner

import (
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/scenario"
	"github.com/meshassay/assay/runner/verdict"
)

// What a budget cannot decide is told at the budget that is given, else at what
// would have to be looser.
func TestPlanTellsWhereItMustBeLooser(t *testing.T) {
	for _, tt := range []struct{ step, want string }{
		{"{shares: {blue: 50%, green: 50%}, tolerance: 0.1pp}", "steps[0].expect.tolerance: 100,000 requests cannot decide ±0.1 pp: about "},
		{"{shares: {blue: 100%}, errors: 0.001%}", "steps[0].expect.errors: 100,000 requests cannot decide errors of 0.001 %: "},
		{"{shares: {blue: 100%}, leak: 0.001%}", "steps[0].expect.leak: 100,000 requests cannot decide a leak of 0.001 % for green, canary, denied, not listed: "},
		{"{shares: {blue: 100%}, budget: {requests: 1050}, errors: 2%}", `steps[0].expect.budget.requests: 1,050 requests cannot decide "never" (less than 0.5 %) for green, canary, denied: 1,058 are needed`},
		{"{cases: [{name: api, shares: {blue: 100%}, leak: 0.001%}]}", "steps[0].expect.cases[0].leak: api: 100,000 requests cannot decide"},
		{"{errors: 0.001%, cases: [{name: api, shares: {blue: 100%}}]}", "steps[0].expect.errors: api: 100,000 requests cannot decide"},
	} {
		s, ms := scenario.Parse("budget.yaml", []byte("apiVersion: assay/v1\nkind: Scenario\nname: budget\nsteps:\n- expect: "+tt.step+"\n"))
		if len(ms) > 0 {
			t.Fatal(ms)
		}
		_, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{s})
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.step, err, tt.want)
		}
	}
}

// Where a leak is tolerated, an answer that no share can name is one; where
// none is, it fails at once. Either way it is told by its name.
func TestOutcomesThatNoShareNames(t *testing.T) {
	for _, tt := range []struct {
		leak float64
		want verdict.State
	}{{.05, verdict.Undecided}, {0, verdict.Failed}} {
		claim := verdict.Claim{Shares: []verdict.Share{{Name: "blue", Want: 1}}, Errors: .01, Alpha: .001, Beta: .01}
		j, err := newJudging(&expected{claim: claim}, claim.With(0, tt.leak))
		if err != nil {
			t.Fatal(err)
		}
		j.observe(&sample.Observation{Outcome: "blue"})
		if got := j.observe(&sample.Observation{Number: 1, Outcome: "pink"}); got != tt.want {
			t.Errorf("leak %g: pink is %s, want %s", tt.leak, got, tt.want)
		}
		if j.unlisted["pink"] != 1 {
			t.Errorf("leak %g: unlisted %v", tt.leak, j.unlisted)
		}
	}
}
