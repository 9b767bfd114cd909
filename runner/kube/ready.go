package kube

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// rules says when an object of a built-in kind is ready. A kind that is not
// here (ConfigMap, ServiceAccount, Role …) is ready when it exists.
var rules = map[schema.GroupKind]func(*Object) Readiness{
	{Kind: "Namespace"}:                                   namespaceReady,
	{Kind: "Pod"}:                                         podReady,
	{Kind: "Service"}:                                     serviceReady,
	{Group: "apps", Kind: "Deployment"}:                   deploymentReady,
	{Group: "apps", Kind: "StatefulSet"}:                  statefulSetReady,
	{Group: "apps", Kind: "DaemonSet"}:                    daemonSetReady,
	{Group: "batch", Kind: "Job"}:                         jobReady,
	kindCRD.GroupKind():                                   crdReady,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}: apiServiceReady,
}

func builtin(o *Object) Readiness {
	rule, known := rules[o.GroupVersionKind().GroupKind()]
	if !known {
		return Readiness{Ready: true}
	}
	return rule(o)
}

func notYet(format string, args ...any) Readiness {
	return Readiness{Why: fmt.Sprintf(format, args...)}
}

func failed(format string, args ...any) Readiness {
	return Readiness{Failed: true, Why: fmt.Sprintf(format, args...)}
}

func number(o *Object, path ...string) int64 {
	switch v, _, _ := unstructured.NestedFieldNoCopy(o.Object, path...); v := v.(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	}
	return 0
}

func text(o *Object, path ...string) string {
	s, _, _ := unstructured.NestedString(o.Object, path...)
	return s
}

// condition returns the status of a condition ("True", "False", "Unknown", or
// "" when it is not there) with its reason and message in words.
func condition(o *Object, name string) (status, why string) {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	for _, c := range conditions {
		c, _ := c.(map[string]any)
		if c["type"] != name {
			continue
		}
		status, _ = c["status"].(string)
		reason, _ := c["reason"].(string)
		message, _ := c["message"].(string)
		return status, strings.Trim(reason+": "+message, ": ")
	}
	return "", ""
}

// seen reports whether the controller has looked at the latest change.
func seen(o *Object) bool {
	return number(o, "status", "observedGeneration") >= o.GetGeneration()
}

const unseen = "its controller has not yet looked at the change"

func namespaceReady(o *Object) Readiness {
	switch phase := text(o, "status", "phase"); phase {
	case "Active":
		return Readiness{Ready: true}
	case "Terminating":
		return notYet("%s", goingWhy(o))
	default:
		return notYet("its phase is %q, wanted Active", phase)
	}
}

func podReady(o *Object) Readiness {
	switch text(o, "status", "phase") {
	case "Succeeded":
		return Readiness{Ready: true}
	case "Failed":
		return failed("the pod failed: %s", strings.Trim(text(o, "status", "reason")+": "+text(o, "status", "message"), ": "))
	}
	if status, _ := condition(o, "Ready"); status == "True" {
		return Readiness{Ready: true}
	}
	return notYet("%s", podWhy(o))
}

func serviceReady(o *Object) Readiness {
	if text(o, "spec", "type") != "LoadBalancer" || Address(o) != "" {
		return Readiness{Ready: true}
	}
	return notYet("the load balancer has not given it an address (status.loadBalancer.ingress is empty)")
}

// Address is the address that a load balancer gave a Service: its IP or else
// its host name; empty when it has none yet.
func Address(service *Object) string {
	ingress, _, _ := unstructured.NestedSlice(service.Object, "status", "loadBalancer", "ingress")
	for _, i := range ingress {
		i, _ := i.(map[string]any)
		for _, key := range []string{"ip", "hostname"} {
			if s, _ := i[key].(string); s != "" {
				return s
			}
		}
	}
	return ""
}

// replicas is spec.replicas, which the API server defaults to 1.
func replicas(o *Object) int64 {
	if _, ok, _ := unstructured.NestedFieldNoCopy(o.Object, "spec", "replicas"); !ok {
		return 1
	}
	return number(o, "spec", "replicas")
}

func deploymentReady(o *Object) Readiness {
	if !seen(o) {
		return notYet(unseen)
	}
	if status, why := condition(o, "Progressing"); status == "False" && strings.HasPrefix(why, "ProgressDeadlineExceeded") {
		return failed("the rollout gave up: %s", why)
	}
	want := replicas(o)
	updated, all, available := number(o, "status", "updatedReplicas"), number(o, "status", "replicas"), number(o, "status", "availableReplicas")
	switch {
	case updated < want:
		return notYet("%d of %d replicas are of the new version", updated, want)
	case all > updated:
		return notYet("%d replicas of the old version are still there", all-updated)
	case available < want:
		return notYet("%d of %d replicas are available", available, want)
	}
	return Readiness{Ready: true}
}

func statefulSetReady(o *Object) Readiness {
	if !seen(o) {
		return notYet(unseen)
	}
	want := replicas(o)
	if ready := number(o, "status", "readyReplicas"); ready < want {
		return notYet("%d of %d replicas are ready", ready, want)
	}
	onDelete := text(o, "spec", "updateStrategy", "type") == "OnDelete"
	if now, next := text(o, "status", "currentRevision"), text(o, "status", "updateRevision"); now != next && !onDelete {
		return notYet("%d of %d replicas are of the new version", number(o, "status", "updatedReplicas"), want)
	}
	return Readiness{Ready: true}
}

func daemonSetReady(o *Object) Readiness {
	if !seen(o) {
		return notYet(unseen)
	}
	want := number(o, "status", "desiredNumberScheduled")
	if updated := number(o, "status", "updatedNumberScheduled"); updated < want {
		return notYet("%d of %d pods are of the new version", updated, want)
	}
	if available := number(o, "status", "numberAvailable"); available < want {
		return notYet("%d of %d pods are available", available, want)
	}
	return Readiness{Ready: true}
}

func jobReady(o *Object) Readiness {
	if status, why := condition(o, "Failed"); status == "True" {
		return failed("the job failed: %s", why)
	}
	if status, _ := condition(o, "Complete"); status == "True" {
		return Readiness{Ready: true}
	}
	return notYet("the job has not completed: %d active, %d succeeded, %d failed pods",
		number(o, "status", "active"), number(o, "status", "succeeded"), number(o, "status", "failed"))
}

func crdReady(o *Object) Readiness {
	if status, why := condition(o, "NamesAccepted"); status == "False" {
		return failed("its names are not accepted: %s", why)
	}
	if status, _ := condition(o, "Established"); status == "True" {
		return Readiness{Ready: true}
	}
	return notYet("it is not yet established")
}

func apiServiceReady(o *Object) Readiness {
	status, why := condition(o, "Available")
	if status == "True" {
		return Readiness{Ready: true}
	}
	return notYet("it is not available: %s", why)
}

// podsOf says what the pods of a workload wait for; empty when there is
// nothing to say.
func (c *Cluster) podsOf(ctx context.Context, workload *Object) string {
	labels, ok, _ := unstructured.NestedStringMap(workload.Object, "spec", "selector", "matchLabels")
	if !ok || len(labels) == 0 {
		return ""
	}
	pods, err := c.List(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Pod"}, workload.GetNamespace(), labels)
	if err != nil {
		return ""
	}
	if len(pods) == 0 {
		return "it has no pods yet"
	}
	for _, pod := range pods {
		if !podReady(pod).Ready {
			return "pod " + pod.GetName() + ": " + podWhy(pod)
		}
	}
	return ""
}

// podWhy says what a pod waits for: the reason of a container that waits
// (ErrImagePull, CrashLoopBackOff …), else of a condition that is not true.
func podWhy(pod *Object) string {
	for _, list := range []string{"initContainerStatuses", "containerStatuses"} {
		statuses, _, _ := unstructured.NestedSlice(pod.Object, "status", list)
		for _, s := range statuses {
			s, _ := s.(map[string]any)
			reason, _, _ := unstructured.NestedString(s, "state", "waiting", "reason")
			message, _, _ := unstructured.NestedString(s, "state", "waiting", "message")
			if reason != "" {
				return strings.Trim(fmt.Sprintf("container %v waits, %s: %s", s["name"], reason, message), ": ")
			}
		}
	}
	for _, name := range []string{"PodScheduled", "Initialized", "ContainersReady", "Ready"} {
		if status, why := condition(pod, name); status == "False" {
			return strings.Trim(name+" is false: "+why, ": ")
		}
	}
	return fmt.Sprintf("its phase is %q", text(pod, "status", "phase"))
}

// goingWhy says what keeps an object that is being deleted.
func goingWhy(o *Object) string {
	why := "it is being deleted"
	if f := o.GetFinalizers(); len(f) > 0 {
		why += ", its finalizers are " + strings.Join(f, ", ")
	}
	for _, name := range []string{"NamespaceDeletionDiscoveryFailure", "NamespaceContentRemaining", "NamespaceFinalizersRemaining"} {
		if status, reason := condition(o, name); status == "True" {
			why += "; " + reason
		}
	}
	return why
}
