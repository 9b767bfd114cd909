// Package node stands in for the scheduler and the one machine of a cluster:
// it binds every Pod to itself and runs what it can. Containers of the
// tutorial's image become services on loopback, reachable in the sandbox's
// network at the pod's address; images of the mesh's own parts run as
// placeholders that do nothing; a Job's pods complete. Any other image is
// refused as a machine refuses one that it cannot pull, with an event that
// names what the sandbox can run.
//
// It is for the sandbox's main program, one for each cluster. It starts no
// process, writes no volume and knows no resources, affinity or probes but
// those of readiness by HTTP and TCP.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/meshassay/assay/sandbox/network"
)

const (
	workers = 4
	// retryAfter is how soon a pod that lacks something, or is not yet ready,
	// is looked at again.
	retryAfter = 200 * time.Millisecond
)

// Options say which machine a node is.
type Options struct {
	Client kubernetes.Interface
	// Name is the Node object's.
	Name string
	// Pods is where pods get their addresses. Nodes of one Network need
	// networks that do not overlap.
	Pods    netip.Prefix
	Network *network.Network
	// Drain is how long a deleted pod still answers, so that gateways can
	// learn of its end first.
	Drain time.Duration
	Log   *slog.Logger
}

// Node is a running machine.
type Node struct {
	options   Options
	addresses *addresses
	pods      corelisters.PodLister
	queue     workqueue.TypedRateLimitingInterface[string]
	recorder  record.EventRecorder
	now       func() time.Time
	working   sync.WaitGroup

	mu   sync.Mutex
	runs map[string]*instance // by namespace/name
}

// Start registers the Node object and begins to run pods. It returns when the
// present ones are known. The node works until ctx ends; Wait then waits for
// its services to be gone.
func Start(ctx context.Context, o Options) (*Node, error) {
	n := newNode(o)
	if err := n.register(ctx); err != nil {
		return nil, err
	}
	n.recorder = n.newRecorder(ctx)
	factory := informers.NewSharedInformerFactory(o.Client, 0)
	informer := factory.Core().V1().Pods()
	n.pods = informer.Lister()
	_, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    n.enqueue,
		UpdateFunc: func(_, now any) { n.enqueue(now) },
		DeleteFunc: n.enqueue,
	})
	if err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.Informer().HasSynced) {
		return nil, fmt.Errorf("node %s: waiting for its pods: %w", o.Name, ctx.Err())
	}
	context.AfterFunc(ctx, n.queue.ShutDown)
	for range workers {
		n.working.Go(func() {
			for n.next(ctx) {
			}
		})
	}
	return n, nil
}

func newNode(o Options) *Node {
	return &Node{
		options:   o,
		addresses: newAddresses(o.Pods),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 2*time.Second)),
		now:  time.Now,
		runs: map[string]*instance{},
	}
}

// Wait waits, after the context has ended, until no service of the node runs.
func (n *Node) Wait() {
	n.working.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	for key, i := range n.runs {
		i.kill(n.options.Network)
		delete(n.runs, key)
	}
}

func (n *Node) newRecorder(ctx context.Context) record.EventRecorder {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: n.options.Client.CoreV1().Events("")})
	context.AfterFunc(ctx, broadcaster.Shutdown)
	return broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "kubelet", Host: n.options.Name})
}

func (n *Node) enqueue(object any) {
	if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
		n.queue.Add(key)
	}
}

// next works on one pod; false says that there will be none any more.
func (n *Node) next(ctx context.Context) bool {
	key, ended := n.queue.Get()
	if ended {
		return false
	}
	defer n.queue.Done(key)
	again, err := n.sync(ctx, key)
	switch {
	case err == nil:
		n.queue.Forget(key)
		if again > 0 {
			n.queue.AddAfter(key, again)
		}
	case ctx.Err() != nil:
	case apierrors.IsNotFound(err), apierrors.IsConflict(err):
		// The pod has changed since; its event comes, or has come already.
		n.queue.AddRateLimited(key)
	default:
		n.options.Log.Error("pod", "node", n.options.Name, "pod", key, "error", err)
		n.queue.AddRateLimited(key)
	}
	return true
}

// register creates the Node object, ready and with room for everything.
func (n *Node) register(ctx context.Context) error {
	kubelet, err := n.listen(ctx)
	if err != nil {
		return err
	}
	node := nodeObject(n.options.Name, n.options.Pods, metav1.NewTime(n.now()))
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = kubelet
	nodes := n.options.Client.CoreV1().Nodes()
	_, err = nodes.Create(ctx, node, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("node %s: %w", n.options.Name, err)
	}
	// Admission taints every new node as not ready; nobody else takes it away.
	_, err = nodes.Patch(ctx, n.options.Name, types.MergePatchType, []byte(`{"spec":{"taints":null}}`), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("node %s: %w", n.options.Name, err)
	}
	return nil
}

// sync brings one pod a step nearer to where it should be. It returns when to
// look again, 0 for not before something changes.
func (n *Node) sync(ctx context.Context, key string) (time.Duration, error) {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return 0, err
	}
	pod, err := n.pods.Pods(namespace).Get(name)
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, err
	}
	running := n.running(key)
	if running != nil && (pod == nil || pod.UID != running.uid) {
		n.stop(key) // deleted without grace, or replaced by another of its name
		running = nil
	}
	switch {
	case pod == nil:
		return 0, nil
	case pod.DeletionTimestamp != nil:
		return n.terminate(ctx, key, pod)
	case pod.Spec.NodeName == "" && len(pod.Spec.SchedulingGates) == 0:
		return 0, n.bind(ctx, pod)
	case pod.Spec.NodeName != n.options.Name, ended(pod):
		return 0, nil
	case running == nil:
		return n.start(ctx, key, pod)
	case !running.sameImages(pod):
		n.stop(key)
		return n.start(ctx, key, pod)
	}
	return n.report(ctx, pod, running)
}

func (n *Node) bind(ctx context.Context, pod *corev1.Pod) error {
	return n.options.Client.CoreV1().Pods(pod.Namespace).Bind(ctx, &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
		Target:     corev1.ObjectReference{Kind: "Node", Name: n.options.Name},
	}, metav1.CreateOptions{})
}

// terminate ends a deleted pod: it answers until gateways can have learned of
// its end, then its services close and the object goes.
func (n *Node) terminate(ctx context.Context, key string, pod *corev1.Pod) (time.Duration, error) {
	if running := n.running(key); running != nil {
		// Counted from when we first see it: the object's own time is in whole
		// seconds.
		if running.draining.IsZero() {
			running.draining = n.now()
		}
		left := running.draining.Add(n.options.Drain).Sub(n.now())
		if left > 0 && pod.DeletionGracePeriodSeconds != nil && *pod.DeletionGracePeriodSeconds > 0 {
			return left, nil
		}
		n.stop(key)
	}
	immediately := int64(0)
	err := n.options.Client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: &immediately,
		Preconditions:      &metav1.Preconditions{UID: &pod.UID},
	})
	if apierrors.IsNotFound(err) {
		return 0, nil
	}
	return 0, err
}

func (n *Node) running(key string) *instance {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.runs[key]
}

// stop takes a pod's services off the network, closes them in their own time
// and frees the address.
func (n *Node) stop(key string) {
	n.mu.Lock()
	i := n.runs[key]
	delete(n.runs, key)
	n.mu.Unlock()
	if i == nil {
		return
	}
	n.options.Network.Unregister(i.ip)
	n.working.Go(func() {
		if err := i.close(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			n.options.Log.Error("closing a pod's services", "pod", key, "error", err)
		}
		n.addresses.free(i.ip)
	})
}
