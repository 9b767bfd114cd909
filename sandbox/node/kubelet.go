package node

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshassay/assay/sandbox/pki"
)

// noContainers is all that there is to say to kubectl logs, exec, attach and
// port-forward.
const noContainers = "the sandbox runs no containers, so there are no logs and nothing to exec in or forward to: ask the service through its gateway instead"

// refuse answers in words, which the API server puts into its own answer, or
// with a Status where it passes a connection through and the client reads this.
func refuse(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") == "" {
		http.Error(w, noContainers, http.StatusNotImplemented)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotImplemented)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // the connection ends with it
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
		Status:   metav1.StatusFailure, Message: noContainers, Code: http.StatusNotImplemented,
	})
}

// listen opens the kubelet's port, at which API servers ask for what is in a
// container, and answers that there is nothing; until ctx ends. It gives the
// port's number.
func (n *Node) listen(ctx context.Context) (int32, error) {
	fail := func(err error) (int32, error) { return 0, fmt.Errorf("node %s: kubelet: %w", n.options.Name, err) }
	authority, err := pki.NewAuthority("kubelet")
	if err != nil {
		return fail(err)
	}
	pair, err := authority.Issue(pki.Subject{Name: n.options.Name, IPs: []net.IP{net.ParseIP(hostIP)}})
	if err != nil {
		return fail(err)
	}
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	if err != nil {
		return fail(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(hostIP, "0"))
	if err != nil {
		return fail(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(refuse),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that hang up
	}
	n.working.Go(func() { _ = server.ServeTLS(l, "", "") })
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return int32(l.Addr().(*net.TCPAddr).Port), nil
}
