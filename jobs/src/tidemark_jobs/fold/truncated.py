"""TRUNCATE where what becomes of each row is told: a change of each key whose row it took away."""

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

LOST = "lost"


def with_loss(changes: DataFrame) -> DataFrame:
    """Add to each change the place of the first TRUNCATE of its relation after it, and take the TRUNCATEs out."""
    place = F.struct("commit_lsn", "ordinal")
    later = Window.partitionBy("relation_id").orderBy(place.desc()).rowsBetween(Window.unboundedPreceding, -1)
    lost = F.last(F.when(F.col("op") == "t", place), ignorenulls=True).over(later)
    return changes.withColumn(LOST, lost).where("op <> 't'")


def with_losses(events: DataFrame) -> DataFrame:
    """Add to the events of keys those by which rows went with a TRUNCATE: it came next, and they were there."""
    following = F.lead(F.struct("commit_lsn", "ordinal")).over(
        Window.partitionBy("_key").orderBy("commit_lsn", "ordinal")
    )
    last = F.col(LOST).isNotNull() & (F.col("following").isNull() | (F.col("following") > F.col(LOST)))
    lost = events.withColumn("following", following).where(last & ~F.col("gone"))
    nothing = {"inserted": "boolean", "row": "map<string,string>", "came_from": "string", "unchanged": "array<string>"}
    losses = lost.select(
        "_key",
        F.lit(True).alias("gone"),
        *[F.lit(None).cast(type_).alias(name) for name, type_ in nothing.items()],
        f"{LOST}.commit_lsn",
        f"{LOST}.ordinal",
    )
    return events.drop(LOST).unionByName(losses)
