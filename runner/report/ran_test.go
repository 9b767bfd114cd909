package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
)

func ranRecord(state record.State, output string) *record.Record {
	return &record.Record{Version: record.Version, Scenarios: []record.Scenario{{Name: "s", Steps: []record.Step{{
		Action: "run", Title: "run x.sh", State: state, Error: map[bool]string{true: "x.sh ended with exit status 3, want 0"}[state != record.Passed],
		Ran: &record.Ran{Command: "x.sh", Exit: 3, Output: output},
	}}}}}
}

// What a program printed is in every form, escaped for each, its end first of all.
func TestWhatWasPrintedIsShown(t *testing.T) {
	var long strings.Builder
	for i := range 200 {
		fmt.Fprintf(&long, "line %d\n", i)
	}
	r := ranRecord(record.Failed, long.String()+"<script>alert(1)</script> **bold** \x1b[31m\u202e|\n")
	var text, page, summary bytes.Buffer
	if err := Text(&text, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&page, r); err != nil {
		t.Fatal(err)
	}
	if err := Markdown(&summary, r); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		form string
		got  string
		want []string
		no   []string
	}{
		{"text", text.String(), []string{"it printed (exit status 3; 141 lines before these in the record):", "    | line 199\n", "<script>alert(1)</script>"}, []string{"line 140\n", "\x1b", "\u202e"}},
		{"terminal", StepFailure(r.Scenarios[0].Steps[0]), []string{"it printed (exit status 3; 181 lines before these in the record):", "  | line 199\n"}, []string{"line 180\n", "\x1b", "\u202e"}},
		{"page", page.String(), []string{"What it printed (exit status 3)", "line 0\n", "&lt;script&gt;alert(1)"}, []string{"<script", "\x1b", "\u202e"}},
		{"summary", summary.String(), []string{"it printed (exit status 3; 191 lines before these in the record)", "<br>line 199<br>", "&lt;script&gt;", `\*\*bold\*\*`, `\|`}, []string{"line 190<", "<script", "\x1b", "\u202e"}},
	} {
		for _, want := range tt.want {
			if !strings.Contains(tt.got, want) {
				t.Errorf("%s: %q is not in\n%s", tt.form, want, tt.got)
			}
		}
		for _, no := range tt.no {
			if strings.Contains(tt.got, no) {
				t.Errorf("%s: %q is in it", tt.form, no)
			}
		}
	}
}

// On the terminal too, where a step's last words are often not the reason; and
// whatever a step says obeys no terminal.
func TestAFailureShowsWhatWasPrinted(t *testing.T) {
	s := ranRecord(record.Failed, "the reason\nbye\n").Scenarios[0].Steps[0]
	s.Error, s.Notes, s.Title = "wrong \x1b[31m\u202e", []string{"a warning \x1b]0;title\a"}, "title \u009b2J"
	for form, got := range map[string]string{"failure": StepFailure(s), "text": StepText(s), "brief": StepBrief(s)} {
		if form != "brief" && !strings.Contains(got, "it printed (exit status 3):\n  | the reason\n  | bye\n") {
			t.Errorf("%s: what was printed is not in\n%s", form, got)
		}
		if strings.ContainsAny(got, "\x1b\a\u009b\u202e") {
			t.Errorf("%s: a terminal would obey %q", form, got)
		}
	}
}

func TestWhatPassedPrintsInFullReportsOnly(t *testing.T) {
	r := ranRecord(record.Passed, "created\n")
	var brief, full bytes.Buffer
	if err := Text(&brief, r, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := Text(&full, r, Options{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(brief.String(), "created") || !strings.Contains(full.String(), "| created") {
		t.Errorf("brief\n%s\nfull\n%s", brief.String(), full.String())
	}
}
