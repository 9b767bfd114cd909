package kube

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: %q}}]
users: [{name: u, user: {token: x}}]
contexts:
- {name: mgmt, context: {cluster: c, user: u}}
- {name: cluster1, context: {cluster: c, user: u}}
`, server)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConnectTellsTheContextsThatThereAre(t *testing.T) {
	_, err := Connect(t.Context(), "mgmt", kubeconfig(t, "https://127.0.0.1:1"), "mgnt")
	var none *NoContext
	if !errors.As(err, &none) || !slices.Equal(none.Known, []string{"cluster1", "mgmt"}) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), `has no context "mgnt" (it has: cluster1, mgmt)`) || !strings.HasPrefix(err.Error(), "cluster mgmt: ") {
		t.Errorf("got %q", err)
	}
}

func TestConnectTellsThatNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	_, err = Connect(t.Context(), "mgmt", kubeconfig(t, "https://"+address), "mgmt")
	if err == nil || !strings.Contains(err.Error(), "refuses connections: is the cluster running") || !strings.Contains(err.Error(), address) {
		t.Errorf("got %v", err)
	}
}

func TestConnectTellsThatThereIsNoKubeconfig(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("KUBECONFIG", missing)
	for _, explicit := range []string{"", missing} {
		if _, err := Connect(t.Context(), "mgmt", explicit, "mgmt"); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("kubeconfig %q: got %v, want the file named", explicit, err)
		}
	}
	if _, err := Connect(t.Context(), "mgmt", "", "mgmt"); err == nil || !strings.Contains(err.Error(), "set KUBECONFIG") {
		t.Errorf("got %v, want to be told what to set", err)
	}
}
