export MANIFESTS="$TUTORIAL_HOME/manifests"
