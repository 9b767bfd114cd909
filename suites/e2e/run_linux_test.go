package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// assay run on a sandbox that runs already: through, interrupted once, which puts
// everything back, and interrupted twice, which ends it at once.
func TestAssayRunOnATerminal(t *testing.T) {
	kubeconfig, assay := filepath.Join(t.TempDir(), "kubeconfig"), filepath.Join(t.TempDir(), "assay")
	if code := start(t, false, nil, "go", "build", "-o", assay, "./cmd/assay").exit(); code != 0 {
		t.Fatalf("go build: exit code %d", code)
	}
	foreground := start(t, true, nil, assay, "sandbox", "--kubeconfig", kubeconfig)
	foreground.until("Ctrl-C ends the sandbox.")
	url := regexp.MustCompile(`curl (http://\S+)`).FindStringSubmatch(foreground.output())[1]
	env := []string{"ASSAY_SANDBOX=" + kubeconfig, "TERM=xterm", "LANG=C.UTF-8", "NO_COLOR=1"}

	out := t.TempDir()
	through := start(t, false, env, assay, "run", "canary", "--out", out)
	if code := through.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	through.says("\ncanary: 100 % canary, on the virtual machine\n  passed: send everything to canary (", "    ingress2: passed: 100 % canary, ",
		"16 passed of 16 steps in 5 scenarios (sandbox, ", "inventory: all is as it was before the run", "record: "+out)
	if strings.Contains(through.output(), "\x1b") {
		t.Error("it moves the cursor of what is no terminal")
	}
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{"gateway": "passed passed passed", "canary": "passed passed"})

	again := start(t, false, nil, assay, "report", out)
	if code := again.exit(); code != 0 || !strings.Contains(through.output(), strings.TrimSpace(again.output()[strings.LastIndex(again.output(), "16 passed"):])) {
		t.Errorf("assay report (exit code %d) sums up otherwise:\n%s", code, again.output())
	}

	out = t.TempDir()
	interrupted := start(t, true, env, assay, "run", "endless", "--scenarios", withScenarios(t, endless), "--out", out)
	interrupted.until("▸ sample for a long time")
	interrupted.until("┃") // a scale: answers come in
	interrupted.types(3)
	if code := interrupted.exit(); code != 2 {
		t.Errorf("interrupted, its exit code is %d, want 2", code)
	}
	interrupted.says("stopping and putting back", "errored: sample for a long time", "interrupted: not everything was run",
		"inventory: all is as it was before the run", "report: "+filepath.Join(out, "report.html"))
	checkStates(t, filepath.Join(out, "record.json"), map[string]string{"endless": "errored"})
	if got := status(t, url); got != 404 {
		t.Errorf("after an interrupted run a gateway answers %d, want 404 as before", got)
	}

	hurried := start(t, true, env, assay, "run", "endless", "--scenarios", withScenarios(t, endless), "--out", t.TempDir())
	hurried.until("▸ sample for a long time")
	hurried.types(3)
	hurried.until("putting back what")
	hurried.types(3)
	if code := hurried.exit(); code != 2 {
		t.Errorf("interrupted twice, its exit code is %d, want 2", code)
	}
	hurried.says("stopped at once: what was changed has not been put back")

	foreground.types(3)
	if code := foreground.exit(); code != 0 {
		t.Errorf("assay sandbox: exit code %d, want 0", code)
	}
	if _, err := os.Stat(kubeconfig); !os.IsNotExist(err) {
		t.Errorf("%s is still there (%v)", kubeconfig, err)
	}
}

// types types characters in a command's terminal.
func (c *command) types(keys ...byte) {
	c.t.Helper()
	if _, err := c.keys.Write(keys); err != nil {
		c.t.Fatal(err)
	}
}
