package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
)

// addressLimit is how long a load balancer may take to give a Service its address.
const addressLimit = time.Minute

// address is the URL of a gateway, without a path: as the environment gives
// it, or by the status of its Service, which is waited for.
func (r *Run) address(ctx context.Context, name string) (string, error) {
	address, err := r.addressOf(ctx, r.env.Gateways[name])
	if err != nil {
		err = r.placed("gateways", name, err)
	}
	return address, err
}

// addressOf is the same for a gateway that need not be one of the environment's.
func (r *Run) addressOf(ctx context.Context, g environment.Gateway) (string, error) {
	return r.addressWithin(ctx, g, addressLimit)
}

func (r *Run) addressWithin(ctx context.Context, g environment.Gateway, limit time.Duration) (string, error) {
	if g.URL != "" {
		return strings.TrimSuffix(g.URL, "/"), nil
	}
	address := ""
	err := r.clusters[g.Cluster].Until(ctx, limit, func(ctx context.Context) (_ bool, why string, err error) {
		address, why, err = r.lookUp(ctx, g)
		return address != "", why, err
	})
	var late *kube.NotYet
	if errors.As(err, &late) {
		err = fmt.Errorf("%w\n  %s", err, r.withoutAddress(ctx, g))
	}
	return address, err
}

// lookUp is the URL of a gateway as things are; why says why there is none yet.
func (r *Run) lookUp(ctx context.Context, g environment.Gateway) (address, why string, err error) {
	if g.URL != "" {
		return strings.TrimSuffix(g.URL, "/"), "", nil
	}
	c := r.clusters[g.Cluster]
	o, err := serviceOf(ctx, c, g)
	if err != nil {
		return "", "", err
	}
	if o == nil {
		return "", fmt.Sprintf("cluster %s has no service %s", c.Name, g.Service), nil
	}
	host := kube.Address(o)
	if kind, _, _ := unstructured.NestedString(o.Object, "spec", "type"); host == "" && kind != "LoadBalancer" {
		return "", "", &kube.Never{Why: notBalanced(c, g, o, kind)}
	}
	if host == "" {
		return "", fmt.Sprintf("service %s of cluster %s has no address yet (status.loadBalancer.ingress is empty)", g.Service, c.Name), nil
	}
	port, scheme, err := portOf(o, g.Port)
	if err != nil {
		return "", "", fmt.Errorf("service %s of cluster %s: %w", g.Service, c.Name, err)
	}
	return (&url.URL{Scheme: scheme, Host: hostPort(host, port, scheme)}).String(), "", nil
}

func serviceOf(ctx context.Context, c *kube.Cluster, g environment.Gateway) (*kube.Object, error) {
	namespace, service, _ := strings.Cut(g.Service, "/")
	return c.Get(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Service"}, namespace, service)
}

// portOf finds a port of a Service by its name or number, and the scheme that
// is spoken there.
func portOf(service *kube.Object, wanted string) (port int64, scheme string, err error) {
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	var known []string
	for _, p := range ports {
		p, _ := p.(map[string]any)
		name, _ := p["name"].(string)
		number, _ := p["port"].(int64)
		known = append(known, strings.TrimSpace(fmt.Sprintf("%s %d", name, number)))
		if name != wanted && strconv.FormatInt(number, 10) != wanted {
			continue
		}
		protocol, _ := p["appProtocol"].(string)
		if name == "https" || strings.HasPrefix(name, "https-") || protocol == "https" || number == 443 {
			return number, "https", nil
		}
		return number, "http", nil
	}
	return 0, "", fmt.Errorf("it has no port %q (it has %s): give the gateway one of them as its port", wanted, strings.Join(known, ", "))
}

// hostPort leaves out the port that the scheme implies, as a browser does, so
// that the Host header is what people expect.
func hostPort(host string, port int64, scheme string) string {
	if scheme == "http" && port == 80 || scheme == "https" && port == 443 {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, strconv.FormatInt(port, 10))
}
