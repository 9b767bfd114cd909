// Package process tests the sandbox as others use it: as a program. It runs
// the binary that ASSAY_SANDBOX_BINARY names, and is skipped without.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// patience is for everything that a busy machine may delay.
const patience = 5 * time.Minute

// event is any line of the sandbox's output.
type event struct {
	Event, Text, Kubeconfig, VM, Proxy string
	Contexts                           []string
	Gateways                           map[string]string
	Seconds                            float64
}

// sandbox is a running binary.
type sandbox struct {
	*testing.T
	command *exec.Cmd
	stdin   io.Closer
	events  chan event // closed when the output ends
	dir     string
}

func run(t *testing.T, dir string, args ...string) *sandbox {
	t.Helper()
	binary := os.Getenv("ASSAY_SANDBOX_BINARY")
	if binary == "" {
		t.Skip("ASSAY_SANDBOX_BINARY does not name a built sandbox")
	}
	s := &sandbox{T: t, dir: dir, events: make(chan event, 100)}
	s.command = exec.Command(binary, append([]string{"--dir", dir}, args...)...)
	s.command.Stderr = os.Stderr
	// As its parent does: signals of the test's terminal are not for it.
	s.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stdin, err := s.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	s.stdin = stdin
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.command.Process.Kill() }) // no-op once it has been waited for
	go func() {
		defer close(s.events)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var e event
			if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
				e = event{Event: "not JSON", Text: lines.Text()}
			}
			s.events <- e
		}
	}()
	return s
}

// next waits for an event other than progress.
func (s *sandbox) next() event {
	s.Helper()
	limit := time.After(patience)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				return event{Event: "end of output"}
			}
			if e.Event != "progress" {
				return e
			}
			s.Log(e.Text)
		case <-limit:
			s.Fatal("the sandbox says nothing any more")
		}
	}
}

// exit waits for the process and returns its exit code.
func (s *sandbox) exit() int {
	s.Helper()
	err := s.command.Wait()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		s.Fatal(err)
	}
	return s.command.ProcessState.ExitCode()
}

// eventually waits until the condition says nothing against it.
func eventually(t *testing.T, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-tick.C:
		}
	}
}

// cluster is one context of the kubeconfig.
func (s *sandbox) cluster(kubeconfig, name string) (*rest.Config, dynamic.Interface) {
	s.Helper()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(
		&clientcmd.ClientConfigLoadingRules{ExplicitPath: kubeconfig}, &clientcmd.ConfigOverrides{CurrentContext: name}).ClientConfig()
	if err != nil {
		s.Fatal(err)
	}
	config.QPS = -1 // we poll
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		s.Fatal(err)
	}
	return config, client
}

var (
	core = func(resource string) schema.GroupVersionResource {
		return corev1.SchemeGroupVersion.WithResource(resource)
	}
	resources = map[string]schema.GroupVersionResource{
		"Namespace":      core("namespaces"),
		"Service":        core("services"),
		"Deployment":     {Group: "apps", Version: "v1", Resource: "deployments"},
		"Gateway":        {Group: "networking.istio.io", Version: "v1", Resource: "gateways"},
		"VirtualService": {Group: "networking.istio.io", Version: "v1", Resource: "virtualservices"},
	}
)

// apply applies a manifest of several documents by server-side apply.
func apply(t *testing.T, client dynamic.Interface, manifest string) {
	t.Helper()
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &o.Object); err != nil {
			t.Fatal(err)
		}
		_, err := client.Resource(resources[o.GetKind()]).Namespace(o.GetNamespace()).
			Apply(t.Context(), o.GetName(), o, metav1.ApplyOptions{FieldManager: "test"})
		if err != nil {
			t.Fatal(err)
		}
	}
}

const shop = `
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 8080, targetPort: 3000}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.com/blue-green-canary:1
        ports: [{containerPort: 3000}]
        env: [{name: BLUE_GREEN_CANARY_COLOR, value: plum}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: web, namespace: shop}
spec:
  selector: {istio: ingressgateway}
  servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
spec:
  hosts: ["*"]
  gateways: [web]
  http: [{route: [{destination: {host: web, port: {number: 8080}}}]}]
`

// available is nil once the Deployment has all its pods.
func available(t *testing.T, client dynamic.Interface) error {
	d, err := client.Resource(resources["Deployment"]).Namespace("shop").Get(t.Context(), "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if n, _, _ := unstructured.NestedInt64(d.Object, "status", "availableReplicas"); n != 2 {
		return fmt.Errorf("%d of 2 pods are available", n)
	}
	return nil
}

// color asks the gateway which colour answers.
func color(gateway string) (string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	response, err := client.Get(gateway + "/api")
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s, error %v", response.Status, err)
	}
	var answer struct{ Color string }
	return answer.Color, json.Unmarshal(body, &answer)
}

// closed is nil when nothing listens at the URL's host any more.
func closed(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	c, err := net.Dial("tcp", u.Host)
	if err == nil {
		c.Close()
		return fmt.Errorf("%s still listens", u.Host)
	}
	return nil
}

// TestLife goes through what a parent sees of a sandbox from begin to end.
func TestLife(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	s := run(t, t.TempDir(), "--parent", "--gateway-port", strconv.Itoa(port))
	ready := s.next()
	if ready.Event != "ready" {
		t.Fatalf("got event %q (%s), want ready", ready.Event, ready.Text)
	}
	t.Logf("ready after %.1f s", ready.Seconds)
	if got, want := strings.Join(ready.Contexts, " "), "mgmt cluster1 cluster2"; got != want {
		t.Errorf("contexts: got %s, want %s", got, want)
	}
	info, err := os.Stat(ready.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode of the kubeconfig: got %o, want 600", info.Mode().Perm())
	}
	addresses := []string{ready.Gateways["cluster1"], ready.Gateways["cluster2"], ready.Proxy}
	if strings.HasSuffix(addresses[0], ":"+strconv.Itoa(port)) {
		t.Errorf("cluster1's gateway: got %s, whose port another process has", addresses[0])
	}
	for _, name := range ready.Contexts {
		config, _ := s.cluster(ready.Kubeconfig, name)
		addresses = append(addresses, config.Host)
	}

	_, cluster1 := s.cluster(ready.Kubeconfig, "cluster1")
	t.Run("gateway's address", func(t *testing.T) { testAddress(t, cluster1, ready.Gateways["cluster1"]) })
	t.Run("deployment answers", func(t *testing.T) { testDeployment(t, cluster1, ready.Gateways["cluster1"]) })
	t.Run("access is denied and allowed", func(t *testing.T) { testAccess(t, cluster1, ready) })
	t.Run("what is not modelled is refused", func(t *testing.T) { testRefused(t, cluster1) })
	t.Run("namespace goes", func(t *testing.T) { testNamespaceGoes(t, cluster1, ready.Gateways["cluster1"]) })

	t.Run("folder is taken", func(t *testing.T) {
		second := run(t, s.dir, "--parent")
		e := second.next()
		if want := fmt.Sprintf("process id %d", s.command.Process.Pid); e.Event != "failed" || !strings.Contains(e.Text, want) {
			t.Errorf("got event %q (%s), want failed, with %s", e.Event, e.Text, want)
		}
		if code := second.exit(); code != 1 {
			t.Errorf("exit code: got %d, want 1", code)
		}
	})

	// As kubectl get --watch does in another terminal, which nobody ends.
	watch, err := cluster1.Resource(resources["Namespace"]).Watch(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Stop()
	s.stdin.Close()
	if e := s.next(); e.Event != "stopped" {
		t.Errorf("got event %q (%s), want stopped", e.Event, e.Text)
	} else {
		t.Logf("stopped in %.1f s", e.Seconds)
	}
	if code := s.exit(); code != 0 {
		t.Errorf("exit code: got %d, want 0", code)
	}
	for _, address := range addresses {
		if err := closed(address); err != nil {
			t.Error(err)
		}
	}
	for _, path := range []string{ready.Kubeconfig, filepath.Join(s.dir, "state")} {
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left behind (%v)", path, err)
		}
	}
}

func testAddress(t *testing.T, client dynamic.Interface, gateway string) {
	eventually(t, func() error {
		s, err := client.Resource(resources["Service"]).Namespace("istio-system").Get(t.Context(), "istio-ingressgateway", metav1.GetOptions{})
		if err != nil {
			return err
		}
		ingress, _, _ := unstructured.NestedSlice(s.Object, "status", "loadBalancer", "ingress")
		ports, _, _ := unstructured.NestedSlice(s.Object, "spec", "ports")
		if len(ingress) != 1 || len(ports) != 1 {
			return fmt.Errorf("got %d addresses and %d ports, want one of each", len(ingress), len(ports))
		}
		ip, _ := ingress[0].(map[string]any)["ip"].(string)
		port, _ := ports[0].(map[string]any)["port"].(int64)
		if got := fmt.Sprintf("http://%s:%d", ip, port); got != gateway {
			return fmt.Errorf("the Service says %s, the event %s", got, gateway)
		}
		return nil
	})
}

func testDeployment(t *testing.T, client dynamic.Interface, gateway string) {
	apply(t, client, shop)
	began := time.Now()
	eventually(t, func() error { return available(t, client) })
	t.Logf("available after %s", time.Since(began).Round(time.Millisecond))
	eventually(t, func() error {
		got, err := color(gateway)
		if err == nil && got != "plum" {
			err = fmt.Errorf("color: got %q, want plum", got)
		}
		return err
	})
}

func testRefused(t *testing.T, client dynamic.Interface) {
	set := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": map[string]any{"name": "web"}}}
	template := map[string]any{
		"metadata": map[string]any{"labels": map[string]any{"app": "web"}},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "web", "image": "web"}}},
	}
	set.Object["spec"] = map[string]any{"serviceName": "web", "selector": map[string]any{"matchLabels": map[string]any{"app": "web"}}, "template": template}
	_, err := client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"}).Namespace("shop").
		Apply(t.Context(), "web", set, metav1.ApplyOptions{FieldManager: "test"})
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "use a Deployment") {
		t.Errorf("got error %v, want one that forbids it", err)
	}
}

func testNamespaceGoes(t *testing.T, client dynamic.Interface, gateway string) {
	namespaces := client.Resource(resources["Namespace"])
	if err := namespaces.Delete(t.Context(), "shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	eventually(t, func() error {
		_, err := namespaces.Get(t.Context(), "shop", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the namespace is still there (%v)", err)
	})
	t.Logf("gone after %s", time.Since(began).Round(time.Millisecond))
	eventually(t, func() error {
		if got, err := color(gateway); err == nil {
			return fmt.Errorf("%s still answers", got)
		}
		return nil
	})
}

// TestSignals stops sandboxes in the other ways, while they still start.
func TestSignals(t *testing.T) {
	for _, c := range []struct {
		name   string
		args   []string
		signal syscall.Signal
	}{
		{"Ctrl-C without a parent", nil, syscall.SIGINT},
		{"SIGTERM with a parent", []string{"--parent"}, syscall.SIGTERM},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := run(t, t.TempDir(), append(c.args, "--gateway-port", "0")...)
			if e := <-s.events; e.Event != "progress" {
				t.Fatalf("got event %q (%s), want progress", e.Event, e.Text)
			}
			if err := s.command.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			if e := s.next(); e.Event != "stopped" {
				t.Errorf("got event %q (%s), want stopped", e.Event, e.Text)
			}
			if code := s.exit(); code != 0 {
				t.Errorf("exit code: got %d, want 0", code)
			}
		})
	}
}
