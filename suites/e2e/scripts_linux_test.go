package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shares are what a gateway answers, in per cent: colours, or "denied".
type shares map[string]float64

// Scripts as a tutorial has them, in its order, and what each gateway answers
// when one has been run: to a curl, and to some browsers.
var tutorial = []struct {
	script string
	want   shares
	as     map[string]string // by User-Agent: the one colour that it gets instead
	fromVM int               // what a call from the virtual machine is answered; 0: it is not made
}{
	{script: "01-deploy"},
	{script: "02-virtual-mesh"},
	{script: "07-gateway", want: shares{"blue": 100}},
	{script: "07-gateway-of-a-later-edition", want: shares{"blue": 100}},
	{script: "08-green", want: shares{"green": 100}},
	{script: "09-canary", want: shares{"yellow": 100}},
	{script: "10-blue", want: shares{"blue": 100}},
	{script: "11-blue-green", want: shares{"blue": 50, "green": 50}},
	{script: "12-blue-green-canary", want: shares{"blue": 40, "green": 40, "yellow": 20}, fromVM: http.StatusOK},
	{script: "13-firefox", want: shares{"blue": 100}, as: map[string]string{"Firefox/140": "green", "iPhone Mobile": "blue"}},
	{script: "14-iphone", want: shares{"blue": 100}, as: map[string]string{"Firefox/140": "blue", "iPhone Mobile": "yellow"}},
	{script: "15-mobile", want: shares{"blue": 100}, as: map[string]string{"Firefox/140": "blue", "iPhone Mobile": "blue"}},
	{script: "16-no-policy", want: shares{"blue": 100}, as: map[string]string{"iPhone Mobile": "blue"}},
	{script: "17-close", want: shares{"denied": 100}, fromVM: http.StatusForbidden},
	{script: "18-let-gateways-in", want: shares{"blue": 40, "green": 40, "denied": 20}, fromVM: http.StatusForbidden},
	{script: "19-to-vm", want: shares{"blue": 40, "green": 40, "yellow": 20}, fromVM: http.StatusForbidden},
	{script: "20-from-vm", want: shares{"blue": 40, "green": 40, "yellow": 20}, fromVM: http.StatusOK},
	{script: "21-open", want: shares{"blue": 40, "green": 40, "yellow": 20}, fromVM: http.StatusOK},
	{script: "99-clean-up", want: shares{"404": 100}},
}

// A reader's scripts find clusters, with gateways at a port of the reader's own.
func TestScripts(t *testing.T) {
	for _, program := range []string{"kubectl", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("ASSAY_KUBECTL") == "required" {
				t.Fatal(err)
			}
			t.Skipf("%s is not installed", program)
		}
	}
	port := freePort(t)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	c := start(t, false, nil, "go", "run", "./cmd/assay", "sandbox", "--port", port, "--kubeconfig", kubeconfig)
	c.until("Ctrl-C ends the sandbox.")
	c.says("http://127.0.0.2:"+port, "http://127.0.0.3:"+port)
	r := reader{env: append(without(os.Environ(), "ASSAY_SANDBOX", "ASSAY_E2E", "KUBECONFIG"), "TUTORIAL_HOME="+filepath.Join(root(t), "suites/e2e/testdata/tutorial"),
		"KUBECONFIG="+kubeconfig, "MGMT=mgmt", "CLUSTER1=cluster1", "CLUSTER2=cluster2", "VM_ADDRESS="+wordAfter(c.output(), "VM_ADDRESS="))}
	vm := caller(t, wordAfter(c.output(), "curl --proxy "))
	var gateways []string
	for i, cluster := range []string{"cluster1", "cluster2"} {
		ip := r.run(t, "kubectl", "--context", cluster, "-n", "istio-system", "get", "svc", "istio-ingressgateway", "-o", "jsonpath={.status.loadBalancer.ingress[0].ip}")
		if want := fmt.Sprintf("127.0.0.%d", i+2); ip != want {
			t.Fatalf("the gateway of %s is at %q, want %s", cluster, ip, want)
		}
		gateways = append(gateways, "http://"+net.JoinHostPort(ip, port)+"/api")
	}
	client := caller(t, "")
	for _, step := range tutorial {
		ok := t.Run(step.script, func(t *testing.T) {
			said := r.run(t, "bash", filepath.Join(root(t), "suites/e2e/testdata/tutorial/bin", step.script+".sh"))
			checkSaid(t, step.script, said)
			for _, gateway := range gateways {
				if step.want != nil {
					client.wantShares(t, gateway, step.want)
				}
				for agent, colour := range step.as {
					client.as(agent).wantShares(t, gateway, shares{colour: 100})
				}
			}
			if step.fromVM != 0 {
				vm.wantStatus(t, "http://blue-green-canary.blue-green-canary.svc.cluster.local:8080/api", step.fromVM)
			}
		})
		if !ok {
			break
		}
	}
	t.Run("wrong files are refused", r.wrongFiles)
	if err := syscall.Kill(-c.cmd.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.exit()
}

// checkSaid looks at what a reader sees.
func checkSaid(t *testing.T, script, said string) {
	t.Helper()
	rows := map[string][]string{
		"01-deploy": {
			`workload\S*/blue-blue-green-canary-cluster1-deployment `, `workload\S*/istio-ingressgateway-istio-system-cluster2-deployment `,
			`workload\S*/blue-green-canary-vm-blue-green-canary-cluster1 `, `destination\S*/blue-green-canary-vm-blue-green-canary-cluster1 `,
			`mesh\S*/istiod-istio-system-cluster1 `, `kubernetescluster\S*/cluster2 `,
			`Labels: +cluster.discovery.mesh.gloo.solo.io=cluster1\n`, `owner.discovery.mesh.gloo.solo.io=gloo-mesh\n`,
			`deployment "blue" successfully rolled out`, `deployment.apps/green condition met`,
		},
		"07-gateway": {
			`istio-system +gateway\.networking\.istio\.io/bgc-virtualgateway-\d+ (?s:.*)istio-system +gateway\.networking\.istio\.io/bgc-virtualgateway-\d+ `,
			`gloo-mesh +virtualservice\.networking\.istio\.io/bgc-virtualhost-gloo-mesh +\["istio-system/bgc-virtualgateway-\d+"\] +\["\*"\] `,
		},
		"07-gateway-of-a-later-edition": {`"deployToIngressGateways"`, `"state": "ACCEPTED"`},
	}[script]
	for _, row := range rows {
		if !regexp.MustCompile(row).MatchString(said) {
			t.Errorf("it does not say %s:\n%s", row, said)
		}
	}
}

// wordAfter is the word that follows a text.
func wordAfter(text, from string) string {
	_, rest, _ := strings.Cut(text, from)
	if words := strings.Fields(rest); len(words) > 0 {
		return words[0]
	}
	return ""
}

// freePort is a port that is free at the gateways' addresses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// A reader types commands.
type reader struct{ env []string }

func (r reader) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := r.try("", args...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// try runs a command on a text; what it says counts, wherever it says it.
func (r reader) try(input string, args ...string) (string, error) {
	command := exec.Command(args[0], args[1:]...)
	command.Env, command.Stdin = r.env, strings.NewReader(input)
	out, err := command.CombinedOutput()
	return string(out), err
}

// A call asks over and over, through a proxy or not.
type call struct {
	client *http.Client
	agent  string
}

func caller(t *testing.T, proxy string) call {
	t.Helper()
	transport := &http.Transport{}
	if proxy != "" {
		address, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		transport.Proxy = http.ProxyURL(address)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return call{&http.Client{Transport: transport, Timeout: time.Minute}, "curl/8"}
}

func (c call) as(agent string) call { return call{c.client, agent} }

// answer is the colour, "denied", or the status.
func (c call) answer(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", c.agent)
	response, err := c.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var api struct{ Color string }
	switch {
	case response.StatusCode == http.StatusForbidden && string(body) == "RBAC: access denied":
		return "denied"
	case response.StatusCode == http.StatusOK && json.Unmarshal(body, &api) == nil:
		return api.Color
	}
	return fmt.Sprint(response.StatusCode)
}

const (
	// row is how many answers in a row must be of the words wanted before a
	// change counts as arrived.
	row = 40
	// sample is how many of a split are counted then; off is five standard deviations.
	sample = 250
	off    = 16
)

// wantShares waits until a change has arrived, and counts.
func (c call) wantShares(t *testing.T, address string, want shares) {
	t.Helper()
	words := slices.Sorted(maps.Keys(want))
	var last []string
	await(t, fmt.Sprintf("%q and nothing else from %s", words, address), func() bool {
		last = append(last, c.answer(t, address))
		if _, ok := want[last[len(last)-1]]; !ok {
			last = nil
		}
		return len(last) >= row
	})
	more := sample
	if len(want) == 1 {
		more = row
	}
	got := shares{}
	for range more {
		got[c.answer(t, address)] += 100 / float64(more)
	}
	for _, word := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[word]; !ok {
			t.Errorf("%s answers %s at %.1f %%, want only %q", address, word, got[word], words)
		}
	}
	for _, word := range words {
		if math.Abs(got[word]-want[word]) > off {
			t.Errorf("%s answers %s at %.1f %%, want %.0f %%", address, word, got[word], want[word])
		}
	}
}

// wantStatus waits until a call is answered so, some dozens of times in a row.
func (c call) wantStatus(t *testing.T, address string, want int) {
	t.Helper()
	right, last := 0, ""
	defer func() {
		if t.Failed() {
			t.Logf("%s answered %s last", address, last)
		}
	}()
	await(t, fmt.Sprintf("%d from %s", want, address), func() bool {
		last = c.answer(t, address)
		is := map[bool]int{true: http.StatusForbidden, false: http.StatusOK}[last == "denied"]
		if right++; is != want || regexp.MustCompile(`^\d`).MatchString(last) {
			right = 0
		}
		return right >= row
	})
}
