"""One job of a cluster, as its REST interface shows it."""

import re
from dataclasses import dataclass
from typing import Any

from tidemark_streaming.rest import Rest

ENDED = ("FAILED", "CANCELED", "FINISHED")
_REASON = re.compile(r"UnrecoverableSourceException: (\[[A-Z_]+\] .*)")
_CAUSE = re.compile(r"^(?:Caused by: )?([\w.$]+(?:Exception|Error)\b.*)$", re.MULTILINE)
# Flink's names for them begin with the operator's and its source's name.
_SOURCE_METRICS = ("changes", "transactions", "reconnects", "lagBytes", "lagSeconds", "durableLsn", "connected")


@dataclass(frozen=True)
class Job:
    """A job by its id; each call asks the JobManager and may raise FlinkUnavailable."""

    id: str
    rest: Rest

    def state(self) -> str:
        """Give Flink's word for it, or `SCHEDULED` while RUNNING is not yet true of all its tasks."""
        job = self.rest.get(f"/jobs/{self.id}")
        running = all(vertex["status"] == "RUNNING" for vertex in job["vertices"])
        return "SCHEDULED" if job["state"] == "RUNNING" and not running else str(job["state"])

    def reason(self) -> str:
        """Give one line about its last failure: the connector's own words, or else the innermost cause."""
        history = self.rest.get(f"/jobs/{self.id}/exceptions")["exceptionHistory"]["entries"]
        trace = str(history[0]["stacktrace"]) if history else ""
        if found := _REASON.search(trace):
            return found[1]
        causes = _CAUSE.findall(trace)
        return str(causes[-1]) if causes else ""

    def checkpoints(self) -> Any:
        """Give Flink's statistics of its checkpoints."""
        return self.rest.get(f"/jobs/{self.id}/checkpoints")

    def restarts(self) -> int:
        """Count its restarts since it was submitted."""
        metrics = self.rest.get(f"/jobs/{self.id}/metrics?get=numRestarts")
        return int(metrics[0]["value"]) if metrics else 0

    def source_metrics(self) -> dict[str, int]:
        """Give what the connector tells of itself; nothing while its task is not up."""
        job = self.rest.get(f"/jobs/{self.id}")
        path = f"/jobs/{self.id}/vertices/{job['vertices'][0]['id']}/subtasks/metrics"
        names = {m["id"]: name for m in self.rest.get(path) for name in _SOURCE_METRICS if m["id"].endswith(f".{name}")}
        if not names:
            return {}
        values = self.rest.get(f"{path}?get={','.join(names)}")
        return {names[m["id"]]: int(m["max"]) for m in values}

    def trigger_checkpoint(self) -> None:
        """Ask for a checkpoint now, and do not wait for it."""
        self.rest.post(f"/jobs/{self.id}/checkpoints", {"checkpointType": "CONFIGURED"})

    def cancel(self) -> None:
        """End it; its checkpoints stay."""
        self.rest.patch(f"/jobs/{self.id}?mode=cancel")
