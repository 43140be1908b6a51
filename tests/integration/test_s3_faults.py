"""A sync on an S3 that answers wrongly, late or not at all, at each of its requests in turn."""

import uuid
from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from tests.integration.play import COPIED, S3Lake, check_end, play
from tests.integration.proxy import HEALTHY, WRITING, Fault, FaultyS3, Rule
from tests.variants import any_of
from tidemark_contract.errors import RetryableError
from tidemark_jobs.failures import engines_told

pytestmark = [pytest.mark.slow, pytest.mark.drawn(2)]
OURS = "^(?!.*/_landing/)"
"""The stream's own files come without a fault."""
WRITES = range(1, 35)
"""The writing requests of the course: so many are counted in the first test."""
EVERY = 8


@pytest.fixture(scope="module")
def template(spark_on_s3: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> S3Lake:
    """A finished copy that no sync has adopted."""
    lake = S3Lake(spark_on_s3, tmp_path_factory.mktemp("s3"), prefix="faults/template")
    lake.copied(1, **COPIED)
    return lake


@pytest.fixture
def lake(template: S3Lake, monkeypatch: pytest.MonkeyPatch) -> S3Lake:
    """One of its own to go on from. The next run after one that failed is another process, so nobody waits for it."""
    monkeypatch.setattr("tidemark_jobs.leases._died_here", lambda _: True)
    return template.at(f"faults/{uuid.uuid4()}")


def test_a_course_without_faults(lake: S3Lake, faulty_s3: FaultyS3) -> None:
    failed, counted = play(lake, faulty_s3, Rule(None, WRITING, OURS))

    assert "" == failed
    leases = [request for request in counted if "/leases/" in request or "?delete" in request]
    assert len(WRITES) - 7 == len(counted) - len(leases), counted  # a slow machine renews its lease
    check_end(lake)


@any_of("number", WRITES)
@any_of("fault", [Fault.LOST, Fault.MISTOLD])
def test_a_request_that_was_done_and_not_answered_is_done_once(
    lake: S3Lake, faulty_s3: FaultyS3, fault: Fault, number: int
) -> None:
    """It is made again, and a conditional PUT then meets its own object."""
    failed, counted = play(lake, faulty_s3, Rule(fault, WRITING, OURS, at=number))

    assert "" == failed, counted[number - 1]
    check_end(lake)


@any_of("number", WRITES)
def test_what_was_done_before_s3_went_away_counts_once(
    lake: S3Lake, faulty_s3: FaultyS3, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """The run cannot know whether its last request was done; the next one has to find out."""
    monkeypatch.setattr("tidemark_contract.s3.PATIENCE_S", 2)
    failed, counted = play(lake, faulty_s3, Rule(Fault.LOST, WRITING, OURS, at=number, then=Fault.RESET))

    # A lease that is not given back runs out by itself.
    assert lake.layout.root in failed or "/leases/" in counted[number - 1] or "?delete" in counted[number - 1]
    check_end(lake)


@any_of("at", range(1, EVERY + 1))
@any_of("fault", [Fault.BUSY, Fault.RESET])
def test_each_request_may_have_to_be_made_twice(lake: S3Lake, faulty_s3: FaultyS3, fault: Fault, at: int) -> None:
    failed, _ = play(lake, faulty_s3, Rule(fault, path=OURS, at=at, every=EVERY))

    assert "" == failed
    check_end(lake)


@any_of("at", range(1, EVERY + 1))
@any_of("fault", [Fault.BUSY, Fault.RESET, Fault.LOST, Fault.MISTOLD])
def test_what_spark_reads_and_writes_is_whole(
    template: S3Lake, faulty_s3: FaultyS3, monkeypatch: pytest.MonkeyPatch, fault: Fault, at: int
) -> None:
    """A copy, and folds as of large tables: files that S3A puts under other names, and reads."""
    monkeypatch.setattr("tidemark_jobs.leases._died_here", lambda _: True)
    monkeypatch.setattr("tidemark_jobs.folding.is_small", lambda _: False)
    lake, rule = replace(template, prefix=f"faults/{uuid.uuid4()}"), Rule(fault, path=OURS, at=at, every=EVERY)
    faulty_s3.follow(rule)
    try:
        with engines_told(lake.layout.root):
            lake.copied(1, **COPIED)
    except RetryableError:
        faulty_s3.follow(HEALTHY)
        lake.copied(1, **COPIED)

    play(lake, faulty_s3, rule)
    check_end(lake)
