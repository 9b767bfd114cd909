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
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
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
		"TrafficPolicy":  {Group: "networking.mesh.gloo.solo.io", Version: "v1", Resource: "trafficpolicies"},
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
metadata: {name: web-of-gateway, namespace: shop}
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
