package kube

import "testing"

func TestBuiltinReadiness(t *testing.T) {
	deployment := func(rest string) string {
		return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, generation: 2}\nspec: {replicas: 2}\nstatus: " + rest
	}
	job := func(conditions string) string {
		return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\nstatus: {failed: 3, conditions: [" + conditions + "]}"
	}
	ready := Readiness{Ready: true}
	tests := []struct {
		reason, source string
		want           Readiness
	}{
		{"a kind without a rule is ready when it is there", "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: x}", ready},
		{"a namespace", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\nstatus: {phase: Active}", ready},
		{"a namespace that goes", "apiVersion: v1\nkind: Namespace\nmetadata: {name: x, finalizers: [example.com/keep]}\nstatus: {phase: Terminating}",
			notYet("it is being deleted, its finalizers are example.com/keep")},
		{"a service inside", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: ClusterIP}", ready},
		{"a load balancer without an address", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: LoadBalancer}",
			notYet("the load balancer has not given it an address (status.loadBalancer.ingress is empty)")},
		{"a load balancer by name", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {type: LoadBalancer}\nstatus: {loadBalancer: {ingress: [{hostname: a.example.com}]}}", ready},
		{"rolled out", deployment("{observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2}"), ready},
		{"the status is of the version before", deployment("{observedGeneration: 1, replicas: 2, updatedReplicas: 2, availableReplicas: 2}"), notYet(unseen)},
		{"old replicas are left", deployment("{observedGeneration: 2, replicas: 3, updatedReplicas: 2, availableReplicas: 3}"), notYet("1 replicas of the old version are still there")},
		{"not all available", deployment("{observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 1}"), notYet("1 of 2 replicas are available")},
		{"it gave up", deployment("{observedGeneration: 2, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded, message: timed out}]}"),
			failed("the rollout gave up: ProgressDeadlineExceeded: timed out")},
		{"a complete job", job("{type: Complete, status: 'True'}"), ready},
		{"a failed job", job("{type: Failed, status: 'True', reason: BackoffLimitExceeded, message: too often}"), failed("the job failed: BackoffLimitExceeded: too often")},
		{"a job under way", job(""), notYet("the job has not completed: 0 active, 0 succeeded, 3 failed pods")},
		{"a pod that waits", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nstatus: {phase: Pending, containerStatuses: [{name: web, state: {waiting: {reason: ErrImagePull, message: no such image}}}]}",
			notYet("container web waits, ErrImagePull: no such image")},
		{"a pod without a node", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nstatus: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}",
			notYet("PodScheduled is false: Unschedulable")},
		{"a pod that failed", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nstatus: {phase: Failed, reason: Evicted}", failed("the pod failed: Evicted")},
		{"a ready pod", "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nstatus: {phase: Running, conditions: [{type: Ready, status: 'True'}]}", ready},
		{"a kind that is not established", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}", notYet("it is not yet established")},
		{"a kind whose names are taken", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nstatus: {conditions: [{type: NamesAccepted, status: 'False', reason: PluralConflict}]}",
			failed("its names are not accepted: PluralConflict")},
		{"a daemon set", "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: x, generation: 1}\nstatus: {observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2}",
			notYet("2 of 3 pods are available")},
		{"a stateful set of one", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x, generation: 1}\nstatus: {observedGeneration: 1, readyReplicas: 1, currentRevision: a, updateRevision: a}", ready},
		{"a stateful set that rolls", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: x, generation: 1}\nstatus: {observedGeneration: 1, readyReplicas: 1, currentRevision: a, updateRevision: b}",
			notYet("0 of 1 replicas are of the new version")},
	}
	for _, tt := range tests {
		t.Run(tt.reason, func(t *testing.T) {
			if got := builtin(object(t, tt.source)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
