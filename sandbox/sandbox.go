package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/meshassay/assay/sandbox/apiserver"
	"github.com/meshassay/assay/sandbox/crd"
	"github.com/meshassay/assay/sandbox/etcd"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/node"
	"github.com/meshassay/assay/sandbox/parent"
	"github.com/meshassay/assay/sandbox/vm"
)

// vmAddress is the VM's, in a network that is neither the pods' nor the
// services'.
const vmAddress = "192.168.64.10"

// vmCluster is the cluster whose mesh the VM is to join.
const vmCluster = "cluster1"

// plan is one cluster as it shall be.
type plan struct {
	name string
	pods netip.Prefix // the clusters share one network, so these do not overlap
	sets []crd.Set
	mesh bool // a workload cluster: with Istio and a gateway
}

// plans are the tutorial's clusters; the first is the kubeconfig's current.
var plans = []plan{
	{"mgmt", netip.MustParsePrefix("10.244.0.0/18"), []crd.Set{crd.GlooMesh, crd.Sandbox}, false},
	{"cluster1", netip.MustParsePrefix("10.244.64.0/18"), []crd.Set{crd.Istio}, true},
	{"cluster2", netip.MustParsePrefix("10.244.128.0/18"), []crd.Set{crd.Istio}, true},
}

// sandbox is what runs. Any part may be missing while it starts.
type sandbox struct {
	work     context.Context // of all that works against the API servers
	halt     context.CancelFunc
	complete chan struct{} // closed when all has started
	network  *network.Network
	vm       *vm.VM
	sidecar  *gateway.Gateway // the VM's, for its own calls
	gateways map[string]*gateway.Gateway
	etcd     *etcd.Server
	servers  []*apiserver.Server

	mu    sync.Mutex
	nodes []*node.Node

	kubeconfig string // once it is written
}

// ready is the event that tells the parent where everything is.
func (b *sandbox) ready(f *folder, took time.Duration) parent.Ready {
	r := parent.Ready{Kubeconfig: f.kubeconfig, Gateways: map[string]string{}, VM: vmAddress, Proxy: "http://" + b.sidecar.Addr(), Seconds: took.Seconds()}
	for _, p := range plans {
		r.Contexts = append(r.Contexts, p.name)
	}
	for name, g := range b.gateways {
		r.Gateways[name] = "http://" + strings.TrimSuffix(g.Addr(), ":80") // the port that nobody names
	}
	return r
}

// wait returns when the sandbox is asked to stop, or an API server has ended
// by itself.
func (b *sandbox) wait(ctx context.Context) error {
	ended := make(chan error, len(b.servers))
	for _, s := range b.servers {
		go func() {
			<-s.Done()
			ended <- fmt.Errorf("the API server of %s has ended: %w", s.Name, s.Stop())
		}()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// stop ends everything: first what works against the API servers, then these,
// then their etcd.
func (b *sandbox) stop() error {
	var errs []error
	if b.kubeconfig != "" {
		errs = append(errs, apiserver.RemoveKubeconfig(b.kubeconfig, b.servers))
	}
	b.halt()
	var mu sync.Mutex
	var parts sync.WaitGroup
	end := func(what string, closing func() error) {
		parts.Go(func() {
			if err := closing(); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("%s: %w", what, err))
			}
		})
	}
	for name, g := range b.gateways {
		end("gateway of "+name, g.Close)
	}
	if b.vm != nil {
		end("VM", b.vm.Close)
	}
	if b.sidecar != nil {
		end("sidecar of the VM", b.sidecar.Close)
	}
	for _, n := range b.nodes {
		parts.Go(n.Wait)
	}
	for _, s := range b.servers {
		end("API server of "+s.Name, s.Stop)
	}
	parts.Wait()
	if b.etcd != nil {
		b.etcd.Close()
	}
	return errors.Join(errs...)
}

// listen starts a gateway or a sidecar at the wanted port of loopback or, where
// that is taken, at any; 0 is any.
func listen(start func(of, address string) (*gateway.Gateway, error), of string, wanted int) (*gateway.Gateway, error) {
	g, err := start(of, net.JoinHostPort("127.0.0.1", strconv.Itoa(wanted)))
	if err != nil && wanted != 0 {
		slog.Info("port is not free, taking another", "of", of, "port", wanted, "error", err)
		g, err = start(of, "127.0.0.1:0")
	}
	return g, err
}
