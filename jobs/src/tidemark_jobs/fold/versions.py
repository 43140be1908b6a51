"""Every version of a row: its state at the end of each transaction that touched its key.

What it was in the middle of one was never visible to anyone.
"""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keyed import key_events, position
from tidemark_jobs.fold.toast import followed, known_map, names_of, sent, stays_of, with_stay


def fold_versions(changes: DataFrame, spec: TableSpec, *, moved: bool, toast: Sequence[str]) -> DataFrame:
    """Fold changes to `_key, gone, row, from_lsn, to_lsn, unknown, root`, one row per key and transaction.

    `to_lsn` is that of the next transaction that touches the key, NULL for none; `unknown` and `root` are as in
    `fold_keyed_with_toast`.
    """
    events = key_events(changes, spec, moved=moved)
    states = _states(events, toast)
    if moved:
        states = followed(states, stays_of(events, toast), toast, kept=False)
    unknown = F.filter(names_of(toast), lambda name: ~F.map_contains_key("known", name))
    following = F.lead("commit_lsn").over(Window.partitionBy("_key").orderBy("commit_lsn"))
    return states.select(
        "_key",
        "gone",
        F.when(~F.col("gone"), F.map_concat("row", "known")).alias("row"),
        F.col("commit_lsn").alias("from_lsn"),
        following.alias("to_lsn"),
        F.when(F.col("gone"), names_of([])).otherwise(unknown).alias("unknown"),
        "root",
    )


def _states(events: DataFrame, toast: Sequence[str]) -> DataFrame:
    """One row per key and transaction, with what is known of its stay by then; the columns are those of a stay."""
    so_far = Window.partitionBy("_key", "began").orderBy("commit_lsn", "ordinal")
    so_far = so_far.rowsBetween(Window.unboundedPreceding, 0)
    placed = with_stay(events)
    known = {
        f"known_{i}": F.last(F.when(sent(name), F.struct(F.col("row").getItem(name).alias("v"))), ignorenulls=True)
        for i, name in enumerate(toast)
    }
    told = placed.withColumns(
        {name: value.over(so_far) for name, value in known.items()}
        | {"came_from": F.last("came_from", ignorenulls=True).over(so_far)}
    ).withColumn("known", known_map(toast))
    state = F.struct(position().alias("ended"), "gone", "row", "known", "began", "came_from")
    states = told.groupBy("_key", "commit_lsn").agg(F.max_by(state, "ordinal").alias("last"))
    return states.select("_key", "commit_lsn", "last.*").withColumn("root", F.col("_key"))
