"""The command line of the jobs: `python -m tidemark_jobs sync --source shop`, or spark-submit on this file."""

import os
import signal
import sys
from typing import NoReturn

from pyspark.sql import SparkSession

from tidemark_contract.argv import parse
from tidemark_contract.errors import EXIT_FAILED, EXIT_OK, TidemarkError
from tidemark_contract.settings import Settings
from tidemark_jobs.copy import copy
from tidemark_jobs.erase.job import erase, not_erased
from tidemark_jobs.export import export
from tidemark_jobs.failures import engines_told
from tidemark_jobs.gold.backfill import backfill
from tidemark_jobs.gold.marts import gold
from tidemark_jobs.logs import log, summary
from tidemark_jobs.maintain import maintain
from tidemark_jobs.rebase import rebase
from tidemark_jobs.repair import repair
from tidemark_jobs.run import Run
from tidemark_jobs.session import check_jars
from tidemark_jobs.storage import check_lake
from tidemark_jobs.sync import sync_job
from tidemark_jobs.verify import not_equal, verify


def main(words: list[str]) -> int:
    """Run one job; give the exit code that says what an operator does next."""
    job = parse(words)
    try:
        run = Run(job, Settings.read())
        with engines_told(run.settings.lake, job.source):
            _run(run)
    except TidemarkError as error:
        log("failed", level="error", error=type(error).__name__, message=str(error))
        return error.exit_code
    except KeyboardInterrupt:
        return EXIT_FAILED
    return EXIT_OK


def _run(run: Run) -> None:
    check_jars(run.settings.lake)
    check_lake(run.settings.lake)
    name = run.job.name
    if name == "export":
        export(run)
    elif name == "copy":
        summary(copy(run))
    elif name == "repair":
        summary(repair(run))
    elif name == "sync":
        for facts in sync_job(run):
            summary(facts)
    elif name == "verify":
        facts = verify(run)
        summary(facts)
        if not facts["equal"]:
            raise not_equal(facts)
    elif name == "gold":
        summary(gold(run))
    elif name == "backfill":
        summary(backfill(run))
    elif name == "rebase":
        summary(rebase(run))
    elif name == "maintain":
        summary(maintain(run))
    elif name == "erase":
        facts = erase(run)
        summary(facts)
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
