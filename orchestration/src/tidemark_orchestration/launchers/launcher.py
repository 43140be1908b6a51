"""What every launcher is: it runs one job, to its end, and can be told to end it before."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tidemark_contract.argv import Job
from tidemark_orchestration.launchers.target import Remote, State

# Five seconds after its TERM Airflow's supervisor kills the task, and nobody would be left to end the job.
GRACE_S = 3.0


@dataclass(frozen=True)
class Finished:
    """How a job ended: its exit code (negative: the signal), the summary it printed last, and why it failed."""

    code: int
    summary: Mapping[str, Any]
    reason: str


class Launcher(Protocol):
    """Runs one job of one task."""

    def run(self, job: Job) -> Finished | Remote:
        """Run the job to its end, or see to it that it runs elsewhere."""

    def finished(self, job: Job, remote: Remote, state: State) -> Finished:
        """Tell how a job that ran elsewhere has ended."""

    def end(self) -> None:
        """End the job, if there is one, from another thread or a signal's handler."""
