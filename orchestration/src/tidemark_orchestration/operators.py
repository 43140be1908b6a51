"""A task that is one run of one job."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.asset import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN
from tidemark_orchestration.launch import LocalLauncher


class JobOperator(BaseOperator):
    """Run a job; exit code 75 is tried again, any other failure ends the task at once, for only a person can cure it.

    Each asset that the task publishes carries the mark it was published at.
    """

    ui_color = "#dbeafe"

    def __init__(self, *, job: Job, assets: Sequence[Asset] = (), **facts: Any) -> None:
        super().__init__(outlets=list(assets), **facts)
        self.job = job

    def execute(self, context: Any) -> dict[str, Any]:
        """Give the job's summary."""
        self._launcher = LocalLauncher()
        done = self._launcher.run(self.job)
        if done.code == EXIT_TRY_AGAIN:
            raise AirflowException(done.message)
        if done.code != EXIT_OK:
            raise AirflowFailException(done.message)
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {
                name: done.summary.get(name) for name in ("mark", "lsn", "taken_at")
            }
        return dict(done.summary)

    def on_kill(self) -> None:
        """End the job when the task is ended."""
        self._launcher.end()
