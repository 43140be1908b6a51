"""One table brought to a mark, beside others who write to its table; what cannot be folded takes the table out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.marks import Mark
from tidemark_jobs import silver
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import TableState, TableVersion
from tidemark_jobs.fold.evolved import evolved
from tidemark_jobs.fold.fetched import NOT_FOUND
from tidemark_jobs.fold.values import UNDECODABLE
from tidemark_jobs.folded import fold_rows
from tidemark_jobs.large_merge import merge_large, tune
from tidemark_jobs.logs import log
from tidemark_jobs.plan import STALE, TableFold
from tidemark_jobs.quarantine import quarantine
from tidemark_jobs.rewrite import rewrite
from tidemark_jobs.run import Run
from tidemark_jobs.session import session_beside
from tidemark_jobs.small_merge import is_small, merge_small
from tidemark_jobs.upsert.apply import NotInTable, Overtaken
from tidemark_jobs.upsert.place import NotWritable, Place, open_place

ATTEMPTS = 5
_FILE_MISSING = "FILE_NOT_EXIST"


def fold_table(run: Run, reader: ChangeReader, fold: TableFold, target: Mark) -> tuple[TableState, TableVersion]:
    """Bring one table to the target mark; give its state and its version there."""
    path = run.layout.silver(fold.spec.table)
    small = is_small(fold) and not fold.rewrites
    spark = session_beside(run.spark, few=small)
    step = silver.Step(fold.stand.base.nonce, target.id, target.nonce)
    if not small:
        tune(spark, max(fold.changes, fold.stand.version.rows if fold.rewrites else 0))
    changes = evolved(reader.read(spark, fold), fold.evolution, whole_rows=not fold.spec.key)

    def merge(place: Place, others: Sequence[str]) -> silver.Step:
        rows = fold_rows(changes, fold)
        if others or fold.rewrites:
            return rewrite(spark, place, rows, fold, step)
        return (merge_small if small else merge_large)(spark, place, rows, fold, step)

    try:
        return _merge_beside_others(merge, fold, step, path)
    except (PySparkException, Py4JJavaError, NotInTable, NotWritable, FileNotFoundError) as error:
        reason = _what_takes_it_out(run, changes, fold, target, error)
        if reason is None:
            raise
        return TableState(STALE, reason), fold.stand.version


def _merge_beside_others(
    merge: Callable[[Place, Sequence[str]], silver.Step], fold: TableFold, step: silver.Step, path: str
) -> tuple[TableState, TableVersion]:
    """Merge, again and again if somebody else, a compaction maybe, commits first: nothing has changed then.

    `merge` is told which columns the table has otherwise than the fold's spec.
    """
    before = fold.stand.version
    for _ in range(ATTEMPTS):
        place = open_place(path)
        if steps := silver.standing_of(place.table, before.version).steps:
            return _done_by_another(fold, step, path, place.version, steps)
        if others := silver.differs(place.table, fold.spec):
            if fold.spec.key and fold.only_adds(others):
                silver.add_columns(place.table, path, fold.spec)
                continue
        elif not fold.changes:
            return fold.stand.state, replace(before, version=place.version)
        try:
            done = merge(place, others)
        except Overtaken:
            log("merge_overtaken", level="warning", path=path, mark=step.mark)
        else:
            return fold.stand.state, _at(fold, step, place.version + 1, done.rows)
    raise LakeUnavailable(f"{path} is rewritten by others all the time: mark {step.mark} lost {ATTEMPTS} races")


def _done_by_another(
    fold: TableFold, step: silver.Step, path: str, version: int, steps: Sequence[silver.Step]
) -> tuple[TableState, TableVersion]:
    if [taken.nonce for taken in steps] != [step.nonce]:
        reason = f"{path} was changed by another run while mark {step.mark} was folded"
        return TableState(STALE, reason), fold.stand.version
    return fold.stand.state, _at(fold, step, version, steps[0].rows)


def _at(fold: TableFold, step: silver.Step, version: int, added: int) -> TableVersion:
    before = fold.stand.version
    return replace(before, version=version, mark=step.mark, rows=before.rows + added)


def _what_takes_it_out(run: Run, changes: DataFrame, fold: TableFold, target: Mark, error: Exception) -> str | None:
    """Give the reason that only `copy` cures; None for an error that another run may not meet."""
    words = str(error)
    if UNDECODABLE in words and (found := quarantine(run, changes, fold.spec, target)):
        return f"{found} of its changes cannot be decoded; control.quarantine holds them"
    if isinstance(error, NotWritable):
        return words
    if NOT_FOUND in words or isinstance(error, NotInTable):
        return NOT_FOUND
    missing = isinstance(error, FileNotFoundError) or _FILE_MISSING in words
    return "files of it, or of bronze, are missing in the lake" if missing else None
