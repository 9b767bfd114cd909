#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

mesh="$TUTORIAL_HOME/mesh"
kubectl --context="$MGMT" delete -f "$mesh/blue-green-canary.yaml" -f "$mesh/routes.yaml" -f "$mesh/gateway-by-workload.yaml" -f "$mesh/virtual-mesh.yaml" -f "$mesh/vm.yaml"
kubectl --context="$CLUSTER1" delete --wait=false -k "$TUTORIAL_HOME/app/blue"
kubectl --context="$CLUSTER2" delete --wait=false -k "$TUTORIAL_HOME/app/green"
kubectl --context="$CLUSTER1" delete --wait=false -f "$TUTORIAL_HOME/app/vm.yaml"
for gone in workload/blue-blue-green-canary-cluster1-deployment destination/blue-green-canary-blue-green-canary-cluster2; do
	kubectl --context="$MGMT" -n gloo-mesh wait "$gone" --for=delete --timeout=120s
done
