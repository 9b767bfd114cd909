package gloomesh

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"github.com/meshassay/assay/sandbox/resync"
)

// Options say which clusters there are.
type Options struct {
	Mgmt     *rest.Config
	Clusters map[string]*rest.Config // the workload clusters by registered name
	Log      *slog.Logger            // nil: none
}

// debounce is how long changes are gathered: one kubectl apply makes several.
const debounce = 5 * time.Millisecond

// Start keeps the workload clusters and the statuses as Translate wants them,
// until ctx ends. It returns when it knows what is in every cluster; the CRDs
// must be there before.
func Start(ctx context.Context, o Options) error {
	mgmt, err := client(o.Mgmt)
	if err != nil {
		return fmt.Errorf("gloomesh: client of mgmt: %w", err)
	}
	clusters := map[string]dynamic.Interface{}
	for name, config := range o.Clusters {
		if clusters[name], err = client(config); err != nil {
			return fmt.Errorf("gloomesh: client of %s: %w", name, err)
		}
	}
	c := newController(mgmt, clusters, o.Log)
	if err := c.watch(ctx); err != nil {
		return fmt.Errorf("gloomesh: %w", err)
	}
	go c.run(ctx)
	return nil
}

func client(config *rest.Config) (dynamic.Interface, error) {
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = 200, 400 // one change may write a dozen objects, to servers in the same process
	return dynamic.NewForConfig(config)
}

// services is the resource that tells where the clusters' gateways and
// destinations are.
var services = schema.GroupVersionResource{Version: "v1", Resource: "services"}

// A controller holds a copy of everything that Translate goes by and of
// everything that it has written.
type controller struct {
	mgmt     *watched
	clusters map[string]*watched
	loop     *resync.Loop // of sync

	mu      sync.Mutex
	applied map[string]appliedObject // by cluster, kind and name: what was written last
}

func newController(mgmt dynamic.Interface, clusters map[string]dynamic.Interface, log *slog.Logger) *controller {
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	c := &controller{
		clusters: map[string]*watched{},
		loop:     resync.New("gloo-mesh", debounce, log),
		applied:  map[string]appliedObject{},
	}
	c.mgmt = newWatched(mgmt)
	for _, set := range []map[string]schema.GroupVersionResource{kinds, discoveredKinds} {
		for _, resource := range set {
			c.mgmt.add(resource, "")
		}
	}
	for name, client := range clusters {
		w := newWatched(client)
		w.add(services, "")
		for _, resource := range istioKinds {
			w.add(resource, ownerLabel+"="+ownerValue)
		}
		c.clusters[name] = w
	}
	return c
}

// watch begins to watch and waits until every copy is complete.
func (c *controller) watch(ctx context.Context) error {
	var synced []cache.InformerSynced
	for name, w := range c.all() {
		s, err := w.start(ctx, c.loop.Changed)
		if err != nil {
			return fmt.Errorf("watch %s: %w", name, err)
		}
		synced = append(synced, s...)
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		return fmt.Errorf("watch the clusters: %w", errors.Join(context.Cause(ctx)))
	}
	return nil
}

func (c *controller) all() map[string]*watched {
	out := map[string]*watched{"mgmt": c.mgmt}
	for name, w := range c.clusters {
		out["cluster "+name] = w
	}
	return out
}

// run brings the clusters up to date whenever something changed, and once at
// the beginning. What it has written itself comes back as a change and finds
// nothing to do.
func (c *controller) run(ctx context.Context) {
	c.loop.Changed()
	c.loop.Run(ctx, c.sync)
}
