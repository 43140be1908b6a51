"""Tables with a key: the last change of every key is its state."""

from functools import cache

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keys import key_of
from tidemark_jobs.fold.truncated import LOST, with_losses


def position() -> Column:
    """Give a change's place in the order of all changes."""
    return F.struct("commit_lsn", "ordinal")


def fold_keyed(changes: DataFrame, spec: TableSpec, *, moved: bool, many: bool = False) -> DataFrame:
    """Fold changes to `_key, gone, row (map of text), _commit_lsn`, one row per key.

    `moved` says that some update may have changed its row's key; it then takes the row away from the old one. Of
    `many` changes most have a key of their own: brought together first they are sorted once, and not again after that.
    """
    events = key_events(changes, spec, moved=moved)
    return (
        (events.repartition("_key") if many else events)
        .groupBy("_key")
        .agg(F.max_by(F.struct("gone", "row", "commit_lsn"), position()).alias("last"))
        .select("_key", "last.gone", "last.row", F.col("last.commit_lsn").alias("_commit_lsn"))
    )


def key_events(changes: DataFrame, spec: TableSpec, *, moved: bool) -> DataFrame:
    """Give what happens at each key: `_key, gone, inserted, row, came_from, unchanged, commit_lsn, ordinal`.

    An update that changes the key is two events: the row is gone from the old key, and is at the new one with
    `came_from` naming the old. What the old row tells (REPLICA IDENTITY FULL) is not unchanged but known. Changes that
    tell their loss (`with_loss`) tell also which rows a TRUNCATE took.
    """
    truncated = [LOST] if LOST in changes.columns else []
    events = changes.select(*_events(spec), *truncated)
    if moved:
        # With REPLICA IDENTITY FULL every update brings its old row; most have the same key.
        events = events.withColumn("came_from", F.when(F.col("came_from") != F.col("_key"), F.col("came_from")))
        events = events.unionByName(events.where("came_from is not null").select(*_departure(), *truncated))
    return with_losses(events) if truncated else events


@cache
def _events(spec: TableSpec) -> tuple[Column, ...]:
    """Build what a change says of its own key, once for each table: see `folded`."""
    deleted = F.col("op") == "d"
    tells_more = F.col("before").isNotNull() & F.col("unchanged").isNotNull()
    row = F.when(tells_more, F.map_concat("before", "after")).otherwise(F.col("after"))
    unchanged = F.filter("unchanged", lambda name: ~F.map_contains_key("before", name))
    # An unchanged key column can be TOASTed too: then it stands in the old key only.
    here = F.when(deleted, key_of(F.col("before"), spec)).otherwise(key_of(row, spec))
    return (
        here.alias("_key"),
        deleted.alias("gone"),
        (F.col("op") == "c").alias("inserted"),
        F.when(~deleted, row).alias("row"),
        F.when((F.col("op") == "u"), key_of(F.col("before"), spec)).alias("came_from"),
        F.when(tells_more, unchanged).otherwise(F.col("unchanged")).alias("unchanged"),
        F.col("commit_lsn"),
        F.col("ordinal"),
    )


def _departure() -> tuple[Column, ...]:
    return (
        F.col("came_from").alias("_key"),
        F.lit(True).alias("gone"),
        F.lit(False).alias("inserted"),
        F.lit(None).cast("map<string,string>").alias("row"),
        F.lit(None).cast("string").alias("came_from"),
        F.lit(None).cast("array<string>").alias("unchanged"),
        F.col("commit_lsn"),
        F.col("ordinal"),
    )
