#!/usr/bin/env bash
# Run the suites that are named, or all that exist, TIDEMARK_LANES (2) at a time; one line for each at the end. Of many
# suites each runs a sample of its variants, drawn anew (tests/variants.py); one that is run by itself, all of them.
# bash 3.2, which macOS ships, has to read this file.
set -u
cd "$(dirname "$0")/../.." || exit 1
mkdir -p .tidemark/logs

# The longest first: the lanes end together.
suites=${*:-contract e2e weather jobs integration streaming exactness orchestration infra source connector console kubernetes deploy spark-java compose}
# Containers share one share of the machine, however many they are: beside other suites they would starve.
alone=compose
rm -f .tidemark/logs/test-*.outcome
case $suites in
  *' '*)
    echo "test: $suites (each is shown when it has ended; while it runs it is in .tidemark/logs)"
    # shellcheck disable=SC2016
    together='shown=$(infra/local/test-suite.sh "$1" 2>&1); code=$?; printf "%s\n" "$shown"; exit $code'
    # shellcheck disable=SC2086  # names, one a word
    side_by_side=$(printf '%s\n' $suites | grep -vx "$alone")
    # shellcheck disable=SC2086
    printf '%s\n' $side_by_side | xargs -n 1 -P "${TIDEMARK_LANES:-2}" bash -c "$together" test
    code=$?
    case " $suites " in *" $alone "*) infra/local/test-suite.sh "$alone" || code=1 ;; esac
    ;;
  *)
    TIDEMARK_ALL=${TIDEMARK_ALL-1} infra/local/test-suite.sh "$suites"
    code=$?
    ;;
esac
echo
for suite in $suites; do
  cat ".tidemark/logs/test-$suite.outcome" 2>/dev/null || { printf '%-14s FAILED: it did not end\n' "$suite"; code=1; }
done
[ "$code" -eq 0 ]
