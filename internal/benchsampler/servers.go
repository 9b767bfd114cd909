package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/meshassay/assay/internal/gateways"
)

// servers are what the clients ask. All keep connections alive for as many
// requests as a client likes: by default nginx closes them after a thousand.
type servers struct {
	folder  string
	running []*gateways.Gateway

	straight, tls, nginx, haproxy string // URLs; haproxy may be empty
}

const backendText = `
keepalive_requests 1000000000;
ssl_certificate %[1]s;
ssl_certificate_key %[1]s;
server {
  listen @plain@;
  listen @secure@ ssl http2;
  default_type application/json;
  location / { return 200 '{"color":"blue"}'; }
}`

const proxyText = `
keepalive_requests 1000000000;
upstream backend {
  server %s;
  keepalive 64;
  keepalive_requests 1000000000;
}
server {
  listen @web@;
  location / {
    proxy_pass http://backend;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
  }
}`

const haproxyText = `
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  http-reuse always
frontend web
  bind @web@
  default_backend nginx
backend nginx
  server one %s
`

func startServers(o options, t *tools) (s *servers, err error) {
	s = &servers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.folder, err = os.MkdirTemp("", "assay-bench-"); err != nil {
		return s, err
	}
	certificate := filepath.Join(s.folder, "certificate.pem")
	if err = writeCertificate(certificate); err != nil {
		return s, err
	}
	backend, err := s.start(o, gateways.NGINX, fmt.Sprintf(backendText, certificate))
	if err != nil {
		return s, err
	}
	proxy, err := s.start(o, gateways.NGINX, fmt.Sprintf(proxyText, backend.Address("plain")))
	if err != nil {
		return s, err
	}
	s.straight, s.tls, s.nginx = backend.URL("plain"), "https://"+backend.Address("secure")+"/", proxy.URL("web")
	if t.haproxy {
		h, err := s.start(o, gateways.HAProxy, fmt.Sprintf(haproxyText, backend.Address("plain")))
		if err != nil {
			return s, err
		}
		s.haproxy = h.URL("web")
	}
	return s, nil
}

func (s *servers) start(o options, p gateways.Program, text string) (*gateways.Gateway, error) {
	g, err := gateways.Start(gateways.Setup{Program: p, Text: text, Prefix: o.serverPrefix()})
	if err == nil {
		s.running = append(s.running, g)
	}
	return g, err
}

func (s *servers) close() error {
	var errs []error
	for _, g := range s.running {
		errs = append(errs, g.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.folder))...)
}

// writeCertificate writes a key and a certificate that it signs itself into one file.
func writeCertificate(file string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	c := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	cert, err := x509.CreateCertificate(rand.Reader, &c, &c, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	return os.WriteFile(file, append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})...), 0o600)
}
