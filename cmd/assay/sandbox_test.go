package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/meshassay/assay/internal/golden"
	"github.com/meshassay/assay/runner/launch"
)

func TestHowToUse(t *testing.T) {
	golden.Compare(t, "testdata/sandbox.golden", howToUse(&launch.Sandbox{
		Kubeconfig: "/home/ada/my sandbox", VM: "192.168.64.10", Proxy: "http://127.0.0.1:18003",
		Gateways: map[string]string{"cluster2": "http://127.0.0.1:18002", "cluster1": "http://127.0.0.1:18001"},
	}))
}

func TestSandboxSparesAKubeconfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config")
	const precious = "apiVersion: v1\nkind: Config\ncontexts: [{name: production, context: {cluster: production}}]\nclusters: [{name: production, cluster: {server: https://example.com}}]\n"
	if err := os.WriteFile(file, []byte(precious), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run([]string{"sandbox", "--kubeconfig", file}, &out, &errs)
	if code != exitNotWell || !strings.Contains(errs.String(), "is not a sandbox's kubeconfig") {
		t.Errorf("exit code %d, %s", code, errs.String())
	}
	if got, _ := os.ReadFile(file); string(got) != precious {
		t.Errorf("the file now holds %s", got)
	}
}

func TestFree(t *testing.T) {
	dir := t.TempDir()
	empty, stale := filepath.Join(dir, "empty"), filepath.Join(dir, "stale")
	const ended = "# Written by the Assay sandbox; it goes when the sandbox stops.\napiVersion: v1\nkind: Config\ncontexts: [{name: mgmt, context: {cluster: mgmt}}]\nclusters: [{name: mgmt, cluster: {server: 'https://127.0.0.1:1'}}]\n"
	for file, text := range map[string]string{empty: "", stale: ended} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{filepath.Join(dir, "none"), empty, stale} {
		if err := free(t.Context(), file); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	if err := free(t.Context(), dir); err == nil {
		t.Error("a folder: no error")
	}
}

func TestRunInGivesTheSandboxAndTheExitCode(t *testing.T) {
	s := &launch.Sandbox{Kubeconfig: "/tmp/kubeconfig", VM: "192.168.64.10"}
	var out, errs bytes.Buffer
	err := runIn(t.Context(), s, []string{"sh", "-c", `echo "$KUBECONFIG $ASSAY_SANDBOX $MGMT $CLUSTER2 $VM_ADDRESS"; exit 7`}, &out, &errs)
	var got outcome
	if !errors.As(err, &got) || got.code != 7 {
		t.Errorf("got %v, want exit code 7", err)
	}
	if want := "/tmp/kubeconfig /tmp/kubeconfig mgmt cluster2 192.168.64.10\n"; out.String() != want {
		t.Errorf("the command sees %q, want %q", out.String(), want)
	}
	if err := runIn(t.Context(), s, []string{"no-such-program"}, &out, &errs); err == nil || !strings.Contains(err.Error(), "no-such-program") {
		t.Errorf("got %v, want an error that names the program", err)
	}
}
