import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.streaming.landed import eventually
from tidemark_streaming.processes import Processes

_DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
_TAME = "import signal; print('tame', flush=True); signal.pause()"


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Processes]:
    processes = Processes(tmp_path)
    yield processes
    processes.end()


def test_a_process_is_found_by_its_folder_and_role(ours: Processes, tmp_path: Path) -> None:
    pid = _spawn(ours, "taskmanager", tmp_path)

    assert [pid] == ours.find("taskmanager") == ours.find()
    assert [] == ours.find("jobmanager")
    assert [] == Processes(tmp_path / "another").find()


def test_a_process_outlives_the_session_of_who_started_it(ours: Processes, tmp_path: Path) -> None:
    assert os.getsid(_spawn(ours, "taskmanager", tmp_path)) != os.getsid(0)


def test_a_process_that_does_not_listen_is_ended_all_the_same(
    ours: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tidemark_streaming.processes._GRACE_S", 0.2)
    _spawn(ours, "jobmanager", tmp_path, _DEAF)
    _spawn(ours, "taskmanager", tmp_path)

    ours.end()

    assert [] == ours.find()


def _spawn(processes: Processes, role: str, folder: Path, script: str = _TAME) -> int:
    output = folder / f"{role}.out"
    command = [sys.executable, "-c", script, processes.mark(role)]
    pid = processes.spawn(command, environment=os.environ, output=output)
    eventually(lambda: output.exists() and bool(output.read_text()), "heard of the process")
    return pid
