"""Children: their log lines, their results, and how they end."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.console.place import Place
from tests.present import present
from tidemark.children import Child, Ended, Event, read_event
from tidemark.jobs import JobFailed, check
from tidemark.local import processes
from tidemark.mirror import Mirror
from tidemark.progress import sentence

FAILS = """
import json, sys
print("WARN something of the engine's", file=sys.stderr)
print(json.dumps({"level": "info", "event": "table_copied", "table": "public.orders", "rows": 12}), file=sys.stderr)
print(json.dumps({"level": "error", "event": "failed", "error": "MarkTimeout", "message": "no mark"}), file=sys.stderr)
sys.exit(75)
"""
DIES = "print(1, flush=True); raise LookupError('boom')"
WAITS = """
import sys, time
try:
    print("ready", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print("cleaned up", file=sys.stderr)
    sys.exit(130)
"""
IN_THE_BACKGROUND = """
import signal, sys
from pathlib import Path
from tidemark import main
from tidemark.children import Child

def command(arguments):
    with Child([sys.executable, "-c", arguments[0]], log=Path(arguments[1])) as started:
        next(started.lines())
    signal.raise_signal(signal.SIGINT)
    return started.process.returncode

signal.signal(signal.SIGINT, signal.SIG_IGN)
main.run = command
main.main()
"""
STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)"  # noqa: E501


def child(program: str, tmp_path: Path, on_event: Callable[[Event], None] = lambda _: None) -> Child:
    return Child([sys.executable, "-c", program], log=tmp_path / "child.log", on_event=on_event)


def ended(program: str, tmp_path: Path) -> Ended:
    with child(program, tmp_path) as started:
        list(started.lines())
        return started.wait()


def test_log_lines_become_events_and_everything_is_kept_in_the_log(tmp_path: Path) -> None:
    events: list[Event] = []
    with child(FAILS, tmp_path, on_event=events.append) as started:
        outcome = started.wait()

    assert ["table_copied"] == [event["event"] for event in events]
    assert 75 == outcome.code
    assert "no mark" == present(outcome.failed)["message"]
    assert ["WARN something of the engine's"] == outcome.tail
    assert 3 == len((tmp_path / "child.log").read_text().splitlines())


def test_a_failed_job_gives_its_own_message_and_exit_code(discovered: Place, tmp_path: Path) -> None:
    mirror = Mirror.open(None)

    with pytest.raises(JobFailed) as failed:
        check("sync", ended(FAILS, tmp_path), mirror, {})

    assert ("MarkTimeout", "no mark", 75) == (
        failed.value.failure.kind,
        failed.value.failure.message,
        failed.value.failure.exit_code,
    )


def test_a_job_that_died_without_a_word_is_told_with_its_last_lines_and_its_log(
    discovered: Place, tmp_path: Path
) -> None:
    with pytest.raises(JobFailed) as failed:
        check("sync", ended(DIES, tmp_path), Mirror.open(None), {})

    assert "sync-shop.log" in failed.value.failure.message
    assert failed.value.failure.message.endswith("LookupError: boom")
    assert 1 == failed.value.failure.exit_code


def test_ctrl_c_lets_the_child_clean_up_and_leaves_none(tmp_path: Path) -> None:
    with child(WAITS, tmp_path) as started:
        assert "ready" == next(started.lines())

    assert 130 == started.process.returncode
    assert "cleaned up\n" == (tmp_path / "child.log").read_text()


def test_a_command_in_the_background_ignores_ctrl_c_and_its_child_does_not(tmp_path: Path) -> None:
    """A script's background commands begin with SIGINT ignored, and hand that on."""
    argv = [sys.executable, "-c", IN_THE_BACKGROUND, WAITS, str(tmp_path / "child.log")]

    assert 130 == subprocess.run(argv, check=False, timeout=60).returncode
    assert "cleaned up\n" == (tmp_path / "child.log").read_text()


def test_a_child_that_will_not_end_is_killed(tmp_path: Path) -> None:
    with child(STUBBORN, tmp_path) as started:
        assert "ready" == next(started.lines())
        started.end(grace_s=0.2)

    assert -signal.SIGKILL == started.process.returncode


@pytest.mark.parametrize("line", ["", "plain", "{not json", "[1]", json.dumps({"level": "info"})])
def test_what_is_no_log_line_is_no_event(line: str) -> None:
    assert None is read_event(line)


def test_an_event_reads_as_a_sentence() -> None:
    event = {"ts": "…", "level": "info", "event": "table_copied", "table": "public.orders", "rows": 75000}

    assert "table copied: public.orders, 75,000 rows" == sentence(event)


def test_a_process_that_outlives_its_command_is_found_again_and_ended(tmp_path: Path) -> None:
    word = processes.mark(tmp_path, "sleeper")[1]
    argv = processes.python(tmp_path, "sleeper", "-c", "import sys, time; sys.stdin.readline(); time.sleep(600)")
    pid = processes.spawn(argv, log=tmp_path / "logs" / "sleeper.log", environment={}, stdin="go\n")

    assert [pid] == processes.find(word)
    assert [] == processes.find(processes.mark(tmp_path / "elsewhere", "sleeper")[1])
    assert processes.end(word)
    assert [] == processes.find(word)
    assert not processes.end(word)
