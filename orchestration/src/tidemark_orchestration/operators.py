"""A task that is one run of one job."""

from collections.abc import Sequence
from typing import Any

from airflow.sdk import BaseOperator
from airflow.sdk.definitions.asset import Asset
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, ConfigurationError
from tidemark_orchestration.launch import Finished, LocalLauncher


class JobOperator(BaseOperator):
    """Run a job, and fail as it failed.

    Exit code 75 is tried again, and so is a job that was killed (its worker went away, memory ran out): a job can be
    cut off anywhere. Any other failure ends the task at once, for only a person can cure it.

    Each asset that the task publishes carries the mark it was published at.
    """

    ui_color = "#dbeafe"

    def __init__(self, *, job: Job, assets: Sequence[Asset] = (), **facts: Any) -> None:
        super().__init__(outlets=list(assets), **facts)
        self.job = job
        self._launcher: LocalLauncher | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Give the job's summary."""
        done = self._run()
        if done.code == EXIT_TRY_AGAIN or done.code < 0:
            raise AirflowException(f"{self.job.name} of {self.job.source}: {done.reason}")
        if done.code != EXIT_OK:
            raise AirflowFailException(f"{self.job.name} of {self.job.source}: {done.reason}")
        for asset in self.outlets:
            context["outlet_events"][asset].extra = {
                name: done.summary[name] for name in ("mark", "lsn", "taken_at") if name in done.summary
            }
        return dict(done.summary)

    def on_kill(self) -> None:
        """End the job when the task is ended."""
        if self._launcher:
            self._launcher.end()

    def _run(self) -> Finished:
        try:
            self._launcher = LocalLauncher(tell=self.log.log)
            return self._launcher.run(self.job)
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
