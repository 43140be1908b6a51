"""The changes of one table between two marks, as a DataFrame: collected while few, read by Spark when many."""

from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.marks import Mark
from tidemark_jobs.bronze import Truncate, Window
from tidemark_jobs.fold.visibility import seen
from tidemark_jobs.plan import TableFold

FEW = 50_000
"""Up to so many changes of a window go through the driver: a fold then starts from a local relation, and costs one
job less than half of what a scan of bronze does."""


class ChangeReader:
    """Gives each table's changes in one window."""

    def __init__(self, window: Window, folds: Sequence[TableFold]) -> None:
        self._window = window
        small = [fold for fold in folds if fold.changes <= FEW]
        rows_in_files = sum(file.rows for file in window.files)
        self._collected: pa.Table | None = None
        if small and rows_in_files <= 4 * FEW:
            relations = [oid for fold in small for oid in fold.relations]
            self._collected = window.bronze.changes(window.files, window.first_lsn, window.last_lsn, relations)

    def read(self, spark: SparkSession, fold: TableFold, target: Mark) -> DataFrame:
        """Give the changes that the target sees and the table's own mark does not, each once, after its TRUNCATE."""
        rows = self._rows(spark, fold)
        visible = rows.where(seen(F.col("xid"), target.snapshot) & ~seen(F.col("xid"), fold.stand.base.snapshot))
        once = visible.dropDuplicates(["commit_lsn", "ordinal"]) if self._window.repeated else visible
        return _after_truncates(once, fold.truncates).where("op <> 't'")

    def _rows(self, spark: SparkSession, fold: TableFold) -> DataFrame:
        if self._collected is not None and fold.changes <= FEW:
            mine = pc.is_in(self._collected["relation_id"], pa.array(fold.relations, pa.int64()))
            return spark.createDataFrame(self._collected.filter(mine).combine_chunks())
        window = self._window
        bronze = spark.read.format("delta").option("versionAsOf", window.bronze.table.version())
        inside = F.col("commit_lsn").between(window.first_lsn, window.last_lsn)
        relation = F.col("relation_id").isin(list(fold.relations))
        return bronze.load(window.bronze.layout.bronze).where(inside & relation & (F.col("op") != "s"))


def _after_truncates(changes: DataFrame, truncates: Mapping[int, Truncate]) -> DataFrame:
    for oid, last in truncates.items():
        later = (F.col("commit_lsn") > last.commit_lsn) | (
            (F.col("commit_lsn") == last.commit_lsn) & (F.col("ordinal") > last.ordinal)
        )
        changes = changes.where((F.col("relation_id") != oid) | later)
    return changes
