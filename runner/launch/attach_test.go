package launch

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// kubeconfigFor writes a kubeconfig whose contexts are at the given URLs.
func kubeconfigFor(t *testing.T, urls map[string]string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Config\nusers: [{name: admin, user: {}}]\nclusters:\n")
	for name, url := range urls {
		fmt.Fprintf(&b, "- {name: %s, cluster: {server: %q}}\n", name, url)
	}
	b.WriteString("contexts:\n")
	for name := range urls {
		fmt.Fprintf(&b, "- {name: %s, context: {cluster: %s, user: admin}}\n", name, name)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestAttach(t *testing.T) {
	answering := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/readyz" {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	good := answering(200, "ok")
	tests := []struct {
		reason string
		urls   map[string]string
		want   string // in the error; "" for none
	}{
		{"all answer", map[string]string{"mgmt": good, "cluster1": good, "cluster2": good}, ""},
		{"a context is missing", map[string]string{"mgmt": good, "cluster1": good}, `context cluster2: context "cluster2" does not exist`},
		{"a server is gone", map[string]string{"mgmt": closed.URL, "cluster1": good, "cluster2": good}, "context mgmt does not answer"},
		{"a server is not ready", map[string]string{"mgmt": good, "cluster1": answering(500, "etcd not ready"), "cluster2": good}, "context cluster1 is not ready: 500 Internal Server Error: etcd not ready"},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			file := kubeconfigFor(t, tt.urls)
			t.Setenv(Attach, file)
			s, err := Start(t.Context(), Options{Log: t.Output()})
			if tt.want == "" {
				if err != nil || !s.Attached || s.Kubeconfig != file {
					t.Fatalf("got %+v, %v", s, err)
				}
				if err := s.Stop(t.Context()); err != nil || s.Err() != nil {
					t.Errorf("stop: %v, %v", err, s.Err())
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %s", err, tt.want)
			}
			for _, help := range []string{"assay sandbox --kubeconfig " + file, "unset ASSAY_SANDBOX"} {
				if !strings.Contains(err.Error(), help) {
					t.Errorf("got %v, want in it %s", err, help)
				}
			}
		})
	}
}

func TestAttachToNothing(t *testing.T) {
	t.Setenv(Attach, filepath.Join(t.TempDir(), "none"))
	if _, err := Start(t.Context(), Options{}); err == nil || !strings.Contains(err.Error(), "there is no such file") {
		t.Errorf("got %v", err)
	}
}

func TestOwnSandboxBesideAnother(t *testing.T) {
	o := fake(t, "works")
	o.Own = true
	t.Setenv(Attach, filepath.Join(t.TempDir(), "another"))
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	if s.Attached {
		t.Error("it attached to the other sandbox")
	}
}

func TestWroteKubeconfig(t *testing.T) {
	dir := write(t, map[string]string{
		"sandbox": "# Written by the Assay sandbox; it goes when the sandbox stops.\napiVersion: v1\n",
		"other":   "apiVersion: v1\n# Written by the Assay sandbox;\n",
	})
	for name, want := range map[string]bool{"sandbox": true, "other": false, "none": false} {
		if got := WroteKubeconfig(filepath.Join(dir, name)); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}
