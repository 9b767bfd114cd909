#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

for cluster in "$CLUSTER1" "$CLUSTER2"; do
	kubectl --context="$cluster" apply -f - <<OBJECT
apiVersion: security.istio.io/v1beta1
kind: PeerAuthentication
metadata: {name: default, namespace: istio-system}
spec: {mtls: {mode: STRICT}}
OBJECT
done
kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/virtual-mesh.yaml"
kubectl --context="$MGMT" -n gloo-mesh wait virtualmesh/bgc-virtual-mesh --for=jsonpath='{.status.state}'=ACCEPTED --timeout=120s
