"""A small fold into a table that is not large: folded by Spark, written from Arrow.

Delta's MERGE plans its source several times over and runs nine jobs, however few the rows; measured, see docs/adr/0004.
"""

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.changes import FEW
from tidemark_jobs.folded import silver_rows
from tidemark_jobs.merge import filled
from tidemark_jobs.plan import TableFold
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.apply import NotInTable, Place, read_rows, upsert, upsert_counts

SMALL_TABLE = 1_000_000
"""Rows of a table up to which the driver reads all keys to find a few: about 50 ms for so many."""


def is_small(fold: TableFold) -> bool:
    """Tell whether a fold is worth no job."""
    return fold.changes <= FEW and fold.stand.version.rows <= SMALL_TABLE


def tune(spark: SparkSession) -> None:
    """Spare few rows what only pays for many: partitions and generated code. Measured: a third of the CPU time."""
    spark.conf.set("spark.sql.shuffle.partitions", "1")
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def merge_small(spark: SparkSession, place: Place, rows: DataFrame, fold: TableFold, step: Step) -> None:
    """Bring folded rows into a table, in one commit, which carries the step."""
    spec = fold.stand.spec
    settled = rows.toArrow()
    if fold.toast:
        settled = _filled(spark, place, settled, spec)
    typed = silver_rows(spark.createDataFrame(settled), spec, step).toArrow()
    columns = typed.select([field.name for field in silver.schema(spec)])
    before = fold.stand.version.rows if fold.truncated else None
    if spec.key:
        upsert(place, columns, typed["_gone"], step, truncated=before)
    else:
        upsert_counts(place, columns, step, truncated=before)


def _filled(spark: SparkSession, place: Place, rows: pa.Table, spec: TableSpec) -> pa.Table:
    """Fetch what is unknown from the table's rows; raise NotInTable when one of them is not there."""
    wanted = _unknown(rows)
    if not wanted.num_rows:
        return rows
    names = [field.name for field in silver.schema(spec) if field.name != "_key"]
    old = read_rows(place, wanted["root"], names)
    if old is None:
        raise NotInTable(place.url)
    known = filled(spark.createDataFrame(rows), F.size("unknown") > 0, spark.createDataFrame(old), spec).toArrow()
    if _unknown(known).num_rows:
        raise NotInTable(place.url)
    return known


def _unknown(rows: pa.Table) -> pa.Table:
    return rows.filter(pc.greater(pc.list_value_length(rows["unknown"]), 0))
