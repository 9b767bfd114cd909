#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/gateway-by-service.yaml" -f "$TUTORIAL_HOME/mesh/routes.yaml"
kubectl --context="$MGMT" -n gloo-mesh wait virtualgateway/bgc-virtualgateway --for=jsonpath='{.status.state}'=ACCEPTED --timeout=120s
for cluster in "$CLUSTER1" "$CLUSTER2"; do
	kubectl --context="$cluster" -n gloo-mesh wait virtualservice/bgc-virtualhost-gloo-mesh --for=create --timeout=120s
	kubectl --context="$cluster" get gw,vs -A
done
