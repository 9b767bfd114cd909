#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/blue-green-canary.yaml"
