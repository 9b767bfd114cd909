#!/usr/bin/env bash
source "$(dirname "$0")/evn.sh"
kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/manifests/halb.yaml"
kubectl --context="$MGMT" apply -f "$UNKNOWN/half.yaml"
