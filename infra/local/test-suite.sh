#!/usr/bin/env bash
# Run one suite in its own environment; what it prints is also in .tidemark/logs, and its outcome in one line.
# bash 3.2, which macOS ships, has to read this file.
set -u
cd "$(dirname "$0")/../.." || exit 1
suite=$1
log=.tidemark/logs/test-$suite.log

java_tests() {
  mvn -B -q -Dstyle.color=never -DfailIfNoTests=true -f "$1" verify </dev/null
}

python_tests() {
  .tidemark/venv/"$1"/bin/python -m pytest --durations 10 --durations-min 5 "tests/$suite"
}

run() {
  case $suite in
    connector) java_tests streaming/connector ;;
    spark-java) java_tests jobs/java ;;
    streaming) python_tests flink ;;
    orchestration) python_tests airflow ;;
    infra) python_tests infra ;;
    *) python_tests spark ;;
  esac
}

started=$SECONDS
echo "== $suite"
run 2>&1 | tee "$log"
code=${PIPESTATUS[0]}
case $code in
  0) outcome=ok ;;
  5) outcome="FAILED: no test ran" ;;
  *) outcome="FAILED ($code)" ;;
esac
counts=$(tail -n 1 "$log" | sed -n 's/^=* *\([0-9].*\) in .*/\1/p')
# Of a suite that skipped everything pytest says 0: that is no success.
if [ "$code" -eq 0 ] && [ -d "tests/$suite" ]; then
  case $counts in
    *passed*) ;;
    *) outcome="FAILED: nothing passed"; code=1 ;;
  esac
fi
line=$(printf '%-14s %-10s %5ss  %s' "$suite" "$outcome" "$((SECONDS - started))" "$counts")
echo "$line" | tee ".tidemark/logs/test-$suite.outcome"
[ "$code" -eq 0 ]
