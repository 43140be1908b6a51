"""`tidemark guard` beside a real stream that is killed: it comes back once, and never against anybody's wish."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.world import World

pytestmark = [pytest.mark.slow, pytest.mark.drawn(3)]


def commands() -> Iterator[tuple[int, list[str]]]:
    """Give every process with its argv."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(entry.name), (entry / "cmdline").read_text(errors="replace").split("\0")


def children_of(process: "subprocess.Popen[bytes]") -> list[int]:
    """Give the processes that it has started; each is in a session of its own."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


class Guarded(World):
    """Its stream, seen from outside."""

    limits: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, **getattr(self, "limits", {})}

    def guard(self) -> tuple[int, dict[str, Any], str]:
        """Give exit code, summary and, of a failure, the reason; as a task of Airflow's reads them."""
        done = self.tidemark("guard", "--json")
        words = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
        reason = next((str(line["message"]) for line in words if line.get("event") == "failed"), "")
        return done.returncode, json.loads(done.stdout or "{}"), reason

    def pids(self) -> list[int]:
        word = f"-Djava.io.tmpdir={self.folder / 'state' / 'flink' / 'shop' / 'tmp'}"
        return [pid for pid, words in commands() if word in words]

    def attendant(self) -> str:
        """Give the pid of who has begun to look after it last.

        Its lock says so itself: had we tried the lock, one who begins just then would have been refused.
        """
        file = self.folder / "state" / "flink" / "shop" / "attended"
        return file.read_text().strip() if file.exists() else ""

    def stop_when_let(self) -> "subprocess.CompletedProcess[str]":
        """Stop it; a start that is at work has to end first, and a stop waits half a minute for that."""
        while (done := self.tidemark("stop")).returncode == 75:
            assert "another start or stop is at work" in done.stderr, done.stderr
        return done

    def kill(self) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):  # somebody else is ending it
                os.kill(pid, signal.SIGKILL)
        self.wait_until("it is dead, and the source has noticed", lambda: not self.pids() and not self.slot_is_read())

    def slot_is_read(self) -> bool:
        with psycopg.connect(self.server.superuser_url, autocommit=True) as connection:
            query = "SELECT active FROM pg_replication_slots WHERE slot_name = 'tidemark_shop'"
            return connection.execute(query).fetchone() == (True,)

    def wait_until(self, what: str, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not true():
            assert time.monotonic() < deadline, f"in vain: {what}"
            time.sleep(0.1)

    def stream(self) -> dict[str, Any]:
        [source] = json.loads(self.must("status", "--json"))["sources"]
        return dict(source["stream"])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Guarded.on("17", tmp_path_factory.mktemp("guarded")) as made:
        made.must("discover", "--name", "shop")
        made.must("init")
        yield made


@pytest.fixture(autouse=True)
def no_limits(world: Guarded) -> None:
    world.limits = {}


@pytest.fixture
def running(world: Guarded) -> Guarded:
    """Its stream runs, and there is a mark."""
    if world.stream()["state"] != "running":
        world.must("start", "--detach", "--checkpoint-interval", "1s")
    if world.control.published() is None:
        world.must("copy")
        world.must("sync")
    return world


@pytest.fixture
def stopped(running: Guarded) -> Guarded:
    """It ran, and was stopped."""
    running.must("stop")
    return running


def test_one_that_was_never_started_is_nobodys_to_start(world: Guarded) -> None:
    code, summary, reason = world.guard()

    assert (75, "nothing", "elsewhere", False) == (code, summary["did"], summary["stream"], summary["slot_active"])
    assert "nobody reads the slot tidemark_shop" in reason
    assert [] == world.pids()


def test_one_that_runs_is_left_alone_and_told_of(running: Guarded) -> None:
    pids = running.pids()

    code, summary, _ = running.guard()

    assert (0, "nothing", "running", True) == (code, summary["did"], summary["stream"], summary["slot_active"])
    assert 0 < summary["retained_bytes"] < 1 << 30
    assert 0 <= summary["xmin_age"] < 100_000
    assert 0 < summary["mark_age_s"] < 600
    assert summary["confirmed_lsn"].startswith("0/")
    assert summary["mark"] > 0
    assert (2, pids) == (len(pids), running.pids())


def test_one_that_was_started_from_afar_leaves_its_outcome_whatever_it_was(running: Guarded) -> None:
    """As a Job of Kubernetes, with the source's settings in a mounted Secret."""
    secrets = running.folder / "mounted"
    secrets.mkdir()
    setting = "TIDEMARK_SOURCE_SHOP_URL"
    (secrets / setting).write_text(running.environment[setting])
    running.limits = {"TIDEMARK_SECRETS": secrets.as_uri(), setting: ""}
    seen = {}
    for name, limit in (("well", "1000000"), ("beyond", "1")):
        running.limits |= {"TIDEMARK_OUTCOME": (running.folder / name).as_uri(), "TIDEMARK_LIMIT_MARK_S": limit}
        running.guard()
        seen[name] = json.loads((running.folder / name).read_text())

    assert (0, "nothing", "") == (seen["well"]["code"], seen["well"]["summary"]["did"], seen["well"]["reason"])
    assert (1, ["TIDEMARK_LIMIT_MARK_S"]) == (seen["beyond"]["code"], seen["beyond"]["summary"]["beyond"])
    assert "the newest published mark is" in seen["beyond"]["reason"]


def test_one_that_was_killed_comes_back_from_its_checkpoint_as_it_was(running: Guarded) -> None:
    before = running.stream()
    running.kill()
    with psycopg.connect(running.url("owner"), autocommit=True) as connection:
        connection.execute("UPDATE account SET balance = balance + 1")

    code, summary, _ = running.guard()

    after = running.stream()
    assert (0, "restarted", "running", True) == (code, summary["did"], summary["stream"], summary["slot_active"])
    assert (2, before["incarnation"]) == (len(running.pids()), after["incarnation"])
    assert before["job"] != after["job"]
    submitted = json.loads((running.folder / "state" / "flink" / "shop" / "options.json").read_text())
    assert "1s" == submitted["checkpoint_interval"]
    running.must("sync")
    running.must("verify")


def test_two_guards_at_once_start_one(running: Guarded) -> None:
    running.kill()

    with ThreadPoolExecutor(2) as pool:
        ended = [code for code, _, _ in pool.map(lambda _: running.guard(), range(2))]

    assert 0 in ended
    assert {0, 75} >= set(ended)
    assert (2, "running") == (len(running.pids()), running.stream()["state"])


def test_a_stop_beside_a_guard_that_brings_it_back_wins(running: Guarded) -> None:
    running.kill()

    with ThreadPoolExecutor(2) as pool:
        guarded = pool.submit(running.guard)
        stopped = pool.submit(running.stop_when_let)
        assert 0 == stopped.result().returncode, stopped.result().stderr
        assert guarded.result()[0] in (0, 75)

    assert ([], "stopped") == (running.pids(), running.stream()["state"])


def test_one_that_was_stopped_stays_so(stopped: Guarded) -> None:
    code, summary, _ = stopped.guard()

    assert (0, "nothing", "stopped", False) == (code, summary["did"], summary["stream"], summary["slot_active"])
    assert [] == stopped.pids()


def test_one_that_is_stopped_still_costs_the_source(stopped: Guarded) -> None:
    stopped.limits = {"TIDEMARK_LIMIT_WAL_MB": "1"}
    with psycopg.connect(stopped.url("owner"), autocommit=True) as connection:
        connection.execute("UPDATE account SET note = repeat(md5(random()::text), 400)")

    code, summary, reason = stopped.guard()

    assert (1, "stopped", ["TIDEMARK_LIMIT_WAL_MB"]) == (code, summary["stream"], summary["beyond"])
    assert summary["retained_bytes"] > 1_000_000
    assert "more than 1.0 MB (TIDEMARK_LIMIT_WAL_MB): `tidemark start`" in reason
    assert [] == stopped.pids()


def test_a_stop_that_was_killed_on_the_way_is_still_a_wish(running: Guarded) -> None:
    """Killed while it waits for the savepoint; then the stream too."""
    record = running.folder / "state" / "flink" / "shop" / "run.json"
    argv = [str(Path(sys.executable).with_name("tidemark")), "stop"]
    with subprocess.Popen(argv, env=running.environment, stderr=subprocess.DEVNULL) as stopping:
        running.wait_until("the wish is written", lambda: json.loads(record.read_text())["stopped"])
        for pid in (*children_of(stopping), stopping.pid):
            with suppress(ProcessLookupError):  # it may be about to end
                os.kill(pid, signal.SIGKILL)
    running.kill()

    code, summary, _ = running.guard()
    assert (0, "nothing", "stopped") == (code, summary["did"], summary["stream"])
    assert [] == running.pids()


def test_one_that_a_start_in_the_foreground_looks_after_is_left_to_it(stopped: Guarded) -> None:
    """Held up, as by a busy machine, it has not seen yet what was killed; when it has ended, the guard's turn comes."""
    argv = [str(Path(sys.executable).with_name("tidemark")), "start", "--checkpoint-interval", "1s"]
    with subprocess.Popen(argv, env=stopped.environment, stderr=subprocess.DEVNULL) as foreground:
        stopped.wait_until("it is looked after", lambda: stopped.attendant() in map(str, children_of(foreground)))
        [looking] = children_of(foreground)
        os.kill(looking, signal.SIGSTOP)
        try:
            stopped.kill()
            code, summary, reason = stopped.guard()
        finally:
            os.kill(looking, signal.SIGCONT)
        ended = foreground.wait(180)

    assert (75, "nothing", 75) == (code, summary["did"], ended)
    assert "attended is held" in reason
    assert "restarted" == stopped.guard()[1]["did"]
    stopped.must("stop")


def test_one_whose_checkpoints_are_of_another_incarnation_is_a_persons(running: Guarded) -> None:
    running.kill()
    other = running.folder / "the lake" / "control" / "_claims" / "shop" / "incarnations" / "000099"
    other.write_text("{}")
    try:
        code, summary, reason = running.guard()
    finally:
        other.unlink()

    assert (78, "nothing", "down") == (code, summary["did"], summary["stream"])
    assert "holds no checkpoint of incarnation 99" in reason
    assert [] == running.pids()


def test_one_whose_slot_is_gone_is_a_persons_and_the_cure_is_told(running: Guarded) -> None:
    running.kill()
    with psycopg.connect(running.server.superuser_url, autocommit=True) as connection:
        connection.execute("SELECT pg_drop_replication_slot('tidemark_shop')")

    code, summary, reason = running.guard()

    assert (78, "nothing", "down", None) == (code, summary["did"], summary["stream"], summary["slot_active"])
    assert "there is no slot tidemark_shop: `tidemark init`" in reason
    assert [] == running.pids()
