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

# types ENVIRONMENT PACKAGE...
types() {
  environment=$1
  shift
  for package in "$@"; do
    check "mypy:$package" .tidemark/venv/"$environment"/bin/mypy --cache-dir ".tidemark/cache/mypy-$environment" -p "$package"
  done
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
types spark tidemark_contract tidemark_source tidemark_jobs tidemark
types flink tidemark_streaming
types airflow tidemark_orchestration
types deploy infra.deploy
PYTHONPATH=contract/src:source/src:streaming/src:jobs/src:orchestration/src:console/src \
  check imports "$tools/lint-imports" --cache-dir .tidemark/cache/imports

if [ -n "$failed" ]; then
  echo "lint: FAILED:$failed"
  exit 1
fi
echo "lint: ok"
