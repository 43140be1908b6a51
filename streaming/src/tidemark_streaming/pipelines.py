"""Start, stop and look at the pipeline of one source on this machine."""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tidemark_contract.errors import LeaseTaken, SettingsError
from tidemark_contract.layout import Layout
from tidemark_contract.names import slot_name
from tidemark_contract.settings import Settings
from tidemark_streaming import checkpoints, landing, waiting
from tidemark_streaming.cluster import Cluster
from tidemark_streaming.connector_options import ConnectorOptions
from tidemark_streaming.home import Home
from tidemark_streaming.incarnations import Incarnations
from tidemark_streaming.jobs import Job
from tidemark_streaming.locks import command_lock
from tidemark_streaming.options import DEFAULT_INTERVAL, PipelineOptions
from tidemark_streaming.rest import FlinkUnavailable
from tidemark_streaming.runs import Run
from tidemark_streaming.savepoints import SavepointFailed, stop_with_savepoint
from tidemark_streaming.status import Status
from tidemark_streaming.stores import local_url
from tidemark_streaming.submission import submit

LOG = logging.getLogger(__name__)

_LOCK_WAIT_S = 30.0
_CONNECT_S = 240.0
_SAVEPOINT_S = 120.0


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of one source, with a small cluster, a lock and state of its own on this machine."""

    source: str
    settings: Settings
    home: Home
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)

    @property
    def folder(self) -> Path:
        """Where its cluster's files, those with its secrets and the record of its run are."""
        return self.settings.state / "flink" / self.source

    @cached_property
    def cluster(self) -> Cluster:
        """Its cluster."""
        return Cluster(self.folder, self.home, self.environment)

    def start(self, *, interval: str, without_state: bool = False, only_down: bool = False) -> Status:
        """Start it from its newest state; return when it reads, and a checkpoint holds where it is.

        LeaseTaken when it runs already, SourceRefused with the connector's reason when the source is not fit,
        SourceUnavailable when it does not answer in time. After an error nothing is left running.
        `only_down`: only what was killed, and whose last checkpoint is here, see `resume`.
        """
        slot_name(self.source)  # before the name becomes a folder
        connector = ConnectorOptions.of(self.source, self.settings)
        self.home.file_system(self.settings.lake, self.environment)  # before anything is begun
        with self._lock():
            self._refuse_a_second()
            if only_down:
                self._refuse_all_but_down()
            waiting.for_server(*connector.server)
            try:
                return self._start(connector.with_secrets_in(self.folder), interval, without_state)
            except BaseException:
                self.cluster.stop()
                raise

    def resume(self) -> Status:
        """Start it again as it was, from its last checkpoint, because it is down though nobody has stopped it.

        LeaseTaken when it is not down (any more), or a start in the foreground looks after it; SettingsError when its
        last checkpoint is not here. Whether a stream begins anew is a person's decision.
        """
        with self.attended():
            last = self.folder / "options.json"
            interval = PipelineOptions.read(last).checkpoint_interval if last.exists() else DEFAULT_INTERVAL
            return self.start(interval=interval, only_down=True)

    def attended(self) -> AbstractContextManager[None]:
        """Be the one process that brings it back when something of it is killed; LeaseTaken when another is."""
        slot_name(self.source)  # before the name becomes a folder
        return command_lock(self.folder / "attended", wait_s=0)

    def stop(self) -> Status:
        """Stop it with a savepoint and end its cluster; what gives no savepoint resumes from its last checkpoint."""
        with self._lock():
            if run := Run.read(self.folder):
                # First: should we be killed on the way, nobody takes it for a stream that is to be brought back.
                replace(run, stopped=True).write(self.folder)
                self._savepoint(run)
            self.cluster.stop()
        return self.status()

    def status(self) -> Status:
        """Say how it is, from what Flink answers; never an error because it does not."""
        run = Run.read(self.folder)
        return Status.of(self.source, run, self.cluster) if run else Status(self.source, "stopped")

    def _lock(self) -> AbstractContextManager[None]:
        return command_lock(self.folder / "lock", wait_s=_LOCK_WAIT_S)

    def _refuse_a_second(self) -> None:
        status = self.status()
        if status.state in ("running", "restarting"):
            where = f"{self.folder}, web UI {status.web_ui}"
            raise LeaseTaken(f"the pipeline of {self.source} is {status.state} already: {where}; stop it first")

    def _refuse_all_but_down(self) -> None:
        run = Run.read(self.folder)
        if run is None or run.stopped or (status := self.status()).state != "down":
            state = "stopped" if run is None or run.stopped else status.state
            raise LeaseTaken(f"the pipeline of {self.source} is {state} by now: another command was first")
        newest = Incarnations(Layout(self.settings.lake, self.source)).current()
        if run.incarnation != newest or checkpoints.newest(local_url(self._checkpoints(newest))) is None:
            raise SettingsError(
                f"TIDEMARK_STATE is {self.settings.state}, which holds no checkpoint of incarnation {newest}, the "
                f"newest of {self.source}: point it at the folder that has them; are they lost, `tidemark start` "
                "begins where the slot stands, and `tidemark copy` has to follow"
            )

    def _start(self, connector: dict[str, str], interval: str, without_state: bool) -> Status:
        self.cluster.stop()
        options, incarnation = self._options(connector, interval, without_state)
        leftovers = landing.hidden_files(options.landing)
        self.cluster.start(self.home.file_system(self.settings.lake, self.environment))
        options = replace(options, jobmanager=self.cluster.jobmanager)
        job = Job(submit(options, self.folder / "options.json", self.cluster), self.cluster.rest())
        Run(job.id, incarnation, options.landing, options.checkpoints).write(self.folder)
        waiting.for_connection(job, timeout_s=_CONNECT_S)
        facts = {"incarnation": incarnation, "restored": options.restore, "orphans_removed": landing.sweep(leftovers)}
        LOG.info("the pipeline of %s runs", self.source, extra={"facts": facts})
        return self.status()

    def _options(self, connector: dict[str, str], interval: str, without_state: bool) -> tuple[PipelineOptions, int]:
        """Decide between the state of the current incarnation and a new one without."""
        layout = Layout(self.settings.lake, self.source)
        incarnations = Incarnations(layout)
        incarnation = incarnations.current()
        state = None if without_state else checkpoints.newest(local_url(self._checkpoints(incarnation)))
        if state is None:
            incarnation = incarnations.take()
        folder = self._checkpoints(incarnation)
        checkpoints.prune(folder)
        options = PipelineOptions(
            source=self.source,
            landing=layout.incarnation(incarnation),
            checkpoints=local_url(folder),
            connector=connector,
            checkpoint_interval=interval,
            restore=state.url if state else "",
        )
        return options, incarnation

    def _checkpoints(self, incarnation: int) -> Path:
        return self.settings.state / "checkpoints" / self.source / f"{incarnation:06d}"

    def _savepoint(self, run: Run) -> None:
        if not self.cluster.alive():
            return
        job = Job(run.job, self.cluster.rest())
        try:
            savepoint = stop_with_savepoint(job, self._checkpoints(run.incarnation), timeout_s=_SAVEPOINT_S)
            LOG.info("the pipeline of %s stopped", self.source, extra={"facts": {"savepoint": str(savepoint)}})
        except (SavepointFailed, FlinkUnavailable) as error:
            LOG.warning("the pipeline of %s gave no savepoint: %s", self.source, error)
