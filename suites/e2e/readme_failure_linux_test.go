package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshassay/assay/runner/kube"
)

// failure is the README's place for what a failed run prints: the comment names
// the manifest of what is wrong, applied to mgmt before, and the command.
var failure = regexp.MustCompile("(?s)<!-- transcript of a failure: (\\S+): ([^\n]*) -->\n(.*?)<!-- end of transcript -->\n")

// What differs from run to run where something is wrong: all numbers, and with
// them the columns, and the answers.
var (
	number  = regexp.MustCompile(`\d[\d,.]*(e-\d+)?`)
	columns = regexp.MustCompile(` {2,}`)
	answers = regexp.MustCompile(`(?m)^ +[a-z!?]{15,}$`)
	bounds  = regexp.MustCompile(`(below |above |N to )N %`)
)

func steadyFailure(text string) string {
	text = answers.ReplaceAllString(steady(text), "ANSWERS")
	// The places in files stay: they are what a reader follows.
	var lines []string
	for line := range strings.Lines(text) {
		at := ""
		if i := strings.Index(line, ".yaml:"); i >= 0 {
			if end := strings.Index(line[i:], ": "); end > 0 {
				at, line = line[:i+end], line[i+end:]
			}
		}
		lines = append(lines, at+bounds.ReplaceAllString(columns.ReplaceAllString(number.ReplaceAllString(line, "N"), "  "), "BOUNDS"))
	}
	return strings.Join(lines, "")
}

// TestREADMEShowsAFailure breaks a sandbox as the README says, runs the command
// and compares what a reader of the terminal is shown. With -update it writes
// that into the README.
func TestREADMEShowsAFailure(t *testing.T) {
	file := filepath.Join(root(t), "README.md")
	readme, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	at := failure.FindSubmatchIndex(readme)
	if at == nil {
		t.Fatal("the README shows no failure")
	}
	manifest, typed, shown := string(readme[at[2]:at[3]]), string(readme[at[4]:at[5]]), string(readme[at[6]:at[7]])
	words := strings.Fields(typed)
	if len(words) < 3 || words[2] != "ginkgo" {
		t.Fatalf("the transcript is of %q, want go tool ginkgo …", typed)
	}
	kubeconfig := attachable(t)
	applyTo(t, kubeconfig, filepath.Join(root(t), manifest))
	c := start(t, false, []string{"ASSAY_SANDBOX=" + kubeconfig}, append([]string{"go", "tool", "ginkgo", "--no-color"}, words[3:]...)...)
	if code := c.exit(); code != 1 {
		t.Fatalf("%s: exit code %d, want 1", typed, code)
	}
	got := "```console\n$ kubectl --context mgmt apply -f " + manifest + "\n$ " + typed + "\n…\n" + told(t, c.output()) + "…\n```\n"
	if *update {
		text := string(readme[:at[6]]) + got + string(readme[at[7]:])
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(steadyFailure(shown), steadyFailure(got)); diff != "" {
		t.Errorf("the README shows something else than what is printed (-README +printed; make transcript writes it anew):\n%s", diff)
	}
}

// told is the message of the one spec that failed, to where it says how to run
// it again.
func told(t *testing.T, output string) string {
	t.Helper()
	_, text, found := strings.Cut(output, "\n  [FAILED] ")
	text, _, ended := strings.Cut(text, "\n  In [It] at")
	if !found || !ended {
		t.Fatalf("no spec failed in\n%s", output)
	}
	// Ginkgo indents all lines but the first.
	text = strings.ReplaceAll(text, "\n  ", "\n") + "\n"
	// The second gateway shows the same once more.
	before, rest, second := strings.Cut(text, "\n  ingress2 ")
	_, after, objects := strings.Cut(rest, "\n  objects:")
	if !second || !objects {
		t.Fatalf("it does not show both gateways, and objects:\n%s", text)
	}
	return before + "\n  …\n  objects:" + after
}

// applyTo applies a manifest to mgmt.
func applyTo(t *testing.T, kubeconfig, file string) {
	t.Helper()
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	manifests, problems := kube.Decode(file, source)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	mgmt, err := kube.Connect(t.Context(), "mgmt", kubeconfig, "mgmt")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		if _, err := mgmt.Apply(t.Context(), m.Object); err != nil {
			t.Fatal(err)
		}
	}
}
