"""A fold of few changes into a table that is not large: folded by Spark, written from Arrow without a further job."""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession

from tidemark_jobs import silver
from tidemark_jobs.changes import FEW
from tidemark_jobs.fold.fetched import fetched
from tidemark_jobs.folded import silver_rows
from tidemark_jobs.plan import TableFold
from tidemark_jobs.reader import live
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.apply import read_rows, upsert, upsert_counts
from tidemark_jobs.upsert.place import Place

SMALL_TABLE = 1_000_000
"""Rows of a table up to which the driver reads all keys to find a few: about 50 ms for so many."""


def is_small(fold: TableFold) -> bool:
    """Tell whether a fold is worth no job."""
    return fold.changes <= FEW and fold.stand.version.rows <= SMALL_TABLE


def merge_small(spark: SparkSession, place: Place, rows: DataFrame, fold: TableFold, step: Step) -> Step:
    """Bring folded rows into a table, in one commit, which carries the step."""
    spec = fold.spec
    if fold.sought:
        rows = _completed(spark, place, rows.toArrow(), fold)
    typed = silver_rows(rows, spec, step).toArrow()
    columns = typed.select([field.name for field in silver.schema(spec)])
    # What Spark knows not to be NULL here may be NULL in other rows of the table.
    columns = columns.cast(pa.schema([field.with_nullable(True) for field in columns.schema]))
    before = fold.stand.version.rows if fold.truncated else None
    if spec.key:
        return upsert(place, columns, typed["_gone"], step, truncated=before)
    return upsert_counts(place, columns, step, truncated=before)


def _completed(spark: SparkSession, place: Place, rows: pa.Table, fold: TableFold) -> DataFrame:
    spec = fold.spec
    roots = rows.filter(pc.greater(pc.list_value_length(rows["unknown"]), 0))["root"]
    old = read_rows(place, roots, [field.name for field in silver.schema(spec) if field.name != "_key"])
    table = spark.createDataFrame(old) if old else spark.createDataFrame([], silver.schema(spec))
    return fetched(spark.createDataFrame(rows), live(table), spec, fold.sought)
