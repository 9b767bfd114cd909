package istio

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/meshassay/assay/sandbox/fault"
	"github.com/meshassay/assay/sandbox/gateway"
	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/vm"
)

// Changes are gathered until none has come for a lull, but not longer than
// patience after the first.
const (
	lull     = 10 * time.Millisecond
	patience = 50 * time.Millisecond
)

// Cluster is a workload cluster and its ingress gateway.
type Cluster struct {
	Name    string
	Config  *rest.Config
	Gateway *gateway.Gateway
}

// Options say what is watched and what is configured by it.
type Options struct {
	Clusters    []Cluster
	Mgmt        *rest.Config // of the cluster where Faults are
	Network     *network.Network
	VM          *vm.VM
	Sidecar     *gateway.Gateway // of the VM, for its own calls; nil: it makes none
	Propagation time.Duration    // from a change of an object to the change of a gateway
	Log         *slog.Logger     // nil: none
}

// Start watches until ctx ends. It returns when every gateway serves what the
// clusters said when it was called.
func Start(ctx context.Context, o Options) error {
	return start(ctx, o, newClients)
}

// start has its clients made by connect.
func start(ctx context.Context, o Options, connect func(*rest.Config) (clients, error)) error {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s := &istiod{options: o, dirty: make(chan struct{}, 1), lying: make(chan struct{}, 1)}
	gateways := map[string]*gateway.Gateway{}
	var synced []cache.InformerSynced
	for _, c := range o.Clusters {
		clients, err := connect(c.Config)
		if err != nil {
			return fmt.Errorf("istio: clients of %s: %w", c.Name, err)
		}
		w, err := newWatcher(ctx, c.Name, clients, func() { signal(s.dirty) })
		if err != nil {
			return fmt.Errorf("istio: %w", err)
		}
		s.watchers = append(s.watchers, w)
		synced = append(synced, w.synced()...)
		gateways[c.Name] = c.Gateway
		c.Gateway.Connect(o.Network)
	}
	if o.Sidecar != nil {
		gateways[sidecarOfVM] = o.Sidecar
		o.Sidecar.Connect(o.Network)
	}
	var err error
	if s.mgmt, err = connect(o.Mgmt); err != nil {
		return fmt.Errorf("istio: clients of mgmt: %w", err)
	}
	s.faults = cache.NewSharedIndexInformer(dynamically(s.mgmt.dynamic, fault.Resource), &unstructured.Unstructured{}, 0, nil)
	if err := prepare(s.faults, func() { signal(s.lying) }); err != nil {
		return fmt.Errorf("istio: watch faults: %w", err)
	}
	go s.faults.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), append(synced, s.faults.HasSynced)...) {
		return fmt.Errorf("istio: watch the clusters: %w", context.Cause(ctx))
	}
	s.director = newDirector(gateways, o.Propagation, o.Log)
	s.reporter = newReporter(o.Log, func() { signal(s.dirty); signal(s.lying) })
	now := time.Now()
	s.build(now.Add(-o.Propagation)) // nobody waits for the news of what was there before
	s.director.advance(now)
	s.lie()
	go s.run(ctx)
	go s.reporter.run(ctx)
	return nil
}

// istiod runs everything here; after Start, one goroutine does.
type istiod struct {
	options  Options
	watchers []*watcher
	mgmt     clients
	faults   cache.SharedIndexInformer
	names    []string // of all destinations, as of the last build
	director *director
	reporter *reporter
	dirty    chan struct{} // something in a workload cluster changed
	lying    chan struct{} // a Fault changed
}

// signal leaves a word for the run loop; one is enough for any number of
// changes.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// gathering waits for the changes that belong together. Each kind of object is
// watched on its own, and the watches are not in step: a route may be seen
// before the subset that it goes to, although that was written first, and must
// not come into force without it.
type gathering struct{ first, last time.Time }

func (g *gathering) add(now time.Time) {
	if g.first.IsZero() {
		g.first = now
	}
	g.last = now
}

// end is when the changes so far are to be built.
func (g *gathering) end() time.Time {
	if end := g.last.Add(lull); end.Before(g.first.Add(patience)) {
		return end
	}
	return g.first.Add(patience)
}

func (s *istiod) run(ctx context.Context) {
	var gathered, due <-chan time.Time
	var changes gathering
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.dirty:
			changes.add(time.Now())
			gathered = time.After(time.Until(changes.end()))
		case <-gathered:
			gathered = nil
			s.build(changes.first)
			changes = gathering{}
			s.lie() // what a fault is about may have come or gone
		case <-s.lying:
			s.lie()
		case <-due:
		}
		due = nil
		if next, more := s.director.advance(time.Now()); more {
			due = time.After(time.Until(next))
		}
	}
}

// build reads every cluster, plans the routes that follow from a change at that
// time, and reports on the objects.
func (s *istiod) build(changed time.Time) {
	all := world{}
	for _, w := range s.watchers {
		all[w.name] = w.snapshot()
	}
	s.names = all.names()
	var reports []report
	guards := all.guards()
	if s.options.Sidecar != nil {
		s.director.plan(sidecarOfVM, all.sidecar(s.options.VM.Address(), guards), changed)
	}
	for _, w := range s.watchers {
		hosts, notes := all.build(w.name)
		s.director.plan(w.name, proxied{hosts, all.gatewayGuard(w.name, guards)}, changed)
		for _, o := range all[w.name].read() {
			reports = append(reports, reportOn(w.clients, o, notes))
		}
	}
	s.reporter.tell(ofIstio, reports)
}

// lie puts the faults of the moment into force, and only then says so.
func (s *istiod) lie() {
	var names []string
	routes := map[string][]routing.Host{}
	for _, w := range s.watchers {
		names = append(names, w.name)
		routes[w.name] = s.director.built[w.name].hosts
	}
	objects := list[*unstructured.Unstructured](s.faults)
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int { return older(metaOf(a), metaOf(b)) })
	var inForce []fault.Fault
	var reports []report
	for _, u := range objects {
		f, problems := fault.Read(u, names)
		idle := ""
		if len(problems) == 0 {
			problems, idle = f.Check(routes, s.names)
		}
		if len(problems) == 0 {
			inForce = append(inForce, f)
		}
		reports = append(reports, reportOnFault(s.mgmt, u, problems, idle))
	}
	move := s.options.VM.Up
	if fault.VMDown(inForce) {
		move = s.options.VM.Down
	}
	if err := move(); err != nil {
		s.options.Log.Error("the VM does not do as it is told", "err", err)
	}
	s.director.lie(inForce)
	s.reporter.tell(ofFaults, reports)
}
