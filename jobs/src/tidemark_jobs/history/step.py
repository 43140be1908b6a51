"""One step of a history: from where it stands to a published mark.

Where the changes in between tell all, they are folded: the open versions hold every value at the mark that the history
stands at, so it needs nothing but itself and bronze. Everything else (the first time, a copy, a repair, other columns,
somebody else's hand in it) is one operation: what is open is compared with silver at the published mark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.evolution import spec_at
from tidemark_contract.marks import Mark
from tidemark_contract.specs import TableSpec
from tidemark_jobs.bronze import Window
from tidemark_jobs.changes import ChangeReader
from tidemark_jobs.control import PublishedMark, TableState, TableVersion
from tidemark_jobs.fold.fetched import fetched
from tidemark_jobs.fold.truncated import with_loss
from tidemark_jobs.fold.values import row_texts
from tidemark_jobs.fold.versions import fold_versions
from tidemark_jobs.folded import typed_row
from tidemark_jobs.history.table import (
    OPEN,
    as_silver,
    columns_of,
    completed,
    from_silver,
    is_open,
    row_schema,
    widened,
)
from tidemark_jobs.history.write import write_versions
from tidemark_jobs.large_merge import tune
from tidemark_jobs.plan import LIVE, Stand, TableFold, judge
from tidemark_jobs.reader import FEW_ROWS, read_version
from tidemark_jobs.run import Run
from tidemark_jobs.session import session_beside
from tidemark_jobs.silver import Step
from tidemark_jobs.small_merge import is_small
from tidemark_jobs.upsert.apply import read_rows
from tidemark_jobs.upsert.gathering import gathered
from tidemark_jobs.upsert.lookup import open_rows
from tidemark_jobs.upsert.place import Place

_END = ("_to_mark", "_to_lsn", "_to_time")


@dataclass(frozen=True)
class Move:
    """A step to be made: of which table, from which mark (None: where it stands cannot be gone on from), to which."""

    written: TableSpec
    base: PublishedMark | None
    target: PublishedMark
    stand: int | None = None  # the mark that the history's last step led to; silver has not changed from there to base

    @property
    def spec(self) -> TableSpec:
        """The spec as of the target."""
        return spec_at(self.written, self.target.mark.catalog.table(self.written.table))

    @property
    def version(self) -> TableVersion:
        """The silver table at the target."""
        version = self.target.version(self.written.table)
        assert version is not None, f"{self.written.table} is not in {self.target}"
        return version

    @property
    def step(self) -> Step:
        """What the commit says."""
        return Step(self.base.mark.nonce if self.base else "", self.target.mark.id, self.target.mark.nonce)


def plan(move: Move, window: Window, marks: Sequence[Mark], protection: str | None) -> TableFold | None:
    """Choose the changes; None where they do not tell all. `protection` names how the table's columns are protected."""
    version = move.base.version(move.written.table) if move.base else None
    if move.base is None or version is None:
        return None
    stand = Stand(move.written, TableState(LIVE), move.base.mark, version, soft=move.spec.soft, protection=protection)
    state, fold = judge(stand, move.target.mark, window, marks)
    if state.state != LIVE or fold is None or fold.spec != stand.at_base or len(_emptied(fold)) > 1:
        return None
    return replace(fold, whole=True)


def _emptied(fold: TableFold) -> set[int]:
    """Give the commits that first emptied its relations: with several, which of them took a row cannot be told."""
    return {truncates[0].commit_lsn for truncates in fold.truncates.values()}


def take(run: Run, place: Place, move: Move, fold: TableFold | None, reader: ChangeReader) -> None:
    """Take a step, by its fold if it has one; raises Overtaken, having changed nothing."""
    small = is_small(fold) if fold else move.version.rows <= FEW_ROWS
    spark = session_beside(run.spark, few=small)
    if not small:
        tune(spark, max(fold.changes if fold else 0, move.version.rows))
    columns, names = widened(columns_of(place.table), move.spec)
    if fold:
        versions = folded(spark, place, reader.read(spark, fold), fold, move.target.mark)
    else:
        opened = completed(_all_open(spark, place), columns)
        versions = compared(opened, read_version(spark, run.layout, move.version), move, names)
    write_versions(place, versions, columns, move.step)


def folded(spark: SparkSession, place: Place, changes: DataFrame, fold: TableFold, target: Mark) -> DataFrame:
    """Give the versions that the changes between two marks made, and those that they ended."""
    columns, names = widened(columns_of(place.table), fold.spec)
    told = with_loss(changes) if fold.truncated else changes
    states = fold_versions(told, fold.spec, moved=fold.moved, toast=fold.toast)
    if is_small(fold) and not fold.truncated:
        known = states.toArrow()
        states = _frame(spark, known)
        opened = completed(_open_of(spark, place, known), columns)
    else:
        states = states.localCheckpoint()  # it is asked several times
        opened = completed(_all_open(spark, place), columns)
    new = states.where("not gone")
    new = fetched(new, as_silver(opened, names), fold.spec, fold.toast) if fold.toast else new
    # Called as no column of the source's is, before they stand beside those.
    lsns = [F.col(name).alias(f"_{name}") for name in ("from_lsn", "to_lsn")]
    born = from_silver(new.select(*typed_row(fold.spec), *lsns), names)
    times = changes.groupBy("commit_lsn").agg(F.timestamp_micros(F.any_value("commit_ts")).alias("time"))
    born = _timed(born.withColumn("_from_mark", F.lit(target.id)), "_from", times)
    versions = born.unionByName(_ended(opened, states, fold), allowMissingColumns=True)
    ends = F.when(F.col("_to_lsn").isNotNull(), F.lit(target.id))
    return _timed(versions.withColumn("_to_mark", ends), "_to", times)


def _ended(opened: DataFrame, states: DataFrame, fold: TableFold) -> DataFrame:
    """Give the versions that were open and are not any more: the first that happened to their keys ended them."""
    first = states.groupBy("_key").agg(F.min("from_lsn").alias("_to_lsn"))
    before = opened.drop(*_END)
    if not fold.truncated:
        return before.join(first, "_key")
    [emptied] = _emptied(fold)
    return before.join(first, "_key", "left").withColumn("_to_lsn", F.least("_to_lsn", F.lit(emptied)))


def _timed(versions: DataFrame, side: str, times: DataFrame) -> DataFrame:
    """Add when the commits were made whose LSNs the versions have."""
    named = times.withColumnsRenamed({"commit_lsn": f"{side}_lsn", "time": f"{side}_time"})
    return versions.join(named, f"{side}_lsn", "left")


def compared(opened: DataFrame, silver: DataFrame, move: Move, names: Mapping[str, str]) -> DataFrame:
    """Give the versions that were open and are not what silver has, and what silver has otherwise."""
    texts = F.array(*row_texts(move.spec).values())
    here = as_silver(opened, names).select("_key", texts.alias("here"))
    there = silver.select("_key", texts.alias("there"))
    differing = here.join(there, "_key", "full_outer").where(~F.col("here").eqNullSafe(F.col("there"))).select("_key")
    mark = move.target.mark
    at = F.timestamp_micros(F.lit((mark.taken_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)))
    ended = opened.drop(*_END).join(differing, "_key", "left_semi")
    ended = ended.withColumns({"_to_mark": F.lit(mark.id), "_to_time": at})
    born = from_silver(silver.join(differing, "_key", "left_semi").select("_key", *_quoted(names), "_exact"), names)
    born = born.withColumns({"_from_mark": F.lit(mark.id), "_from_time": at})
    return ended.unionByName(born, allowMissingColumns=True).withColumn("_to_lsn", F.lit(None).cast("bigint"))


def _quoted(names: Iterable[str]) -> list[str]:
    return [f"`{name}`" for name in names]


def _all_open(spark: SparkSession, place: Place) -> DataFrame:
    """Read the open versions."""
    files = [file for file in place.files if is_open(file)]
    if sum(int(file.statistics.get("numRecords", FEW_ROWS + 1)) for file in files) > FEW_ROWS:
        return open_rows(spark, place).where(OPEN).drop(OPEN)
    return _frame(spark, gathered(place.url, files, [], row_schema(place.table)))


def _open_of(spark: SparkSession, place: Place, states: pa.Table) -> DataFrame:
    """Read the open versions of rows that changed, and of those that have their values."""
    roots = states.filter(pc.greater(pc.list_value_length(states["unknown"]), 0))["root"]
    keys = pa.chunked_array([*states["_key"].chunks, *roots.chunks], pa.string())
    opened, schema = replace(place, files=[file for file in place.files if is_open(file)]), row_schema(place.table)
    rows = read_rows(opened, keys, [name for name in schema.names if name != "_key"])
    return _frame(spark, rows or schema.empty_table())


def _frame(spark: SparkSession, rows: pa.Table) -> DataFrame:
    # Spark takes no column without chunks, which is what a result without rows has.
    return spark.createDataFrame(rows if rows.num_rows else rows.schema.empty_table())
