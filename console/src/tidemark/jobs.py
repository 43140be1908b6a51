"""Run one Spark job as a child and turn its end into a result or a failure."""

import json
import re
import sys
from collections.abc import Callable
from typing import Any

from tidemark.children import Child, Ended, Event
from tidemark.mirror import Mirror
from tidemark.output import CommandFailed, Failure
from tidemark.progress import Progress
from tidemark_contract.argv import Job
from tidemark_contract.errors import EXIT_FAILED

Result = dict[str, Any]

_PYTHON_ERROR = re.compile(r"[\w.]+(Error|Exception|Interrupt)(:|$)")
INTERPRETER_FLAGS = ("-W", "ignore", "-u")


def job_argv(job: Job, *flags: str) -> list[str]:
    """Give the command that runs a job in this environment."""
    return [sys.executable, *INTERPRETER_FLAGS, *flags, "-m", "tidemark_jobs", *job.argv()]


def run_job(
    mirror: Mirror,
    job: Job,
    *,
    on_event: Callable[[Event], None],
    on_result: Callable[[Result], None] = lambda _: None,
) -> Result:
    """Run a job and give its last summary; JobFailed if it did not succeed."""
    last: Result = {}
    with _start(mirror, job, on_event) as child:
        for line in child.lines():
            if line.startswith("{"):
                last = json.loads(line)
                on_result(last)
        ended = child.wait()
    check(job.name, ended, mirror, last)
    return last


def show_job(
    mirror: Mirror, job: Job, *, as_json: bool, on_result: Callable[[Result], None] = lambda _: None
) -> Result:
    """Run a job with live progress on stderr."""
    with Progress(title(job), raw=as_json) as progress:
        return run_job(mirror, job, on_event=progress.show, on_result=on_result)


def pass_through(mirror: Mirror, job: Job) -> None:
    """Run a job whose stdout is data for whoever reads ours."""
    with _start(mirror, job, lambda _: None, through=True) as child:
        ended = child.wait()
    if ended.code and last_words(ended).startswith(BrokenPipeError.__name__):
        raise BrokenPipeError  # `| head` has had enough: no failure to talk about
    check(job.name, ended, mirror, {})


def title(job: Job) -> str:
    """Say what a job is doing, in a few words."""
    what = f" {', '.join(job.tables)}" if job.tables else ""
    return f"{job.name} {job.source}{what}"


def _start(mirror: Mirror, job: Job, on_event: Callable[[Event], None], *, through: bool = False) -> Child:
    log = mirror.logs / f"{job.name}-{mirror.name}.log"
    return Child(job_argv(job), log=log, on_event=on_event, through=through, environment=dict(mirror.environment))


def check(name: str, ended: Ended, mirror: Mirror, result: Result) -> None:
    """Raise CommandFailed with the job's own message, or with its last words when it had none."""
    if ended.code == 0:
        return
    if ended.failed:
        kind, message = str(ended.failed.get("error", "Error")), str(ended.failed.get("message", ""))
        raise JobFailed(Failure(kind, message, ended.code), result)
    log = mirror.logs / f"{name}-{mirror.name}.log"
    code = ended.code if ended.code > 0 else EXIT_FAILED
    message = f"the {name} job ended with {ended.code} and gave no reason; all it said is in {log}\n{last_words(ended)}"
    raise JobFailed(Failure("JobDied", message.rstrip(), code), result)


def last_words(ended: Ended) -> str:
    """Pick what tells most of a program that died: the last Python error, else its last lines."""
    errors = [line for line in ended.tail if _PYTHON_ERROR.match(line)]
    return errors[-1] if errors else "\n".join(ended.tail[-5:])


class JobFailed(CommandFailed):
    """A job failed; `result` is the summary that it printed before, empty if none."""

    def __init__(self, failure: Failure, result: Result) -> None:
        super().__init__(failure)
        self.result = result
