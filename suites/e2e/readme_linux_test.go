package e2e

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the README's transcript anew")

// transcript is the README's place for what a run prints, between two comments
// of which the first names the command.
var transcript = regexp.MustCompile("(?s)<!-- transcript: ([^\n]*) -->\n(.*?)<!-- end of transcript -->\n")

// What differs from run to run: times, dates, the numbers of requests, and how
// much of the error probabilities earlier attempts have used up.
var (
	took     = regexp.MustCompile(`\d[\d,.]* (us|ms|s|seconds|min)\b`)
	requests = regexp.MustCompile(`\d[\d,]* requests`)
	sureness = regexp.MustCompile(`probability at most [\d.e-]+`)
	folder   = regexp.MustCompile(`\d{8}T[\d.]+Z`)
)

func steady(text string) string {
	text = took.ReplaceAllString(text, "TIME")
	text = requests.ReplaceAllString(text, "N requests")
	text = sureness.ReplaceAllString(text, "probability at most P")
	return folder.ReplaceAllString(text, "WHEN")
}

// TestREADMEShowsWhatARunPrints runs the command of the README's transcript and
// compares. With -update it writes the transcript instead.
func TestREADMEShowsWhatARunPrints(t *testing.T) {
	file := filepath.Join(root(t), "README.md")
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := transcript.FindSubmatchIndex(readme)
	if at == nil {
		t.Fatal("the README has no transcript")
	}
	typed, shown := string(readme[at[2]:at[3]]), string(readme[at[4]:at[5]])
	words := strings.Fields(typed)
	if len(words) < 3 || words[2] != "ginkgo" {
		t.Fatalf("the transcript is of %q, want go tool ginkgo …", typed)
	}
	c := start(t, false, nil, append([]string{"go", "tool", "ginkgo", "--no-color"}, words[3:]...)...)
	if code := c.exit(); code != 0 {
		t.Fatalf("%s: exit code %d, want 0", typed, code)
	}
	got := "```console\n$ " + typed + "\n…\n" + reported(t, c.output()) + "```\n"
	if *update {
		text := string(readme[:at[4]]) + got + string(readme[at[5]:])
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(steady(shown), steady(got)); diff != "" {
		t.Errorf("the README shows something else than what is printed (-README +printed; make transcript writes it anew):\n%s", diff)
	}
}

// reported is the report of a run: from the first scenario to Ginkgo's verdict.
func reported(t *testing.T, output string) string {
	t.Helper()
	from := strings.Index(output, "\ndeploy: ")
	to := strings.Index(output, "\nSUCCESS! ")
	if from < 0 || to < from {
		t.Fatalf("there is no report in\n%s", output)
	}
	end := to + 1 + strings.Index(output[to+1:], "\n") + 1
	return strings.TrimLeft(output[from:end], "\n")
}
