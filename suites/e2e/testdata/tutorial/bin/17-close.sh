#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/blue-green-canary.yaml"
kubectl --context="$MGMT" -n gloo-mesh patch virtualmesh bgc-virtual-mesh --type=merge -p '{"spec": {"globalAccessPolicy": "ENABLED"}}'
