"""How a pipeline is, in the words and units of its operator."""

import time
from dataclasses import asdict, dataclass
from typing import Any

from tidemark_contract.layout import Layout
from tidemark_streaming.cluster import Cluster
from tidemark_streaming.deployment import incarnation_of
from tidemark_streaming.jobs import ENDED, Job
from tidemark_streaming.rest import FlinkUnavailable, Rest
from tidemark_streaming.runs import Run
from tidemark_streaming.waiting import told


@dataclass(frozen=True)
class Status:
    """One look at a pipeline; what is not known is None.

    `state`: `running`; `restarting`, by itself; `failed`, with the reason, until somebody acts; `down`, its processes
    were killed; `stopped`, on request or never started. Ages and lag are seconds, `lag_bytes` and `durable_lsn` bytes
    of the server's log; `changes` counts since the task started.
    """

    source: str
    state: str
    reason: str | None = None
    incarnation: int | None = None
    landing: str | None = None
    job: str | None = None
    web_ui: str | None = None
    restarts: int | None = None
    checkpoint: int | None = None
    checkpoint_age_s: float | None = None
    changes: int | None = None
    lag_bytes: int | None = None
    lag_s: int | None = None
    durable_lsn: int | None = None

    @classmethod
    def of(cls, source: str, run: Run, cluster: Cluster) -> "Status":
        """Look at one run."""
        known: dict[str, Any] = {"incarnation": run.incarnation, "landing": run.landing, "job": run.job}
        if not cluster.alive():
            return cls(source, "stopped" if run.stopped else "down", **known)
        rest = cluster.rest()
        try:
            return cls(source, web_ui=rest.address, **known, **_look(Job(run.job, rest)))
        except FlinkUnavailable as error:
            return cls(source, "down", reason=str(error), web_ui=rest.address, **known)

    @classmethod
    def afar(cls, source: str, rest: Rest, layout: Layout) -> "Status":
        """Look at the one that a cluster runs, from wherever its REST interface is reached."""
        try:
            if (job := Job.only(rest)) is None:
                return cls(source, "restarting", reason="its JobManager has no job yet", web_ui=rest.address)
            incarnation = incarnation_of(job.name())
            landing = layout.incarnation(incarnation) if incarnation else None
            known = {"incarnation": incarnation, "landing": landing, "job": job.id, "web_ui": rest.address}
            return cls(source, **{**known, **_look(job)})
        except FlinkUnavailable as error:
            return cls(source, "down", reason=str(error), web_ui=rest.address)

    def as_dict(self) -> dict[str, object]:
        """Give it as JSON takes it."""
        return asdict(self)


def _look(job: Job) -> dict[str, Any]:
    state = job.state()
    facts: dict[str, Any] = {"state": _word(state), "restarts": job.restarts(), **_checkpoint(job)}
    if state != "RUNNING":
        return facts | {"reason": told(job.reason()) or None}
    metrics = job.source_metrics()
    names = {"changes": "changes", "lag_bytes": "lagBytes", "lag_s": "lagSeconds", "durable_lsn": "durableLsn"}
    return facts | {ours: metrics.get(flinks) for ours, flinks in names.items()}


def _word(state: str) -> str:
    if state in ENDED:
        return "failed" if state == "FAILED" else "stopped"
    return "running" if state == "RUNNING" else "restarting"


def _checkpoint(job: Job) -> dict[str, Any]:
    newest = job.checkpoints()["latest"]["completed"]
    if not newest:
        return {}
    age = time.time() - newest["latest_ack_timestamp"] / 1000
    return {"checkpoint": newest["id"], "checkpoint_age_s": round(max(0.0, age), 3)}
