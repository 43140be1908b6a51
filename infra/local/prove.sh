#!/usr/bin/env bash
# The long counts: many courses of kills, each drawn from its own seed, and of commits to one table; every variant of
# what make test draws one of; and the cases of what a database may do, under faults. SEEDS="1 2 3", TIDEMARK_ROUNDS and
# TIDEMARK_COURSES choose.
# bash 3.2, which macOS ships, has to read this file.
set -u
cd "$(dirname "$0")/../.." || exit 1
seeds=${SEEDS:-1 2 3 4 5}
export TIDEMARK_ROUNDS=${TIDEMARK_ROUNDS:-3}
mkdir -p .tidemark/logs
failed=0
proven=
for seed in $seeds; do
  echo "== seed $seed"
  if TIDEMARK_SEED=$seed .tidemark/venv/spark/bin/python -m pytest tests/e2e/test_mirror.py 2>&1 |
    tee ".tidemark/logs/prove-$seed.log" && [ "${PIPESTATUS[0]}" -eq 0 ]; then
    proven="$proven$(grep "^seed $seed:" ".tidemark/logs/prove-$seed.log")
"
  else
    proven="${proven}seed $seed: FAILED, see .tidemark/logs/prove-$seed.log
"
    failed=1
  fi
done
export TIDEMARK_COURSES=${TIDEMARK_COURSES:-5} TIDEMARK_COMMITS=120
export TIDEMARK_ALL=1
for suite in source connector jobs weather; do
  echo "== $suite, in every variant; of jobs $TIDEMARK_COURSES courses of $TIDEMARK_COMMITS commits to one table"
  infra/local/test-suite.sh "$suite" || failed=1
done
echo "== ${TIDEMARK_CORRUPTIONS:=1000} wrong cells, one at a time"
export TIDEMARK_CORRUPTIONS
.tidemark/venv/spark/bin/python -m pytest tests/e2e/test_own_database.py -k wrong_cell || failed=1
echo "== ${TIDEMARK_PROOFS:=1000} proofs while the tables are written"
export TIDEMARK_PROOFS
.tidemark/venv/spark/bin/python -m pytest tests/e2e/test_mirror.py -k no_proof || failed=1
for mode in plain terminated killed twice; do
  echo "== every case of what a database may do, $mode"
  TIDEMARK_MODE=$mode .tidemark/venv/spark/bin/python -m pytest tests/exactness || failed=1
done
echo "== random tables, writes, schema changes and faults for ${MINUTES:=10} minutes"
export MINUTES
.tidemark/venv/spark/bin/python -m tests.fuzz || failed=1
printf '\n%s' "$proven"
exit $failed
