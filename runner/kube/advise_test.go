package kube

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// silent is for servers whose clients break off handshakes on purpose.
var silent = log.New(io.Discard, "", 0)

// status answers as an API server that refuses.
func status(code int, reason, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": %q, "message": %q, "code": %d}`, reason, message, code)
	}
}

// kubeconfigOf writes a kubeconfig with one context, called east, and the fields of
// its cluster and its user.
func kubeconfigOf(t *testing.T, cluster, user string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {%s}}]
users: [{name: u, user: {%s}}]
contexts: [{name: east, context: {cluster: c, user: u}}]
`, cluster, user)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// authority is a server's certificate as a kubeconfig has it.
func authority(s *httptest.Server) string {
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	return base64.StdEncoding.EncodeToString(block)
}

// plugin writes a program that gives no credentials.
func plugin(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cloud-login")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// Each trouble that a kubeconfig and an API server can give is told with what to
// do about it, and with what was meant by the error in the first place.
func TestConnectSaysWhatToDo(t *testing.T) {
	const token = "token: x"
	run := func(program string) string {
		return fmt.Sprintf("exec: {apiVersion: client.authentication.k8s.io/v1, command: %q, interactiveMode: Never}", program)
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		// kubeconfig is the cluster and the user for a server that is up.
		kubeconfig func(s *httptest.Server) (cluster, user string)
		want       []string
	}{
		{"expired credentials", status(401, "Unauthorized", "Unauthorized"), nil,
			[]string{"does not accept the credentials: they have expired or been withdrawn, so log in again", "try: kubectl --context east get namespaces"}},
		{"a user without a role", status(403, "Forbidden", `namespaces is forbidden: User "ada"`), nil,
			[]string{"does not allow this user to list what it serves: it needs a role", "kubectl auth can-i --list"}},
		{"a cluster that starts", status(503, "ServiceUnavailable", "the server is currently unable to handle the request"), nil,
			[]string{"is up but not ready: it may be starting"}},
		{"no API server", http.NotFound, nil, []string{"answers, but not as an API server does: is the server's address in the kubeconfig right?"}},
		{"another cluster's authority", status(200, "", ""), func(s *httptest.Server) (string, string) { return fmt.Sprintf("server: %q", s.URL), token },
			[]string{"shows a certificate of an authority that the kubeconfig does not name", "earlier one of that name", "x509"}},
		{"another name", status(200, "", ""), func(s *httptest.Server) (string, string) {
			return fmt.Sprintf("server: %q, certificate-authority-data: %s, tls-server-name: elsewhere.test", s.URL, authority(s)), token
		}, []string{"shows a certificate for other names than its address", "tls-server-name"}},
		{"plain HTTP", nil, func(*httptest.Server) (string, string) {
			s := httptest.NewServer(http.NotFoundHandler())
			t.Cleanup(s.Close)
			return fmt.Sprintf("server: %q, insecure-skip-tls-verify: true", strings.Replace(s.URL, "http:", "https:", 1)), token
		}, []string{"speaks plain HTTP: the server's address in the kubeconfig is not that of an API server"}},
		{"a login that has expired", status(200, "", ""), func(s *httptest.Server) (string, string) {
			return fmt.Sprintf("server: %q, certificate-authority-data: %s", s.URL, authority(s)), run(plugin(t, "exit 3"))
		}, []string{"takes its credentials from the program ", "cloud-login, which fails: they have probably expired, so log in again (such as aws sso login"}},
		{"a login program that is not there", status(200, "", ""), func(s *httptest.Server) (string, string) {
			return fmt.Sprintf("server: %q, certificate-authority-data: %s", s.URL, authority(s)), run("no-such-login")
		}, []string{"takes its credentials from the program no-such-login, which is not installed: install it, or use another context"}},
		{"a name that does not resolve", nil, func(*httptest.Server) (string, string) { return `server: "https://nowhere.invalid"`, token },
			[]string{"nowhere.invalid"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			handler := tt.handler
			if handler == nil {
				handler = http.NotFound
			}
			s := httptest.NewUnstartedServer(handler)
			s.Config.ErrorLog = silent
			s.StartTLS()
			defer s.Close()
			cluster, user := fmt.Sprintf("server: %q, certificate-authority-data: %s", s.URL, authority(s)), token
			if tt.kubeconfig != nil {
				cluster, user = tt.kubeconfig(s)
			}
			_, err := Connect(t.Context(), "cluster1", kubeconfigOf(t, cluster, user), "east")
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(tt.want, "cluster cluster1: context \"east\" (https://") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant in it %s", err, want)
				}
			}
		})
	}
}

// A server that asks for a client's certificate refuses one that is not there.
func TestConnectTellsThatItsCertificateIsRefused(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert}
	s.Config.ErrorLog = silent
	s.StartTLS()
	defer s.Close()
	_, err := Connect(t.Context(), "mgmt", kubeconfigOf(t, fmt.Sprintf("server: %q, certificate-authority-data: %s", s.URL, authority(s)), "token: x"), "east")
	if err == nil || !strings.Contains(err.Error(), "refuses the certificate of the kubeconfig: it has expired, or is of another cluster") {
		t.Errorf("got %v", err)
	}
}

func TestConnectTellsThatNobodyAnswers(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	s.Config.ErrorLog = silent
	s.StartTLS()
	defer s.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // sooner than connectLimit
	defer cancel()
	_, err := Connect(ctx, "mgmt", kubeconfigOf(t, fmt.Sprintf("server: %q, certificate-authority-data: %s", s.URL, authority(s)), "token: x"), "east")
	if err == nil || !strings.Contains(err.Error(), "did not answer within 15s: is the cluster running, and is the network (VPN) up?") {
		t.Errorf("got %v", err)
	}
}

func TestConnectTellsThatAContextIsIncomplete(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\ncontexts: [{name: east, context: {cluster: gone, user: u}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Connect(t.Context(), "mgmt", path, "east")
	if err == nil || !strings.Contains(err.Error(), `is incomplete: it has no cluster "gone", which the context names`) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, []byte("contexts: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Connect(t.Context(), "mgmt", path, "east"); err == nil || !strings.Contains(err.Error(), "cannot be read, is $KUBECONFIG right?") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}

func TestNoContextNamesAFewOfMany(t *testing.T) {
	e := &NoContext{Context: "prod", Files: []string{"config"}, Perhaps: "did you mean prod-0?"}
	for i := range 20 {
		e.Known = append(e.Known, fmt.Sprintf("prod-%d", i))
	}
	got := e.Error()
	for _, want := range []string{"prod-11 and 8 more): did you mean prod-0?; kubectl config get-contexts lists them"} {
		if !strings.Contains(got, want) || strings.Contains(got, "prod-12") {
			t.Errorf("got %s, want in it %s", got, want)
		}
	}
}

func TestContexts(t *testing.T) {
	got, err := Contexts(kubeconfigOf(t, `server: "https://127.0.0.1:1"`, "token: x"))
	if err != nil || len(got) != 1 || got[0] != "east" {
		t.Errorf("got %v and %v", got, err)
	}
	if _, err := Contexts(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a kubeconfig that is not there has contexts")
	}
}

func TestQuoted(t *testing.T) {
	for name, want := range map[string]string{
		"admin@prod": "admin@prod", "arn:aws:eks:eu-west-1:1:cluster/x": "arn:aws:eks:eu-west-1:1:cluster/x", "my cluster": "'my cluster'", "it's": `'it'\''s'`,
	} {
		if got := quoted(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
