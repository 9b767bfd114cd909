package assay_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The one script that has a secret in its hands, run as GitHub's runner runs it.
func TestCredentialsAreWrittenForOneJobOnly(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("bash is not installed")
	}
	var script string
	for _, s := range readWorkflows(t)[".github/workflows/tutorial.yml"].Jobs["clusters"].Steps {
		if s.Env["CREDENTIALS"] == "${{ secrets.KUBECONFIG }}" {
			script = s.Run
		}
	}
	if script == "" {
		t.Fatal("no step has the secret")
	}
	const secret = "apiVersion: v1\nkind: Config # $(touch injected) `touch injected`\n"
	whole := []string{"CREDENTIALS=" + secret, "MGMT=a", "CLUSTER1=b", "CLUSTER2=c", "VM_ADDRESS=d"}
	t.Run("all is there", func(t *testing.T) {
		dir, said, err := runStep(t, script, whole)
		if err != nil || said != "" {
			t.Fatalf("%v: it says %q, want nothing", err, said)
		}
		file, ok := strings.CutPrefix(strings.TrimSpace(string(read(t, filepath.Join(dir, "env")))), "KUBECONFIG=")
		info, err := os.Stat(file)
		if !ok || err != nil || filepath.Dir(file) != dir {
			t.Fatalf("the kubeconfig is %q (%v)", file, err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %v, want 0600", info.Mode().Perm())
		}
		if got := string(read(t, file)); strings.TrimSpace(got) != strings.TrimSpace(secret) {
			t.Errorf("it holds %q", got)
		}
		if _, err := os.Stat(filepath.Join(dir, "injected")); err == nil {
			t.Error("a part of it was executed")
		}
	})
	t.Run("something is missing", func(t *testing.T) {
		dir, said, err := runStep(t, script, []string{"CREDENTIALS=", "MGMT=a", "CLUSTER1=b", "CLUSTER2=", "VM_ADDRESS=d"})
		if want := "lacks::the secret KUBECONFIG,CLUSTER2"; err == nil || !strings.Contains(said, want) {
			t.Errorf("%v: it says %q, want an error with %q", err, said, want)
		}
		if made, _ := filepath.Glob(filepath.Join(dir, "kubeconfig-*")); len(made) > 0 {
			t.Errorf("it has written %v", made)
		}
	})
}

// runStep runs the script of a step in a new folder, which it returns.
func runStep(t *testing.T, script string, env []string) (dir, said string, err error) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", file)
	cmd.Dir = dir
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "RUNNER_TEMP="+dir, "GITHUB_ENV="+filepath.Join(dir, "env"))
	out, err := cmd.CombinedOutput()
	return dir, string(out), err
}
