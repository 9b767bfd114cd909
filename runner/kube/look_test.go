package kube

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func parsed(t *testing.T, text string) *Object {
	t.Helper()
	o := &Object{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestConditionOf(t *testing.T) {
	policies := func(o map[string]any) (Readiness, bool) {
		if o["kind"] != "Policy" {
			return Readiness{}, false
		}
		return Readiness{Why: "its status is of generation 1, wanted 2"}, true
	}
	for _, tt := range []struct {
		reason, object string
		want           Condition
	}{
		{"a rule knows it", `{apiVersion: x/v1, kind: Policy, status: {state: ACCEPTED}}`,
			Condition{State: "ACCEPTED", Problems: []string{"its status is of generation 1, wanted 2"}}},
		{"nothing to say", `{apiVersion: v1, kind: ConfigMap}`, Condition{}},
		{"rolled out", `{apiVersion: apps/v1, kind: Deployment, status: {replicas: 1, updatedReplicas: 1, availableReplicas: 1, readyReplicas: 1, conditions: [{type: Available, status: "True"}]}}`,
			Condition{State: "1 of 1 replicas are ready"}},
		{"not rolled out, and why", `{apiVersion: apps/v1, kind: Deployment, spec: {replicas: 2}, status: {replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: "False", reason: MinimumReplicasUnavailable, message: too few}]}}`,
			Condition{State: "1 of 2 replicas are ready", Problems: []string{"1 of 2 replicas are available", "Available is false: MinimumReplicasUnavailable: too few"}}},
		{"a pod that waits says it once", `{apiVersion: v1, kind: Pod, status: {phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: no room}]}}`,
			Condition{State: "Pending", Problems: []string{"PodScheduled is false: Unschedulable: no room"}}},
		{"a kind without a rule", `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, status: {conditions: [{type: Accepted, status: "False", reason: NoMatchingParent}, {type: Degraded, status: "False"}]}}`,
			Condition{Problems: []string{"Accepted is false: NoMatchingParent"}}},
		{"a load balancer with its address", `{apiVersion: v1, kind: Service, spec: {type: LoadBalancer}, status: {loadBalancer: {ingress: [{ip: 10.0.0.1}]}}}`,
			Condition{State: "at 10.0.0.1"}},
		{"on its way out", `{apiVersion: v1, kind: ConfigMap, metadata: {deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: [a/b]}}`,
			Condition{Problems: []string{"it is being deleted, its finalizers are a/b"}}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ConditionOf(parsed(t, tt.object), policies)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBackendCondition(t *testing.T) {
	service := parsed(t, `{apiVersion: v1, kind: Service}`)
	web := map[string]string{"app": "web", "version": "blue"}
	pod := parsed(t, `{apiVersion: v1, kind: Pod, metadata: {name: web-1}, status: {phase: Running, conditions: [{type: Ready, status: "True"}]}}`)
	waits := parsed(t, `{apiVersion: v1, kind: Pod, metadata: {name: web-2}, status: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ErrImagePull, message: not found}}}]}}`)
	entry := parsed(t, `{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: vm}, spec: {address: 10.1.1.1}}`)
	for _, tt := range []struct {
		reason string
		b      Backend
		want   Condition
	}{
		{"no Service", Backend{}, Condition{Problems: []string{"there is no such Service"}}},
		{"without a selector", Backend{Service: service}, Condition{State: "it selects no pods itself"}},
		{"all ready", Backend{Service: service, Selector: web, Pods: []*Object{pod}, Ready: 1}, Condition{State: "1 of 1 pod ready"}},
		{"one of two", Backend{Service: service, Selector: web, Pods: []*Object{pod, waits}, Ready: 1},
			Condition{State: "1 of 2 pods ready", Problems: []string{"1 of 2 pods with the labels app=web,version=blue are ready to answer"}}},
		{"a machine", Backend{Service: service, Selector: web, Entries: []*Object{entry}}, Condition{State: "WorkloadEntry vm at 10.1.1.1"}},
		{"nothing", Backend{Service: service, Selector: web},
			Condition{State: "0 of 0 pods ready", Problems: []string{"nothing stands behind it: no pod and no WorkloadEntry has the labels app=web,version=blue"}}},
	} {
		if diff := cmp.Diff(tt.want, tt.b.Condition()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
	pods, why := Backend{Pods: []*Object{pod, waits}}.Unready()
	if len(pods) != 1 || pods[0] != waits || why[0] != "container web waits, ErrImagePull: not found" {
		t.Errorf("unready: %v, %v", pods, why)
	}
}

func TestServing(t *testing.T) {
	got := serving([]*Object{
		parsed(t, `{endpoints: [{targetRef: {name: a}, conditions: {ready: true}}, {targetRef: {name: b}, conditions: {ready: false}}, {targetRef: {name: c}}]}`),
		parsed(t, `{endpoints: [{targetRef: {name: b}, conditions: {ready: true}}, {targetRef: {name: d}, conditions: {ready: false}}]}`),
	})
	if diff := cmp.Diff(map[string]bool{"a": true, "b": true, "c": true, "d": false}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhenOf(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	for _, tt := range []struct {
		reason string
		event  corev1.Event
		last   time.Time
		count  int64
	}{
		{"of the core API", corev1.Event{FirstTimestamp: metav1.Time{Time: at(1)}, LastTimestamp: metav1.Time{Time: at(5)}, Count: 3}, at(5), 3},
		{"once, of events.k8s.io", corev1.Event{EventTime: metav1.MicroTime{Time: at(2)}}, at(2), 1},
		{"a series of events.k8s.io", corev1.Event{EventTime: metav1.MicroTime{Time: at(2)}, Series: &corev1.EventSeries{Count: 9, LastObservedTime: metav1.MicroTime{Time: at(8)}}}, at(8), 9},
		{"nothing but when it was written", corev1.Event{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.Time{Time: at(4)}}}, at(4), 1},
	} {
		if last, count := whenOf(&tt.event); !last.Equal(tt.last) || count != tt.count {
			t.Errorf("%s: %s, %d times", tt.reason, last, count)
		}
	}
}
