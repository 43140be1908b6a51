"""From folded changes to one Delta commit of a silver table."""

from collections.abc import Sequence
from dataclasses import replace

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.changes import FEW
from tidemark_jobs.fold.values import row_texts, with_map
from tidemark_jobs.folded import silver_rows
from tidemark_jobs.plan import TableFold
from tidemark_jobs.silver import Step, annotate

NOT_FOUND = (
    "tidemark: an unchanged column's row is not in the table: it does not stand at the mark it says; run tidemark copy"
)


def merge(spark: SparkSession, path: str, rows: DataFrame, fold: TableFold, step: Step) -> None:
    """Bring folded rows into a table by Delta's MERGE, in one commit, which carries the step."""
    if fold.changes <= FEW:
        # MERGE plans its source several times over: a local relation is computed once, and never otherwise.
        rows = spark.createDataFrame(rows.toArrow())
        spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
    if fold.stand.spec.key:
        _merge_keyed(spark, path, rows, fold, step)
    else:
        _merge_bag(spark, path, rows, fold, step)


def _merge_keyed(spark: SparkSession, path: str, rows: DataFrame, fold: TableFold, step: Step) -> None:
    spec, toast = fold.stand.spec, fold.toast
    if toast and fold.moved:
        moved = (F.size("unknown") > 0) & (F.col("root") != F.col("_key"))
        rows = filled(rows, moved, _target(spark, path).toDF(), spec)
    source = silver_rows(rows, spec, step)
    builder = _target(spark, path).merge(source.alias("s"), "t._key = s._key").whenMatchedDelete("s._gone")
    builder = builder.whenMatchedUpdate(set=_values(spec, toast, "t"))
    builder = builder.whenNotMatchedInsert("not s._gone", values=_values(spec, toast, None))
    _execute(spark, builder, step, truncated=fold.truncated)


def _merge_bag(spark: SparkSession, path: str, rows: DataFrame, fold: TableFold, step: Step) -> None:
    spec = fold.stand.spec
    net = rows.agg(F.coalesce(F.sum("_count"), F.lit(0)).alias("net")).collect()[0]["net"]
    added = int(net) - (fold.stand.version.rows if fold.truncated else 0)
    source = silver_rows(rows, spec, step)
    values: dict[str, str | Column] = {name: f"s.`{name}`" for name in source.columns}
    total = F.col("s._count") if fold.truncated else F.col("t._count") + F.col("s._count")
    builder = _target(spark, path).merge(source.alias("s"), "t._key = s._key").whenMatchedDelete(total == 0)
    builder = builder.whenMatchedUpdate(
        set={"_count": _positive(total), "_mark": "s._mark", "_commit_lsn": "s._commit_lsn"}
    )
    builder = builder.whenNotMatchedInsert(values=values | {"_count": _positive(F.col("s._count"))})
    _execute(spark, builder, replace(step, rows=added), truncated=fold.truncated)


def _positive(count: Column) -> Column:
    return F.when(count > 0, count).otherwise(F.raise_error(F.lit(NOT_FOUND)))


def _target(spark: SparkSession, path: str) -> DeltaTable:
    return DeltaTable.forPath(spark, path).alias("t")


def _execute(spark: SparkSession, builder: DeltaMergeBuilder, step: Step, *, truncated: bool) -> None:
    """What stood in the table before a TRUNCATE and was not written again afterwards goes."""
    annotate(spark, step)
    if truncated:
        builder = builder.whenNotMatchedBySourceDelete()
    builder.execute()


def _values(spec: TableSpec, toast: Sequence[str], target: str | None) -> dict[str, str | Column]:
    """Say where each column's new value comes from; an unknown one stays as it is in the target's row."""
    names = [*spec.silver_names.values(), "_key", "_mark", "_commit_lsn", "_exact"]
    values: dict[str, str | Column] = {name: f"s.`{name}`" for name in names}
    for column in toast:
        name = spec.silver_names[column]
        values[name] = F.when(_is_unknown(column), _kept(target, name)).otherwise(F.col(f"s.`{name}`"))
    if toast and target:
        kept = F.map_filter(f"{target}._exact", lambda name, _: F.array_contains("s._unknown", name))
        merged = F.map_concat(
            F.coalesce(kept, F.map_from_arrays(F.array(), F.array())), F.coalesce("s._exact", _no_exact())
        )
        values["_exact"] = F.when(F.size("s._unknown") > 0, F.when(F.size(merged) > 0, merged)).otherwise(
            F.col("s._exact")
        )
    return values


def _is_unknown(column: str) -> Column:
    return F.array_contains("s._unknown", column)


def _kept(target: str | None, name: str) -> Column:
    return F.col(f"{target}.`{name}`") if target else F.raise_error(F.lit(NOT_FOUND))


def _no_exact() -> Column:
    return F.create_map().cast("map<string,string>")


def filled(rows: DataFrame, wanted: Column, table: DataFrame, spec: TableSpec) -> DataFrame:
    """Fetch what is unknown of the wanted rows from the table's rows at their root keys, as text.

    Of a row whose root is not there everything stays unknown.
    """
    old = with_map(table, "_texts", row_texts(spec)).select(F.col("_key").alias("_root_key"), "_texts")
    found = rows.join(old, (F.col("_root_key") == F.col("root")) & wanted, how="left")
    fetched = F.map_filter("_texts", lambda name, _: F.array_contains("unknown", name))
    there = F.col("_root_key").isNotNull()
    return found.select(
        "_key",
        "gone",
        F.when(there, F.map_concat("row", fetched)).otherwise(F.col("row")).alias("row"),
        "_commit_lsn",
        F.when(there, F.array().cast("array<string>")).otherwise(F.col("unknown")).alias("unknown"),
    )
