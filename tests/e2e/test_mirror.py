"""The whole, through the console: writers, kills, and every published mark compared with the truth of its snapshot."""

import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyspark.sql import SparkSession

from tests.e2e.world import World, kill_group, warm_run
from tests.variants import ALL
from tidemark.local import processes
from tidemark_contract.argv import Job
from tidemark_jobs.export import copy_lines
from tidemark_jobs.reader import read_by_spark, read_version
from tidemark_jobs.verify import verify


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.on("17", tmp_path_factory.mktemp("mirror"), int(os.environ.get("TIDEMARK_SEED", "1"))) as made:
        yield made


def stream_word(world: World) -> str:
    return f"-Djava.io.tmpdir={world.folder / 'state' / 'flink' / 'shop' / 'tmp'}"


def differing(world: World, spark: SparkSession, mark: int) -> dict[str, tuple[int, int]]:
    """Give the tables that are not, line for line, what the source was in the mark's snapshot.

    The newest mark is read by both readers: by Spark, and as all are.
    """
    published = world.control.published(mark)
    assert published is not None
    wrong = {}
    for spec in world.spec.tables:
        version = published.version(spec.table)
        expected = world.truth[mark][str(spec.table)]
        assert version is not None, world.control.tables()
        readings = [read_version(spark, world.control.layout, version)]
        if mark == max(world.truth):
            readings.append(read_by_spark(spark, world.control.layout.silver(spec.table), version.version))
        for rows in readings:
            found = sorted(row[0] + "\n" for row in copy_lines(rows, spec).collect())
            if found != expected or version.rows != len(expected):
                wrong[str(spec.table)] = (len(found), len(expected))
    return wrong


PROOFS_AT_ONCE = 4
ROUNDS = int(os.environ.get("TIDEMARK_ROUNDS", "1"))
"""So often is everything killed; `make prove` asks for more."""
PROOFS = int(os.environ.get("TIDEMARK_PROOFS", "20" if ALL else "2"))
"""So many proofs are made one after the other; `make prove` asks for a thousand."""


def set_up(world: World) -> None:
    """Make the mirror, unless another test has."""
    if (world.folder / "specs").exists():
        return
    world.must("discover", "--name", "shop")
    world.must("init")
    world.must("start", "--detach", "--checkpoint-interval", "1s")
    world.must("copy")


def killed_and_brought_back(world: World, chance: random.Random) -> None:
    """Kill the stream, and the sync in the middle of its work; start the stream."""
    with world.syncing() as sync:
        world.wait_for(world.take_truth())
        world.take_truth()
        assert processes.kill(stream_word(world)) >= 2
        world.stop.wait(chance.random() * 3)
        kill_group(sync)
    world.must("start", "--detach", "--checkpoint-interval", "1s")


def killed_in_its_first_folds(world: World, chance: random.Random) -> None:
    """Kill a sync that has hardly begun."""
    with world.syncing() as sync:
        world.take_truth()
        world.stop.wait(chance.random() * 20)
        kill_group(sync)


@pytest.mark.slow
@pytest.mark.timeout(600 + 600 * ROUNDS)
def test_every_mark_equals_the_source_while_it_is_written_and_everything_is_killed(
    world: World, spark: SparkSession, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(world.seed)
    with world.written_to():
        set_up(world)
        world.truncates.set()
        for number in range(ROUNDS):
            killed_and_brought_back(world, chance)
            if number:
                killed_in_its_first_folds(world, chance)
        with world.syncing():
            marks = [world.take_truth() for _ in range(3)]
            world.end_truncates()
            world.wait_for(marks[-1])
            proven = verify(warm_run(world.environment, spark, Job("verify", "shop", timeout=180)))
            assert proven["equal"], proven

    assert {mark: {} for mark in world.truth} == {mark: differing(world, spark, mark) for mark in world.truth}
    with capsys.disabled():
        facts = f"{len(world.truth)} marks compared, {world.commits} transactions, {3 * ROUNDS - 1} kills"
        print(f"\nseed {world.seed}: {facts}, all equal")


@pytest.mark.slow
@pytest.mark.timeout(600 + 10 * PROOFS)
def test_no_proof_finds_a_difference_that_is_none(world: World, spark: SparkSession) -> None:
    """Writers go on, transactions stay open across marks, and proofs wait for each other's syncs."""
    world.stop.clear()
    with world.written_to(), ThreadPoolExecutor(PROOFS_AT_ONCE) as pool:
        set_up(world)
        run = lambda _: verify(warm_run(world.environment, spark, Job("verify", "shop")))  # noqa: E731
        found = list(pool.map(run, range(PROOFS)))

    assert [] == [proof for proof in found if not proof["equal"]]
    assert PROOFS == len({proof["mark"] for proof in found})
