"""A table's changes folded to rows of text, and those as silver has them: what every way of writing starts from."""

from functools import cache

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.changes import FEW
from tidemark_jobs.fold.bags import fold_bag
from tidemark_jobs.fold.keyed import fold_keyed
from tidemark_jobs.fold.toast import fold_keyed_with_toast
from tidemark_jobs.fold.truncated import with_loss
from tidemark_jobs.fold.values import UNDECODABLE, typed_columns
from tidemark_jobs.plan import TableFold
from tidemark_jobs.silver import DELETED, Step


def fold_rows(changes: DataFrame, fold: TableFold) -> DataFrame:
    """Fold one table's changes: `_key, row (map of text), _commit_lsn`, then

    with a key: `gone`; where columns have to be sought also `unknown`, their names, and `root`, the key of the row in
    the table that has them. Without: `_count`, by how much the number of such rows changes.
    """
    spec = fold.spec
    if not spec.key:
        return fold_bag(changes, spec)
    if fold.sought:
        if fold.truncated and fold.whole:
            changes = with_loss(changes)
        return fold_keyed_with_toast(changes, spec, moved=fold.moved, toast=fold.toast)
    return fold_keyed(changes, spec, moved=fold.moved, many=fold.changes > FEW)


def silver_rows(rows: DataFrame, spec: TableSpec, step: Step) -> DataFrame:
    """Give folded rows, all columns known, as silver's columns, then `_gone` where the table has a key.

    Where deleted rows are kept none goes.
    """
    mark = F.lit(step.mark).cast("bigint").alias("_mark")
    return rows.select(*typed_row(spec), mark, "_commit_lsn", *_rest(spec))


def typed_row(spec: TableSpec) -> list[Column]:
    """Give the `_key` of a folded row, its typed columns and `_exact`."""
    return [_checked_key(spec), *_typed(spec)]


def _rest(spec: TableSpec) -> list[Column]:
    if not spec.key:
        return [F.col("_count")]
    gone = F.col("gone")
    return [gone.alias(DELETED), F.lit(False).alias("_gone")] if spec.soft else [gone.alias("_gone")]


# An expression costs some hundred calls into the JVM to build, more than all else that Python does in a small fold;
# it belongs to no session and no frame, so each table's is built once.
@cache
def _typed(spec: TableSpec) -> tuple[Column, ...]:
    return tuple(typed_columns({column.name: F.col("row").getItem(column.name) for column in spec.columns}, spec))


@cache
def _checked_key(spec: TableSpec) -> Column:
    """Give the `_key`; a row that lacks its key or a column ends the query, for NULL in its place would be wrong."""
    whole = F.size("row") == F.lit(len(spec.columns))
    there = F.col("_key").isNotNull() & (whole | F.col("gone") if spec.key and not spec.soft else whole)
    return F.when(there, F.col("_key")).otherwise(F.raise_error(F.lit(UNDECODABLE))).alias("_key")
