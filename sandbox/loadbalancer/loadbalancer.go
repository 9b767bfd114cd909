// Package loadbalancer stands in for the cloud's load balancers: a Service of
// type LoadBalancer that selects the cluster's ingress gateway gets the
// loopback address at which that gateway answers.
//
// It is for the sandbox's main program, one for each workload cluster. It
// opens no listener: only the number that the gateway has answers, and of a
// Service that asks for others it says so, in the status and by an event.
package loadbalancer

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
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
)

// notServed is the error of a port that nothing answers at, in the form that
// the field wants for errors that are not Kubernetes' own.
const notServed = "sandbox.assay/NotServed"

// Options say which gateway is behind the load balancer.
type Options struct {
	Client kubernetes.Interface
	// Cluster is named in events.
	Cluster string
	// Gateway is where the cluster's ingress gateway answers.
	Gateway netip.AddrPort
	// Proxy is where the proxy through the VM's sidecar answers, in the
	// cluster that the VM belongs to; the zero value elsewhere.
	Proxy netip.AddrPort
	Log   *slog.Logger
}

type balancer struct {
	options  Options
	services corelisters.ServiceLister
	queue    workqueue.TypedRateLimitingInterface[string]
	recorder record.EventRecorder
}

// Start serves the cluster's Services until ctx ends. It returns when the
// present ones are known.
func Start(ctx context.Context, o Options) error {
	factory := informers.NewSharedInformerFactory(o.Client, 0)
	services := factory.Core().V1().Services()
	b := &balancer{
		options:  o,
		services: services.Lister(),
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 2*time.Second)),
	}
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: o.Client.CoreV1().Events("")})
	b.recorder = broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "load-balancer"})
	enqueue := func(object any) {
		if key, err := cache.MetaNamespaceKeyFunc(object); err == nil {
			b.queue.Add(key)
		}
	}
	_, err := services.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, now any) { enqueue(now) },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), services.Informer().HasSynced) {
		return fmt.Errorf("load balancer of %s: waiting for its Services: %w", o.Cluster, ctx.Err())
	}
	context.AfterFunc(ctx, func() {
		b.queue.ShutDown()
		broadcaster.Shutdown()
	})
	go func() {
		for b.next(ctx) {
		}
	}()
	return nil
}

// next works on one Service; false says that there will be none any more.
func (b *balancer) next(ctx context.Context) bool {
	key, ended := b.queue.Get()
	if ended {
		return false
	}
	defer b.queue.Done(key)
	err := b.sync(ctx, key)
	if err == nil || apierrors.IsNotFound(err) {
		b.queue.Forget(key)
		return true
	}
	if ctx.Err() == nil {
		b.options.Log.Error("load balancer", "cluster", b.options.Cluster, "service", key, "error", err)
		b.queue.AddRateLimited(key)
	}
	return true
}

func (b *balancer) sync(ctx context.Context, key string) error {
	namespace, name, err := cache.SplitMetaNamespaceKey(key)
	if err != nil {
		return err
	}
	service, err := b.services.Services(namespace).Get(name)
	if err != nil {
		return err
	}
	status, complaint, ours := b.options.statusFor(service)
	if !ours {
		return nil
	}
	if equality.Semantic.DeepEqual(service.Status.LoadBalancer, status) {
		if complaint != "" && len(status.Ingress) == 0 {
			b.recorder.Event(service, corev1.EventTypeWarning, "SyncLoadBalancerFailed", complaint)
		}
		return nil
	}
	if complaint != "" {
		b.recorder.Event(service, corev1.EventTypeWarning, "SyncLoadBalancerFailed", complaint)
	}
	// The list is named even when it is empty, so that it replaces an older one.
	patch, err := json.Marshal(map[string]any{"status": map[string]any{"loadBalancer": map[string]any{"ingress": status.Ingress}}})
	if err != nil {
		return err
	}
	_, err = b.options.Client.CoreV1().Services(namespace).Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// StatusFor is what the load balancer's status of a Service should be, given
// where the ingress gateway answers, and what there is to complain of.
func StatusFor(s *corev1.Service, at netip.AddrPort) (corev1.LoadBalancerStatus, string) {
	none := corev1.LoadBalancerStatus{}
	if s.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return none, ""
	}
	if s.Spec.Selector["istio"] != "ingressgateway" {
		return none, "the sandbox gives an address only to a Service that selects the gateway, istio: ingressgateway"
	}
	return addressed(s, at, "the gateway")
}

// addressed gives a Service an address where one of its ports is the one at
// which who answers. Its ports are listed only where there is something to say of
// one: most clouds list none, and scripts print all fields for the address.
func addressed(s *corev1.Service, at netip.AddrPort, who string) (corev1.LoadBalancerStatus, string) {
	ingress := corev1.LoadBalancerIngress{IP: at.Addr().String(), IPMode: new(corev1.LoadBalancerIPModeVIP)}
	complaint := ""
	answers := false
	for _, p := range s.Spec.Ports {
		status := corev1.PortStatus{Port: p.Port, Protocol: p.Protocol}
		if p.Port == int32(at.Port()) {
			answers = true
		} else {
			status.Error = new(notServed)
			complaint = fmt.Sprintf("nothing answers at port %d: %s answers at %s", p.Port, who, at)
		}
		ingress.Ports = append(ingress.Ports, status)
	}
	if !answers {
		return corev1.LoadBalancerStatus{}, fmt.Sprintf("no port is %d: %s answers at %s only", at.Port(), who, at)
	}
	if complaint == "" {
		ingress.Ports = nil
	}
	return corev1.LoadBalancerStatus{Ingress: []corev1.LoadBalancerIngress{ingress}}, complaint
}
