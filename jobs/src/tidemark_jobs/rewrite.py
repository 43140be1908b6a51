"""A table written anew because its columns are others: its rows and the changes to them, in one commit."""

import uuid

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_jobs import silver
from tidemark_jobs.fold.fetched import NOT_FOUND, fetched
from tidemark_jobs.fold.keys import key_of
from tidemark_jobs.fold.values import row_texts, typed_columns, with_map
from tidemark_jobs.folded import silver_rows
from tidemark_jobs.missing import deleted
from tidemark_jobs.plan import TableFold
from tidemark_jobs.reader import live
from tidemark_jobs.silver import DELETED, Step
from tidemark_jobs.upsert.apply import replace_all
from tidemark_jobs.upsert.lookup import open_rows
from tidemark_jobs.upsert.place import Place
from tidemark_jobs.upsert.written import written_files


def rewrite(spark: SparkSession, place: Place, rows: DataFrame, fold: TableFold, step: Step) -> Step:
    """Write all rows of a table by its new spec, the folded rows among them; give the step with the rows it added."""
    old = reshaped(open_rows(spark, place), fold)
    if fold.sought:
        rows = fetched(rows, live(old), fold.spec, fold.sought)
    if fold.truncated:
        old = _truncated(old, fold, step) if fold.spec.soft else old.limit(0)
    new = silver_rows(rows, fold.spec, step)
    merged = _merged(old, new) if fold.spec.key else _added_up(old, new)
    folder = f"fold-{uuid.uuid4()}"  # no leading underscore: VACUUM would never look into it
    merged.select(*_names(fold)).write.parquet(f"{place.url}/{folder}")
    files = list(written_files(place.url, folder))
    schema = silver.new_schema(place.table, fold.spec)
    return replace_all(place, files, step, schema, before=fold.stand.version.rows)


def reshaped(table: DataFrame, fold: TableFold) -> DataFrame:
    """Give a table's rows as its new spec has them: by their texts, for those are what a change of type keeps."""
    before, evolution = fold.stand.at_base, fold.evolution
    texts = {
        evolution.renamed.get(name, name): text
        for name, text in row_texts(before).items()
        if name not in evolution.dropped
    }
    texts |= {name: F.lit(value).cast("string") for name, value in evolution.added.items()}
    keyed = with_map(table if fold.spec.soft else live(table), "_row", texts)
    columns = {column.name: F.col("_row").getItem(column.name) for column in fold.spec.columns}
    ours = [F.col("_mark"), F.col("_commit_lsn"), *([] if fold.spec.key else [F.col("_count")])]
    if fold.spec.soft:
        ours.append((F.col(DELETED) if fold.stand.soft else F.lit(False)).alias(DELETED))
    return keyed.select(key_of(F.col("_row"), fold.spec).alias("_key"), *ours, *typed_columns(columns, fold.spec))


def _truncated(old: DataFrame, fold: TableFold, step: Step) -> DataFrame:
    """Mark all rows as deleted: those whose partition cannot be told, by the time when the last one was truncated."""
    lsn = max(truncates[0].commit_lsn for truncates in fold.truncates.values())
    return deleted(old, step.mark, lsn)


def _merged(old: DataFrame, new: DataFrame) -> DataFrame:
    stay = old.join(new.select("_key"), "_key", "left_anti")
    return stay.unionByName(new.where("not _gone").drop("_gone"))


def _added_up(old: DataFrame, new: DataFrame) -> DataFrame:
    """Rows that a column told apart may be the same without it."""
    both = old.unionByName(new)
    others = [f"`{name}`" for name in both.columns if name not in ("_key", "_mark", "_count")]
    total = F.sum("_count").cast("bigint")
    counted = F.when(total >= 0, total).otherwise(F.raise_error(F.lit(NOT_FOUND)))
    counts = [F.max("_mark").alias("_mark"), counted.alias("_count")]
    same = [F.any_value(name).alias(name.strip("`")) for name in others]
    return both.groupBy("_key").agg(*counts, *same).where("_count > 0")


def _names(fold: TableFold) -> list[str]:
    return [f"`{field.name}`" for field in silver.schema(fold.spec)]
