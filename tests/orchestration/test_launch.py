"""A job's process: what it says is heard at once, what it started ends with it, and it learns nothing of Airflow."""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pytest

from tidemark_contract.argv import Job
from tidemark_contract.errors import SettingsError
from tidemark_orchestration.launchers.local import LocalLauncher

PATIENCE_S = 120.0
SYNC = Job("sync", "shop")


class Launching(Protocol):
    def __call__(self, body: str, tell: Callable[[int, str], None] = ..., **environment: str) -> LocalLauncher: ...


@pytest.fixture
def launcher(tmp_path: Path) -> Launching:
    """Stand a program in the place of the Spark environment's Python."""

    def make(
        body: str, tell: Callable[[int, str], None] = lambda level, line: None, **environment: str
    ) -> LocalLauncher:
        program = tmp_path / "python"
        program.write_text(f"#!{sys.executable}\nimport os, signal, subprocess, sys, time\n{body}")
        program.chmod(0o755)
        return LocalLauncher(tell, {"PATH": os.environ["PATH"], "TIDEMARK_JOBS_PYTHON": str(program), **environment})

    return make


def wait_until(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, f"in vain: {what}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """A zombie that nobody reaps (a container without init) is not alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def running(launcher: LocalLauncher) -> Iterator[threading.Thread]:
    thread = threading.Thread(target=launcher.run, args=(SYNC,))
    thread.start()
    try:
        yield thread
    finally:
        launcher.end()
        thread.join(PATIENCE_S)


def test_a_line_is_heard_while_the_job_still_runs(launcher: Launching, tmp_path: Path) -> None:
    heard = []
    waits = f"while not os.path.exists({str(tmp_path / 'go')!r}): time.sleep(0.02)"
    job = launcher(f"print('half way', file=sys.stderr)\n{waits}\n", lambda level, line: heard.append(line))

    with running(job) as thread:
        wait_until(lambda: heard == ["half way"], "the line")
        assert thread.is_alive()
        (tmp_path / "go").touch()


def test_a_line_keeps_its_level_and_the_last_summary_counts(launcher: Launching) -> None:
    heard = []
    done = launcher(
        """
print('{"ts": "now", "level": "warning", "event": "held", "mark": 7}\\nWARN from Java\\n{half', file=sys.stderr)
print('{"mark": 7}\\nno summary\\n{"mark": 8}')
""",
        lambda level, line: heard.append((level, line)),
    ).run(SYNC)

    assert [(logging.WARNING, "held mark=7"), (logging.INFO, "WARN from Java"), (logging.INFO, "{half")] == heard
    assert (0, {"mark": 8}) == (done.code, done.summary)


def test_a_job_that_gives_no_reason_is_told_by_its_last_line(launcher: Launching) -> None:
    done = launcher("raise MemoryError('no room')").run(SYNC)

    assert 1 == done.code
    assert done.reason.endswith("the last that it said is: MemoryError: no room")
    assert "it was ended by SIGKILL" == launcher("os.kill(os.getpid(), signal.SIGKILL)").run(SYNC).reason


def test_its_end_is_the_end_of_what_it_started(launcher: Launching, tmp_path: Path) -> None:
    """The child is of the kind that does not listen, as a JVM that is busy collecting garbage."""
    pids = tmp_path / "pids"
    deaf = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True)"
    job = launcher(
        f"""
child = subprocess.Popen([sys.executable, "-c", {deaf + "; time.sleep(600)"!r}], stdout=subprocess.PIPE)
child.stdout.readline()
open({str(pids)!r} + ".new", "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(pids)!r} + ".new", {str(pids)!r})
time.sleep(600)
"""
    )
    with running(job) as thread:
        wait_until(pids.exists, "the job's start")
        leader, child = map(int, pids.read_text().split())
        began = time.monotonic()
        job.end(grace_s=0.5)
        wait_until(lambda: not alive(leader) and not alive(child), "their end")
        thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert time.monotonic() - began >= 0.5, "the child was killed before it was asked"


def test_a_job_that_listens_ends_in_its_own_way(launcher: Launching, tmp_path: Path) -> None:
    heard = []
    job = launcher(
        """
signal.signal(signal.SIGTERM, lambda *_: (print("giving the lease back", file=sys.stderr), sys.exit(75)))
print("ready", file=sys.stderr)
time.sleep(600)
""",
        lambda level, line: heard.append(line),
    )
    with running(job) as thread:
        wait_until(lambda: "ready" in heard, "the job's start")
        job.end(grace_s=PATIENCE_S)
        thread.join(PATIENCE_S)

    assert ["ready", "giving the lease back"] == heard


def test_what_the_job_leaves_behind_does_not_stay(launcher: Launching, tmp_path: Path) -> None:
    """Such as the JVM of a Python that was killed for memory; it has closed its pipes, so nobody waits for it."""
    pid = tmp_path / "pid"
    left = "subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid"
    launcher(f"open({str(pid)!r}, 'w').write(str({left}))").run(SYNC)

    wait_until(lambda: not alive(int(pid.read_text())), "the end of what was left")


def test_a_job_gets_the_settings_and_nothing_of_airflows(launcher: Launching) -> None:
    secret = "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"
    body = "import json; print(json.dumps({'known': sorted(os.environ), 'in': sys.stdin.read()}))"
    found = (
        launcher(body, lambda level, line: None, **{secret: "x", "__AIRFLOW_SUPERVISOR_FD": "9", "TIDEMARK_LAKE": "l"})
        .run(SYNC)
        .summary
    )

    assert "TIDEMARK_LAKE" in found["known"]
    assert not [name for name in found["known"] if "AIRFLOW" in name]
    assert "" == found["in"]


def test_a_secret_that_a_job_says_is_struck_out(launcher: Launching) -> None:
    """As a driver may that quotes its URL: neither as it stands there nor decoded."""
    heard = []
    done = launcher(
        """
import json
url = os.environ["TIDEMARK_SOURCE_SHOP_URL"]
print("cannot reach", url, file=sys.stderr)
print("keyed", os.environ["TIDEMARK_HASH_KEY"], file=sys.stderr)
print("passwords are", "in the query", "and", "in words", file=sys.stderr)
print(json.dumps({"event": "failed", "message": 'no user with se/"cret-wörd and ' + url}), file=sys.stderr)
print(json.dumps({"url": url}))
sys.exit(78)
""",
        lambda level, line: heard.append(line),
        TIDEMARK_SOURCE_SHOP_URL="postgresql://capture:se%2F%22cret-w%C3%B6rd@db/shop",
        TIDEMARK_SOURCE_CRM_URL="postgresql://capture@db/crm?password=in%20the%20query&sslmode=require",
        TIDEMARK_SOURCE_OLD_URL="host=db password = 'in words' user=capture",
        TIDEMARK_HASH_KEY="k1:00ff17",
    ).run(SYNC)

    assert "keyed k1:***" in heard
    assert "cannot reach postgresql://capture:***@db/shop" == heard[0]
    assert "passwords are *** and ***" in heard
    assert "no user with *** and postgresql://capture:***@db/shop" == done.reason
    assert {"url": "postgresql://capture:***@db/shop"} == done.summary
    assert "cret-w" not in "".join(heard)


def test_a_python_that_cannot_be_started_is_named() -> None:
    with pytest.raises(SettingsError, match=r"TIDEMARK_JOBS_PYTHON is '/nowhere/python'.*No such file"):
        LocalLauncher(lambda level, line: None, {"TIDEMARK_JOBS_PYTHON": "/nowhere/python"}).run(SYNC)
