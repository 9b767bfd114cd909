#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/gateway-by-workload.yaml"
kubectl --context="$MGMT" -n gloo-mesh wait virtualgateway/bgc-virtualgateway --for=jsonpath='{.status.observedGeneration}'=2 --timeout=120s
kubectl --context="$MGMT" -n gloo-mesh get virtualgateway bgc-virtualgateway -o json
