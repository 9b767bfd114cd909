# For the scripts beside it: stop at the first mistake; and envsubst, or what
# does the same for the two variables that are used here.
set -euo pipefail
: "${TUTORIAL_HOME:?the folder of this tutorial}" "${MGMT:?}" "${CLUSTER1:?}" "${CLUSTER2:?}" "${VM_ADDRESS:?}"
command -v envsubst >/dev/null || envsubst() { sed -e "s|\${VM_ADDRESS}|$VM_ADDRESS|g" -e "s|\${GREETING}|${GREETING:-}|g"; }
