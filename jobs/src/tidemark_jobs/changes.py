"""The changes of one table between two marks, as a DataFrame: collected while few, read by Spark when many."""

from collections.abc import Iterator, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.marks import Mark
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.bronze import Window, numbers, seen_rows
from tidemark_jobs.fold.visibility import seen
from tidemark_jobs.plan import TableFold
from tidemark_jobs.reader import read_files

FEW = 50_000
"""Up to so many changes of a table in a window go through the driver: a fold then starts from a local relation, and
costs one job less than half of what a scan of bronze does."""
MOST = 4 * FEW
"""So many at most, of all such tables together."""
READ_HERE = 4 * FEW
"""Files with up to so many rows are read by the driver itself."""

_COLUMNS = """commit_lsn bigint, ordinal bigint, xid bigint, commit_ts bigint, op string, relation_id bigint,
    before map<string,string>, after map<string,string>, unchanged array<string>"""


class ChangeReader:
    """Gives each table's changes in one window.

    TRUNCATEs and what they undid are left out, but not of a fold that wants the whole.
    """

    def __init__(self, spark: SparkSession, window: Window, folds: Sequence[TableFold], target: Mark) -> None:
        self._window, self._target = window, target
        few = list(_few(folds))
        self._few = frozenset(fold.spec.table for fold in few)
        self._collected = self._collect(spark, few) if few else None

    def read(self, spark: SparkSession, fold: TableFold) -> DataFrame:
        """Give the changes that the target sees and the table's own mark does not, each once."""
        if not fold.changes:
            return spark.createDataFrame([], _COLUMNS)
        if self._collected is not None and fold.spec.table in self._few:
            rows = spark.createDataFrame(few_changes(self._collected, fold, self._target))
        else:
            rows = self._many(spark, fold)
        return rows.dropDuplicates(["commit_lsn", "ordinal"]) if self._window.repeated else rows

    def _collect(self, spark: SparkSession, folds: Sequence[TableFold]) -> pa.Table:
        """Bring the changes of these tables to the driver: where they stand among many, Spark finds them."""
        window = self._window
        if sum(file.rows for file in window.files) <= READ_HERE:
            relations = [oid for fold in folds for oid in fold.relations]
            return window.bronze.changes(window.files, window.first_lsn, window.last_lsn, relations)
        together: dict[Snapshot, list[int]] = {}
        for fold in folds:
            together.setdefault(fold.stand.base.snapshot, []).extend(fold.relations)
        # What a table has had before may be many times what it lacks: none of it is brought here.
        visible = [self._visible(spark, relations, base) for base, relations in together.items()]
        return reduce(DataFrame.unionAll, visible).toArrow()

    def _visible(self, spark: SparkSession, relations: Sequence[int], base: Snapshot) -> DataFrame:
        window = self._window
        bronze = window.bronze.layout.bronze
        # The window knows its files, and no row of bronze is ever deleted: to ask Delta for them costs seconds.
        files = read_files(spark, _COLUMNS, [f"{bronze}/{file.name}" for file in window.files])
        inside = F.col("commit_lsn").between(window.first_lsn, window.last_lsn)
        rows = files.where(inside & F.col("relation_id").isin(list(relations)) & (F.col("op") != "s"))
        return rows.where(seen(F.col("xid"), self._target.snapshot) & ~seen(F.col("xid"), base))

    def _many(self, spark: SparkSession, fold: TableFold) -> DataFrame:
        visible = self._visible(spark, fold.relations, fold.stand.base.snapshot)
        if fold.whole:
            return visible
        for oid, truncates in fold.truncates.items():
            last = F.struct(F.lit(truncates[-1].commit_lsn), F.lit(truncates[-1].ordinal))
            visible = visible.where((F.col("relation_id") != oid) | (F.struct("commit_lsn", "ordinal") > last))
        return visible.where("op <> 't'")


def _few(folds: Sequence[TableFold]) -> Iterator[TableFold]:
    """Choose the folds whose changes go through the driver, the smallest first."""
    room = MOST
    for fold in sorted((fold for fold in folds if fold.changes), key=lambda fold: fold.changes):
        room -= fold.changes
        if fold.changes > FEW or room < 0:
            return
        yield fold


def few_changes(collected: pa.Table, fold: TableFold, target: Mark) -> pa.Table:
    """Choose by the same rules as for many: to have Spark plan them costs more than all else that it does to a few."""
    xid, lsn, ordinal, relation = (numbers(collected, name) for name in ("xid", "commit_lsn", "ordinal", "relation_id"))
    chosen = np.isin(relation, fold.relations) & seen_rows(xid, target.snapshot)
    chosen &= ~seen_rows(xid, fold.stand.base.snapshot)
    if not fold.whole:
        chosen &= pc.not_equal(collected["op"], "t").to_numpy()
        for oid, truncates in fold.truncates.items():
            last = truncates[-1]
            later = (lsn > last.commit_lsn) | ((lsn == last.commit_lsn) & (ordinal > last.ordinal))
            chosen &= (relation != oid) | later
    rows = collected.filter(pa.array(chosen))
    return rows.combine_chunks() if rows.num_rows else rows.schema.empty_table()  # Spark takes no column without chunks
