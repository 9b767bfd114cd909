#!/usr/bin/env bash
source "$(dirname "$0")/env.sh"

kubectl --context="$MGMT" apply -f "$TUTORIAL_HOME/mesh/mobile.yaml"
# Blue is the default too, so it is the route that shows it.
kubectl --context="$CLUSTER1" -n gloo-mesh wait virtualservice/bgc-virtualhost-gloo-mesh --timeout=120s \
	--for=jsonpath='{.spec.http[0].match[0].headers.user-agent.regex}'='.*Mobile.*'
