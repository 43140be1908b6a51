"""Starting a job from Airflow: as a process on the worker, with the argv that the contract builds."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidemark_contract.argv import Job
from tidemark_contract.errors import SettingsError

PYTHON = "TIDEMARK_JOBS_PYTHON"


@dataclass(frozen=True)
class Finished:
    """How a job ended: its exit code, the summary it printed last, and its error's message."""

    code: int
    summary: Mapping[str, Any]
    message: str


class LocalLauncher:
    """Runs one job on this machine, in the Spark environment whose Python TIDEMARK_JOBS_PYTHON names."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        if PYTHON not in environment:
            raise SettingsError(f"{PYTHON} is not set: the Python of the Spark environment on the worker")
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def run(self, job: Job) -> Finished:
        """Start the job, pass its log lines on, and wait for its end."""
        argv = [self._environment[PYTHON], "-m", "tidemark_jobs", *job.argv()]
        self._process = subprocess.Popen(
            argv,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env=dict(self._environment),
        )
        out, err = self._process.communicate()
        print(err)
        summaries, errors = _objects(out), [line for line in _objects(err) if line.get("event") == "failed"]
        message = str(errors[-1]["message"]) if errors else f"exit code {self._process.returncode}"
        return Finished(self._process.returncode, summaries[-1] if summaries else {}, message)

    def end(self) -> None:
        """End the job with everything that it has started."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)


def _objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]
