package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/meshassay/assay/sandbox/apiserver"
	"github.com/meshassay/assay/sandbox/bootstrap"
	"github.com/meshassay/assay/sandbox/controllers"
	"github.com/meshassay/assay/sandbox/crd"
	"github.com/meshassay/assay/sandbox/discovery"
	"github.com/meshassay/assay/sandbox/etcd"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/gloomesh"
	"github.com/meshassay/assay/sandbox/istio"
	"github.com/meshassay/assay/sandbox/loadbalancer"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/node"
	"github.com/meshassay/assay/sandbox/parent"
	"github.com/meshassay/assay/sandbox/vm"
)

// drain is how much longer than the propagation a deleted pod answers: the
// time that its end needs to reach the gateways.
const drain = 200 * time.Millisecond

// start brings up everything. The sandbox that it returns holds what was
// started, also with an error, and must be stopped.
func start(ctx context.Context, s settings, f *folder, events *parent.Events) (*sandbox, error) {
	work, halt := context.WithCancel(context.Background())
	b := &sandbox{work: work, halt: halt, complete: make(chan struct{}), network: network.New(), gateways: map[string]*gateway.Gateway{}}
	return b, reason(ctx, b.start(ctx, s, f, events))
}

// reason says why the start was given up, if it was, rather than what failed
// because of that.
func reason(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", err, context.Cause(ctx))
	}
	return err
}

func (b *sandbox) start(ctx context.Context, s settings, f *folder, events *parent.Events) error {
	if err := b.listen(s); err != nil {
		return err
	}
	events.Progress("starting etcd")
	var err error
	if b.etcd, err = etcd.Start(ctx, f.state("etcd"), f.logFile("etcd")); err != nil {
		return err
	}
	controllers.Hasten()
	group, groupCtx := errgroup.WithContext(ctx)
	for _, p := range plans {
		if groupCtx.Err() != nil {
			break // one that came before has failed, or we are to stop
		}
		events.Progress("starting the API server of " + p.name)
		server, err := apiserver.Start(p.name, f.state(p.name), b.etcd.Endpoint)
		if err != nil {
			group.Go(func() error { return err })
			break
		}
		b.servers = append(b.servers, server)
		// While the next is constructed, which needs one core.
		group.Go(func() error { return b.furnish(groupCtx, s, p, server, events) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	events.Progress("starting the mesh")
	if err := b.startMesh(s); err != nil {
		return err
	}
	close(b.complete)
	b.kubeconfig = f.kubeconfig
	return apiserver.WriteKubeconfig(f.kubeconfig, b.servers)
}

// listen starts what clients reach without Kubernetes.
func (b *sandbox) listen(s settings) error {
	wanted := s.gatewayPort
	own := netip.MustParseAddr("127.0.0.1") // of the next cluster's gateway, with --port
	for _, p := range plans {
		if !p.mesh {
			continue
		}
		var g *gateway.Gateway
		var err error
		if own = own.Next(); s.port != 0 {
			g, err = gateway.Listen(p.name, netip.AddrPortFrom(own, uint16(s.port)).String()) // there or nowhere: it was asked for
		} else {
			g, err = listen(gateway.Listen, p.name, wanted)
		}
		if err != nil {
			return err
		}
		b.gateways[p.name] = g
		if wanted != 0 {
			wanted++
		}
	}
	var err error
	if b.sidecar, err = listen(gateway.ListenSidecar, "the VM", wanted); err != nil {
		return err
	}
	b.vm, err = vm.Start(vmAddress, b.network)
	return err
}

// furnish waits for a cluster's API server and brings in what a cluster has.
func (b *sandbox) furnish(ctx context.Context, s settings, p plan, server *apiserver.Server, events *parent.Events) error {
	fail := func(err error) error { return fmt.Errorf("%s: %w", p.name, err) }
	if err := server.WaitReady(ctx); err != nil {
		return err
	}
	slog.Info("API server is ready", "cluster", p.name)
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		return fail(err)
	}
	n, err := node.Start(b.work, node.Options{Client: client, Name: p.name, Pods: p.pods, Network: b.network,
		Drain: s.propagation + drain, Log: slog.Default()})
	if err != nil {
		return fail(err)
	}
	b.mu.Lock()
	b.nodes = append(b.nodes, n)
	b.mu.Unlock()
	if err := crd.Install(ctx, server.Config, p.sets...); err != nil {
		return fail(err)
	}
	slog.Info("custom resources are served", "cluster", p.name)
	if err := controllers.Start(b.work, server.Config, server.CA, b.complete); err != nil {
		return fail(err)
	}
	objects, err := b.objects(p, client)
	if err != nil {
		return fail(err)
	}
	dynamicClient, err := dynamic.NewForConfig(server.Config)
	if err != nil {
		return fail(err)
	}
	if err := bootstrap.Apply(ctx, dynamicClient, objects); err != nil {
		return fail(err)
	}
	slog.Info("first objects are applied", "cluster", p.name)
	if err := bootstrap.WaitAvailable(ctx, dynamicClient, objects); err != nil {
		return fail(err)
	}
	events.Progress(p.name + " is ready")
	return nil
}

// objects are what a reader finds in the cluster at the start; a workload
// cluster gets the load balancer for them too.
func (b *sandbox) objects(p plan, client kubernetes.Interface) ([]*unstructured.Unstructured, error) {
	if !p.mesh {
		return bootstrap.Management(b.meshClusters())
	}
	at, err := netip.ParseAddrPort(b.gateways[p.name].Addr())
	if err != nil {
		return nil, err
	}
	balancer := loadbalancer.Options{Client: client, Cluster: p.name, Gateway: at, Log: slog.Default()}
	objects, err := bootstrap.Workload(int(at.Port()))
	if err != nil {
		return nil, err
	}
	if p.name == vmCluster {
		if balancer.Proxy, err = netip.ParseAddrPort(b.sidecar.Addr()); err != nil {
			return nil, err
		}
		more, err := bootstrap.VM(int(balancer.Proxy.Port()))
		if err != nil {
			return nil, err
		}
		objects = append(objects, more...)
	}
	return objects, loadbalancer.Start(b.work, balancer)
}

func (b *sandbox) meshClusters() []string {
	var names []string
	for _, p := range plans {
		if p.mesh {
			names = append(names, p.name)
		}
	}
	return names
}

// startMesh starts what turns the clusters' objects into routes.
func (b *sandbox) startMesh(s settings) error {
	configs := map[string]*rest.Config{}
	for _, server := range b.servers {
		configs[server.Name] = server.Config
	}
	var clusters []istio.Cluster
	for _, name := range b.meshClusters() {
		clusters = append(clusters, istio.Cluster{Name: name, Config: configs[name], Gateway: b.gateways[name]})
	}
	mgmt := configs["mgmt"]
	delete(configs, "mgmt")
	var all errgroup.Group
	all.Go(func() error {
		return istio.Start(b.work, istio.Options{Clusters: clusters, Mgmt: mgmt, Network: b.network, VM: b.vm, Sidecar: b.sidecar,
			Propagation: s.propagation, Log: slog.Default()})
	})
	all.Go(func() error {
		return gloomesh.Start(b.work, gloomesh.Options{Mgmt: mgmt, Clusters: configs, Log: slog.Default()})
	})
	all.Go(func() error { return b.startDiscovery(mgmt, configs) })
	return all.Wait()
}

// startDiscovery starts what tells in the management cluster what runs in the
// others.
func (b *sandbox) startDiscovery(mgmt *rest.Config, clusters map[string]*rest.Config) error {
	o := discovery.Options{Clusters: map[string]kubernetes.Interface{}, Log: slog.Default()}
	var err error
	if o.Mgmt, err = dynamic.NewForConfig(mgmt); err != nil {
		return err
	}
	for name, config := range clusters {
		if o.Clusters[name], err = kubernetes.NewForConfig(config); err != nil {
			return err
		}
	}
	return discovery.Start(b.work, o)
}
