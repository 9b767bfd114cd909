package report

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/record"
)

func markdown(t *testing.T, r *record.Record) string {
	t.Helper()
	var b strings.Builder
	if err := Markdown(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestMarkdownIsAsItWas(t *testing.T) {
	golden.Compare(t, filepath.Join("testdata", "run.md"), markdown(t, run(t)))
	if err := Markdown(broken{}, run(t)); err == nil {
		t.Error("an error of writing is lost")
	}
}

// bar is a vertical bar that is not escaped.
var bar = regexp.MustCompile(`(^|[^\\])(\\\\)*\|`)

func TestMarkdownOfAHostileRecord(t *testing.T) {
	text := markdown(t, hostile())
	if len(text) > 40_000 {
		t.Errorf("%d bytes: the texts are not bounded", len(text))
	}
	ours := strings.NewReplacer("<br>", "", "<code>", "", "</code>", "")
	columns := 0
	for n, line := range strings.Split(ours.Replace(text), "\n") {
		if strings.ContainsAny(line, "<\u202e\u2066\x00\x1b\r") {
			t.Errorf("line %d has what is not escaped: %q", n+1, line)
		}
		if regexp.MustCompile("(^|[^\\\\])`").MatchString(line) {
			t.Errorf("line %d begins code: %q", n+1, line)
		}
		if !strings.HasPrefix(line, "|") {
			columns = 0
			continue
		}
		got := len(bar.FindAllString(strings.ReplaceAll(line, "||", "| |"), -1))
		if columns == 0 {
			columns = got
		}
		if got != columns {
			t.Errorf("line %d has %d bars, the table's head %d", n+1, got, columns)
		}
	}
	if !strings.Contains(text, "&lt;script&gt;alert") {
		t.Error("the texts are not there")
	}
}

func TestInMarkdown(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"blue", "blue"}, {"a|b", `a\|b`}, {"`rm`", "\\`rm\\`"}, {"<b>", "&lt;b&gt;"}, {"&lt;", "&amp;lt;"}, {"a\n# b", `a \# b`},
		{`\|`, `\\\|`}, {"*x* _y_", `\*x\* \_y\_`}, {"[a](b)", `\[a\](b)`}, {"https://x.y", "https&#58;//x.y"}, {"@all", "&#64;all"},
		{"40 % blue, 1.5 pp", "40 % blue, 1.5 pp"}, {"canary.yaml:12:3", "canary.yaml:12:3"},
	} {
		if got := inMarkdown(tt.in, 100); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestMarkdownOfASampleThatShouldFail(t *testing.T) {
	r := run(t)
	again := r.Scenarios[1].Steps[2]
	again.State = record.Passed // the scenario wanted it to fail
	r.Scenarios = []record.Scenario{{Name: "canary", Steps: []record.Step{again}}}
	text := markdown(t, r)
	if !strings.HasPrefix(text, "## ✅ Passed\n") || !strings.Contains(text, "✅ passed: failed as it should") || strings.Contains(text, "❌") {
		t.Errorf("got\n%s", text)
	}
}
