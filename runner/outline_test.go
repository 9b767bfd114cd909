package runner

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/scenario"
)

// One scenario with a step of each sort: what its outline says is in the file
// beside it.
func TestOutline(t *testing.T) {
	for _, file := range []string{"testdata/outline/steps.yaml"} {
		plan, err := engineIn(t, "sandbox").Plan([]*scenario.Scenario{parsed(t, file)})
		if err != nil {
			t.Fatal(err)
		}
		var all []Outline
		for _, s := range plan.Scenarios[0].Steps {
			o := plan.Outline(s)
			if got, want := len(o.Claims), len(plan.Claims(s)); got != want {
				t.Errorf("%s: %d claims, want %d", s.Title, got, want)
			}
			all = append(all, o)
		}
		text, err := json.MarshalIndent(all, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		golden.Compare(t, file[:len(file)-len(filepath.Ext(file))]+".golden", string(text)+"\n")
	}
}
