"""What may happen to the source and its slot: the mirror ends equal, or says what is the matter and how it ends."""

import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import psycopg
import pytest
from pyspark.sql import SparkSession

from tests.variants import any_of
from tests.weather.disk import can_mount, small_disk_for_the_log
from tests.weather.mirror import Mirror
from tidemark_contract.errors import RetryableError, SourceRefused

VERSIONS = ("15", "17", "18")
TERMINATE = "SELECT count(pg_terminate_backend(active_pid)) FROM pg_replication_slots WHERE active"
DROP_SLOT = "SELECT pg_drop_replication_slot('tidemark_shop')"
MAKE_SLOT = "SELECT pg_create_logical_replication_slot('tidemark_shop', 'pgoutput')"


@pytest.fixture(scope="module", params=[random.choice(VERSIONS)])
def mirror(
    tmp_path_factory: pytest.TempPathFactory, spark: SparkSession, request: pytest.FixtureRequest
) -> Iterator[Mirror]:
    with Mirror.on(request.param, tmp_path_factory.mktemp("mirror"), spark) as made:
        yield made


def the_slot_is_dropped(mirror: Mirror) -> None:
    """Under the stream: it ends within seconds, and is not restarted over and over."""

    def dropped() -> bool:
        try:
            mirror.write(TERMINATE, DROP_SLOT, role="superuser")
        except psycopg.errors.ObjectInUse:  # the stream was quicker
            return False
        return True

    mirror.until(dropped, "dropped")
    failed = mirror.wait_for_stream("failed")
    status = mirror.status()

    assert "[SLOT_MISSING]" in failed["reason"]
    assert "`tidemark start --without-state`" in failed["reason"]
    assert ("missing", 0) == (status["slot"]["state"], failed["restarts"])
    assert "`tidemark init`" in status["slot"]["problem"]
    mirror.rows(1000, 1002)
    mirror.is_refused("[SLOT_MISSING]", "`tidemark init`")
    mirror.begin_anew(Mirror.repair)


def the_slot_is_dropped_and_made_again(mirror: Mirror) -> None:
    """By hand, so that no gap in the chain of marks tells it: what was written in between is in no stream."""
    mirror.stop()
    mirror.write(DROP_SLOT, role="superuser")
    mirror.rows(1010, 1012)
    mirror.write(MAKE_SLOT, role="superuser")
    mirror.is_refused("[STATE_BEHIND_SLOT]")
    mirror.begin_anew(Mirror.repair)


def the_slot_is_invalidated(mirror: Mirror) -> None:
    """For the log that it keeps; or, from PostgreSQL 18 on, because nobody has read it for so long."""
    [(version,)] = mirror.write("SHOW server_version_num")
    limit = ("idle_replication_slot_timeout", "1s") if int(version) >= 180000 else ("max_slot_wal_keep_size", "1MB")
    mirror.stop()
    mirror.set(*limit)
    for number in range(1020, 1024):
        mirror.rows(number, number)
        time.sleep(0.5)
        mirror.write("SELECT pg_switch_wal()", "CHECKPOINT", role="superuser")
    mirror.set(limit[0], None)
    slot = mirror.status()["slot"]

    assert "lost" == slot["state"]
    assert "`tidemark init`, `start --without-state`, then `copy`" in slot["problem"]
    mirror.is_refused("[SLOT_LOST]")
    mirror.begin_anew(Mirror.copy)


def the_checkpoints_are_deleted(mirror: Mirror) -> None:
    """The stream goes on where the slot stands; what it sends again is known by its identity."""
    mirror.rows(1030, 1034)
    mirror.kill_stream()
    shutil.rmtree(mirror.world.folder / "state")
    mirror.rows(1035, 1039)
    assert mirror.start().returncode == 0
    mirror.is_equal()


def a_backup_is_restored(mirror: Mirror) -> None:
    """Its ids of marks and of transactions are given out again; those of the lost ones mean others by then."""
    kept = mirror.back_up()
    mirror.is_equal()
    mirror.rows(1040, 1060)
    mirror.is_equal()
    lost = mirror.published()
    mirror.rows(1061, 1062)
    mirror.stop()
    end = mirror.position()
    mirror.restore(kept)
    mirror.rows(1070, 1071)

    assert "does not know mark" in mirror.status()["slot"]["problem"]
    mirror.sync_says("does not know mark")
    mirror.rows(1080, 1140)
    mirror.passes(end)  # every position and every id is there again
    mirror.is_refused("[HISTORY_CHANGED]")
    mirror.begin_anew(Mirror.copy)
    assert mirror.published() > lost
    mirror.rows(1150, 1160)
    mirror.is_equal()


def a_backup_is_restored_that_holds_every_mark(mirror: Mirror) -> None:
    """No mark is missing, only transactions that the lake has in bronze: the stream alone can tell."""
    mirror.is_equal()
    kept = mirror.back_up()
    mirror.rows(1170, 1190)
    mirror.lands()
    mirror.stop()
    end = mirror.position()
    mirror.restore(kept)
    mirror.rows(1200, 1260)
    mirror.passes(end)
    before = mirror.published()
    mirror.is_refused("[HISTORY_CHANGED]")
    timed_out = mirror.world.tidemark("sync", "--timeout", "5")
    assert (75, before) == (timed_out.returncode, mirror.published())
    mirror.begin_anew(Mirror.repair)
    mirror.rows(1270, 1290)
    mirror.is_equal()


def a_backup_is_restored_under_the_stream(mirror: Mirror) -> None:
    """It is connected again to a server that has less than it has read."""
    kept = mirror.back_up()
    mirror.is_equal()
    mirror.rows(1300, 1310)
    mirror.is_equal()
    mirror.restore(kept)
    mirror.rows(1320, 1330)
    mirror.sync_says("does not know mark")
    reason = mirror.wait_for_stream("failed")["reason"]

    assert "[HISTORY_CHANGED]" in reason or "[STATE_AHEAD_OF_SERVER]" in reason
    mirror.begin_anew(Mirror.repair)


def a_backup_is_restored_that_lost_nothing(mirror: Mirror) -> None:
    mirror.is_equal()
    mirror.stop()
    kept = mirror.back_up()
    mirror.restore(kept)
    mirror.rows(1340, 1345)
    assert mirror.start().returncode == 0
    mirror.is_equal()


def commits_are_lost_in_a_crash(mirror: Mirror) -> None:
    """Their ids are given out again; the stream never had them."""
    mirror.write(
        "SET synchronous_commit = off",
        *(f"INSERT INTO account VALUES ({n}, 'lost', 1, NULL)" for n in range(1350, 1360)),
    )
    mirror.server.crash()
    mirror.server.start()
    mirror.rows(1370, 1380)
    mirror.is_equal()


def a_standby_is_promoted(mirror: Mirror) -> None:
    """Nothing was lost by it: a repair proves that, and reads no row again."""
    standby = mirror.standby()
    mirror.rows(1400, 1410)
    mirror.is_equal()
    replayed = f"SELECT pg_last_wal_replay_lsn() >= '{mirror.position()}'"
    with psycopg.connect(standby.superuser_url, autocommit=True) as connection:
        mirror.until(lambda: connection.execute(replayed.encode()).fetchone() == (True,), "replayed")
        mirror.server.stop("immediate")
        connection.execute("SELECT pg_promote()")
    mirror.world.server = standby
    mirror.stop()

    assert "is on timeline 2, the lake on 1" in mirror.status()["slot"]["problem"]
    mirror.sync_says("is on timeline 2, the lake on 1")
    mirror.is_refused("[TIMELINE_CHANGED]")
    assert 0 == mirror.begin_anew(Mirror.repair)
    mirror.rows(1420, 1425)
    mirror.is_equal()


def a_commit_waits_for_a_synchronous_standby(mirror: Mirror) -> None:
    """It is in the log, and in the stream, and no snapshot sees it: from mark to mark it is carried over."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    mirror.write("ALTER ROLE capture SET synchronous_commit = local", role="superuser")
    before = mirror.is_equal()["public.account"]
    mirror.set("synchronous_standby_names", "nobody")
    application = threading.Thread(target=mirror.write, args=("INSERT INTO account VALUES (1500, 'waits', 1, NULL)",))
    application.start()
    mirror.until(lambda: mirror.write(waiting, role="superuser") == [(1,)], "waiting")
    for number in range(3):
        mirror.write("SET synchronous_commit = local", f"INSERT INTO entry VALUES (9000, {number}, 1)")
        assert before == mirror.is_equal()["public.account"]
    mirror.set("synchronous_standby_names", None)
    application.join(120)
    assert not application.is_alive()
    assert before + 1 == mirror.is_equal()["public.account"]
    mirror.write("ALTER ROLE capture RESET synchronous_commit", role="superuser")


def the_password_is_rotated(mirror: Mirror) -> None:
    """Who is connected stays so; who connects anew says what is the matter, and goes on with the new one."""
    mirror.write("ALTER ROLE capture PASSWORD 'another'", role="superuser")
    with pytest.raises(SourceRefused, match="password authentication failed"):
        mirror.is_equal()
    mirror.write(TERMINATE, role="superuser")
    assert "[ACCESS_DENIED]" in mirror.wait_for_stream("failed")["reason"]
    mirror.world.passwords["capture"] = "another"
    mirror.rows(1510, 1512)
    assert mirror.start().returncode == 0
    mirror.is_equal()


def the_server_goes_away_under_each_job(mirror: Mirror) -> None:
    """In order or in a crash: a job ends with what one tries again, and what it left half-made counts for nothing."""
    works: list[tuple[Callable[[], object], Callable[[], None]]] = [
        (mirror.copy, mirror.server.crash),
        (mirror.is_equal, mirror.server.crash),
        (mirror.copy, mirror.server.restart),
        (mirror.is_equal, mirror.server.restart),
    ]
    for number, (work, fault) in enumerate(works):
        mirror.rows(1520 + number, 1520 + number)
        [(last,)] = mirror.write("SELECT max(id) FROM tidemark.mark", role="superuser")
        ended: list[BaseException | None] = []
        job = threading.Thread(target=lambda work=work, ended=ended: ended.append(outcome(work)))
        job.start()
        newer = f"SELECT 1 FROM tidemark.mark WHERE id > {last}"
        mirror.until(partial(mirror.write, newer, role="superuser"), "a mark of the job's")
        fault()
        mirror.server.start()
        job.join(180)
        assert not job.is_alive()
        assert ended == [None] or isinstance(ended[0], RetryableError), ended
    mirror.copy()
    mirror.is_equal()


def outcome(work: Callable[[], object]) -> BaseException | None:
    try:
        work()
    except BaseException as error:
        return error
    return None


def jobs_are_ended_and_killed(mirror: Mirror) -> None:
    """At any moment: what they hold is free at once, and what they left half-made counts for nothing."""
    jobs = ("copy", "sync")
    for number, (job, how) in enumerate([(job, how) for how in (signal.SIGTERM, signal.SIGKILL) for job in jobs]):
        mirror.rows(1530 + number, 1530 + number)
        process = start_job(mirror, job)
        time.sleep(2 + random.random() * 10)
        process.send_signal(how)
        assert process.wait(120) in (-how, 0)
        mirror.is_equal()


def the_jvm_of_a_job_is_killed(mirror: Mirror) -> None:
    """As one that is out of memory: the job ends, and does not wait for it."""
    for number, job in enumerate(("copy", "verify")):
        mirror.rows(1540 + number, 1540 + number)
        process = start_job(mirror, job)
        java = mirror.until(partial(children, process), "a JVM")
        time.sleep(3 + random.random() * 8)
        for pid in java:
            with suppress(ProcessLookupError):  # the job was quicker
                os.kill(pid, signal.SIGKILL)
        assert process.wait(120) in (0, 1, 75)
        mirror.is_equal()


def start_job(mirror: Mirror, job: str) -> "subprocess.Popen[bytes]":
    """Start a job in a process of its own; a sync goes on until it is ended."""
    argv = [sys.executable, "-m", "tidemark_jobs", job, "--source", "shop", *["--continuous"] * (job == "sync")]
    silent = subprocess.DEVNULL
    return subprocess.Popen(argv, env=mirror.world.environment, stdout=silent, stderr=silent)


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in listed.split()]


def the_disk_of_the_log_is_full(mirror: Mirror) -> None:
    """The server crashes under all that use it; with room again it recovers, and so does the mirror."""
    with small_disk_for_the_log(mirror.server, room_mb=48) as make_room:
        fill = "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 4000000))"
        with pytest.raises(psycopg.Error):
            mirror.write(*[fill] * 40, role="superuser")
        make_room()
        mirror.server.stop("immediate")
        mirror.server.start()
        mirror.rows(1550, 1555)
        mirror.is_equal()
    mirror.is_equal()


CASES: tuple[Callable[[Mirror], None], ...] = (
    the_slot_is_dropped,
    the_slot_is_dropped_and_made_again,
    the_slot_is_invalidated,
    the_checkpoints_are_deleted,
    a_backup_is_restored,
    a_backup_is_restored_that_holds_every_mark,
    a_backup_is_restored_under_the_stream,
    a_backup_is_restored_that_lost_nothing,
    commits_are_lost_in_a_crash,
    a_commit_waits_for_a_synchronous_standby,
    the_password_is_rotated,
    the_server_goes_away_under_each_job,
    jobs_are_ended_and_killed,
    the_jvm_of_a_job_is_killed,
    *([the_disk_of_the_log_is_full] if can_mount() else []),
    a_standby_is_promoted,  # the last: the mirror's server is another then
)


@pytest.mark.slow
@any_of("case", CASES)
def test_the_mirror_ends_equal_or_says_what_is_the_matter(mirror: Mirror, case: Callable[[Mirror], None]) -> None:
    case(mirror)
