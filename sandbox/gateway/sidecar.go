package gateway

import (
	"fmt"
	"net"
	"net/http"
)

// ListenSidecar starts the sidecar of a machine outside of the clusters, for
// those who call from it: an HTTP proxy at a loopback address, which sends what
// it is asked for where its table says, as the gateways do. It knows the hosts
// of its table and no others, and makes no tunnels, so it passes http URLs on
// and no https.
func ListenSidecar(machine, address string) (*Gateway, error) {
	g, err := Listen(machine, address)
	if err != nil {
		return nil, fmt.Errorf("sidecar of %w", err)
	}
	g.server.Handler = normalized(g.proxy)
	g.name = "envoy"
	return g, nil
}

// proxy answers one request to the sidecar. What it cannot pass on is answered
// in the words of a proxy, for Envoy has none for it.
func (g *Gateway) proxy(w http.ResponseWriter, r *http.Request) {
	refuse := func(status int, format string, args ...any) {
		http.Error(w, fmt.Sprintf(format, args...), status)
	}
	switch {
	case r.Method == http.MethodConnect:
		refuse(http.StatusMethodNotAllowed, "this proxy passes requests for http URLs on, and makes no tunnels")
		return
	case r.URL.IsAbs() && r.URL.Scheme != "http":
		refuse(http.StatusBadRequest, "this proxy passes requests for http URLs on, and not for %s", r.URL)
		return
	case !r.URL.IsAbs():
		refuse(http.StatusBadRequest, "this is a proxy: ask it for a whole URL, such as http://NAME.NAMESPACE.svc.cluster.local:8080/")
		return
	}
	if rule, _ := g.inForce.Load().table.Find(r); rule == nil {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		refuse(http.StatusBadGateway, "%s has no route to %s for %s: want a service's name, such as NAME.NAMESPACE.svc.cluster.local, with its port", g.cluster, host, r.URL)
		return
	}
	g.serve(w, r)
}
