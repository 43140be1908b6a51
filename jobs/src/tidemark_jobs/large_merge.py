"""A fold of many changes, or into a large table: the folded rows are written by Spark, once, as files of the table.

Delta's MERGE would keep them in between, look for what they replace in a job, and read them again with the rows of the
table beside each other: twice the time, see docs/adr/0004.
"""

import uuid

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_jobs import silver
from tidemark_jobs.fold.fetched import NOT_FOUND, fetched
from tidemark_jobs.folded import silver_rows
from tidemark_jobs.plan import TableFold
from tidemark_jobs.reader import live
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.apply import replace_rows
from tidemark_jobs.upsert.lookup import Lookup, look_up, open_rows
from tidemark_jobs.upsert.place import Place
from tidemark_jobs.upsert.written import written_files

ROWS_A_FILE = 100_000
"""Changes that are worth a partition, and so a file, of their own."""


def tune(spark: SparkSession, changes: int) -> None:
    """Make no more files than the changes are worth."""
    most = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    spark.conf.set("spark.sql.shuffle.partitions", str(max(1, min(most, changes // ROWS_A_FILE))))


def merge_large(spark: SparkSession, place: Place, rows: DataFrame, fold: TableFold, step: Step) -> Step:
    """Bring folded rows into a table, in one commit, which carries the step."""
    spec, before = fold.spec, fold.stand.version.rows
    table = open_rows(spark, place)
    if fold.sought:
        rows = fetched(rows, live(table), spec, fold.sought)
    typed = silver_rows(rows, spec, step)
    if not spec.key:
        typed = _counted(typed, table.limit(0) if fold.truncated else table)
    # A row that goes is written too, without a mark.
    marked = typed.withColumn("_mark", F.when(~F.col("_gone"), F.col("_mark")))
    folder = f"fold-{uuid.uuid4()}"  # no leading underscore: VACUUM would never look into it
    names = [f"`{field.name}`" for field in silver.schema(spec)]
    marked.select(*names).write.parquet(f"{place.url}/{folder}")
    files = list(written_files(place.url, folder))
    went = Lookup((), 0, before) if fold.truncated else look_up(spark, place, files)
    return replace_rows(place, files, went, step, truncated=fold.truncated)


def _counted(rows: DataFrame, table: DataFrame) -> DataFrame:
    """Add each row's `_count` to that of the row with its key, if there is one; `_gone` says that none is left."""
    # Under a name of ours: `_before`, say, may be a column of the source's.
    old = table.select("_key", F.col("_count").alias("_unknown"))
    total = F.col("_count") + F.coalesce("_unknown", F.lit(0))
    sound = F.when(total >= 0, total).otherwise(F.raise_error(F.lit(NOT_FOUND)))
    joined = rows.join(old, "_key", "left").withColumn("_count", sound)
    return joined.drop("_unknown").withColumn("_gone", F.col("_count") == 0)
