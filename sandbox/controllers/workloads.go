package controllers

import (
	"context"
	"time"

	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/endpointslice"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/replicaset"
)

const (
	podBurst          = 100 // pods that one replica set may create at once
	endpointsPerSlice = 100 // upstream's default
	// jobBatch is how long the job controller collects changes of pods before
	// it looks again. Upstream's second spares big clusters.
	jobBatch = 50 * time.Millisecond
)

// workloads are the controllers between what a user applies and its pods.
func workloads(ctx context.Context, c cluster) ([]run, error) {
	pods := c.informers.Core().V1().Pods()
	deployments, err := deployment.NewDeploymentController(ctx,
		c.informers.Apps().V1().Deployments(), c.informers.Apps().V1().ReplicaSets(), pods, c.client)
	if err != nil {
		return nil, err
	}
	replicaSets := replicaset.NewReplicaSetController(ctx, c.informers.Apps().V1().ReplicaSets(), pods, c.client, podBurst)
	// The last two arguments are for features that are off: workloads and
	// pod groups.
	jobs, err := job.NewController(ctx, c.client, pods, c.informers.Batch().V1().Jobs(), nil, nil)
	if err != nil {
		return nil, err
	}
	endpoints := endpointslice.NewController(ctx, pods, c.informers.Core().V1().Services(), c.informers.Core().V1().Nodes(),
		c.informers.Discovery().V1().EndpointSlices(), endpointsPerSlice, c.client, 0)
	return []run{
		func(ctx context.Context) { deployments.Run(ctx, 2) },
		func(ctx context.Context) { replicaSets.Run(ctx, 2) },
		func(ctx context.Context) { jobs.Run(ctx, 1) },
		func(ctx context.Context) { endpoints.Run(ctx, 2) },
	}, nil
}

// Hasten sets what is global to the process and tuned for clusters of
// thousands of machines. Call it once, before Start.
func Hasten() {
	job.SyncJobBatchPeriod = jobBatch
}
