package runner

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshassay/assay/runner/document"
	"github.com/meshassay/assay/runner/environment"
	"github.com/meshassay/assay/runner/kube"
)

// Connection is what was found of one thing that an environment names.
type Connection struct {
	Kind  string // cluster, gateway or client
	Name  string
	Found string // what is well, in words
	Note  string // what may be well, or not
	Err   error  // what is wrong, and what to do about it; nil when nothing is
}

// connectAddressLimit is how long a gateway's address is waited for when there
// is only to be said whether it has one.
const connectAddressLimit = 3 * time.Second

// Connect looks whether what the environment names is there and answers: every
// cluster, with the kinds that the plan's manifests need (plan may be nil),
// every gateway and every client. It changes nothing. The clusters come first,
// in the environment's order.
func (e *Engine) Connect(ctx context.Context, plan *Plan) []Connection {
	order := e.env.Order
	r := &Run{engine: e, env: e.env, clusters: make(map[string]*kube.Cluster)}
	clusters := make([]Connection, len(order.Clusters))
	var mu sync.Mutex
	sideBySide(len(clusters), func(i int) {
		name := order.Clusters[i]
		found, one := e.connectTo(ctx, name, plan)
		mu.Lock()
		defer mu.Unlock()
		clusters[i] = one
		if found != nil {
			r.clusters[name] = found
		}
	})
	gateways := make([]Connection, len(order.Gateways))
	sideBySide(len(gateways), func(i int) { gateways[i] = r.connectGateway(ctx, order.Gateways[i]) })
	clients := make([]Connection, len(order.Clients))
	sideBySide(len(clients), func(i int) { clients[i] = r.connectClient(ctx, order.Clients[i]) })
	return slices.Concat(clusters, gateways, clients)
}

// sideBySide does n things side by side.
func sideBySide(n int, do func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { do(i) })
	}
	all.Wait()
}

func (e *Engine) connectTo(ctx context.Context, name string, plan *Plan) (*kube.Cluster, Connection) {
	one := Connection{Kind: "cluster", Name: name}
	alone := &Run{clusters: make(map[string]*kube.Cluster)}
	if one.Err = e.connect(ctx, alone, []string{name}); one.Err != nil {
		return nil, one
	}
	c := alone.clusters[name]
	one.Found = fmt.Sprintf("context %s, %s", c.Context, c.Host())
	if version, err := c.Version(ctx); err == nil {
		one.Found += ", Kubernetes " + version
	}
	wanted := plan.kindsIn(name)
	for _, kind := range wanted {
		if _, err := c.Of(kind); err != nil {
			one.Err = errors.Join(one.Err, fmt.Errorf("the scenarios apply objects of the kind %s: %w: is the mesh installed, in the version that the manifests are for?", kind.Kind, err))
		}
	}
	if len(wanted) > 0 && one.Err == nil {
		one.Found += ", serves all kinds that the scenarios apply"
	}
	return c, one
}

// kindsIn are the kinds of the manifests that are applied to a cluster, sorted,
// without those that a manifest there defines.
func (p *Plan) kindsIn(cluster string) []schema.GroupVersionKind {
	if p == nil {
		return nil
	}
	found := make(map[string]schema.GroupVersionKind)
	defined := make(map[schema.GroupKind]bool)
	for _, s := range p.Scenarios {
		for _, step := range s.Steps {
			w, ok := step.work.(*applyWork)
			if !ok || !slices.Contains(w.clusters, cluster) {
				continue
			}
			for _, m := range w.manifests {
				kind := m.Object.GroupVersionKind()
				found[kind.String()] = kind
				if kind.Kind == "CustomResourceDefinition" {
					group, _ := get(m.Object.Object, "spec", "group").(string)
					name, _ := get(m.Object.Object, "spec", "names", "kind").(string)
					defined[schema.GroupKind{Group: group, Kind: name}] = true
				}
			}
		}
	}
	var all []schema.GroupVersionKind
	for _, kind := range found {
		if !defined[kind.GroupKind()] {
			all = append(all, kind)
		}
	}
	slices.SortFunc(all, func(a, b schema.GroupVersionKind) int { return strings.Compare(a.String(), b.String()) })
	return all
}

func (r *Run) connectGateway(ctx context.Context, name string) Connection {
	one := Connection{Kind: "gateway", Name: name}
	g := r.env.Gateways[name]
	address, err := r.found(ctx, g)
	if err != nil {
		one.Err = r.placed("gateways", name, err)
		return one
	}
	took := time.Now()
	answer, err := r.knock(ctx, address)
	switch {
	case err == nil:
		one.Found = fmt.Sprintf("%s answers %d within %s", address, answer, time.Since(took).Round(time.Millisecond))
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		one.Found = address
		one.Note = fmt.Sprintf("it takes no connections: many gateways listen only once something is routed through them (%v)", err)
	default:
		one.Err = r.placed("gateways", name, fmt.Errorf("%s does not answer: can this machine reach that address (network, firewall, on macOS the container network)? %w", address, err))
	}
	return one
}

// found is the address of a gateway whose cluster could be reached.
func (r *Run) found(ctx context.Context, g environment.Gateway) (string, error) {
	if g.URL == "" && r.clusters[g.Cluster] == nil {
		return "", fmt.Errorf("its address cannot be looked up: cluster %s cannot be used, see there", g.Cluster)
	}
	return r.addressWithin(ctx, g, connectAddressLimit)
}

// placed puts before an error where the environment names what it is about.
func (r *Run) placed(section, name string, err error) error {
	if v := r.env.Source.Get(section).Get(name); v.Exists() {
		return fmt.Errorf("%s: %w", v.Pos(), err)
	}
	return err
}

// knock asks an address once, and returns the status of whatever it answers.
func (r *Run) knock(ctx context.Context, address string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/", nil)
	if err != nil {
		return 0, err
	}
	answer, err := newDirect().client.Do(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

func (r *Run) connectClient(ctx context.Context, name string) Connection {
	one := Connection{Kind: "client", Name: name}
	c := r.env.Clients[name]
	var err error
	switch {
	case len(c.Command) > 0:
		one.Found, err = "curl and base64 are there", remote(c.Command).ready(ctx)
	case c.Proxy != "":
		one.Found, err = "its proxy "+c.Proxy+" takes connections", dial(ctx, c.Proxy)
	default:
		var address string
		if address, err = r.found(ctx, environment.Gateway{Cluster: c.Cluster, Service: c.Service, Port: c.Port}); err == nil {
			one.Found, err = "its proxy "+address+" takes connections", dial(ctx, address)
		}
	}
	if err != nil {
		one.Found, one.Err = "", r.placed("clients", name, err)
	}
	return one
}

// ready looks whether what a call needs is where the command leads.
func (c remote) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, commandExtra)
	defer cancel()
	const look = "command -v curl && command -v base64"
	cmd := exec.CommandContext(ctx, c[0], append(slices.Clone(c[1:]), look)...)
	cmd.WaitDelay = time.Second
	said, err := cmd.CombinedOutput()
	text := strings.TrimSpace(excerpt(said))
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("its command %s is not installed on this machine: %w", c[0], err)
	case ctx.Err() != nil:
		return fmt.Errorf("its command %s has not ended within %s: does it ask for a password? %s", strings.Join(c, " "), commandExtra, text)
	}
	return fmt.Errorf("%s %s: %w: %s (curl and base64 must be there)", strings.Join(c, " "), document.Quote(look), err, text)
}

// dial opens a connection to the host of an address, and closes it.
func dial(ctx context.Context, address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080"}[u.Scheme]
	}
	d := net.Dialer{Timeout: callTimeout}
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), first(port, "80")))
	if err != nil {
		return fmt.Errorf("its proxy does not take connections: %w", err)
	}
	return conn.Close()
}
