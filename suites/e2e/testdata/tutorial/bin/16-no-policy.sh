#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" delete -f "$TUTORIAL_HOME/mesh/mobile.yaml"
