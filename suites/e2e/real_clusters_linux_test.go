package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

// typedOn returns what a page tells its readers to type, a command a line.
func typedOn(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), page))
	if err != nil {
		t.Fatal(err)
	}
	var commands []string
	for _, block := range consoleBlock.FindAllStringSubmatch(string(text), -1) {
		for _, line := range strings.Split(block[1], "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, command)
			}
		}
	}
	return commands
}

// The page about real clusters, typed from its beginning to its end: the sandbox
// stands in for the clusters, and KUBECONFIG is all that a run knows of it.
// The first run is a real one; of the others, which would take minutes, the tree
// is built, and what is done with their results is done with those of the first.
func testRealClusters(t *testing.T, kubeconfig string) {
	for _, program := range []string{"kubectl", "jq", "diff", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	dir := t.TempDir()
	script := []string{"set -eu", "export KUBECONFIG=" + kubeconfig}
	runs := 0
	for _, command := range typedOn(t, "docs/real-clusters.md") {
		script = append(script, "echo '$ '"+`"`+strings.NewReplacer(`"`, "", "$", "", "`", "").Replace(command)+`"`)
		if strings.HasPrefix(command, "go tool ginkgo ") {
			switch runs++; {
			case runs == 1:
				command += " --out " + dir + "/before && cp -r " + dir + "/before " + dir + "/after"
			case strings.Contains(command, " --out "): // as the first
				continue
			default:
				command = strings.Replace(command, "ginkgo ", "ginkgo --dry-run ", 1)
			}
		}
		for from, to := range map[string]string{
			".assay/*/": dir + "/before/", "diff before/": "diff " + dir + "/before/", " after/": " " + dir + "/after/",
			"--rate 20/s --duration 10m": "--rate 200/s --duration 1s",
		} {
			command = strings.ReplaceAll(command, from, to)
		}
		if strings.Contains(command, "assay sample ") {
			command += " || true" // nothing is deployed any more, so it says that no rule told an answer
		}
		script = append(script, command)
		if strings.Contains(command, "status.loadBalancer") {
			script = append(script, `ADDRESS=127.0.0.1:$(kubectl --context "$CLUSTER1" -n istio-system get svc istio-ingressgateway -o 'jsonpath={.spec.ports[?(@.name=="http2")].port}')`)
		}
	}
	if runs < 4 {
		t.Fatalf("the page has %d runs", runs)
	}
	c := start(t, false, nil, "bash", "-c", strings.Join(script, "\n"))
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	c.says("no mistakes", "namespace/gloo-mesh", "namespace/istio-system", "cluster1", "blue 40 % +- 3 pp",
		"no rule told a single answer", "inventory: all is as it was before the run", "14 passed of 14 steps in 4 scenarios (tutorial",
		"mgmt\tcreated\tvirtualgateways.networking.enterprise.mesh.gloo.solo.io\tgloo-mesh\tbgc-virtualgateway")
	if found := regexp.MustCompile(`(?m)^\{"(ip|hostname)":.*\}$`).FindAllString(c.output(), -1); len(found) != 2 {
		t.Errorf("%d gateways show an address, want 2", len(found))
	}
}
