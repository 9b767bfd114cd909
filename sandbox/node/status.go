package node

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// hostIP is the machine's address; everything is on loopback.
const hostIP = "127.0.0.1"

// obstacle is why a pod does not run (yet).
type obstacle struct {
	container string // empty: all
	waiting   string // the reason in the container's status
	event     string // the reason of the event
	message   string
}

// obstruct writes an obstacle into the pod's status and, when it is new there,
// as an event.
func (n *Node) obstruct(ctx context.Context, pod *corev1.Pod, o *obstacle) error {
	status := waiting(pod, o, n.now())
	if sameStatus(pod.Status, status) {
		return nil
	}
	n.recorder.Event(pod, corev1.EventTypeWarning, o.event, o.message)
	return n.patchStatus(ctx, pod, status)
}

// patchStatus writes a pod's status. The UID makes sure that it is this pod's.
func (n *Node) patchStatus(ctx context.Context, pod *corev1.Pod, status corev1.PodStatus) error {
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": status})
	if err != nil {
		return err
	}
	// Not a strategic merge: that would keep an address that the pod had before.
	_, err = n.options.Client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

// sameStatus tells whether two statuses say the same, whenever they said it.
func sameStatus(a, b corev1.PodStatus) bool {
	if a.Phase != b.Phase || b.PodIP != "" && a.PodIP != b.PodIP || a.ObservedGeneration != b.ObservedGeneration ||
		len(a.ContainerStatuses) != len(b.ContainerStatuses) {
		return false
	}
	for _, condition := range b.Conditions {
		if statusOf(a, condition.Type) != condition.Status {
			return false
		}
	}
	return equality.Semantic.DeepEqual(a.ContainerStatuses, b.ContainerStatuses)
}

func statusOf(s corev1.PodStatus, t corev1.PodConditionType) corev1.ConditionStatus {
	for _, c := range s.Conditions {
		if c.Type == t {
			return c.Status
		}
	}
	return ""
}

// base is what every status of a bound pod holds.
func base(pod *corev1.Pod, phase corev1.PodPhase, start metav1.Time) corev1.PodStatus {
	s := corev1.PodStatus{
		ObservedGeneration: pod.Generation,
		Phase:              phase,
		HostIP:             hostIP,
		HostIPs:            []corev1.HostIP{{IP: hostIP}},
		StartTime:          &start,
		QOSClass:           pod.Status.QOSClass,
	}
	if pod.Status.StartTime != nil {
		s.StartTime = pod.Status.StartTime
	}
	for _, c := range pod.Spec.InitContainers {
		// Init containers run to their end, as a Job's do.
		s.InitContainerStatuses = append(s.InitContainerStatuses, finished(c, start))
	}
	return s
}

// setConditions fills the conditions that are the node's to say and keeps
// others; reason, when not empty, is why the pod is not ready.
func setConditions(s *corev1.PodStatus, pod *corev1.Pod, reason, message string, now time.Time) {
	ready := corev1.ConditionTrue
	if reason != "" {
		ready = corev1.ConditionFalse
	}
	ours := []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
		{Type: corev1.PodInitialized, Status: corev1.ConditionTrue},
		{Type: corev1.ContainersReady, Status: ready, Reason: reason, Message: message},
		{Type: corev1.PodReady, Status: ready, Reason: reason, Message: message},
	}
	for _, c := range ours {
		c.ObservedGeneration = pod.Generation
		c.LastTransitionTime = metav1.NewTime(now)
		for _, old := range pod.Status.Conditions {
			if old.Type == c.Type && old.Status == c.Status {
				c.LastTransitionTime = old.LastTransitionTime
			}
		}
		s.Conditions = append(s.Conditions, c)
	}
	for _, old := range pod.Status.Conditions {
		if statusOf(*s, old.Type) == "" {
			s.Conditions = append(s.Conditions, old)
		}
	}
}

func waiting(pod *corev1.Pod, o *obstacle, now time.Time) corev1.PodStatus {
	s := base(pod, corev1.PodPending, metav1.NewTime(now))
	for _, c := range pod.Spec.Containers {
		state := &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
		if o.container == "" || o.container == c.Name {
			state = &corev1.ContainerStateWaiting{Reason: o.waiting, Message: o.message}
		}
		s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{
			Name: c.Name, Image: c.Image, Started: new(bool), State: corev1.ContainerState{Waiting: state},
		})
	}
	setConditions(&s, pod, "ContainersNotReady", "containers do not run: "+o.message, now)
	return s
}

func running(pod *corev1.Pod, i *instance, now time.Time) corev1.PodStatus {
	s := base(pod, corev1.PodRunning, i.started)
	s.PodIP = i.ip
	s.PodIPs = []corev1.PodIP{{IP: i.ip}}
	started := true
	for c, service := range i.services {
		s.ContainerStatuses = append(s.ContainerStatuses, corev1.ContainerStatus{
			Name: service.container.Name, Image: service.container.Image, ImageID: "sandbox://" + service.container.Image,
			ContainerID: fmt.Sprintf("sandbox://%s/%d", i.uid, c), Ready: i.ready, Started: &started,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: i.started}},
		})
	}
	reason, message := "", ""
	if !i.ready {
		reason, message = "ContainersNotReady", "a readiness probe fails"
	}
	setConditions(&s, pod, reason, message, now)
	return s
}

func succeeded(pod *corev1.Pod, now metav1.Time) corev1.PodStatus {
	s := base(pod, corev1.PodSucceeded, now)
	for _, c := range pod.Spec.Containers {
		s.ContainerStatuses = append(s.ContainerStatuses, finished(c, now))
	}
	setConditions(&s, pod, "PodCompleted", "", now.Time)
	return s
}

func finished(c corev1.Container, now metav1.Time) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Name: c.Name, Image: c.Image, ImageID: "sandbox://" + c.Image, Started: new(bool),
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed", StartedAt: now, FinishedAt: now}},
	}
}

// nodeObject is the Node as a reader finds it.
func nodeObject(name string, pods netip.Prefix, now metav1.Time) *corev1.Node {
	room := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("64"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("1000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:           name,
				"app.kubernetes.io/managed-by": "sandbox",
			},
		},
		Spec: corev1.NodeSpec{PodCIDR: pods.String(), PodCIDRs: []string{pods.String()}},
		Status: corev1.NodeStatus{
			Capacity:    room,
			Allocatable: room,
			// No host name: API servers would prefer it, and nobody resolves it.
			Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: hostIP}},
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Sandbox", Message: "the sandbox runs pods itself",
				LastHeartbeatTime: now, LastTransitionTime: now,
			}},
		},
	}
}
