package controllers

import (
	"context"
	"errors"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/pkg/controller/namespace/deletion"
)

const (
	// terminationDelay lets the API server's own admission learn that a
	// namespace is going before its content is deleted.
	terminationDelay = 50 * time.Millisecond
	// terminationRetry is how long to wait for content that is going.
	terminationRetry = 50 * time.Millisecond
)

// terminator empties and finishes deleted namespaces with upstream's deleter.
//
// Why not simply upstream's controller: it waits 5 s before it looks at a
// deleted namespace, for the sake of several API servers, and then half of the
// pods' grace period, or what is left of another 5 s. Here is one server, and
// the node ends pods in milliseconds.
type terminator struct {
	queue   workqueue.TypedRateLimitingInterface[string]
	deleter deletion.NamespacedResourcesDeleterInterface
	synced  cache.InformerSynced
}

func namespaces(ctx context.Context, c cluster) ([]run, error) {
	informer := c.informers.Core().V1().Namespaces().Informer()
	t := &terminator{
		queue: workqueue.NewTypedRateLimitingQueue(workqueue.NewTypedItemExponentialFailureRateLimiter[string](terminationRetry, time.Minute)),
		deleter: deletion.NewNamespacedResourcesDeleter(ctx, c.client.CoreV1().Namespaces(), c.metadata, c.client.CoreV1(),
			c.client.Discovery().ServerPreferredNamespacedResources, corev1.FinalizerKubernetes),
		synced: informer.HasSynced,
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    t.enqueue,
		UpdateFunc: func(_, now any) { t.enqueue(now) },
	})
	return []run{t.run}, err
}

func (t *terminator) enqueue(object any) {
	if namespace, ok := object.(*corev1.Namespace); ok && namespace.DeletionTimestamp != nil {
		t.queue.AddAfter(namespace.Name, terminationDelay)
	}
}

func (t *terminator) run(ctx context.Context) {
	if !cache.WaitForCacheSync(ctx.Done(), t.synced) {
		return
	}
	context.AfterFunc(ctx, t.queue.ShutDown)
	for range 2 {
		go func() {
			for t.next(ctx) {
			}
		}()
	}
}

// next works on one namespace; false says that there will be none any more.
func (t *terminator) next(ctx context.Context) bool {
	name, ended := t.queue.Get()
	if ended {
		return false
	}
	defer t.queue.Done(name)
	err := t.deleter.Delete(ctx, name)
	var remaining *deletion.ResourcesRemainingError
	switch {
	case err == nil:
		t.queue.Forget(name)
	case errors.As(err, &remaining), apierrors.IsConflict(err):
		t.queue.Forget(name)
		t.queue.AddAfter(name, terminationRetry)
	default:
		klog.FromContext(ctx).Error(err, "Deletion of namespace failed", "namespace", name)
		t.queue.AddRateLimited(name)
	}
	return true
}
