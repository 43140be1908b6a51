"""`local`: a job is a process on the worker, with the argv that the contract builds."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from tidemark_contract.argv import Job
from tidemark_contract.errors import SettingsError
from tidemark_contract.secrecy import striker
from tidemark_orchestration.launchers.launcher import GRACE_S, Finished
from tidemark_orchestration.launchers.target import Remote, State
from tidemark_orchestration.words import Tell, Words, read_object

PYTHON = "TIDEMARK_JOBS_PYTHON"
_LOOK_EVERY_S = 0.05
# Airflow's database, its keys and the task's own line to it are none of a job's business.
_AIRFLOWS = ("AIRFLOW_", "_AIRFLOW_", "__AIRFLOW_")


class LocalLauncher:
    """Runs one job on this machine, in the Spark environment whose Python TIDEMARK_JOBS_PYTHON names.

    The job has a process group of its own, for what it starts (Spark's JVM) has to end with it.
    """

    def __init__(self, tell: Tell, environment: Mapping[str, str] = os.environ) -> None:
        """Name who is told each line that the job says, while it runs."""
        if PYTHON not in environment:
            raise SettingsError(f"{PYTHON} is not set: the Python of the Spark environment on the worker")
        self._environment = environment
        self._tell = tell
        self._strike_out = striker(environment)
        self._group: subprocess.Popen[str] | None = None

    def run(self, job: Job) -> Finished:
        """Start the job, pass its lines on while it runs, and wait for its end; nothing of it outlives this call."""
        words, summary = Words(self._tell), dict[str, Any]()
        with self._start(job) as process:
            try:
                reader = threading.Thread(target=_keep_last, args=(self._lines(process.stdout), summary), daemon=True)
                reader.start()
                for line in self._lines(process.stderr):
                    words.take(line)
                reader.join()
                code = process.wait()
            finally:
                self.end()
                self._group = None  # its number may be another's from now on
        return Finished(code, summary, words.reason(code))

    def finished(self, job: Job, remote: Remote, state: State) -> Finished:
        """Tell that none of its jobs runs elsewhere: the setting was another when this one was begun."""
        raise SettingsError(f"{remote.name} was begun elsewhere, and jobs run here by now; clear the task")

    def end(self, grace_s: float = GRACE_S) -> None:
        """End the job with everything that it has started: TERM, and KILL for what is left after a while."""
        if not (group := self._group):
            return
        deadline = time.monotonic() + grace_s
        alive = _signal(group, signal.SIGTERM)
        while alive and time.monotonic() < deadline:
            time.sleep(_LOOK_EVERY_S)
            alive = _signal(group, 0)
        if alive:
            _signal(group, signal.SIGKILL)

    def _lines(self, stream: Iterable[str] | None) -> Iterator[str]:
        return (self._strike_out(line.rstrip("\n")) for line in stream or ())

    def _start(self, job: Job) -> subprocess.Popen[str]:
        argv = [self._environment[PYTHON], "-W", "ignore", "-u", *job.command()]
        kept = {name: value for name, value in self._environment.items() if not name.startswith(_AIRFLOWS)}
        try:
            self._group = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
                env=kept,
            )
        except OSError as error:
            raise SettingsError(f"{PYTHON} is {argv[0]!r}, which cannot be started: {error.strerror}") from error
        return self._group


def _signal(group: subprocess.Popen[str], number: int) -> bool:
    """Send a signal to a process and all that it has started; False when none of them is left."""
    group.poll()  # a leader that nobody has waited for would count as alive
    with suppress(ProcessLookupError, PermissionError):  # the latter is macOS's word for a group of the dead
        os.killpg(group.pid, number)
        return True
    return False


def _keep_last(lines: Iterable[str], into: dict[str, Any]) -> None:
    for line in lines:
        if found := read_object(line):
            into.clear()
            into.update(found)
