package pki_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"testing"

	"github.com/meshassay/assay/sandbox/pki"
)

func authority(t *testing.T) *pki.Authority {
	t.Helper()
	a, err := pki.NewAuthority("cluster1-ca")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func certificate(t *testing.T, data []byte) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(data)
	if block == nil || len(rest) != 0 {
		t.Fatalf("want exactly one PEM block in %q", data)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// shake performs a TLS handshake over a pipe and returns the client's name as
// the server saw it.
func shake(server, client *tls.Config) (string, error) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	errs := make(chan error, 1)
	go func() {
		// Closing on failure frees the other side, which waits for an answer.
		err := tls.Client(a, client).Handshake()
		if err != nil {
			a.Close()
		}
		errs <- err
	}()
	s := tls.Server(b, server)
	err := s.Handshake()
	if err != nil {
		b.Close()
		return "", errors.Join(err, <-errs)
	}
	if err := <-errs; err != nil {
		return "", err
	}
	return s.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestServerAndClientTrustEachOther(t *testing.T) {
	ca := authority(t)
	server, err := ca.Issue(pki.Subject{Name: "kube-apiserver", IPs: []net.IP{net.IPv4(127, 0, 0, 1)}, DNS: []string{"kubernetes"}})
	if err != nil {
		t.Fatal(err)
	}
	admin, err := ca.Issue(pki.Subject{Name: "admin", Groups: []string{"system:masters"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := certificate(t, admin.Cert).Subject.Organization; len(got) != 1 || got[0] != "system:masters" {
		t.Errorf("groups of the client: got %q, want [system:masters]", got)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM())
	serverPair, err := tls.X509KeyPair(server.Cert, server.Key)
	if err != nil {
		t.Fatal(err)
	}
	clientPair, err := tls.X509KeyPair(admin.Cert, admin.Key)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dials string
		trusted     bool
	}{
		{"by address", "127.0.0.1", true},
		{"by name", "kubernetes", true},
		{"by another name", "example.com", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := shake(
				&tls.Config{Certificates: []tls.Certificate{serverPair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert},
				&tls.Config{Certificates: []tls.Certificate{clientPair}, RootCAs: pool, ServerName: c.dials})
			if c.trusted && (err != nil || got != "admin") {
				t.Errorf("got client %q, error %v; want admin", got, err)
			}
			if !c.trusted && err == nil {
				t.Errorf("a certificate for other names was accepted for %s", c.dials)
			}
		})
	}
}

func TestAnotherAuthorityIsNotTrusted(t *testing.T) {
	pair, err := authority(t).Issue(pki.Subject{Name: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority(t).PEM())
	if _, err := certificate(t, pair.Cert).Verify(x509.VerifyOptions{Roots: pool}); err == nil {
		t.Error("a certificate of one authority was accepted under another of the same name")
	}
}

func TestSigningKeysDiffer(t *testing.T) {
	a, err := pki.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := pki.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	if string(a) == string(b) {
		t.Error("two signing keys are the same")
	}
	if block, _ := pem.Decode(a); block == nil || block.Type != "EC PRIVATE KEY" {
		t.Errorf("got %q, want a PEM block EC PRIVATE KEY", a)
	}
}
