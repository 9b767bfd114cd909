#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" -n gloo-mesh delete accesspolicies bgc to-vm from-vm
kubectl --context="$MGMT" -n gloo-mesh patch virtualmesh bgc-virtual-mesh --type=merge -p '{"spec": {"globalAccessPolicy": "DISABLED"}}'
