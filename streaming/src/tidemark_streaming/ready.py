"""Say by an exit code whether the stream of this pod runs and lands: `python -m tidemark_streaming.ready SECONDS`.

It imports little: a probe runs every few seconds, for years.
"""

import sys
import time

from tidemark_streaming.jobs import Job
from tidemark_streaming.rest import FlinkUnavailable, Rest

_ADDRESS = "http://127.0.0.1:8081"


def why_not(rest: Rest, oldest_s: float) -> str:
    """Say what is missing; nothing when the job runs and its newest checkpoint is no older than that."""
    try:
        if (job := Job.only(rest)) is None:
            return "there is no job yet"
        if (state := job.state()) != "RUNNING":
            return f"the job is {state}: {job.reason()}"
        newest = job.checkpoints()["latest"]["completed"]
    except FlinkUnavailable as error:
        return str(error)
    if not newest:
        return "no checkpoint has completed yet"
    age = time.time() - newest["latest_ack_timestamp"] / 1000
    return "" if age < oldest_s else f"the newest checkpoint is {age:.0f} s old"


if __name__ == "__main__":
    found = why_not(Rest(_ADDRESS), float(sys.argv[1]))
    print(found or "ready")
    sys.exit(1 if found else 0)
