"""A task that is one run of one job."""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from airflow.sdk import Asset, AssetAlias, BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException, TaskDeferred

from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_OK, EXIT_TRY_AGAIN, ConfigurationError
from tidemark_orchestration.assets import silver_asset_named
from tidemark_orchestration.launchers import launcher_for
from tidemark_orchestration.launchers.launcher import Finished, Launcher
from tidemark_orchestration.launchers.target import Remote, State
from tidemark_orchestration.launchers.work import Work
from tidemark_orchestration.triggers import JobTrigger, read_event


class JobOperator(BaseOperator):
    """Run a job, and fail as it failed.

    Exit code 75 is tried again, and so is a job that was killed (its worker went away, memory ran out): a job can be
    cut off anywhere. Any other failure ends the task at once, for only a person can cure it.

    Each asset that it publishes carries the mark it was published at; behind an alias, each table that the mark has.
    `tables`, a list or a template of one, stands in the place of the job's own, and so does `mark`. `asset_of` gives
    the asset of what the job has published, by its name.

    `specs` is the folder that the DAG was made from: of the version that the run began with, which a job on the worker
    has to see too, though TIDEMARK_SPECS may be another by then.
    """

    template_fields = ("tables", "mark")
    ui_color = "#dbeafe"

    def __init__(
        self,
        *,
        job: Job,
        specs: Path | None = None,
        tables: Sequence[str] | str = (),
        mark: int | str | None = None,
        asset_of: Callable[[str, str], Asset] = silver_asset_named,
        **facts: Any,
    ) -> None:
        super().__init__(**facts)
        self.job = job
        self.specs = specs
        self.tables = tables
        self.mark = mark
        self.asset_of = asset_of
        self._launcher: Launcher | None = None

    def execute(self, context: Any) -> dict[str, Any]:
        """Give the job's summary; of one that runs elsewhere when it has ended, until when no worker is needed."""
        job = self._rendered()
        with at_once():
            found = self._launch(job, context).run(job)
        if isinstance(found, Finished):
            return self._concluded(job, found, context)
        raise self._deferred(found)

    def go_on(self, context: Any, event: dict[str, Any]) -> dict[str, Any]:
        """Give the summary of a job that ran elsewhere, and is over."""
        job, (remote, over) = self._rendered(), read_event(event)
        if isinstance(over, State):
            with at_once():
                over = self._launch(job, context).finished(job, remote, over)
        return self._concluded(job, over, context)

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

    def _rendered(self) -> Job:
        job = replace(self.job, tables=tuple(self.tables)) if self.tables else self.job
        return replace(job, mark=int(self.mark)) if self.mark else job

    def _launch(self, job: Job, context: Any) -> Launcher:
        def work() -> Work:
            return Work.of(job, context["ti"], self.execution_timeout)

        told = {**os.environ, "TIDEMARK_SPECS": str(self.specs)} if self.specs else os.environ
        self._launcher = launcher_for(job, work, self.log.log, told)
        return self._launcher

    def _deferred(self, remote: Remote) -> TaskDeferred:
        """By a deadline of its own: at Airflow's, nobody would end the job."""
        limit = self.execution_timeout
        deadline = time.time() + limit.total_seconds() if limit else None
        return TaskDeferred(trigger=JobTrigger(remote.id, remote.name, deadline), method_name="go_on")

    def _concluded(self, job: Job, done: Finished, context: Any) -> dict[str, Any]:
        if done.code == EXIT_TRY_AGAIN or done.code < 0:
            raise AirflowException(f"{job.name} of {job.source}: {done.reason}")
        if done.code != EXIT_OK:
            raise AirflowFailException(f"{job.name} of {job.source}: {done.reason}")
        summary = dict(done.summary)
        self._publish(context["outlet_events"], summary, summary.pop("published", ()))
        return summary


@contextmanager
def at_once() -> Iterator[None]:
    """Fail without another try where only a person can help."""
    try:
        yield
    except ConfigurationError as error:
        raise AirflowFailException(str(error)) from error
