"""Unchanged TOAST columns: their values are not sent, and have to be found in the row's past.

A row's life at one key is a *stay*: it begins with an insert, with the row's arrival from another key, or before the
first change we look at; it ends when the row is deleted or leaves. An unchanged column has the value that it last had
in the same stay, else at the end of the stay that the row came from, and so on back to the row in the table.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keyed import key_events, position


def fold_keyed_with_toast(changes: DataFrame, spec: TableSpec, *, moved: bool, toast: Sequence[str]) -> DataFrame:
    """Fold changes to `_key, gone, row, _commit_lsn, unknown, root`.

    `unknown` names the columns (of `toast`) whose value stands only in the table, in its row with key `root`.
    """
    stays = _stays(key_events(changes, spec, moved=moved), toast)
    last = F.max_by(F.struct("ended", "gone", "row", "known", "began", "came_from", "commit_lsn"), "ended")
    finals = stays.groupBy("_key").agg(last.alias("last")).select("_key", "last.*")
    finals = finals.withColumn("root", F.col("_key"))
    if moved:
        finals = _follow(finals, stays, toast)
    unknown = F.filter(_names(toast), lambda name: ~F.map_contains_key("known", name))
    return finals.select(
        "_key",
        "gone",
        F.when(~F.col("gone"), F.map_concat("row", "known")).alias("row"),
        F.col("commit_lsn").alias("_commit_lsn"),
        F.when(F.col("gone"), F.array().cast("array<string>")).otherwise(unknown).alias("unknown"),
        "root",
    )


def _stays(events: DataFrame, toast: Sequence[str]) -> DataFrame:
    """One row per stay, as it ended: `_key, began (NULL: before our time), came_from, ended, gone, row, known`."""
    starts = F.when(F.col("inserted") | F.col("came_from").isNotNull(), position())
    so_far = Window.partitionBy("_key").orderBy("commit_lsn", "ordinal").rowsBetween(Window.unboundedPreceding, 0)
    placed = events.withColumn("began", F.last(starts, ignorenulls=True).over(so_far))
    known = [
        F.max_by(F.struct(_value(name).alias("v")), F.when(_sent(name), position())).alias(f"known_{i}")
        for i, name in enumerate(toast)
    ]
    stays = placed.groupBy("_key", "began").agg(
        F.max_by(F.struct("gone", "row", "commit_lsn"), position()).alias("last"),
        F.max(position()).alias("ended"),
        F.max("came_from").alias("came_from"),
        *known,
    )
    return stays.select("_key", "began", "came_from", "ended", "last.*", _known_map(toast).alias("known"))


def _follow(finals: DataFrame, stays: DataFrame, toast: Sequence[str]) -> DataFrame:
    """Walk back from stay to stay, all rows one step at a time, until nothing more can be learned."""
    earlier = stays.select(
        F.col("_key").alias("e_key"),
        F.col("ended").alias("e_ended"),
        F.col("began").alias("e_began"),
        F.col("came_from").alias("e_came_from"),
        F.col("known").alias("e_known"),
    ).persist()
    open_end = (F.col("came_from").isNotNull()) & ~F.col("gone") & (F.size("known") < len(toast))
    while not finals.where(open_end).isEmpty():
        before = (F.col("e_key") == F.col("came_from")) & (F.col("e_ended") == F.col("began")) & open_end
        finals = (
            finals.join(earlier, before, how="left")
            .select(
                "_key",
                "ended",
                "gone",
                "row",
                F.when(F.col("e_key").isNull(), F.col("known"))
                .otherwise(F.map_concat("e_known", "known"))
                .alias("known"),
                F.when(F.col("e_key").isNull(), F.col("began")).otherwise(F.col("e_began")).alias("began"),
                F.when(F.col("e_key").isNull(), F.lit(None)).otherwise(F.col("e_came_from")).alias("came_from"),
                "commit_lsn",
                F.coalesce("e_key", "root").alias("root"),
            )
            .localCheckpoint()
        )
    return finals


def _value(name: str) -> Column:
    return F.col("row").getItem(name)


def _sent(name: str) -> Column:
    return F.col("row").isNotNull() & ~F.coalesce(F.array_contains("unchanged", name), F.lit(False))


def _names(toast: Sequence[str]) -> Column:
    return F.array(*[F.lit(name) for name in toast])


def _known_map(toast: Sequence[str]) -> Column:
    entries = [
        F.when(
            F.col(f"known_{i}").isNotNull(), F.struct(F.lit(name).alias("key"), F.col(f"known_{i}.v").alias("value"))
        )
        for i, name in enumerate(toast)
    ]
    return F.map_from_entries(F.filter(F.array(*entries), lambda entry: entry.isNotNull()))
