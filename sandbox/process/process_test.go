package process

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

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
	_, mgmt := s.cluster(ready.Kubeconfig, "mgmt")
	t.Run("calls from the VM are steered", func(t *testing.T) { testSteering(t, mgmt, ready) })
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
