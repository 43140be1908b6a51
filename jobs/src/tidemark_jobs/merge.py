"""From folded changes to one Delta commit of a silver table."""

from collections.abc import Sequence
from dataclasses import replace

from delta.tables import DeltaMergeBuilder, DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.changes import FEW
from tidemark_jobs.fold.bags import fold_bag
from tidemark_jobs.fold.keyed import fold_keyed
from tidemark_jobs.fold.toast import fold_keyed_with_toast
from tidemark_jobs.fold.values import UNDECODABLE, row_texts, typed_columns, with_map
from tidemark_jobs.plan import TableFold
from tidemark_jobs.silver import Step, annotate

SMALL_TABLE = 1_000_000
"""Rows up to which a merge with few changes is interpreted."""
NOT_FOUND = (
    "tidemark: an unchanged column's row is not in the table: it does not stand at the mark it says; run tidemark copy"
)


def merge(spark: SparkSession, path: str, changes: DataFrame, fold: TableFold, step: Step) -> None:
    """Bring a table to the step's mark in one commit, which carries the step."""
    _tune(spark, fold)
    if fold.stand.spec.key:
        _merge_keyed(spark, path, changes, fold, step)
    else:
        _merge_bag(spark, path, changes, fold, step)


def _tune(spark: SparkSession, fold: TableFold) -> None:
    """Spare a small merge what only pays for a large one: partitions, a stored copy of its source, generated code.

    Measured for 50 changes: 3.1 CPU-s with generated code, 2.2 without.
    """
    if fold.changes > FEW:
        return
    spark.conf.set("spark.sql.shuffle.partitions", "1")
    # The source is a local relation: it cannot come out differently the second time.
    spark.conf.set("spark.databricks.delta.merge.materializeSource", "none")
    if fold.stand.version.rows <= SMALL_TABLE:
        spark.conf.set("spark.sql.codegen.wholeStage", "false")
        spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN")


def _merge_keyed(spark: SparkSession, path: str, changes: DataFrame, fold: TableFold, step: Step) -> None:
    spec, toast = fold.stand.spec, fold.toast
    if toast:
        rows = fold_keyed_with_toast(changes, spec, moved=fold.moved, toast=toast)
        rows = _filled_from_roots(spark, path, rows, spec) if fold.moved else rows
    else:
        rows = fold_keyed(changes, spec, moved=fold.moved)
    source = _settled(spark, rows, fold).select(
        _checked_key(F.col("gone") | _is_whole(spec, F.size("unknown") if toast else F.lit(0))),
        F.col("gone").alias("_gone"),
        F.lit(step.mark).cast("bigint").alias("_mark"),
        "_commit_lsn",
        *typed_columns(_texts(spec), spec),
        *([F.col("unknown").alias("_unknown")] if toast else []),
    )
    builder = _target(spark, path).merge(source.alias("s"), "t._key = s._key").whenMatchedDelete("s._gone")
    builder = builder.whenMatchedUpdate(set=_values(spec, toast, "t"))
    builder = builder.whenNotMatchedInsert("not s._gone", values=_values(spec, toast, None))
    _execute(spark, builder, step, truncated=fold.truncated)


def _merge_bag(spark: SparkSession, path: str, changes: DataFrame, fold: TableFold, step: Step) -> None:
    spec = fold.stand.spec
    rows = _settled(spark, fold_bag(changes, spec), fold)
    net = rows.agg(F.coalesce(F.sum("_count"), F.lit(0)).alias("net")).collect()[0]["net"]
    added = int(net) - (fold.stand.version.rows if fold.truncated else 0)
    mark = F.lit(step.mark).cast("bigint").alias("_mark")
    source = rows.select(
        _checked_key(_is_whole(spec, F.lit(0))), mark, "_commit_lsn", "_count", *typed_columns(_texts(spec), spec)
    )
    values: dict[str, str | Column] = {name: f"s.`{name}`" for name in source.columns}
    total = "s._count" if fold.truncated else "t._count + s._count"
    builder = _target(spark, path).merge(source.alias("s"), "t._key = s._key").whenMatchedDelete(f"{total} = 0")
    builder = builder.whenMatchedUpdate(set={"_count": total, "_mark": "s._mark", "_commit_lsn": "s._commit_lsn"})
    builder = builder.whenNotMatchedInsert(values=values)
    _execute(spark, builder, replace(step, rows=added), truncated=fold.truncated)


def _is_whole(spec: TableSpec, unknown: Column) -> Column:
    return F.size("row") + unknown == F.lit(len(spec.columns))


def _checked_key(whole: Column) -> Column:
    """Give the `_key`; a row that lacks its key or a column ends the query, for NULL in its place would be wrong."""
    there = F.col("_key").isNotNull() & whole
    return F.when(there, F.col("_key")).otherwise(F.raise_error(F.lit(UNDECODABLE))).alias("_key")


def _settled(spark: SparkSession, rows: DataFrame, fold: TableFold) -> DataFrame:
    """Make few folded rows a local relation: MERGE plans its source several times over, and so does it once."""
    return spark.createDataFrame(rows.toArrow()) if fold.changes <= FEW else rows


def _target(spark: SparkSession, path: str) -> DeltaTable:
    return DeltaTable.forPath(spark, path).alias("t")


def _execute(spark: SparkSession, builder: DeltaMergeBuilder, step: Step, *, truncated: bool) -> None:
    """What stood in the table before a TRUNCATE and was not written again afterwards goes."""
    annotate(spark, step)
    if truncated:
        builder = builder.whenNotMatchedBySourceDelete()
    builder.execute()


def _texts(spec: TableSpec) -> dict[str, Column]:
    return {column.name: F.col("row").getItem(column.name) for column in spec.columns}


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


def _filled_from_roots(spark: SparkSession, path: str, rows: DataFrame, spec: TableSpec) -> DataFrame:
    """Fetch what is unknown of a row that has moved from the table's row at its old key, as text."""
    wanted = (F.size("unknown") > 0) & (F.col("root") != F.col("_key"))
    old = with_map(_target(spark, path).toDF(), "_texts", row_texts(spec))
    old = old.select(F.col("_key").alias("_root_key"), "_texts")
    found = rows.join(old, (F.col("_root_key") == F.col("root")) & wanted, how="left")
    fetched = F.map_filter("_texts", lambda name, _: F.array_contains("unknown", name))
    filled = F.col("_root_key").isNotNull()
    return found.select(
        "_key",
        "gone",
        F.when(filled, F.map_concat("row", fetched)).otherwise(F.col("row")).alias("row"),
        "_commit_lsn",
        F.when(filled, F.array().cast("array<string>")).otherwise(F.col("unknown")).alias("unknown"),
    )
