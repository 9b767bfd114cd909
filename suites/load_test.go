package suites

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/onsi/ginkgo/v2/types"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/report"
	"github.com/meshassay/assay/runner/scenario"
)

// What Ginkgo cut short between two specs is no pass in the record either.
func TestCutShort(t *testing.T) {
	for _, reasons := range [][]string{nil, {"Interrupted by User"}} {
		s := &suite{live: live{path: filepath.Join(t.TempDir(), record.FileName), record: &record.Record{
			Version: record.Version, Scenarios: []record.Scenario{{Name: "a", Steps: []record.Step{{State: record.Passed}}}},
		}}}
		if err := s.cutShort(reasons); err != nil {
			t.Fatal(err)
		}
		want := record.Passed
		if reasons != nil {
			want = record.Errored
			if on, err := record.Read(s.live.path); err != nil || !slices.Equal(on.Unfinished, reasons) {
				t.Errorf("the record on disk: %+v, %v", on, err)
			}
		}
		if got := report.Overall(s.live.record).State; got != want {
			t.Errorf("%v: %s, want %s", reasons, got, want)
		}
	}
}

func TestMentions(t *testing.T) {
	tests := []struct {
		filter string
		want   bool
	}{
		{"", false}, {"fault", true}, {"!fault", true}, {"vm && (fault || slow)", true}, {"/fault/", true},
		{"faults", false}, {"no-fault", false}, {"!vm", false},
	}
	for _, tt := range tests {
		if got := mentions(tt.filter, "fault"); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.filter, got, tt.want)
		}
	}
}

func TestLocation(t *testing.T) {
	at := document.Pos{File: "scenarios/canary.yaml", Line: 12, Col: 3}
	if got, want := location(at).String(), "scenarios/canary.yaml:12"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestUnfounded(t *testing.T) {
	spec := func(state types.SpecState, why string) types.SpecReport {
		return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: "step", State: state, Failure: types.Failure{Message: why}}
	}
	report := func(specs ...types.SpecReport) types.Report {
		r := types.Report{SpecReports: specs}
		for _, s := range specs {
			if s.State != types.SpecStateSkipped || s.Failure.Message != "" {
				r.PreRunStats.SpecsThatWillRun++
			}
		}
		return r
	}
	broken := []scenario.Broken{{File: "a.yaml", Mistakes: document.Mistakes{{Pos: document.Pos{File: "a.yaml", Line: 1, Col: 2}, Text: "wrong"}}}}
	tests := []struct {
		reason string
		report types.Report
		broken []scenario.Broken
		want   string
	}{
		{"one passed", report(spec(types.SpecStatePassed, ""), spec(types.SpecStateSkipped, "")), nil, ""},
		{"none was selected", report(spec(types.SpecStateSkipped, "")), nil, "nothing was selected: no step matches the filters"},
		{"all were skipped", report(spec(types.SpecStateSkipped, "it is for sandbox")), nil, "nothing ran:\nstep: it is for sandbox"},
		{"a broken file was filtered out", report(spec(types.SpecStatePassed, "")), broken, "files that cannot run were left out by a filter:\na.yaml:1:2: wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := unfounded(tt.report, tt.broken); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
