#!/usr/bin/env bash
set -eu
echo "green in $MGMT, from $TUTORIAL_HOME for $TEAM"
