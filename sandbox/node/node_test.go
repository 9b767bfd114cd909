package node

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/meshassay/assay/sandbox/network"
	"github.com/meshassay/assay/sandbox/workload"
)

const image = "ghcr.io/someone/blue-green-canary:1.2"

// machine is a node against a fake API server.
type machine struct {
	*testing.T
	client  *fake.Clientset
	network *network.Network
	ctx     context.Context
}

// start runs a node with the objects already there.
func start(t *testing.T, objects ...runtime.Object) machine {
	t.Helper()
	m := machine{T: t, client: fake.NewClientset(objects...), network: network.New(), ctx: t.Context()}
	m.client.PrependReactor("create", "pods", m.bind)
	m.client.PrependReactor("delete", "pods", m.finish)
	ctx, cancel := context.WithCancel(context.Background())
	n, err := Start(ctx, Options{
		Client: m.client, Name: "cluster1", Pods: netip.MustParsePrefix("10.244.64.0/18"), Network: m.network,
		Drain: time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		n.Wait()
	})
	return m
}

// bind does what the API server does with a binding and the fake does not.
func (m machine) bind(action clienttesting.Action) (bool, runtime.Object, error) {
	if action.GetSubresource() != "binding" {
		return false, nil, nil
	}
	binding := action.(clienttesting.CreateAction).GetObject().(*corev1.Binding)
	object, err := m.client.Tracker().Get(action.GetResource(), action.GetNamespace(), binding.Name)
	if err != nil {
		return true, nil, err
	}
	pod := object.(*corev1.Pod).DeepCopy()
	pod.Spec.NodeName = binding.Target.Name
	return true, pod, m.client.Tracker().Update(action.GetResource(), pod, pod.Namespace)
}

// finish refuses what a real server would: another pod of the same name.
func (m machine) finish(action clienttesting.Action) (bool, runtime.Object, error) {
	d := action.(clienttesting.DeleteActionImpl)
	object, err := m.client.Tracker().Get(action.GetResource(), action.GetNamespace(), d.Name)
	if err != nil {
		return true, nil, err
	}
	if p := d.DeleteOptions.Preconditions; p != nil && *p.UID != object.(*corev1.Pod).UID {
		return true, nil, apierrors.NewConflict(action.GetResource().GroupResource(), d.Name, nil)
	}
	return false, nil, nil
}

// eventually waits until the condition holds.
func (m machine) eventually(what string, holds func() bool) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			m.Fatalf("not so in time: %s", what)
		case <-tick.C:
		}
	}
}

func (m machine) pod(name string) *corev1.Pod {
	p, err := m.client.CoreV1().Pods("shop").Get(m.ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		m.Fatal(err)
	}
	return p
}

func (m machine) untilReady(name string) *corev1.Pod {
	m.Helper()
	m.eventually(name+" is ready", func() bool { return statusOf(m.pod(name).Status, corev1.PodReady) == corev1.ConditionTrue })
	return m.pod(name)
}

// waitingFor is the reason that the first container gives for not running.
func waitingFor(p *corev1.Pod) string {
	if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].State.Waiting == nil {
		return ""
	}
	return p.Status.ContainerStatuses[0].State.Waiting.Reason
}

// ask calls GET /api of the service at a cluster address.
func (m machine) ask(address string) map[string]any {
	m.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return m.network.Dial(ctx, address)
	}}}
	response, err := client.Get("http://" + address + "/api")
	if err != nil {
		m.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		m.Fatal(err)
	}
	return answer
}

func newPod(name, image string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: types.UID("uid-of-" + name), Labels: map[string]string{"version": "green"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "main", Image: image}}},
		Status:     corev1.PodStatus{Phase: corev1.PodPending},
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func TestRunsTheServiceOfATutorialsPod(t *testing.T) {
	m := start(t,
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"}, Data: map[string]string{"TEXT_COLOR": "black", "BLUE_GREEN_CANARY_COLOR": "red"}},
		newPod("green-1", image, func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			c.Ports = []corev1.ContainerPort{{ContainerPort: 3333}}
			c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}
			c.Env = []corev1.EnvVar{
				{Name: "BLUE_GREEN_CANARY_COLOR", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels['version']"}}},
				{Name: "BLUE_GREEN_CANARY_MESSAGE", Value: "$(TEXT_COLOR) on $(BLUE_GREEN_CANARY_COLOR)"},
			}
		}))
	p := m.untilReady("green-1")
	if p.Spec.NodeName != "cluster1" || p.Status.Phase != corev1.PodRunning || p.Status.PodIP != "10.244.64.1" {
		t.Errorf("got node %q, phase %q, address %q; want cluster1, Running, 10.244.64.1", p.Spec.NodeName, p.Status.Phase, p.Status.PodIP)
	}
	got := m.ask("10.244.64.1:3333")
	for field, want := range map[string]string{"pod": "green-1", "color": "green", "textColor": "black", "greeting": "black on green"} {
		if got[field] != want {
			t.Errorf("%s: got %q, want %q", field, got[field], want)
		}
	}
}

func TestRefusesAnImageThatItCannotRun(t *testing.T) {
	m := start(t, newPod("web", "nginx:1.29"))
	m.eventually("the pod waits with ErrImagePull", func() bool { return waitingFor(m.pod("web")) == "ErrImagePull" })
	if got := m.pod("web").Status.Phase; got != corev1.PodPending {
		t.Errorf("phase: got %s, want Pending", got)
	}
	m.eventually("an event names what can be run", func() bool {
		events, err := m.client.CoreV1().Events("shop").List(m.ctx, metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events.Items {
			if e.Reason == "Failed" && e.InvolvedObject.Name == "web" && strings.Contains(e.Message, `"nginx:1.29"`) && strings.Contains(e.Message, "blue-green-canary") {
				return true
			}
		}
		return false
	})
	// The image of a pod may be corrected in place.
	p := m.pod("web")
	p.Spec.Containers[0].Image = image
	if _, err := m.client.CoreV1().Pods("shop").Update(m.ctx, p, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	m.untilReady("web")
}

func TestPlaceholdersAndJobs(t *testing.T) {
	isController := true
	m := start(t,
		newPod("istiod", "docker.io/istio/pilot:1.11.4"),
		newPod("sum", "alpine", func(p *corev1.Pod) {
			p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: "sum", Controller: &isController}}
		}))
	m.untilReady("istiod")
	m.eventually("the job's pod has succeeded", func() bool { return m.pod("sum").Status.Phase == corev1.PodSucceeded })
	if got := m.pod("sum").Status.ContainerStatuses[0].State.Terminated; got == nil || got.ExitCode != 0 || got.Reason != "Completed" {
		t.Errorf("container of the job: got %+v, want Completed with 0", got)
	}
}

func TestDeletedPodIsGone(t *testing.T) {
	// A finalizer keeps the fake's object while the node ends it.
	m := start(t, newPod("a", image), newPod("b", image))
	ip := m.untilReady("a").Status.PodIP
	other := m.untilReady("b").Status.PodIP
	if ip == other {
		t.Fatalf("both pods have the address %s", ip)
	}
	listen, _ := m.network.Resolve(ip, servicePort)
	now, grace := metav1.Now(), int64(30)
	p := m.pod("a")
	p.DeletionTimestamp, p.DeletionGracePeriodSeconds = &now, &grace
	if err := m.client.Tracker().Update(corev1.SchemeGroupVersion.WithResource("pods"), p, "shop"); err != nil {
		t.Fatal(err)
	}
	m.eventually("the object is gone", func() bool { return m.pod("a") == nil })
	if _, ok := m.network.Resolve(ip, servicePort); ok {
		t.Error("the address is still on the network")
	}
	m.eventually("nothing listens any more", func() bool {
		c, err := net.Dial("tcp", listen)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	if got := m.ask(other + ":3000")["pod"]; got != "b" {
		t.Errorf("the other pod: got an answer of %q, want b", got)
	}
}

func TestPodOfTheSameNameAgain(t *testing.T) {
	m := start(t, newPod("a", image))
	first := m.untilReady("a").Status.PodIP
	if err := m.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), "shop", "a"); err != nil {
		t.Fatal(err)
	}
	if err := m.client.Tracker().Add(newPod("a", image, func(p *corev1.Pod) { p.UID = "another" })); err != nil {
		t.Fatal(err)
	}
	m.eventually("the old one's address is free", func() bool { _, ok := m.network.Resolve(first, servicePort); return !ok })
	if second := m.untilReady("a").Status.PodIP; second == first {
		t.Errorf("the new pod has the old one's address %s", first)
	}
}

func TestWaitsForItsConfigMap(t *testing.T) {
	m := start(t, newPod("a", image, func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "config", VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}}}}}
		p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "config", MountPath: "/srv/.env", SubPath: "dotenv"}}
	}))
	m.eventually("the pod waits", func() bool { return waitingFor(m.pod("a")) == "ContainerCreating" })
	settings := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "settings"},
		Data: map[string]string{"dotenv": "BLUE_GREEN_CANARY_COLOR=yellow\n", "other": "BLUE_GREEN_CANARY_COLOR=red\n"}}
	if _, err := m.client.CoreV1().ConfigMaps("shop").Create(m.ctx, settings, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	ip := m.untilReady("a").Status.PodIP
	if got := m.ask(ip + ":3000")["color"]; got != "yellow" {
		t.Errorf("color: got %q, want yellow", got)
	}
}

func TestReadinessProbeDecides(t *testing.T) {
	port := intstr.FromInt32
	for _, c := range []struct {
		name  string
		probe corev1.ProbeHandler
		want  string // part of why it fails; empty: it does not
	}{
		{"http", corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: port(3000)}}, ""},
		{"http-by-name", corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: intstr.FromString("web")}}, ""},
		{"http-path", corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/no-such-path", Port: port(3000)}}, "/no-such-path answers 404 Not Found"},
		{"http-port", corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: port(3001)}}, "port 3001: connection refused: the service listens at 3000"},
		{"https", corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/healthz", Port: port(3000), Scheme: corev1.URISchemeHTTPS}}, "no HTTPS"},
		{"tcp", corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port(3000)}}, ""},
		{"tcp-port", corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromString("other")}}, "port other: connection refused"},
		{"exec", corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"true"}}}, "by httpGet and tcpSocket only"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := workload.Start(workload.Spec{Image: image, Port: 3000})
			if err != nil {
				t.Fatal(err)
			}
			defer run.Close()
			err = service{run: run, container: corev1.Container{Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 3000}},
				ReadinessProbe: &corev1.Probe{ProbeHandler: c.probe}}}.probe(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want %q", err, c.want)
			}
		})
	}
	m := start(t, newPod("bad", image, func(p *corev1.Pod) {
		p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port(9)}}}
	}))
	m.eventually("the pod runs", func() bool { return m.pod("bad").Status.Phase == corev1.PodRunning })
	if got := statusOf(m.pod("bad").Status, corev1.PodReady); got != corev1.ConditionFalse {
		t.Errorf("condition Ready of a pod whose probe fails: got %q, want False", got)
	}
}

func TestRefusesDisks(t *testing.T) {
	m := start(t, newPod("a", image, func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	}))
	m.eventually("the pod waits", func() bool { return waitingFor(m.pod("a")) == "ContainerCreating" })
	if got, want := m.pod("a").Status.ContainerStatuses[0].State.Waiting.Message, `volume "data": the sandbox has no disks`; !strings.Contains(got, want) {
		t.Errorf("the container waits for %q, want %q", got, want)
	}
}

func TestLeavesOthersPodsAlone(t *testing.T) {
	m := start(t,
		newPod("elsewhere", image, func(p *corev1.Pod) { p.Spec.NodeName = "another" }),
		newPod("gated", image, func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "later"}} }),
		newPod("ours", image))
	m.untilReady("ours")
	for _, name := range []string{"elsewhere", "gated"} {
		if got := m.pod(name).Status; got.Phase != corev1.PodPending || len(got.Conditions) != 0 {
			t.Errorf("%s: got status %+v, want it untouched", name, got)
		}
	}
}
