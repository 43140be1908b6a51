"""Wait for a pipeline to be up, or give the reason why it will not be."""

import socket
import time

from tidemark_contract.errors import SourceChanged, SourceRefused, SourceUnavailable, TidemarkError
from tidemark_contract.marks import BEGIN_ANEW
from tidemark_streaming.jobs import ENDED, Job
from tidemark_streaming.rest import unless_busy

_POLL_S = 0.25
_CONNECT_S = 10.0
_CHECKPOINT_S = 1.0
_CHANGED = (
    "[SYSTEM_CHANGED]",
    "[DATABASE_CHANGED]",
    "[TIMELINE_CHANGED]",
    "[STATE_AHEAD_OF_SERVER]",
    "[STATE_BEHIND_SLOT]",
    "[HISTORY_CHANGED]",
    "[TRANSACTION_DIFFERS]",
    "[SLOT_LOST]",
)
_NOT_MADE = ("[SLOT_MISSING]", "[PUBLICATION_MISSING]")


def for_server(host: str, port: int) -> None:
    """Return when something listens there; SourceUnavailable at once when not: that needs no Flink to find out."""
    try:
        socket.create_connection((host, port), timeout=_CONNECT_S).close()
    except OSError as error:
        raise SourceUnavailable(f"{host}:{port} does not answer: {error}; is the server up, and reachable?") from error


def for_connection(job: Job, *, timeout_s: float) -> None:
    """Return when the job runs, its source has connected, and a checkpoint holds its position.

    Only then can it be killed and resume. A JobManager that is too busy to answer is asked again. Raises SourceRefused
    or SourceChanged with the connector's reason, SourceUnavailable when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    asked_at = 0.0
    while not unless_busy(lambda: _connected(job)):
        now = time.monotonic()
        if now > deadline:
            why = unless_busy(job.reason) or "no reason given"
            raise SourceUnavailable(f"not connected after {timeout_s:.0f} s: {why}")
        if now > asked_at + _CHECKPOINT_S and unless_busy(lambda: _asked_for_checkpoint(job)):
            asked_at = now
        time.sleep(_POLL_S)


def _asked_for_checkpoint(job: Job) -> bool:
    """Ask a job that runs: its next one by itself may be far off."""
    running = job.state() == "RUNNING"
    if running:
        job.trigger_checkpoint()
    return running


def _connected(job: Job) -> bool:
    state = job.state()
    if state in ENDED:
        raise failure(job.reason() or state)
    metrics = job.source_metrics() if state == "RUNNING" else {}
    # Of a restored position a checkpoint knows before there is a connection.
    return bool(metrics.get("numRecordsIn") and metrics.get("durableLsn"))


def failure(reason: str) -> TidemarkError:
    """Sort a reason by what the operator does next."""
    if reason.startswith(_CHANGED):
        return SourceChanged(told(reason))
    return SourceRefused(told(reason)) if reason.startswith("[") else TidemarkError(f"the pipeline failed: {reason}")


def told(reason: str) -> str:
    """Give a reason with what brings a mirror back; the connector knows only of itself."""
    if BEGIN_ANEW in reason:
        return reason
    if reason.startswith(_CHANGED):
        return f"{reason}; {BEGIN_ANEW}"
    if reason.startswith(_NOT_MADE):
        return f"{reason}: `tidemark init` creates it; had the mirror one before, {BEGIN_ANEW}"
    return reason
