"""The cases that decide the layout of bronze, marks and control, each on the real engines."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from pyspark.sql import SparkSession

from tests.e2e import erasing
from tests.e2e.jobs import START, Jobs
from tests.e2e.world import World, kill_group
from tidemark_contract.errors import ConfigurationError, RetryableError, SnapshotGivenUp
from tidemark_jobs import copy as copying
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.maintain import compact
from tidemark_jobs.reader import find_mark
from tidemark_jobs.repair import repair
from tidemark_jobs.sync import sync_job
from tidemark_jobs.verify import verify

LATE = """
table: public.late
key: [id]
columns:
  - {name: id, type: integer, nullable: false}
  - {name: said, type: text}
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World.on("17", tmp_path_factory.mktemp("mirror")) as made:
        made.must("discover", "--name", "shop")
        made.must("init")
        made.must(*START)
        yield made


@pytest.fixture(scope="module")
def jobs(world: World, spark: SparkSession) -> Jobs:
    made = Jobs(world, spark)
    made.copy()
    assert {"public.account": 200, "public.audit": 20, "public.entry": 500, "public.measure": 61} == made.proven()
    return made


@pytest.fixture
def owner(world: World, jobs: Jobs) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(world.url("owner"), autocommit=True) as connection:
        yield connection


def wait_until_asked_for(owner: psycopg.Connection[Any], table: str) -> None:
    """Wait until somebody stands in the queue for a lock on the table."""
    query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
    for _ in range(600):
        if owner.execute(query, (table,)).fetchone() != (0,):
            return
        threading.Event().wait(0.1)
    raise AssertionError(f"nobody asked for {table}")


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_a_table_added_while_a_transaction_that_wrote_it_is_open(world: World, jobs: Jobs, owner: Any) -> None:
    """Published in between, its first row would be in no stream and its copy could be too early."""
    owner.execute("CREATE TABLE late (id integer PRIMARY KEY, said text)")
    (world.folder / "specs" / "shop" / "public.late.yaml").write_text(LATE)
    with psycopg.connect(world.url("owner")) as writer:
        writer.execute("INSERT INTO late VALUES (1, 'before')")
        adding = threading.Thread(target=world.must, args=("init",))
        adding.start()
        wait_until_asked_for(owner, "late")
        writer.execute("INSERT INTO late VALUES (2, 'while')")
        writer.commit()
        adding.join(120)
    owner.execute("INSERT INTO late VALUES (3, 'after')")
    jobs.copy("public.late")
    owner.execute("INSERT INTO late VALUES (4, 'copied')")

    assert {"public.late": 4} == jobs.proven("public.late")


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_a_truncate_that_waits_for_a_copy_is_let_through(
    jobs: Jobs, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application must not wait for us; the copy begins again."""
    truncating = threading.Thread(target=owner.execute, args=("TRUNCATE audit",))

    def hold_up(event: str, **_: object) -> None:
        if event == "snapshot_held":
            truncating.start()
        if event == "table_copied":
            truncating.join(60)

    monkeypatch.setattr(copying, "log", hold_up)
    with pytest.raises(SnapshotGivenUp):
        jobs.copy("public.audit")
    truncating.join(60)  # it was let go; its own end is not ours to wait for
    assert not truncating.is_alive()
    monkeypatch.undo()

    assert 0 == jobs.proven()["public.audit"]
    jobs.copy("public.audit")
    owner.execute("INSERT INTO audit VALUES ('after', 'the truncate', NULL)")
    assert 1 == jobs.proven()["public.audit"]


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_a_copy_cut_off_by_a_crash_that_loses_commits(
    world: World, jobs: Jobs, owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ids of lost transactions are given out again on the same timeline."""

    def crash(event: str, **_: object) -> None:
        if event == "snapshot_held":
            owner.execute("SET synchronous_commit = off")
            owner.execute("INSERT INTO account VALUES (9001, 'lost', 1, NULL)")
            world.server.crash()

    monkeypatch.setattr(copying, "log", crash)
    with pytest.raises(RetryableError):
        jobs.copy("public.account")
    monkeypatch.undo()
    world.server.start()
    with psycopg.connect(world.url("owner"), autocommit=True) as again:
        again.execute("INSERT INTO account VALUES (9002, 'kept', 1, NULL)")
        (there,) = again.execute("SELECT count(*) FROM account").fetchone() or (0,)

    assert there == jobs.proven()["public.account"]
    jobs.copy("public.account")
    assert there == jobs.proven()["public.account"]


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_what_somebody_else_has_changed_in_the_lake_is_repaired(jobs: Jobs, owner: Any, spark: SparkSession) -> None:
    """Row by row: what differs is named, what does not is not read again; and what the source does meanwhile counts."""
    run = jobs.run("repair", "public.account", "public.audit")
    account, audit = (f"delta.`{run.layout.silver(spec.table)}`" for spec in run.spec.choose(run.job.tables))

    def spoil() -> None:
        spark.sql(f"UPDATE {account} SET balance = balance + 1 WHERE id = 25")
        spark.sql(f"DELETE FROM {account} WHERE id = 26")
        spark.sql(f"INSERT INTO {account} SELECT * FROM {account} WHERE id = 27")
        spark.sql(f"UPDATE {audit} SET _count = _count + 1")

    spoil()
    assert not verify(run)["equal"]
    facts: Any = repair(run)
    with pytest.raises(ConfigurationError, match=r"public\.account is copied: repaired at mark"):
        repair(run)
    found = {table["table"]: {d["key"]: d["kind"] for d in table["details"]} for table in facts["tables"]}
    owner.execute("UPDATE account SET balance = 7 WHERE id IN (25, 28)")
    proven = jobs.proven()

    assert {"25", "26", "27"} == found["public.account"].keys()
    assert "unequal" == found["public.account"]["25"]
    assert "missing (1 in the source, 0 in the lake)" == found["public.account"]["26"]
    assert 1 == len(found["public.audit"])
    assert proven.keys() >= {"public.account", "public.audit"}
    assert [] == repair(jobs.run("repair", "public.audit"))["tables"], "it is live, and equal"
    assert ["MERGE", "MERGE"] == [
        commit["operation"] for commit in open_table(account.removeprefix("delta.`").rstrip("`")).history(2)
    ]

    again = f"UPDATE {account} SET balance = balance + 1 WHERE id = 25"
    spark.sql(again)
    verify(jobs.run("verify", "public.account"))
    repair(jobs.run("repair", "public.account"))
    spark.sql(again)
    list(sync_job(jobs.run("sync")))
    states = run.control.tables()
    assert "changed by somebody else" in states[run.spec.choose(run.job.tables)[0].table].reason
    jobs.copy("public.account")
    assert "public.account" in jobs.proven("public.account")


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_a_sync_that_slept_while_another_took_over_publishes_nothing(world: World, jobs: Jobs, owner: Any) -> None:
    """As one whose machine stood still, and whose retry has begun meanwhile; wherever it was."""
    owner.execute("UPDATE account SET balance = balance + 1")
    leases = world.folder / "the lake" / "control" / "_claims" / "shop" / "leases" / "sync"
    before, argv = set(leases.iterdir()), [sys.executable, "-m", "tidemark_jobs", "sync", "--source", "shop"]
    with subprocess.Popen(argv, env=world.environment, start_new_session=True, stderr=subprocess.PIPE) as sleeper:
        try:
            while not set(leases.iterdir()) - before:
                assert sleeper.poll() is None, "it ended without the lease"
                time.sleep(0.05)
            time.sleep(random.Random(world.seed).random() * 6)
            os.killpg(sleeper.pid, signal.SIGSTOP)
            for lease in set(leases.iterdir()) - before:  # by now it may have been renewed, or given back
                os.utime(lease, times=(time.time() - 90,) * 2)
            published = jobs.sync()
            os.killpg(sleeper.pid, signal.SIGCONT)
            _, said = sleeper.communicate(timeout=180)
        finally:
            kill_group(sleeper)  # one that is stopped would be waited for

    marks = [mark.mark.id for mark in world.control.marks_since(0)]
    assert sleeper.returncode in (0, 75), said  # 0: what it wanted is there, by the other
    assert (sorted(set(marks)), published) == (marks, marks[-1])
    jobs.proven()


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(400)
def test_a_stream_that_starts_without_its_state_repeats_and_loses_nothing(world: World, jobs: Jobs, owner: Any) -> None:
    """It goes on where the slot was confirmed; what it sends again is known by its identity."""
    before = jobs.proven()
    world.must("stop")
    shutil.rmtree(world.folder / "state")
    owner.execute("DELETE FROM entry WHERE id <= 10")
    owner.execute("INSERT INTO audit SELECT 'w', 'twin', NULL FROM generate_series(1, 7)")
    world.must(*START)

    after = jobs.proven()
    assert (before["public.entry"] - 10, before["public.audit"] + 7) == (after["public.entry"], after["public.audit"])


@pytest.mark.slow
@pytest.mark.drawn(2)
@pytest.mark.timeout(900)
def test_erased_keys_are_nowhere_whenever_it_was_stopped(
    world: World, jobs: Jobs, owner: Any, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were copied and streamed, moved and quarantined, compacted, and lie in a copy that was cut off."""
    owner.execute(erasing.MAKE)
    world.must("discover", "--name", "shop", "--force")
    world.must("init")
    for badge, who in enumerate((erasing.ODD, erasing.STAYS), 7):
        erasing.insert(owner, who, badge)
    jobs.copy(*erasing.TABLES)
    old = jobs.sync()
    lake, file = world.folder / "the lake", erasing.subjects(world.folder)
    for badge, who in enumerate((erasing.ODD, erasing.STAYS), 7):
        erasing.change(owner, who, f"{who[:8]} moved", badge)
        jobs.sync()
    with pytest.raises(ConfigurationError, match=r"live in the source .*entry 1: key 2") as refused:
        jobs.erase(file)
    assert erasing.GONE not in str(refused.value)
    compact(spark, jobs.run("maintain").layout.bronze)
    with monkeypatch.context() as patch, suppress(erasing.Stopped):
        patch.setattr(copying, "write_manifest", erasing.stop)
        jobs.copy(*erasing.TABLES)
    erasing.delete(owner, erasing.ODD, f"{erasing.GONE} moved", badge=7)
    erasing.tell_of_them(world.control, jobs.sync())
    before = erasing.found(lake, erasing.GONE)
    counted = jobs.erase(file, dry_run=True)

    assert before == erasing.found(lake, erasing.GONE), "a dry run changes nothing"
    assert 0 == counted["living"]
    assert {"bronze", "control/proofs", "control/quarantine"} < counted["rows"].keys()
    for place in erasing.stopping(monkeypatch):
        with place:
            erased = jobs.erase(file)
            break

    assert [] == erasing.found(lake, erasing.GONE)
    assert erasing.found(lake, erasing.STAYS)
    assert {} == erased["left"]
    with pytest.raises(ConfigurationError, match=f"mark {old} cannot be opened any more"):
        find_mark(world.control, old)
    erasing.insert(owner, erasing.ODD, 7)
    assert {"public.badge": 2, "public.chatter": 6, 'public."Per""son"': 2, "public.visit": 4}.items() <= (
        jobs.proven().items()
    )
