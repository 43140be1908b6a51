"""One table brought to a mark, beside others who write to its table; what cannot be folded takes the table out."""

from dataclasses import replace

from delta.exceptions.captured import (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
)
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_jobs import silver
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import TableState, TableVersion
from tidemark_jobs.fold.values import UNDECODABLE
from tidemark_jobs.folded import fold_rows
from tidemark_jobs.logs import log
from tidemark_jobs.merge import NOT_FOUND, merge
from tidemark_jobs.plan import STALE, TableFold
from tidemark_jobs.quarantine import quarantine
from tidemark_jobs.run import Run
from tidemark_jobs.small_merge import is_small, merge_small, tune
from tidemark_jobs.upsert.apply import NotInTable, Overtaken, open_place

ATTEMPTS = 5
# Their module, once imported, makes Python exceptions of what the JVM throws; the package itself does not.
_CONFLICTS = (
    ConcurrentAppendException,
    ConcurrentDeleteDeleteException,
    ConcurrentDeleteReadException,
    ConcurrentTransactionException,
    ConcurrentWriteException,
    MetadataChangedException,
)
_FILE_MISSING = "FILE_NOT_EXIST"


def fold_table(run: Run, reader: ChangeReader, fold: TableFold, target: Mark) -> tuple[TableState, TableVersion]:
    """Bring one table to the target mark; give its state and its version there."""
    path = run.layout.silver(fold.stand.spec.table)
    spark = run.spark.newSession()
    step = silver.Step(fold.stand.base.nonce, target.id, target.nonce)
    if is_small(fold):
        tune(spark)
    changes = reader.read(spark, fold, target)
    try:
        _write_beside_others(spark, path, fold_rows(changes, fold), fold, step)
    except (PySparkException, Py4JJavaError, NotInTable, FileNotFoundError) as error:
        reason = _what_takes_it_out(run, changes, fold, target, error)
        if reason is None:
            raise
        return TableState(STALE, reason), fold.stand.version
    return _outcome(path, fold, step)


def _write_beside_others(spark: SparkSession, path: str, rows: DataFrame, fold: TableFold, step: silver.Step) -> None:
    """Write, again and again if somebody else, a compaction maybe, commits first: nothing has changed then."""
    for _ in range(ATTEMPTS):
        try:
            return _write(spark, path, rows, fold, step)
        except (*_CONFLICTS, Overtaken) as conflict:
            log("merge_conflict", level="warning", path=path, mark=step.mark, conflict=type(conflict).__name__)
    raise LakeUnavailable(f"{path} is rewritten by others all the time: mark {step.mark} lost {ATTEMPTS} races")


def _write(spark: SparkSession, path: str, rows: DataFrame, fold: TableFold, step: silver.Step) -> None:
    place = open_place(path) if is_small(fold) else None
    if silver.standing(path, fold.stand.version.version).steps:
        return  # another sync was first: what it did is looked at afterwards
    if place is None:
        merge(spark, path, rows, fold, step)
    else:
        merge_small(spark, place, rows, fold, step)


def _outcome(path: str, fold: TableFold, step: silver.Step) -> tuple[TableState, TableVersion]:
    version = fold.stand.version
    standing = silver.standing(path, version.version)
    if [taken.nonce for taken in standing.steps] not in ([], [step.nonce]):
        reason = f"{path} was changed by another run while mark {step.mark} was folded"
        return TableState(STALE, reason), version
    rows = version.rows + sum(taken.rows or 0 for taken in standing.steps)
    return fold.state, replace(version, version=standing.version, mark=step.mark, rows=rows)


def _what_takes_it_out(run: Run, changes: DataFrame, fold: TableFold, target: Mark, error: Exception) -> str | None:
    """Give the reason that only `copy` cures; None for an error that another run may not meet."""
    words = str(error)
    if UNDECODABLE in words and (found := quarantine(run, changes, fold.stand.spec, target)):
        return f"{found} of its changes cannot be decoded; control.quarantine holds them"
    if NOT_FOUND in words or isinstance(error, NotInTable):
        return NOT_FOUND
    missing = isinstance(error, FileNotFoundError) or _FILE_MISSING in words
    return "files of it, or of bronze, are missing in the lake" if missing else None
