#!/usr/bin/env bash
# The step of action.yml that runs scenarios. Everything that somebody else may have written comes in variables of the
# environment, and none of it is ever part of a script.
# It says where it writes before it begins, so that what comes of a run is kept however the run ends.
set -uo pipefail

# below makes a path in the repository an absolute one, and leaves one that is absolute as it is.
below() {
  case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$GITHUB_WORKSPACE" "$1" ;;
  esac
}
tell() { printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"; }
refuse() {
  printf '::error title=Assay::%s\n' "$1"
  tell verdict errored
  exit 1
}

# A line break in a value would be another output, or another command for the runner.
for name in SCENARIOS LABEL_FILTER ENVIRONMENT RUN_SCRIPTS OUT TIMEOUT ARTIFACT; do
  if [[ ${!name} == *[$'\n\r']* ]]; then refuse "the input for $name has a line break"; fi
done

case $RUN_SCRIPTS in
  true) given=() ;;
  false) given=(--no-run) ;;
  *) refuse "the input run-scripts is neither true nor false" ;;
esac

scenarios=$(below "$SCENARIOS")
if [[ ! -e $scenarios ]]; then refuse "there is no $SCENARIOS in the repository (was it checked out?)"; fi

environment=$ENVIRONMENT
case $environment in
  */* | *.yaml | *.yml) environment=$(below "$environment") ;; # a file; else a name
esac

if [[ -n $OUT ]]; then
  out=$(below "$OUT")
  mkdir -p "$out" || refuse "the folder $OUT cannot be made"
else
  out=$(mktemp -d "$RUNNER_TEMP/assay-XXXXXX") || refuse "no folder for the record"
fi
tell out "$out"
tell artifact "${ARTIFACT:-assay-$GITHUB_JOB-$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT}"

flags=(--no-color "--timeout=$TIMEOUT" "--junit-report=junit.xml" "--output-dir=$out")
if [[ -n $LABEL_FILTER ]]; then flags+=("--label-filter=$LABEL_FILTER"); fi
given+=(--scenarios "$scenarios" --environment "$environment" --out "$out")
read -r -d '' -a names <<<"$SCENARIO"
for name in "${names[@]}"; do given+=(--scenario "$name"); done

go -C "$GITHUB_ACTION_PATH" tool ginkgo "${flags[@]}" ./suites -- "${given[@]}"
code=$?

for file in record.json:record report.html:report; do
  if [[ -s $out/${file%:*} ]]; then tell "${file#*:}" "$out/${file%:*}"; fi
done
verdict=failed
if ((code == 0)); then
  verdict=passed
elif [[ ! -s $out/summary.md ]]; then
  verdict=errored
else
  read -r _ _ headline <"$out/summary.md" # "## SIGN Headline"
  case $headline in
    Undecided) verdict=undecided ;;
    Failed | Passed) ;; # Passed: what Ginkgo counts besides, such as a file that cannot be read, did not
    *) verdict=errored ;;
  esac
fi
tell verdict "$verdict"
exit "$code"
