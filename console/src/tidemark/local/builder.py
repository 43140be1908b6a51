"""The steps from nothing to a mirror that runs, for the demo and for `tidemark up`."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from tidemark.jobs import Result, run_job
from tidemark.local.airflow_api import AirflowApi
from tidemark.local.stack import SOURCE, SYNC, Stack
from tidemark.local.steps import Step, Steps
from tidemark.local.sync_log import SyncLog
from tidemark.mirror import Mirror
from tidemark.output import CommandFailed, Failure
from tidemark.published import Control, PublishedMark
from tidemark.setup import prepare, write_new_specs
from tidemark.stream import call
from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_FAILED

CHECKPOINT_INTERVAL = "2s"
PATIENCE_S = 600.0
LOOK_EVERY_S = 0.5


@dataclass(frozen=True)
class Builder:
    """The steps from nothing to a mirror that runs, for the demo and for `tidemark up`."""

    stack: Stack
    steps: Steps

    def shop(self, scale: float) -> None:
        """Start PostgreSQL on nothing and fill it."""
        with self.steps.step(f"start PostgreSQL and load TPC-H at scale {scale:g}") as step:
            self.stack.make(scale)
            step.outcome = f"port {self.stack.server.port}"

    def load(self, seed: int) -> None:
        """Start the live load."""
        with self.steps.step("start the live load") as step:
            self.stack.start_load(seed)
            step.outcome = f"seed {seed}"

    def source(self) -> Mirror:
        """Write the specs and make publication, slot and mark table."""
        with self.steps.step("discover the tables, make publication, slot and mark table") as step:
            write_new_specs(self.stack.environment(), SOURCE)
            mirror = self.stack.mirror()
            prepare(mirror)
            step.outcome = f"{len(mirror.source.tables)} tables"
        return mirror

    def stream(self, mirror: Mirror, title: str = "start the stream") -> None:
        """Start the Flink pipeline."""
        with self.steps.step(title) as step:
            words = ("start", "--detach", "--checkpoint-interval", CHECKPOINT_INTERVAL)
            answer = call(mirror, *words, on_event=step.show)
            step.outcome = f"web UI {answer.get('web_ui')}"

    def sync(self, pause_s: float) -> None:
        """Start the continuous sync and wait until it has published."""
        with self.steps.step("start the continuous sync") as step:
            deadline = time.monotonic() + PATIENCE_S
            self.stack.start_sync(pause_s)
            while not (marks := self.sync_log.marks()):
                self.check_sync()
                self._check_time(deadline)
                time.sleep(LOOK_EVERY_S)
            step.outcome = f"mark {marks[-1]} is published"

    def airflow(self) -> AirflowApi:
        """Start Airflow, which from then on drives the mirror."""
        with self.steps.step("start Airflow: scheduler, DAG processor, triggerer, API server") as step:
            api = self.stack.airflow.start(step.say)
            step.outcome = api.address
        return api

    def copy(self, mirror: Mirror) -> None:
        """Copy all tables under one snapshot, and wait until sync has taken them in."""
        with self.steps.step("copy the tables under one snapshot, while the load runs") as step:
            result = self.job(mirror, Job("copy", mirror.name), step)
            step.outcome = f"{result.get('rows', 0):,} rows at mark {result['mark']}"
        with self.steps.step("sync the copy in, and what has changed since") as step:
            published = self.wait(mirror, step, lambda newest: holds_all(newest, mirror))
            step.outcome = f"mark {published.mark.id}, {len(published.tables)} tables"

    def job(self, mirror: Mirror, job: Job, step: Step) -> Result:
        """Run a Spark job as a part of a step."""
        return run_job(mirror, job, on_event=step.show)

    def wait(self, mirror: Mirror, step: Step, enough: Callable[[PublishedMark], bool]) -> PublishedMark:
        """Wait until what the continuous sync has published is enough."""
        control, deadline, looked_at = Control(mirror.layout), time.monotonic() + PATIENCE_S, -1
        while True:
            # To open a Delta table costs more than to look whether the sync has said anything since.
            if (size := self.sync_log.size()) != looked_at:
                looked_at, newest = size, control.published()
                if newest and enough(newest):
                    return newest
                step.say(f"mark {newest.mark.id} is published" if newest else "no mark is published yet")
            self.check_sync()
            self._check_time(deadline)
            time.sleep(LOOK_EVERY_S)

    def check_sync(self) -> None:
        """Raise, with its last words, when the continuous sync has ended."""
        if self.stack.runs(SYNC):
            return
        last = self.sync_log.last_event()
        words = last.get("message", "the continuous sync ended")
        raise failed(str(last.get("error", "SyncEnded")), f"{words} (all of it: {self.sync_log.file})")

    @property
    def sync_log(self) -> "SyncLog":
        """What the continuous sync says."""
        return SyncLog(self.stack.logs / "sync.log")

    def _check_time(self, deadline: float) -> None:
        if time.monotonic() > deadline:
            raise failed("MarkTimeout", f"no mark came in {PATIENCE_S:.0f} s; see {self.sync_log.file}")


def holds_all(published: PublishedMark, mirror: Mirror) -> bool:
    """Tell whether every table is exact at a mark: those that were published while a copy ran on lack it."""
    exact = {version.table for version in published.tables}
    return exact >= {spec.table for spec in mirror.source.tables}


def failed(kind: str, message: str) -> CommandFailed:
    """Make the error that ends the command."""
    return CommandFailed(Failure(kind, message, EXIT_FAILED))
