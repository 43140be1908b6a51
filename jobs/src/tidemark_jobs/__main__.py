"""The command line of the jobs: `python -m tidemark_jobs sync --source shop`; for spark-submit there is submit.py."""

import os
import signal
import sys
from collections.abc import Iterator
from typing import NoReturn

from pyspark.sql import SparkSession

from tidemark_contract.argv import Job, parse
from tidemark_contract.errors import EXIT_FAILED, TidemarkError
from tidemark_contract.outcome import Outcome
from tidemark_contract.settings import Settings
from tidemark_jobs.copy import copy
from tidemark_jobs.erase.job import erase, not_erased
from tidemark_jobs.export import export
from tidemark_jobs.failures import engines_told
from tidemark_jobs.gold.backfill import backfill
from tidemark_jobs.gold.marts import gold
from tidemark_jobs.logs import log, summary
from tidemark_jobs.maintain import maintain
from tidemark_jobs.outcomes import deliver
from tidemark_jobs.rebase import rebase
from tidemark_jobs.repair import repair
from tidemark_jobs.run import Run
from tidemark_jobs.secret_settings import secret_settings
from tidemark_jobs.session import check_jars
from tidemark_jobs.storage import check_lake
from tidemark_jobs.sync import sync_job
from tidemark_jobs.verify import not_equal, verify


def main(words: list[str]) -> int:
    """Run one job; give the exit code that says what an operator does next."""
    job, environment = parse(words), dict(os.environ)
    try:
        ended = _run(job, environment)
        deliver(ended, environment)
    except KeyboardInterrupt:
        return EXIT_FAILED
    except TidemarkError as error:  # what has become of the job could not be told
        _log_failure(error)
        return error.exit_code
    except Exception as error:
        deliver(Outcome(EXIT_FAILED, reason=f"{type(error).__name__}: {error}"), environment)
        raise
    return ended.code


def _run(job: Job, environment: dict[str, str]) -> Outcome:
    """Run it; the secret settings are in the environment afterwards, so that they can be struck out."""
    facts: dict[str, object] = {}
    try:
        environment |= secret_settings(environment)
        run = Run(job, Settings.read(environment))
        with engines_told(run.settings.lake, job.source):
            check_jars(run.settings.lake)
            check_lake(run.settings.lake)
            for facts in _summaries(run):
                summary(facts)
    except TidemarkError as error:
        _log_failure(error)
        return Outcome(error.exit_code, facts, str(error))
    return Outcome(summary=facts)


def _log_failure(error: TidemarkError) -> None:
    log("failed", level="error", error=type(error).__name__, message=str(error))


def _summaries(run: Run) -> Iterator[dict[str, object]]:
    name = run.job.name
    if name == "export":
        export(run)
    elif name == "copy":
        yield copy(run)
    elif name == "repair":
        yield repair(run)
    elif name == "sync":
        yield from sync_job(run)
    elif name == "verify":
        facts = verify(run)
        yield facts
        if not facts["equal"]:
            raise not_equal(facts)
    elif name == "gold":
        yield gold(run)
    elif name == "backfill":
        yield backfill(run)
    elif name == "rebase":
        yield rebase(run)
    elif name == "maintain":
        yield maintain(run)
    elif name == "erase":
        facts = erase(run)
        yield facts
        if facts.get("left"):
            raise not_erased(facts)


class Terminated(BaseException):
    """SIGTERM has come, by which Kubernetes and Airflow end a job."""


def _terminated(*_: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one is not waited for
    raise Terminated


def run_as_process(words: list[str]) -> NoReturn:
    """Run one job and end the process. SIGTERM ends it as ever, but not before a lease that it holds is given back."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        ended = main(words)
    except Terminated:
        os.kill(os.getpid(), signal.SIGTERM)
        raise
    if session := SparkSession.getActiveSession():
        session.stop()
    sys.stdout.flush()
    # Without the interpreter's own end: Arrow's threads that come for its lock then abort a run that has succeeded.
    os._exit(ended)


if __name__ == "__main__":
    run_as_process(sys.argv[1:])
