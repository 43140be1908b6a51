"""Rows that a table has and a new copy of it lacks: kept as deleted ones, where its spec wants that.

The copy does not tell what they were like in columns that it has otherwise, or when they went: such columns are NULL,
and so is `_commit_lsn`.
"""

import uuid
from collections.abc import Sequence
from functools import reduce
from operator import or_

from deltalake import DeltaTable
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.marks import Mark
from tidemark_contract.protection import HASHED, MASKED, Protect
from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.fold.keys import copy_line
from tidemark_jobs.fold.values import row_texts
from tidemark_jobs.reader import read_all, read_files
from tidemark_jobs.silver import DELETED
from tidemark_jobs.upsert.written import Written


def write_missing(
    spark: SparkSession, url: str, table: DeltaTable, spec: TableSpec, copied: Sequence[Written], mark: Mark
) -> str:
    """Write the rows of a table that none of a copy's files has; give the folder below the table."""
    folder = f"gone-{uuid.uuid4()}"  # no leading underscore: VACUUM would never look into it
    names = [f"{url}/{file.path}" for file in copied]
    there = read_files(spark, "_key string", names) if names else spark.createDataFrame([], "_key string")
    before = read_all(spark, url, table.version())
    missing(before, there, spec, mark).write.parquet(f"{url}/{folder}")
    return folder


def missing(before: DataFrame, there: DataFrame, spec: TableSpec, mark: Mark) -> DataFrame:
    """Give the rows of a table as it was whose `_key` is not there by now, with the columns of the spec, as deleted.

    A column that had another name or type, or was not protected as it is now, is NULL; a row that had another key than
    it would have now is left out.
    """
    own_key = copy_line([row_texts(spec)[name] for name in spec.key])
    rows = _shaped(before, spec).where(F.col("_key").eqNullSafe(own_key)).join(there, "_key", "left_anti")
    return deleted(rows, mark.id).select(*[f"`{field.name}`" for field in silver.schema(spec)])


def deleted(rows: DataFrame, mark: int, lsn: int | None = None) -> DataFrame:
    """Mark the rows of silver that are not deleted yet: by a mark, and a commit if it is known."""
    of_now = {"_mark": F.lit(mark), "_commit_lsn": F.lit(lsn).cast("bigint")}
    columns = {name: F.when(F.col(DELETED), F.col(name)).otherwise(now) for name, now in of_now.items()}
    return rows.withColumns({**columns, DELETED: F.lit(True)})


def has_unprotected(rows: DataFrame, spec: TableSpec) -> bool:
    """Tell whether a row of silver has a plain value where the spec protects it."""
    columns = [(F.col(f"`{spec.silver_names[c.name]}`"), c.protect) for c in spec.columns if c.protect]
    plain = [column.isNotNull() & _as_stored(column, protect).isNull() for column, protect in columns]
    return bool(plain) and not rows.where(reduce(or_, plain)).isEmpty()


def _as_stored(text: Column, protect: Protect) -> Column:
    """Give what a protected column holds, and NULL for a plain value from before it was protected."""
    stored = text == MASKED if protect is Protect.MASK else text.rlike(HASHED)
    return F.when(stored, text)


def _shaped(before: DataFrame, spec: TableSpec) -> DataFrame:
    """Give a table's rows the columns of a spec: those that it has already, and NULL for the others."""
    types = {field.name: field.dataType for field in before.schema}
    same = {field.name for field in silver.schema(spec) if types.get(field.name) == field.dataType}
    kept = [column.name for column in spec.columns if spec.silver_names[column.name] in same]
    others: dict[str, Column] = {"_exact": F.map_filter("_exact", lambda name, _: name.isin(*kept))}
    others |= {} if DELETED in same else {DELETED: F.lit(False)}
    others |= {
        name: _as_stored(F.col(f"`{name}`"), column.protect)
        for column in spec.columns
        if column.protect and (name := spec.silver_names[column.name]) in same
    }
    columns = [
        others.get(field.name, F.col(f"`{field.name}`") if field.name in same else F.lit(None).cast(field.dataType))
        for field in silver.schema(spec)
    ]
    return before.select(
        *[column.alias(field.name) for column, field in zip(columns, silver.schema(spec), strict=True)]
    )
