"""All cases are played at once, through one mirror: a case more costs the suite a second."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from pyspark.sql import SparkSession

from tests.e2e.world import warm_run
from tests.exactness.modes import MODE, deliver_again, disturbed, kill_a_sync
from tests.exactness.world import START, Exactness
from tidemark_contract.argv import Job
from tidemark_jobs.copy import copy
from tidemark_jobs.session import build_session, session_beside
from tidemark_jobs.sync import sync_job


@dataclass(frozen=True)
class Played:
    """A database after all cases, its mirror, and the marks at which it is compared.

    After each section there are two: the truth's, and that of the last sync that followed, which has copied what it
    had to; nothing is written between them.
    """

    world: Exactness
    spark: SparkSession
    truths: tuple[int, ...]
    synced: tuple[int, ...]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = build_session("exactness", "file:///")
    yield session
    session.stop()


def synchronized(world: Exactness, spark: SparkSession) -> int:
    """Sync once; give the mark."""
    [facts] = sync_job(warm_run(world.environment, spark, Job("sync", "shop", timeout=900)))
    return int(str(facts["mark"]))


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory, spark: SparkSession) -> Iterator[Played]:
    with Exactness.on("17", tmp_path_factory.mktemp("exactness")) as world, closing(world):
        world.must("discover", "--name", "shop")
        world.amend_specs()
        world.must("init")
        world.must(*START)
        copy(warm_run(world.environment, spark, Job("copy", "shop")))
        truths, synced = [], []
        for section in ("while streaming", "after a mark"):
            with disturbed(world):
                world.play(section)
                truths.append(world.take_truth())
                if MODE == "killed":
                    kill_a_sync(world)
                mark = synchronized(world, spark)
            if MODE == "twice":
                deliver_again(world)
                mark = synchronized(world, spark)
            synced.append(mark)
        yield Played(world, session_beside(spark, few=True), tuple(truths), tuple(synced))
