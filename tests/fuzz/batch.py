"""Many cases, side by side in one database and its mirror: played, synced, compared."""

import random
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus
from pyspark.sql import SparkSession

from tests.e2e.world import warm_run
from tests.exactness.cases import SECTIONS, Block, Case
from tests.exactness.compare import Difference, difference
from tests.exactness.modes import disturbed
from tests.exactness.world import START, Exactness, send
from tests.fuzz.play import SESSIONS, Play
from tidemark_contract.argv import Job
from tidemark_jobs.copy import copy
from tidemark_jobs.sync import sync_job

PLAYED = SECTIONS[1:]


@dataclass(frozen=True)
class Outcome:
    """What became of the cases: as they were played, those that went wrong, and how many tables were copied again."""

    cases: Sequence[Case]
    wrong: Mapping[str, Difference]  # by case
    copied: int


def play(cases: Sequence[Case], folder: Path, spark: SparkSession, *, seed: str = "", mode: str = "plain") -> Outcome:
    """Play cases, drawing their statements from the seed where one is given, and compare them after each section."""

    class Batch(Exactness):
        pass

    Batch.cases, Batch.lock_timeout, Batch.witnessed = tuple(cases), "200ms", False
    wrong: dict[str, Difference] = {}
    copied, played = 0, list(cases)
    with Batch.on("17", folder, 1) as world, closing(world):
        world.must("discover", "--name", "shop")
        world.amend_specs()
        for words in (("init",), START):
            world.must(*words)
        copy(warm_run(world.environment, spark, Job("copy", "shop")))
        for section in PLAYED:
            with disturbed(world, mode):
                played = [_play(world, case, section, seed) for case in played]
                truth = world.take_truth()
                [facts] = sync_job(warm_run(world.environment, spark, Job("sync", "shop", timeout=180)))
            found, again = _compare(world, played, spark, truth, int(str(facts["mark"])))
            wrong, copied = {**found, **wrong}, copied + again
    return Outcome(played, wrong, copied)


def _play(world: Exactness, case: Case, section: str, seed: str) -> Case:
    sessions = {name: world.session(case, name) for name in SESSIONS}
    if seed:
        drawn = Play(random.Random(f"{seed}/{case.name}/{section}"), sessions).draw_section()
        return replace(case, sections={**case.sections, section: drawn})
    for block in case.sections[section]:
        _send(sessions[block.session], block)
    for session in sessions.values():  # what closed a transaction may have been taken out of the script
        if session.info.transaction_status == TransactionStatus.INERROR:
            session.execute("ROLLBACK")
    return case


def _send(session: psycopg.Connection[tuple[object, ...]], block: Block) -> None:
    try:
        send(session, block.text)
    except psycopg.Error:
        if session.info.transaction_status != TransactionStatus.IDLE:
            session.execute("ROLLBACK")


def _compare(
    world: Exactness, cases: Sequence[Case], spark: SparkSession, truth: int, synced: int
) -> tuple[dict[str, Difference], int]:
    """A table is what it was in the truth's mark, or lacks there and is it, copied again, in the mark of the sync."""
    at_truth, at_end = world.control.published(truth), world.control.published(synced)
    assert at_truth
    assert at_end
    wrong, copied = {}, 0
    for case in cases:
        for spec in world.tables(case):
            there = at_truth.version(spec.table) is not None
            copied += not there
            if found := difference(world, spark, spec, at_truth if there else at_end, truth):
                wrong[case.name] = found
    return wrong, copied
