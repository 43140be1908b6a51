"""Values that a change does not bring, and that have to be found in the row's past: those of unchanged TOAST columns,
and all of a row that is deleted, where it stays.

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

    `unknown` names the columns whose value stands only in the table, in its row with key `root`: of those in `toast`,
    or of all for a row that is gone, where the spec keeps it.
    """
    stays = stays_of(key_events(changes, spec, moved=moved), toast)
    last = F.max_by(F.struct("ended", "gone", "row", "known", "began", "came_from", "commit_lsn"), "ended")
    finals = stays.groupBy("_key").agg(last.alias("last")).select("_key", "last.*")
    finals = finals.withColumn("root", F.col("_key"))
    if moved:
        finals = followed(finals, stays, toast, kept=spec.soft)
    row = F.map_concat("row", "known")
    unknown = F.filter(names_of(toast), lambda name: ~F.map_contains_key("known", name))
    of_gone = F.filter(names_of([column.name for column in spec.columns]), lambda name: ~F.map_contains_key(row, name))
    return finals.select(
        "_key",
        "gone",
        (row if spec.soft else F.when(~F.col("gone"), row)).alias("row"),
        F.col("commit_lsn").alias("_commit_lsn"),
        F.when(~F.col("gone"), unknown).otherwise(of_gone if spec.soft else names_of([])).alias("unknown"),
        "root",
    )


def with_stay(events: DataFrame) -> DataFrame:
    """Add where the stay that an event belongs to began; NULL before our time."""
    starts = F.when(F.col("inserted") | F.col("came_from").isNotNull(), position())
    so_far = Window.partitionBy("_key").orderBy("commit_lsn", "ordinal").rowsBetween(Window.unboundedPreceding, 0)
    return events.withColumn("began", F.last(starts, ignorenulls=True).over(so_far))


def stays_of(events: DataFrame, toast: Sequence[str]) -> DataFrame:
    """One row per stay, as it ended: `_key, began (NULL: before our time), came_from, ended, gone, row, known`.

    The row of one that is gone is the last that was told of, empty if none was.
    """
    placed = with_stay(events)
    known = [
        F.max_by(F.struct(_value(name).alias("v")), F.when(sent(name), position())).alias(f"known_{i}")
        for i, name in enumerate(toast)
    ]
    stays = placed.groupBy("_key", "began").agg(
        F.max_by(F.struct("gone", "commit_lsn"), position()).alias("last"),
        F.max_by("row", F.when(F.col("row").isNotNull(), position())).alias("told"),
        F.max(position()).alias("ended"),
        F.max("came_from").alias("came_from"),
        *known,
    )
    row = F.coalesce("told", F.create_map().cast("map<string,string>")).alias("row")
    return stays.select("_key", "began", "came_from", "ended", "last.*", row, known_map(toast).alias("known"))


def followed(finals: DataFrame, stays: DataFrame, toast: Sequence[str], *, kept: bool) -> DataFrame:
    """Walk back from stay to stay, all rows one step at a time, until nothing more can be learned."""
    earlier = stays.select(
        F.col("_key").alias("e_key"),
        F.col("ended").alias("e_ended"),
        F.col("began").alias("e_began"),
        F.col("came_from").alias("e_came_from"),
        F.col("known").alias("e_known"),
    ).persist()
    open_end = (F.col("came_from").isNotNull()) & (~F.col("gone") | kept) & (F.size("known") < len(toast))
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


def sent(name: str) -> Column:
    """Tell whether an event brings the column's value."""
    return F.col("row").isNotNull() & ~F.coalesce(F.array_contains("unchanged", name), F.lit(False))


def names_of(toast: Sequence[str]) -> Column:
    """Give names as an array."""
    return F.array(*[F.lit(name) for name in toast]).cast("array<string>")


def known_map(toast: Sequence[str]) -> Column:
    """Give the values that `known_0, known_1, …` (a struct, or NULL where nothing is known) stand for, by name."""
    entries = [
        F.when(
            F.col(f"known_{i}").isNotNull(), F.struct(F.lit(name).alias("key"), F.col(f"known_{i}.v").alias("value"))
        )
        for i, name in enumerate(toast)
    ]
    known = F.array(*entries).cast("array<struct<key:string,value:string>>")
    return F.map_from_entries(F.filter(known, lambda entry: entry.isNotNull()))
