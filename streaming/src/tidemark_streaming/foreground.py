"""Stay with a pipeline until somebody wants it stopped."""

import logging
import time

from tidemark_contract.ending import Ending
from tidemark_contract.errors import RetryableError
from tidemark_streaming.flink_settings import JOBMANAGER, TASKMANAGER
from tidemark_streaming.pipelines import Pipeline
from tidemark_streaming.status import Status
from tidemark_streaming.waiting import failure

LOG = logging.getLogger(__name__)

_POLL_S = 1.0
_PROGRESS_S = 10.0


class PipelineKilled(RetryableError):
    """The JobManager is gone, and with it who would restart anything."""


def stay(pipeline: Pipeline) -> Status:
    """Log progress, replace a killed TaskManager, and stop with a savepoint on SIGINT or SIGTERM.

    Ends also when another command stops the pipeline. A pipeline that failed, or whose JobManager was killed, is
    cleared away and raised as an error.
    """
    ending = Ending()
    progress_at = 0.0
    while not ending.within(_POLL_S):
        status = pipeline.status()
        if status.state == "stopped":
            return status
        _care(pipeline, status)
        if time.monotonic() >= progress_at:
            LOG.info("the pipeline of %s is %s", pipeline.source, status.state, extra={"facts": _progress(status)})
            progress_at = time.monotonic() + _PROGRESS_S
    return pipeline.stop()


def _care(pipeline: Pipeline, status: Status) -> None:
    if status.state == "failed":
        pipeline.cluster.stop()  # not by `stop`: it is no wish of anybody's, and who looks after streams has to tell
        raise failure(status.reason or "no reason given")
    if status.state != "down":
        return
    processes = pipeline.cluster.processes
    if not processes.find(JOBMANAGER):
        pipeline.cluster.stop()
        raise PipelineKilled(f"the JobManager of {pipeline.source} is gone; a start resumes from the last checkpoint")
    # With both there it may just have been too busy to answer.
    if not processes.find(TASKMANAGER):
        LOG.warning("the TaskManager of %s is gone: starting another", pipeline.source)
        pipeline.cluster.start_process(TASKMANAGER)


def _progress(status: Status) -> dict[str, object]:
    return {name: value for name, value in status.as_dict().items() if value is not None and name != "source"}
