#!/usr/bin/env bash
# Run the suites that are named, or all that exist, each in its own environment; one line for each at the end.
# bash 3.2, which macOS ships, has to read this file.
set -u
cd "$(dirname "$0")/../.." || exit 1
logs=.tidemark/logs
mkdir -p "$logs"

environment() {
  case $1 in
    streaming) echo flink ;;
    orchestration) echo airflow ;;
    *) echo spark ;;
  esac
}

java_tests() {
  mvn -B -q -Dstyle.color=never -DfailIfNoTests=true -f "$1" verify </dev/null
}

run() {
  case $1 in
    connector) java_tests streaming/connector ;;
    spark-java) java_tests jobs/java ;;
    *) .tidemark/venv/"$(environment "$1")"/bin/python -m pytest "tests/$1" ;;
  esac
}

if [ $# -gt 0 ]; then
  suites=$*
else
  suites=
  for suite in contract source streaming jobs console orchestration integration; do
    [ -d "tests/$suite" ] && suites="$suites $suite"
  done
  suites="$suites connector spark-java e2e"
fi
[ -n "$suites" ] || { echo "test: there is no folder under tests/" >&2; exit 1; }

failed=0
summary=
for suite in $suites; do
  log=$logs/test-$suite.log
  started=$SECONDS
  echo "== $suite"
  run "$suite" 2>&1 | tee "$log"
  code=${PIPESTATUS[0]}
  case $code in
    0) outcome=ok ;;
    5) outcome="FAILED: no test ran" ;;
    *) outcome="FAILED ($code)" ;;
  esac
  [ "$code" -eq 0 ] || failed=1
  counts=$(tail -n 1 "$log" | sed -n 's/^=* *\([0-9].*\) in .*/\1/p')
  # Of a suite that skipped everything pytest says 0: that is no success.
  if [ "$code" -eq 0 ] && [ -d "tests/$suite" ]; then
    case $counts in
      *passed*) ;;
      *) outcome="FAILED: nothing passed"; failed=1 ;;
    esac
  fi
  summary="$summary$(printf '%-14s %-10s %5ss  %s' "$suite" "$outcome" "$((SECONDS - started))" "$counts")
"
done
printf '\n%s' "$summary"
exit $failed
