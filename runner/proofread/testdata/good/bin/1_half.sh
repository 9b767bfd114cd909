#!/usr/bin/env bash
set -eu
HERE="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$HERE/env.sh"
(
  cd "$HERE/../manifests"
  envsubst < half.yaml | kubectl --context="$MGMT" apply -f -
)
kubectl --context="$MGMT" apply -f "$MANIFESTS/half.yaml"
kubectl --context="$MGMT" apply -f https://example.com/crds.yaml
