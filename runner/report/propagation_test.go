package report

import (
	"strings"
	"testing"
	"time"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/verdict"
)

// after is so many milliseconds after the change was sent.
func after(ms int) *time.Duration {
	d := time.Duration(ms) * time.Millisecond
	return &d
}

func TestPropagation(t *testing.T) {
	blue, green, canary := []string{"blue"}, []string{"green"}, []string{"canary"}
	reset := map[string]int64{"reset": 10, "cut": 2}
	every := 20 * time.Millisecond
	for _, tt := range []struct {
		name   string
		p      record.Propagation
		failed bool
		want   string
	}{
		{"both are told", record.Propagation{New: canary, Old: blue, FirstNew: after(120), LastOld: after(310)}, false,
			"first new answer (canary) after 120 ms, last old (blue) after 310 ms, no errors in between"},
		{"at once", record.Propagation{New: canary, Old: blue, FirstNew: after(7), AtOnce: true}, false,
			"first new answer (canary) in < 20 ms, no old (blue) after the change, no errors in between"},
		{"at once, by a slow backend", record.Propagation{New: canary, Old: blue, FirstNew: after(70), AtOnce: true}, false,
			"first new answer (canary) in < 70 ms, no old (blue) after the change, no errors in between"},
		{"blue stays", record.Propagation{New: []string{"green", "canary"}, FirstNew: after(120)}, false,
			"first new answer (green or canary) after 120 ms, last old not told apart, no errors in between"},
		{"green goes", record.Propagation{Old: green, LastOld: after(40)}, false,
			"first new answer not told apart, last old (green) after 40 ms, no errors in between"},
		{"other shares of the same", record.Propagation{}, false,
			"not told apart: the same outcomes answer before and after the change, no errors in between"},
		{"errors", record.Propagation{New: canary, Old: blue, FirstNew: after(120), LastOld: after(310), Errors: 12, FirstError: *after(90), LastError: *after(300), Faults: reset}, false,
			"first new answer (canary) after 120 ms, last old (blue) after 310 ms, 12 errors from 90 ms to 300 ms (reset 10, cut 2)"},
		{"one error", record.Propagation{Errors: 1, FirstError: *after(90), LastError: *after(90), Faults: map[string]int64{"reset": 1}}, false,
			"not told apart: the same outcomes answer before and after the change, 1 error after 90 ms (reset 1)"},
		{"nobody answered before", record.Propagation{New: blue, Dead: true, FirstNew: after(2100), LastOld: after(2050), Errors: 12, LastError: *after(2050), Faults: reset}, false,
			"first new answer (blue) after 2.10 s, last failed request after 2.05 s"},
		{"it never came", record.Propagation{New: canary, Old: blue, LastOld: after(29900), Watched: 30 * time.Second}, true,
			"no new answer (canary) in 30.0 s, old (blue) still at the end, after 29.9 s, no errors in between"},
		{"it came, and old answers with it, shortly before the end", record.Propagation{New: canary, Old: blue, FirstNew: after(20), LastOld: after(310), Watched: 400 * time.Millisecond}, false,
			"first new answer (canary) after 20 ms, last old (blue) after 310 ms, no errors in between"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := record.Sample{Propagation: &tt.p, Result: verdict.Result{State: verdict.Passed}}
			if tt.p.Every = every; tt.failed {
				s.Result.State = verdict.Failed
			}
			if got, want := Propagation(s), "propagation: "+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	if got := Propagation(record.Sample{}); got != "" {
		t.Errorf("not measured: %q", got)
	}
}

// What is worth a word beside the verdict of a sample that passed.
func TestBriefly(t *testing.T) {
	balancing := func(b verdict.Balancing) *verdict.DependenceResult {
		return &verdict.DependenceResult{Balancing: b, Message: "in words"}
	}
	told := &record.Propagation{New: []string{"blue"}, FirstNew: after(120)}
	for _, tt := range []struct {
		s     record.Sample
		brief string
		full  string // a line of it
	}{
		{record.Sample{}, "", ""},
		{record.Sample{Balancing: balancing(verdict.Independent)}, "", "balancing: independent: in words"},
		{record.Sample{Balancing: balancing(verdict.TooFew)}, "", ""},
		{record.Sample{Balancing: balancing(verdict.Blocks)}, "balancing: in blocks", "balancing: in blocks: in words"},
		{record.Sample{Propagation: &record.Propagation{}}, "", "propagation: not told apart: the same outcomes answer before and after the change, no errors in between"},
		{record.Sample{Propagation: told, Balancing: balancing(verdict.Exact)},
			"propagation: first new answer (blue) after 120 ms, last old not told apart, no errors in between\nbalancing: exact (round robin)",
			"balancing: exact (round robin): in words"},
	} {
		if got := briefly(tt.s); got != tt.brief {
			t.Errorf("got %q, want %q", got, tt.brief)
		}
		if got := SampleText(tt.s); !strings.Contains(got, "\n"+tt.full+"\n") && tt.full != "" || tt.full == "" && strings.Contains(got, "balancing") {
			t.Errorf("want the line %q in:\n%s", tt.full, got)
		}
	}
}
