package apiserver

import (
	"net"

	"github.com/meshassay/assay/sandbox/pki"
)

// serviceNetwork is where Services get their cluster addresses; its first is
// the API server's own.
const serviceNetwork = "10.96.0.0/16"

// keys are a control plane's. Most are files, because the server's options
// take nothing else.
type keys struct {
	dir   string
	ca    []byte
	admin pki.Pair

	caFile, serverCert, serverKey string
	frontCA, frontCert, frontKey  string // of the aggregator towards extension servers
	tokenKey                      string // signs service-account tokens
}

// makeKeys makes new keys and writes their files into dir.
func makeKeys(name, dir string) (keys, error) {
	ca, err := pki.NewAuthority(name + "-ca")
	if err != nil {
		return keys{}, err
	}
	front, err := pki.NewAuthority(name + "-front-proxy-ca")
	if err != nil {
		return keys{}, err
	}
	server, err := ca.Issue(pki.Subject{
		Name: "kube-apiserver",
		IPs:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 96, 0, 1)},
		DNS:  []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
	})
	if err != nil {
		return keys{}, err
	}
	admin, err := ca.Issue(pki.Subject{Name: "admin", Groups: []string{"system:masters"}})
	if err != nil {
		return keys{}, err
	}
	proxy, err := front.Issue(pki.Subject{Name: frontProxy})
	if err != nil {
		return keys{}, err
	}
	token, err := pki.SigningKey()
	if err != nil {
		return keys{}, err
	}
	k := keys{dir: dir, ca: ca.PEM(), admin: admin}
	for _, file := range []struct {
		path *string
		name string
		data []byte
	}{
		{&k.caFile, "ca.crt", ca.PEM()},
		{&k.serverCert, "server.crt", server.Cert},
		{&k.serverKey, "server.key", server.Key},
		{&k.frontCA, "front-proxy-ca.crt", front.PEM()},
		{&k.frontCert, "front-proxy-client.crt", proxy.Cert},
		{&k.frontKey, "front-proxy-client.key", proxy.Key},
		{&k.tokenKey, "service-account.key", token},
	} {
		if *file.path, err = writeFile(dir, file.name, file.data); err != nil {
			return keys{}, err
		}
	}
	return k, nil
}
