package runner

import (
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/scenario"
)

// What a budget cannot decide is told at the budget that is given, else at what
// would have to be looser.
func TestPlanTellsWhereItMustBeLooser(t *testing.T) {
	for _, tt := range []struct{ step, want string }{
		{"{shares: {blue: 50%, green: 50%}, tolerance: 0.1pp}", "steps[0].expect.tolerance: 100,000 requests cannot decide ±0.1 pp: about "},
		{"{shares: {blue: 100%}, errors: 0.001%}", "steps[0].expect.errors: 100,000 requests cannot decide errors of 0.001 %: "},
		{"{shares: {blue: 100%}, leak: 0.001%}", "steps[0].expect.leak: 100,000 requests cannot decide a leak of 0.001 % for green, canary, denied: "},
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
