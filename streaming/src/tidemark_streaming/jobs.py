"""One job of a cluster, as its REST interface shows it."""

import re
from dataclasses import dataclass
from typing import Any

from tidemark_streaming.options import SOURCE_NAME
from tidemark_streaming.rest import Rest

ENDED = ("FAILED", "CANCELED", "FINISHED")
_REASON = re.compile(r"UnrecoverableSourceException: (\[[A-Z_]+\] .*)")
_CAUSE = re.compile(r"^(?:Caused by: )?([\w.$]+(?:Exception|Error)\b.*)$", re.MULTILINE)
# numRecordsIn is Flink's own: the connector's first record says that it has connected.
_SOURCE_METRICS = ("numRecordsIn", "changes", "lagBytes", "lagSeconds", "durableLsn")
# Subtask and operator, as Flink writes `Source: postgres`.
_SCOPE = f"0.Source__{SOURCE_NAME}."


@dataclass(frozen=True)
class Job:
    """A job by its id; each call asks the JobManager and may raise FlinkUnavailable."""

    id: str
    rest: Rest

    @classmethod
    def only(cls, rest: Rest) -> "Job | None":
        """Find the one job of a cluster that runs no other; None when it has none, yet or any more."""
        found = rest.get("/jobs")["jobs"]
        return cls(str(found[0]["id"]), rest) if found else None

    def name(self) -> str:
        """Give the name that it was submitted with."""
        return str(self.rest.get(f"/jobs/{self.id}")["name"])

    def state(self) -> str:
        """Give Flink's word for it, or `SCHEDULED` while RUNNING is not yet true of all its tasks."""
        job = self.rest.get(f"/jobs/{self.id}")
        running = all(vertex["status"] == "RUNNING" for vertex in job["vertices"])
        return "SCHEDULED" if job["state"] == "RUNNING" and not running else str(job["state"])

    def reason(self) -> str:
        """Give one line about its last failure: the connector's own words, or else the innermost cause."""
        history = self.rest.get(f"/jobs/{self.id}/exceptions")["exceptionHistory"]["entries"]
        return cause(str(history[0]["stacktrace"])) if history else ""

    def checkpoints(self) -> Any:
        """Give Flink's statistics of its checkpoints."""
        return self.rest.get(f"/jobs/{self.id}/checkpoints")

    def restarts(self) -> int:
        """Count its restarts since it was submitted."""
        metrics = self.rest.get(f"/jobs/{self.id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def source_metrics(self) -> dict[str, int]:
        """Give what the connector tells of itself; nothing while its task is not up."""
        vertex = self.rest.get(f"/jobs/{self.id}")["vertices"][0]["id"]
        wanted = ",".join(_SCOPE + name for name in _SOURCE_METRICS)
        found = self.rest.get(f"/jobs/{self.id}/vertices/{vertex}/metrics?get={wanted}")
        return {metric["id"].removeprefix(_SCOPE): int(metric["value"]) for metric in found}

    def trigger_checkpoint(self) -> None:
        """Ask for a checkpoint now, and do not wait for it."""
        self.rest.post(f"/jobs/{self.id}/checkpoints", {"checkpointType": "CONFIGURED"})

    def cancel(self) -> None:
        """End it; its checkpoints stay."""
        self.rest.patch(f"/jobs/{self.id}?mode=cancel")


def cause(trace: str) -> str:
    """Give the line of a Java stack trace that says most."""
    if found := _REASON.search(trace):
        return found[1]
    causes = _CAUSE.findall(trace)
    return str(causes[-1]) if causes else ""
