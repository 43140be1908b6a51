"""A task that is one run of one job."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow.sdk import Asset, AssetAlias, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, ConfigurationError
from tidemark_orchestration.assets import silver_asset_named
from tidemark_orchestration.launchers import launcher_for
from tidemark_orchestration.launchers.launcher import Finished, Launcher
from tidemark_orchestration.launchers.work import Work


class JobOperator(BaseOperator):
    """Run a job, and fail as it failed.

    Exit code 75 is tried again, and so is a job that was killed (its worker went away, memory ran out): a job can be
    cut off anywhere. Any other failure ends the task at once, for only a person can cure it.

    Each asset that it publishes carries the mark it was published at; behind an alias, each table that the mark has.
    `tables`, a list or a template of one, stands in the place of the job's own, and so does `mark`. `asset_of` gives
    the asset of what the job has published, by its name.
    """

    template_fields = ("tables", "mark")
    ui_color = "#dbeafe"

    def __init__(
        self,
        *,
        job: Job,
        tables: Sequence[str] | str = (),
        mark: int | str | None = None,
        asset_of: Callable[[str, str], Asset] = silver_asset_named,
        **facts: Any,
    ) -> None:
        super().__init__(**facts)
        self.job = job
        self.tables = tables
        self.mark = mark
        self.asset_of = asset_of
        self._launcher: Launcher | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Give the job's summary."""
        job = replace(self.job, tables=tuple(self.tables)) if self.tables else self.job
        job = replace(job, mark=int(self.mark)) if self.mark else job
        done = self._run(job, context)
        if done.code == EXIT_TRY_AGAIN or done.code < 0:
            raise AirflowException(f"{job.name} of {job.source}: {done.reason}")
        if done.code != EXIT_OK:
            raise AirflowFailException(f"{job.name} of {job.source}: {done.reason}")
        summary = dict(done.summary)
        self._publish(context["outlet_events"], summary, summary.pop("published", ()))
        return summary

    def on_kill(self) -> None:
        """End the job when the task is ended."""
        if self._launcher:
            self._launcher.end()

    def _publish(self, events: Any, summary: Mapping[str, Any], tables: Sequence[str]) -> None:
        mark = {name: summary[name] for name in ("mark", "lsn", "taken_at") if name in summary}
        for outlet in self.outlets:
            if isinstance(outlet, AssetAlias):
                for table in tables:
                    events[outlet].add(self.asset_of(self.job.source, table), extra=mark)
            else:
                events[outlet].extra = mark

    def _run(self, job: Job, context: Any) -> Finished:
        def work() -> Work:
            return Work.of(job, context["ti"], self.execution_timeout)

        try:
            self._launcher = launcher_for(job, work, self.log.log)
            return self._launcher.run(job)
        except ConfigurationError as error:
            raise AirflowFailException(str(error)) from error
