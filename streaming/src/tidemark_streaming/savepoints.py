"""Stop a job with a savepoint."""

import time
from pathlib import Path

from tidemark_contract.errors import RetryableError
from tidemark_streaming.jobs import ENDED, Job
from tidemark_streaming.rest import unless_busy
from tidemark_streaming.stores import local_url

_POLL_S = 0.1


class SavepointFailed(RetryableError):
    """The job gave no savepoint: it is restarting, or its source or landing folder does not let it finish."""


def stop_with_savepoint(job: Job, folder: Path, *, timeout_s: float) -> Path:
    """Stop a job; return the savepoint's folder once everything up to it has landed. SavepointFailed."""
    body: dict[str, object] = {"drain": False, "targetDirectory": local_url(folder)}
    request = job.rest.post(f"/jobs/{job.id}/stop", body)["request-id"]
    deadline = time.monotonic() + timeout_s
    while True:
        answer = unless_busy(lambda: job.rest.get(f"/jobs/{job.id}/savepoints/{request}"))
        if answer and answer["status"]["id"] == "COMPLETED":
            break
        if time.monotonic() > deadline:
            raise SavepointFailed(f"no savepoint in {timeout_s:.0f} s")
        time.sleep(_POLL_S)
    if "location" not in answer["operation"]:
        raise SavepointFailed(str(answer["operation"].get("failure-cause", {}).get("stack-trace", ""))[:300])
    while unless_busy(job.state) not in ENDED and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return Path(str(answer["operation"]["location"]).removeprefix("file:"))
