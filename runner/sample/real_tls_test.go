package sample_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/meshassay/assay/internal/gateways"
	"github.com/meshassay/assay/runner/sample"
)

// certificate writes a certificate for 127.0.0.1 and its key into one file, and
// returns who vouches for it.
func certificate(t *testing.T) (file string, authorities *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil) // has one
	defer s.Close()
	key, err := x509.MarshalPKCS8PrivateKey(s.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	file = filepath.Join(t.TempDir(), "certificate.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	authorities = x509.NewCertPool()
	authorities.AddCert(s.Certificate())
	return file, authorities
}

// nginx says what was spoken with it: HTTP/2 where it was asked for and is
// offered, else HTTP/1.1.
func TestRealTLS(t *testing.T) {
	gateways.Need(t, gateways.NGINX)
	file, authorities := certificate(t)
	gateway, err := gateways.Start(gateways.Setup{Program: gateways.NGINX, Text: fmt.Sprintf(`
ssl_certificate %s;
ssl_certificate_key %s;
keepalive_requests 1000000;
server { listen @both@ ssl http2; location / { return 200 '{"protocol":"$server_protocol"}'; } }
server { listen @one@ ssl; location / { return 200 '{"protocol":"$server_protocol"}'; } }`, file, file)})
	if err != nil {
		t.Fatal(err)
	}
	defer gateway.Stop()
	for _, tt := range []struct {
		socket   string
		protocol sample.Protocol
		want     string
	}{
		{"both", sample.HTTP2, "HTTP/2.0"},
		{"both", sample.HTTP1, "HTTP/1.1"},
		{"one", sample.HTTP2, "HTTP/1.1"},
	} {
		for _, reuse := range []bool{false, true} {
			connections, n := map[int64]bool{}, 0
			err := sample.Run(t.Context(), sample.Options{
				Cases: []sample.Request{{URL: "https://" + gateway.Address(tt.socket)}}, TLS: &tls.Config{RootCAs: authorities},
				Classifier: sample.NewClassifier([]sample.Rule{{JSON: "protocol"}}), Workers: 4, Reuse: reuse, Protocol: tt.protocol,
			}, func(batch []sample.Observation) bool {
				for _, x := range batch {
					if n++; x.Outcome != tt.want {
						t.Errorf("%s, asked for %d, reuse %t: %q, %s (%s), want %s", tt.socket, tt.protocol, reuse, x.Outcome, x.Fault, x.Detail, tt.want)
					}
					connections[x.Connection] = true
				}
				return n < 40 && !t.Failed()
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(connections); !reuse && got != n || reuse && got > 4 {
				t.Errorf("%s, asked for %d, reuse %t: %d requests by 4 workers on %d connections", tt.socket, tt.protocol, reuse, n, got)
			}
		}
	}
}
