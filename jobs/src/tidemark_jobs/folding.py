"""One table brought to a mark, beside others who write to its table; what cannot be folded takes the table out."""

from collections.abc import Callable
from dataclasses import replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_jobs import large_merge, silver, small_merge
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import TableState, TableVersion
from tidemark_jobs.fold.fetched import NOT_FOUND
from tidemark_jobs.fold.values import UNDECODABLE
from tidemark_jobs.folded import fold_rows
from tidemark_jobs.large_merge import merge_large
from tidemark_jobs.logs import log
from tidemark_jobs.plan import STALE, TableFold
from tidemark_jobs.quarantine import quarantine
from tidemark_jobs.run import Run
from tidemark_jobs.small_merge import is_small, merge_small
from tidemark_jobs.upsert.apply import NotInTable, Overtaken
from tidemark_jobs.upsert.place import NotWritable, Place, open_place

ATTEMPTS = 5
_FILE_MISSING = "FILE_NOT_EXIST"


def fold_table(run: Run, reader: ChangeReader, fold: TableFold, target: Mark) -> tuple[TableState, TableVersion]:
    """Bring one table to the target mark; give its state and its version there."""
    path = run.layout.silver(fold.stand.spec.table)
    spark = run.spark.newSession()
    step = silver.Step(fold.stand.base.nonce, target.id, target.nonce)
    small = is_small(fold)
    if small:
        small_merge.tune(spark)
    else:
        large_merge.tune(spark, fold.changes)
    changes = reader.read(spark, fold, target)
    merge = merge_small if small else merge_large
    try:
        _merge_beside_others(lambda place: merge(spark, place, fold_rows(changes, fold), fold, step), path, fold, step)
    except (PySparkException, Py4JJavaError, NotInTable, NotWritable, FileNotFoundError) as error:
        reason = _what_takes_it_out(run, changes, fold, target, error)
        if reason is None:
            raise
        return TableState(STALE, reason), fold.stand.version
    return _outcome(path, fold, step)


def _merge_beside_others(merge: Callable[[Place], None], path: str, fold: TableFold, step: silver.Step) -> None:
    """Merge, again and again if somebody else, a compaction maybe, commits first: nothing has changed then."""
    for _ in range(ATTEMPTS):
        place = open_place(path)
        if silver.standing(path, fold.stand.version.version).steps:
            return  # another sync was first: what it did is looked at afterwards
        try:
            merge(place)
            return
        except Overtaken:
            log("merge_overtaken", level="warning", path=path, mark=step.mark)
    raise LakeUnavailable(f"{path} is rewritten by others all the time: mark {step.mark} lost {ATTEMPTS} races")


def _outcome(path: str, fold: TableFold, step: silver.Step) -> tuple[TableState, TableVersion]:
    version = fold.stand.version
    standing = silver.standing(path, version.version)
    if [taken.nonce for taken in standing.steps] not in ([], [step.nonce]):
        reason = f"{path} was changed by another run while mark {step.mark} was folded"
        return TableState(STALE, reason), version
    rows = version.rows + sum(taken.rows for taken in standing.steps)
    return fold.state, replace(version, version=standing.version, mark=step.mark, rows=rows)


def _what_takes_it_out(run: Run, changes: DataFrame, fold: TableFold, target: Mark, error: Exception) -> str | None:
    """Give the reason that only `copy` cures; None for an error that another run may not meet."""
    words = str(error)
    if UNDECODABLE in words and (found := quarantine(run, changes, fold.stand.spec, target)):
        return f"{found} of its changes cannot be decoded; control.quarantine holds them"
    if isinstance(error, NotWritable):
        return words
    if NOT_FOUND in words or isinstance(error, NotInTable):
        return NOT_FOUND
    missing = isinstance(error, FileNotFoundError) or _FILE_MISSING in words
    return "files of it, or of bronze, are missing in the lake" if missing else None
