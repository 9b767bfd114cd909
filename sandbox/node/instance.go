package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/workload"
)

const (
	// servicePort is where the tutorial's service listens when its container
	// declares no port.
	servicePort = 3000
	probeLimit  = time.Second
)

// instance is a pod that runs. It belongs to the worker that has its key.
type instance struct {
	uid      types.UID
	ip       string
	started  metav1.Time // whole seconds, as the API server keeps it
	draining time.Time   // when its end was first seen; zero while it lives
	services []service   // one for each container, in order
	ready    bool
}

// service is one container; run is nil for a placeholder.
type service struct {
	container corev1.Container
	run       *workload.Service
}

// start runs a pod's containers, or says in its status why it cannot.
func (n *Node) start(ctx context.Context, key string, pod *corev1.Pod) (time.Duration, error) {
	if completes(pod) {
		return 0, n.patchStatus(ctx, pod, succeeded(pod, metav1.NewTime(n.now())))
	}
	if o := refused(pod); o != nil {
		return 0, n.obstruct(ctx, pod, o)
	}
	ip, err := n.addresses.take()
	if err != nil {
		return retryAfter, n.obstruct(ctx, pod, &obstacle{waiting: "ContainerCreating", event: "FailedCreatePodSandBox", message: err.Error()})
	}
	environments, o, err := n.environments(ctx, pod, ip)
	if err != nil || o != nil {
		n.addresses.free(ip)
		if err != nil {
			return 0, err
		}
		return retryAfter, n.obstruct(ctx, pod, o)
	}
	i := &instance{uid: pod.UID, ip: ip, started: metav1.NewTime(n.now()).Rfc3339Copy()}
	for c, container := range pod.Spec.Containers {
		s := service{container: container}
		if workload.Runs(container.Image) {
			s.run, err = workload.Start(workload.Spec{Image: container.Image, Pod: pod.Name, Env: environments[c], Port: portOf(container)})
			if err != nil {
				n.addresses.free(ip)
				i.kill(n.options.Network)
				return retryAfter, n.obstruct(ctx, pod, &obstacle{container: container.Name, waiting: "RunContainerError", event: "Failed", message: err.Error()})
			}
			n.options.Network.Register(ip, portOf(container), s.run.Addr())
		}
		i.services = append(i.services, s)
	}
	n.mu.Lock()
	n.runs[key] = i
	n.mu.Unlock()
	return n.report(ctx, pod, i)
}

// report writes the status of a running pod. A pod that is not yet ready is
// looked at again; one that is ready stays so.
func (n *Node) report(ctx context.Context, pod *corev1.Pod, i *instance) (time.Duration, error) {
	unready := ""
	if !i.ready {
		for _, s := range i.services {
			if err := s.probe(ctx); err != nil {
				unready = s.container.Name
				n.recorder.Eventf(pod, corev1.EventTypeWarning, "Unhealthy", "Readiness probe of %s failed: %v", s.container.Name, err)
				break
			}
		}
		i.ready = unready == ""
	}
	status := running(pod, i, n.now())
	if !sameStatus(pod.Status, status) {
		if err := n.patchStatus(ctx, pod, status); err != nil {
			return 0, err
		}
	}
	if !i.ready {
		return retryAfter, nil
	}
	return 0, nil
}

// probe tells whether the service answers: it listens and, where the container
// has a readiness probe, that finds what it wants. A probe of a sort that
// needs a process of the container's own never does.
func (s service) probe(ctx context.Context) error {
	if s.run == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "tcp", s.run.Addr())
	if err != nil {
		return err
	}
	connection.Close()
	switch probe := s.container.ReadinessProbe; {
	case probe == nil:
		return nil
	case probe.HTTPGet != nil:
		if err := s.listensAt(probe.HTTPGet.Port); err != nil {
			return err
		}
		return s.get(ctx, probe.HTTPGet)
	case probe.TCPSocket != nil:
		return s.listensAt(probe.TCPSocket.Port)
	}
	return errors.New("the sandbox can probe by httpGet and tcpSocket only")
}

// listensAt tells whether the container's service is at a port, which may be
// named; 0 is wherever it is.
func (s service) listensAt(port intstr.IntOrString) error {
	number := port.IntValue()
	for _, p := range s.container.Ports {
		if port.Type == intstr.String && p.Name == port.StrVal {
			number = int(p.ContainerPort)
		}
	}
	if port != (intstr.IntOrString{}) && number != s.run.Port() {
		return fmt.Errorf("port %s: connection refused: the service listens at %d", port.String(), s.run.Port())
	}
	return nil
}

// get is an HTTP probe.
func (s service) get(ctx context.Context, probe *corev1.HTTPGetAction) error {
	if probe.Scheme == corev1.URISchemeHTTPS {
		return errors.New("the service speaks no HTTPS")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.run.Addr()+probe.Path, nil)
	if err != nil {
		return err
	}
	for _, h := range probe.HTTPHeaders {
		request.Header.Add(h.Name, h.Value)
	}
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request) // redirects count as success
	if err != nil {
		return err
	}
	response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode >= 400 {
		return fmt.Errorf("%s answers %s", probe.Path, response.Status)
	}
	return nil
}

// sameImages tells whether the instance still runs what the pod asks for; a
// container's image is what can be changed in a pod.
func (i *instance) sameImages(pod *corev1.Pod) bool {
	for c, s := range i.services {
		if s.container.Image != pod.Spec.Containers[c].Image {
			return false
		}
	}
	return true
}

// close ends the services; calls under way may finish.
func (i *instance) close() error {
	var errs []error
	for _, s := range i.services {
		if s.run != nil {
			errs = append(errs, s.run.Close())
		}
	}
	return errors.Join(errs...)
}

// kill ends the services at once.
func (i *instance) kill(n *network.Network) {
	n.Unregister(i.ip)
	for _, s := range i.services {
		if s.run != nil {
			_ = s.run.Kill()
		}
	}
}

// portOf is the first TCP port that the container declares.
func portOf(c corev1.Container) int {
	for _, p := range c.Ports {
		if p.Protocol == "" || p.Protocol == corev1.ProtocolTCP {
			return int(p.ContainerPort)
		}
	}
	return servicePort
}
