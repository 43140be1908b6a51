"""One job where TIDEMARK_LAUNCHER says, without a DAG: `python -m tidemark_orchestration.launchers JOB --source …`.

The words are those of `python -m tidemark_jobs`. What is told of the job goes to stderr and its summary, as JSON, to
stdout; the exit code is the job's own. Who interrupts it ends the job too.
"""

import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import redirect_stdout
from types import FrameType
from typing import NoReturn

from tidemark_contract.argv import Job, parse
from tidemark_contract.errors import EXIT_TRY_AGAIN, TidemarkError
from tidemark_orchestration.launchers import launcher_for, remote_target
from tidemark_orchestration.launchers.launcher import Finished, Launcher
from tidemark_orchestration.launchers.target import Remote
from tidemark_orchestration.launchers.watched import Watched
from tidemark_orchestration.launchers.work import Work

# AWS as its own chain of credentials finds it: there is no Airflow here whose connections could say.
_CONNECTION = "AIRFLOW_CONN_AWS_DEFAULT"


def main(words: Sequence[str]) -> int:
    """Run it, and give the exit code."""
    job = parse(words)
    os.environ.setdefault(_CONNECTION, "aws://")
    signal.signal(signal.SIGTERM, _interrupted)
    try:
        with redirect_stdout(sys.stderr):  # Airflow's own lines
            done = run(job)
    except TidemarkError as error:
        _tell(0, str(error))
        return error.exit_code
    if done.summary:
        print(json.dumps(dict(done.summary)))
    if done.code:
        _tell(0, f"{job.name} of {job.source}: {done.reason}")
    return done.code if done.code >= 0 else EXIT_TRY_AGAIN


def run(job: Job) -> Finished:
    """Wait for its end; nothing of it outlives this call."""
    work = Work(f"tidemark-{job.name}-{secrets.token_hex(8)}", 1, 1, None)
    launcher = launcher_for(job, lambda: work, _tell)
    # In a thread: a start that is interrupted goes on until it is answered, for by the answer it can be ended.
    with ThreadPoolExecutor(1) as starter:
        begun = starter.submit(launcher.run, job)
        try:
            return _waited(launcher, job, begun)
        except KeyboardInterrupt:
            _tell(0, f"{job.name} of {job.source} is interrupted, and is being ended")
            launcher.end()
            raise


def _waited(launcher: Launcher, job: Job, begun: "Future[Finished | Remote]") -> Finished:
    match begun.result():
        case Finished() as done:
            return done
        case remote:
            return launcher.finished(job, remote, Watched(remote_target(), remote, _tell).wait())


def _tell(_level: int, line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _interrupted(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        code = 128 + signal.SIGINT
    sys.exit(code)
