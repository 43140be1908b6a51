"""One pipeline through its life: these tests run in their order, each from where the one before left the stream."""

import json
import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.streaming.conftest import PASSWORD
from tests.streaming.database import Database
from tests.streaming.landed import Landed, eventually
from tests.streaming.looking import LINUX, files_with, listening_addresses
from tests.streaming.stack import Stack
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_streaming.flink_settings import JOBMANAGER, TASKMANAGER
from tidemark_streaming.home import Home

pytestmark = pytest.mark.slow


def test_a_start_without_state_takes_the_first_incarnation(stack: Stack) -> None:
    started = stack.start()

    assert ("running", 1) == (started["state"], started["incarnation"])
    assert started["landing"].endswith("/lake/bronze/shop/_landing/000001")


@pytest.mark.skipif(not LINUX, reason="only Linux shows which files a process has mapped")
@pytest.mark.parametrize("role", [JOBMANAGER, TASKMANAGER])
def test_its_processes_take_their_classes_from_an_archive(stack: Stack, role: str) -> None:
    """One that does not fit, by another order of the jars maybe, is passed over without a word."""
    [pid] = stack.pids(role)

    assert str(Home.find().archive(role).resolve()) in Path(f"/proc/{pid}/maps").read_text()


def test_changes_land_in_commit_order_with_their_exact_values(stack: Stack, database: Database) -> None:
    database.ask("insert into orders values (1, 'n€w', 1.50, null), (2, '', 'NaN', e'a\\nb')")
    database.ask("update orders set state = 'paid' where id = 1")
    database.ask("update orders set id = 3 where id = 2")
    database.ask("delete from orders where id = 1")
    database.ask("truncate orders")
    landed = stack.landed()
    eventually(lambda: len(landed.rows("orders")) == 6, "all six changes landed")

    rows = landed.rows("orders")
    two = {"state": "", "price": "NaN", "note": "a\nb"}
    assert [
        ("c", None, {"id": "1", "state": "n€w", "price": "1.50", "note": None}),
        ("c", None, {"id": "2", **two}),
        ("u", None, {"id": "1", "state": "paid", "price": "1.50", "note": None}),
        ("u", {"id": "2"}, {"id": "3", **two}),
        ("d", {"id": "1"}, None),
        ("t", None, None),
    ] == [(row["op"], row["before"], row["after"]) for row in rows]
    positions = [(row["commit_lsn"], row["ordinal"]) for row in rows]
    assert sorted(set(positions)) == positions
    assert 1 == len({row["xid"] for row in rows[:2]})


def test_status_says_what_an_operator_asks(stack: Stack, database: Database) -> None:
    status: dict[str, Any] = {}

    def is_up_to_date() -> bool:
        """In one answer: what Flink says of a task may be ten seconds old, and from before the changes came."""
        status.update(stack.status())
        is_told = status["lag_bytes"] == 0 and (status["changes"] or 0) >= 6 and (status["durable_lsn"] or 0) > 0
        return bool(is_told and 0 <= status["checkpoint_age_s"] < 30)

    eventually(is_up_to_date, "up to date, with a new checkpoint")
    assert ("shop", "running", None, 1, 0) == tuple(
        status[name] for name in ("source", "state", "reason", "incarnation", "restarts")
    )
    [[written]] = database.ask("select pg_current_wal_lsn() - '0/0'")
    assert status["durable_lsn"] <= int(written)
    with urlopen(status["web_ui"]) as page:
        assert b"Flink" in page.read()


def test_a_second_start_is_refused_and_says_where_the_first_runs(stack: Stack) -> None:
    pids = stack.pids()

    refused = stack.run("start", "--detach")

    assert (75, {}) == (refused.code, refused.out)
    assert str(stack.state / "flink" / "shop") in refused.last_words
    assert stack.status()["web_ui"] in refused.last_words
    assert pids == stack.pids()


def test_the_password_is_in_one_private_file_and_nowhere_else(stack: Stack) -> None:
    encoded = stack.url.split(":")[2].split("@")[0]
    holders = files_with(stack.folder, PASSWORD, encoded)

    assert [stack.state / "flink" / "shop" / "password"] == holders
    assert 0o600 == stat.S_IMODE(holders[0].stat().st_mode)
    assert PASSWORD not in subprocess.run(["ps", "-axww"], capture_output=True, text=True, check=True).stdout
    assert PASSWORD not in _shown_by_rest(stack)


@pytest.mark.skipif(not LINUX, reason="reads /proc, to see listeners without a tool that may not be installed")
def test_only_this_machine_can_reach_it(stack: Stack) -> None:
    """Everything that listens is bound to loopback; a JobManager runs what it is sent."""
    listeners = [listening_addresses(pid) for pid in stack.pids()]

    assert all(listeners)
    assert {"127.0.0.1"} == set().union(*listeners)


def _has_grown(landed: Landed, seen: int) -> bool:
    return len(landed.names()) > seen + 1


def test_every_change_lands_once_across_kills_of_both_processes(
    stack: Stack, database: Database, postgres: EmbeddedPostgres
) -> None:
    before = stack.landed().names()
    with Database(postgres.superuser_url.removesuffix("/postgres") + "/shop") as writer:
        writer.tell(_WRITE_UNTIL_TOLD)
        for role in ("taskmanager", "jobmanager"):
            landed, seen = stack.landed(), len(stack.landed().names())
            eventually(partial(_has_grown, landed, seen), "landing under load")
            _kill(stack, role)
            assert "down" == stack.status()["state"]
            assert 1 == stack.start()["incarnation"]
        database.ask("create table enough ()")
        writer.answer()
    [[written]] = database.ask("select count(*) from numbers")
    landed = stack.landed()
    eventually(lambda: len(landed.rows("numbers")) >= written, "all that was written")

    assert list(range(1, written + 1)) == [int(row["after"]["n"]) for row in landed.rows("numbers")]
    assert before == landed.names()[: len(before)]
    assert list(range(len(landed.names()))) == [counter for counter, _ in landed.names()]
    assert 3 == len({uuid for _, uuid in landed.names()})
    _in_progress_of_one_run_only(landed)


def test_a_stop_leaves_a_savepoint_and_no_process(stack: Stack, database: Database) -> None:
    database.ask("insert into orders values (10, 'before the stop', 1, null)")

    stopped = stack.run("stop")

    assert (0, "stopped") == (stopped.code, stopped.out["state"])
    assert [] == stack.pids()
    assert [] == stack.landed().hidden()
    assert 1 == len(list((stack.state / "checkpoints" / "shop" / "000001").glob("savepoint-*/_metadata")))


def test_a_start_after_a_stop_goes_on_behind_it(stack: Stack, database: Database) -> None:
    database.ask("insert into orders values (11, 'while it was stopped', 1, null)")
    landed = stack.landed()

    assert 1 == stack.start()["incarnation"]

    eventually(lambda: len(landed.rows("orders")) == 8, "the row written meanwhile")
    assert ["10", "11"] == [row["after"]["id"] for row in landed.rows("orders")[6:]]
    assert list(range(len(landed.names()))) == [counter for counter, _ in landed.names()]


def test_a_start_in_the_foreground_without_state_is_a_new_incarnation_until_a_signal(stack: Stack) -> None:
    assert 0 == stack.run("stop").code
    with _foreground(stack, "--without-state") as foreground:
        ready = _said(foreground, "tidemark_streaming.foreground")
        foreground.send_signal(signal.SIGTERM)
        out, _ = foreground.communicate()

    assert 2 == json.loads(ready)["incarnation"]
    assert (0, "stopped", 2) == (foreground.returncode, json.loads(out)["state"], json.loads(out)["incarnation"])
    assert [] == stack.pids()


def test_in_the_foreground_a_killed_taskmanager_is_replaced_and_a_killed_jobmanager_ends_it(stack: Stack) -> None:
    """Nobody is left who would restart anything: whoever supervises the start tries again."""
    with _foreground(stack) as foreground:
        _said(foreground, "tidemark_streaming.foreground")
        _kill(stack, "taskmanager")
        _said(foreground, "starting another")
        _said(foreground, '"state": "running"')
        _kill(stack, "jobmanager")
        _, said = foreground.communicate()

    assert 75 == foreground.returncode
    assert "a start resumes from the last checkpoint" in said
    assert [] == stack.pids()


def test_in_the_foreground_a_jobmanager_that_was_too_busy_to_answer_is_left_to_go_on(stack: Stack) -> None:
    """Neither is the stream ended then, nor a second TaskManager started beside the first."""
    with _foreground(stack) as foreground:
        _said(foreground, '"state": "running"')
        before = stack.pids()
        [jobmanager] = stack.pids("jobmanager")
        os.kill(jobmanager, signal.SIGSTOP)
        try:
            _said(foreground, '"state": "down"')
        finally:
            os.kill(jobmanager, signal.SIGCONT)
        _said(foreground, '"state": "running"')
        after = stack.pids()
        foreground.send_signal(signal.SIGTERM)
        foreground.communicate()

    assert (2, before) == (len(before), after)
    assert 0 == foreground.returncode


def test_a_missing_slot_ends_the_start_with_the_reason(stack: Stack) -> None:
    refused = stack.run("start", "--detach", source="other", TIDEMARK_SOURCE_OTHER_URL=stack.url)

    assert (78, {}) == (refused.code, refused.out)
    assert refused.last_words.startswith("[SLOT_MISSING]")
    assert "tidemark_other" in refused.last_words
    assert "\n" not in refused.last_words
    assert [] == stack.pids(source="other")


def test_a_wrong_password_ends_the_start_with_the_reason(stack: Stack) -> None:
    wrong = stack.url.replace("zq7", "zq8")

    refused = stack.run("start", "--detach", source="third", TIDEMARK_SOURCE_THIRD_URL=wrong)

    assert 78 == refused.code
    assert refused.last_words.startswith("[ACCESS_DENIED]")
    assert not [log for log in refused.logs if "zq8" in json.dumps(log)]
    assert [] == stack.pids(source="third")


def test_a_server_that_does_not_answer_is_found_without_starting_flink(stack: Stack) -> None:
    refused = stack.run(
        "start", "--detach", source="fourth", TIDEMARK_SOURCE_FOURTH_URL="postgresql://capture@127.0.0.1:1/shop"
    )

    assert 75 == refused.code
    assert "127.0.0.1:1" in refused.last_words
    assert not (stack.state / "flink" / "fourth" / "log").exists()


_WRITE_UNTIL_TOLD = """
do $$
declare n int := 0;
begin
  while to_regclass('enough') is null loop
    insert into numbers select generate_series(n + 1, n + 10);
    n := n + 10;
    commit;
    perform pg_sleep(0.01);
  end loop;
end $$
"""


@contextmanager
def _foreground(stack: Stack, *words: str) -> Iterator["subprocess.Popen[str]"]:
    """Start it in the foreground; of a test that fails it is killed, for it would go on."""
    command = stack.command("start", "--checkpoint-interval", "500ms", *words)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=stack.environment(), stdout=pipe, stderr=pipe, text=True) as foreground:
        try:
            yield foreground
        finally:
            foreground.kill()


def _said(foreground: "subprocess.Popen[str]", words: str) -> str:
    """Wait for a line with these words; if none comes, tell all that came."""
    assert foreground.stderr is not None
    lines = []
    for line in foreground.stderr:
        if words in line:
            return line
        lines.append(line)
    raise AssertionError(f"not {words}, but {''.join(lines)}")


def _kill(stack: Stack, role: str) -> None:
    """Kill what has a role; who looks after it may have started another before one looks."""
    killed = set(stack.pids(role))
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not killed & set(stack.pids(role)), f"without its {role}")


def _in_progress_of_one_run_only(landed: Landed) -> None:
    """The running job may be writing; what killed ones left is gone."""
    _, newest = landed.names()[-1]
    assert not [name for name in landed.hidden() if not name.startswith(f".part-{newest}")]


def _shown_by_rest(stack: Stack) -> str:
    status = stack.status()
    paths = ["/jobmanager/config", "/jobmanager/environment", "/jobmanager/log"]
    paths += [f"/jobs/{status['job']}{part}" for part in ("", "/config", "/plan", "/exceptions")]
    shown = []
    for path in paths:
        with urlopen(status["web_ui"] + path) as answer:
            shown.append(answer.read().decode())
    return "".join(shown)
