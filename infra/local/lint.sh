#!/usr/bin/env bash
# Run every static check and name those that failed; the checks of the Java code are in its `mvn verify`.
# bash 3.2, which macOS ships, has to read this file.
set -u
cd "$(dirname "$0")/../.." || exit 1
tools=.tidemark/tools/bin
failed=

check() {
  name=$1
  shift
  echo "== $name"
  "$@" || failed="$failed $name"
}

# types ENVIRONMENT WHAT: mypy, in the environment that runs what it reads.
types() {
  environment=$1
  shift
  check "mypy:$environment" .tidemark/venv/"$environment"/bin/mypy --cache-dir ".tidemark/cache/mypy-$environment" "$@"
}

check ruff "$tools/ruff" check .
check format "$tools/ruff" format --check .
check dockerfiles "$tools/hadolint" infra/images/*/Dockerfile
check scripts "$tools/shellcheck" .ci/run infra/local/*.sh infra/images/*/*.sh
check workflows "$tools/zizmor" --offline --quiet .github/workflows
# Only Go's registry has it: go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
if [ -x "$(command -v actionlint)" ]; then
  check actions actionlint .github/workflows/*.yaml
else
  echo "== actions: actionlint is not on the PATH; only zizmor has looked at the workflows"
fi
# As in test-suite.sh, Spark's environment has all tests but these; DAGs run in Airflow's.
elsewhere='^tests/(streaming|orchestration|infra)/|/dags/|^tests/bench/parsing\.py$'
types spark -p tidemark_contract -p tidemark_source -p tidemark_jobs -p tidemark \
  -p tests --exclude "$elsewhere" -p tests.infra.deeds
types flink -p tidemark_streaming -p tests.streaming
types airflow -p tidemark_orchestration -p tests.orchestration \
  -p tests.compose.dags -p tests.kubernetes.dags -p tests.bench.parsing
types infra -p tests.infra --exclude '^tests/infra/deeds\.py$'
types deploy -p infra.deploy
PYTHONPATH=contract/src:source/src:streaming/src:jobs/src:orchestration/src:console/src \
  check imports "$tools/lint-imports" --cache-dir .tidemark/cache/imports

if [ -n "$failed" ]; then
  echo "lint: FAILED:$failed"
  exit 1
fi
echo "lint: ok"
