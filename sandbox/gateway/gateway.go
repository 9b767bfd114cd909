// Package gateway is a cluster's ingress gateway: an HTTP/1.1 server on
// loopback that answers as Envoy does, from a routing.Table that is swapped
// atomically. It streams bodies both ways, keeps connections alive on both
// sides, tells its own answers (404, 503, 504) in Envoy's words, and passes
// everything else on, with what the route says besides: CORS, injected faults,
// headers, time-outs, retries, copies, redirects. It speaks no TLS and no HTTP/2.
package gateway

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meshassay/assay/sandbox/authorization"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/routing"
)

// Gateway is a running gateway. Until its first table it answers 404 to
// everything, as a gateway does that nobody configured.
type Gateway struct {
	cluster   string
	name      string // as the header Server has it
	addr      string
	server    *http.Server
	transport *http.Transport
	inForce   atomic.Pointer[config]
	network   atomic.Pointer[network.Network]
	served    chan struct{} // closed when the server has ended

	open context.Context // until the gateway is closed
	shut context.CancelFunc
}

// config is what a gateway was told. Both parts change at once: a table may
// name an endpoint that only the guard of the same moment knows.
type config struct {
	table *routing.Table
	guard *authorization.Guard
}

// Listen starts the gateway of a cluster at a loopback address such as
// "127.0.0.1:18001"; port 0 picks a free one.
func Listen(cluster, address string) (*Gateway, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("gateway of %s: %w%s", cluster, err, remedy(err, address))
	}
	g := &Gateway{cluster: cluster, name: "istio-envoy", addr: l.Addr().String(), served: make(chan struct{})}
	g.open, g.shut = context.WithCancel(context.Background())
	g.network.Store(network.New())
	empty, err := routing.New(nil)
	if err != nil {
		return nil, err
	}
	g.Swap(empty, &authorization.Guard{})
	g.transport = &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			return g.dial(ctx, address)
		},
		DisableCompression:  true, // bodies pass as they are
		MaxIdleConnsPerHost: 512,
		IdleConnTimeout:     time.Hour, // Envoy's; services say themselves when they have had enough
	}
	g.server = &http.Server{
		Handler:           normalized(g.serve),
		ReadHeaderTimeout: time.Minute,
		IdleTimeout:       time.Hour,
		ErrorLog:          log.New(io.Discard, "", 0), // of clients that hang up
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			return context.WithValue(ctx, connectionKey{}, &routing.Connection{})
		},
	}
	go func() {
		defer close(g.served)
		_ = g.server.Serve(l) // always ErrServerClosed: only Close ends it
	}()
	return g, nil
}

type connectionKey struct{}

// Cluster is the name of the cluster whose gateway this is.
func (g *Gateway) Cluster() string { return g.cluster }

// Addr is the loopback address "127.0.0.1:18001" where the gateway answers.
func (g *Gateway) Addr() string { return g.addr }

// Connect gives the gateway the network through which it reaches endpoints.
func (g *Gateway) Connect(n *network.Network) { g.network.Store(n) }

// Swap puts a table into force, and who may call whom: the gateway itself, and
// the workloads that it calls. Requests that were let in already end as they
// began.
func (g *Gateway) Swap(t *routing.Table, guard *authorization.Guard) {
	g.inForce.Store(&config{t, guard})
}

// Close lets requests that are under way end, within two seconds, and stops.
func (g *Gateway) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := g.server.Shutdown(ctx)
	if err != nil {
		err = g.server.Close()
	}
	<-g.served
	g.shut()
	g.transport.CloseIdleConnections()
	return err
}

// dialError says that no connection to an endpoint came about, and so that
// nothing of the request was sent.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

func (g *Gateway) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second) // Istio's connectTimeout
	defer cancel()
	c, err := g.network.Load().Dial(ctx, address)
	if err != nil {
		return nil, dialError{err}
	}
	return c, nil
}

// buffers are what bodies are copied through.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if v := b.pool.Get(); v != nil {
		return *(v.(*[]byte))
	}
	return make([]byte, 32<<10)
}

func (b *buffers) Put(buffer []byte) { b.pool.Put(&buffer) }

var bodies buffers
