#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

GREETING="Good day from blue" ; export GREETING
kubectl kustomize "$TUTORIAL_HOME/app/blue" | envsubst | kubectl --context="$CLUSTER1" apply -f -
GREETING="Good day from green"
kubectl kustomize "$TUTORIAL_HOME/app/green" | envsubst | kubectl --context="$CLUSTER2" apply -f -
envsubst < "$TUTORIAL_HOME/app/vm.yaml" | kubectl --context="$CLUSTER1" apply -f -
kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/vm.yaml"

kubectl --context="$CLUSTER1" -n blue-green-canary rollout status deployment/blue --timeout=120s
kubectl --context="$CLUSTER2" -n blue-green-canary wait deployment/green --for=condition=Available --timeout=120s
for found in workload/blue-blue-green-canary-cluster1-deployment workload/green-blue-green-canary-cluster2-deployment \
	destination/blue-green-canary-blue-green-canary-cluster1 destination/blue-green-canary-blue-green-canary-cluster2; do
	kubectl --context="$MGMT" -n gloo-mesh wait "$found" --for=create --timeout=120s
done
kubectl --context="$MGMT" -n gloo-mesh get workloads,destinations,meshes,kubernetesclusters
kubectl --context="$MGMT" -n gloo-mesh describe destination blue-green-canary-blue-green-canary-cluster1
