package controllers

import (
	"context"
	"time"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/restmapper"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
)

const (
	// garbageSync is how soon a kind that a user's own CRD adds takes part in
	// garbage collection.
	garbageSync    = 15 * time.Second
	garbageInitial = 10 * time.Second // upper limit of the first sync
)

// garbage is the collector of objects whose owners are gone.
func garbage(ctx context.Context, c cluster) ([]run, error) {
	metadataInformers := metadatainformer.NewSharedInformerFactory(c.metadata, 0)
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.client.Discovery()))
	started := make(chan struct{})
	collector, err := garbagecollector.NewGarbageCollector(ctx, c.client, c.metadata, mapper,
		garbagecollector.DefaultIgnoredResources(), informerfactory.NewInformerFactory(c.informers, metadataInformers), started)
	if err != nil {
		return nil, err
	}
	after := func(begin run) run {
		return func(ctx context.Context) {
			select {
			case <-ctx.Done():
			case <-c.later:
				begin(ctx)
			}
		}
	}
	return []run{
		after(func(ctx context.Context) {
			metadataInformers.Start(ctx.Done())
			close(started)
			collector.Run(ctx, 2, garbageInitial)
		}),
		after(func(ctx context.Context) { collector.Sync(ctx, c.client.Discovery(), garbageSync) }),
	}, nil
}
