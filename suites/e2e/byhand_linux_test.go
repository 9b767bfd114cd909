package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// byHand is the list in docs/sandbox.md of commands that deploy the tutorial with kubectl.
var byHand = regexp.MustCompile("(?s)apply the manifests yourself:\n\n```console\n(.*?)```")

// after what the page types: the rest that a curious reader would try. The
// gateway's port is asked for, since another sandbox may have the usual one.
const after = `
until_color() { # COLOR: wait until the gateway of cluster1 answers with it
	for i in $(seq 600); do
		case "$(curl -s "$gateway/api")" in *'"color":"'$1'"'*) echo "the gateway answers $1"; return;; esac
		sleep 0.05
	done
	echo "the gateway does not answer $1"; curl -si "$gateway/api"; exit 1
}
until_color yellow
kubectl --context cluster1 get gw,vs -A
kubectl --context cluster2 get gw,vs -A
sed s/weight:/wieght:/ scenarios/traffic-management/manifests/canary.yaml | kubectl --context mgmt apply -f - && exit 1
sed "s/weight: 100/weight: 60/" scenarios/traffic-management/manifests/canary.yaml | kubectl --context mgmt apply -f -
kubectl --context mgmt -n gloo-mesh wait trafficpolicy/blue-green-canary --for=jsonpath={.status.state}=INVALID --timeout=60s
kubectl --context mgmt -n gloo-mesh get trafficpolicy blue-green-canary -o jsonpath={.status}
kubectl --context mgmt -n gloo-mesh delete trafficpolicy blue-green-canary
until_color blue
`

func TestByHandWithKubectl(t *testing.T) {
	for _, program := range []string{"kubectl", "envsubst", "curl", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed", program)
		}
	}
	page, err := os.ReadFile(filepath.Join(root(t), "docs", "sandbox.md"))
	if err != nil {
		t.Fatal(err)
	}
	typed := byHand.FindSubmatch(page)
	if typed == nil {
		t.Fatal("docs/sandbox.md does not say how to deploy by hand")
	}
	commands := strings.ReplaceAll("\n"+string(typed[1]), "\n$ ", "\n")
	if strings.Count(commands, "kubectl") < 6 {
		t.Fatalf("the page's commands are\n%s", commands)
	}
	script := `set -eu
gateway=http://127.0.0.1:$(kubectl --context cluster1 -n istio-system get svc istio-ingressgateway -o 'jsonpath={.spec.ports[?(@.name=="http2")].port}')
` + strings.ReplaceAll(commands, "http://127.0.0.1:18001", "$gateway") + after
	c := start(t, false, nil, "go", "run", "./cmd/assay", "sandbox", "--", "bash", "-c", script)
	if code := c.exit(); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	c.says("the gateway answers yellow", "the gateway answers blue",
		`unknown field "spec.policy.trafficShift.destinations[0].wieght"`,
		"spec.policy.trafficShift.destinations")
	// As the chapter shows it, in both clusters.
	for _, row := range []string{
		`istio-system +gateway\.networking\.istio\.io/bgc-virtualgateway-\d+ `,
		`istio-system +gateway\.networking\.istio\.io/cross-network-gateway `,
		`istio-system +gateway\.networking\.istio\.io/istiod-gateway `,
		`gloo-mesh +virtualservice\.networking\.istio\.io/bgc-virtualhost-gloo-mesh +\["istio-system/bgc-virtualgateway-\d+"\] +\["\*"\] `,
		`istio-system +virtualservice\.networking\.istio\.io/istiod-vs +\["istiod-gateway"\] +\["istiod\.istio-system\.svc\.cluster\.local"\] `,
	} {
		if found := regexp.MustCompile(row).FindAllString(c.output(), -1); len(found) != 2 {
			t.Errorf("%d rows like %s, want one of each cluster", len(found), row)
		}
	}
}
