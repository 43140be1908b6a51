"""`make fuzz SEED=… MINUTES=…`: batches of cases until the time is over; the first that goes wrong is made short."""

import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from tests.exactness.cases import Case, write_case
from tests.exactness.modes import FAULTS
from tests.fuzz.batch import Outcome, play
from tests.fuzz.play import new_case
from tests.fuzz.shrink import shrink
from tidemark_jobs.session import build_session

CASES = int(os.environ.get("TIDEMARK_CASES", "16"))
MODES = ("plain", "plain", *FAULTS)


def main() -> int:
    """Fuzz; 1 when something went wrong, after its seed and the shortest script were printed."""
    seed = os.environ.get("SEED") or str(random.randrange(1 << 32))
    deadline = time.monotonic() + float(os.environ.get("MINUTES") or 5) * 60
    spark = build_session("fuzz", "file:///")
    try:
        for number in itertools.count(1):
            if number > 1 and time.monotonic() > deadline:
                return 0
            if not _batch(spark, f"{seed}-{number}", MODES[(number - 1) % len(MODES)]):
                return 1
    finally:
        spark.stop()
    return 0


def _batch(spark: SparkSession, seed: str, mode: str) -> bool:
    chance = random.Random(seed)
    cases = [new_case(chance, f"fuzz_{n}") for n in range(CASES)]
    started = time.monotonic()
    outcome = _played(cases, spark, seed, mode)
    statements = sum(len(blocks) for case in outcome.cases for blocks in case.sections.values())
    words = f"{len(cases)} cases, {statements} statements, {outcome.copied} tables copied again"
    print(f"seed {seed}, {mode}: {words}, {time.monotonic() - started:.0f} s: ", end="")
    if not outcome.wrong:
        print("all equal", flush=True)
        return True
    name = next(iter(outcome.wrong))
    print(f"WRONG: {', '.join(outcome.wrong)}\n{name}: {outcome.wrong[name]}\nmaking it short …", flush=True)
    [case] = [case for case in outcome.cases if case.name == name]
    print(write_case(case), flush=True)
    short = shrink(case, lambda some: set(_played(some, spark, "", mode).wrong))
    print(f"\n== the shortest that goes wrong, for tests/exactness/cases:\n\n{write_case(short)}", flush=True)
    return False


def _played(cases: Sequence[Case], spark: SparkSession, seed: str, mode: str) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="tidemark-fuzz-") as folder:
        return play(cases, Path(folder) / "world", spark, seed=seed, mode=mode)


if __name__ == "__main__":
    sys.exit(main())
