package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/meshassay/assay/runner/record"
)

// What passed until a run was stopped is green in no form.
func TestARunThatWasStoppedIsGreenInNoForm(t *testing.T) {
	r := run(t)
	r.Scenarios = r.Scenarios[:1]
	for i := range r.Scenarios[0].Steps {
		r.Scenarios[0].Steps[i] = record.Step{Index: i, Action: "apply", State: record.Passed}
	}
	r.Unfinished = []string{"the run was stopped: <2> steps \x1b[2J\u202edid not run"}
	for _, tt := range []struct {
		form  string
		write func(io.Writer, *record.Record) error
		want  []string
	}{
		{"text", func(w io.Writer, r *record.Record) error { return Text(w, r, Options{}) }, []string{"not all was run: the run was stopped: <2> steps"}},
		{"page", HTML, []string{"Not all was run</h1>", "the run was stopped: &lt;2&gt; steps"}},
		{"summary", Markdown, []string{"## ⚠️ Not all was run\n", "the run was stopped: &lt;2&gt; steps"}},
		{"junit", JUnit, []string{`errors="1"`, `<error message="the run was stopped: &lt;2&gt; steps`}},
	} {
		var b bytes.Buffer
		if err := tt.write(&b, r); err != nil {
			t.Fatal(err)
		}
		for _, want := range tt.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%s: %q is not in\n%s", tt.form, want, b.String())
			}
		}
		if strings.Contains(b.String(), "\x1b") {
			t.Errorf("%s: a control character is in it", tt.form)
		}
	}
}
