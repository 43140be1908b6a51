"""Tables without a key: every distinct row is counted, and a change adds to or takes from its row's count."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keys import key_of


def fold_bag(changes: DataFrame, spec: TableSpec) -> DataFrame:
    """Fold changes to `_key, row (map of text), _count (net, never 0), _commit_lsn`.

    Replica identity FULL sends the whole old row, so unchanged TOAST columns of the new row are taken from it.
    """
    old = F.when(F.col("op").isin("u", "d"), F.col("before"))
    new = F.when(F.col("op") == "c", F.col("after")).when(F.col("op") == "u", F.map_concat("before", "after"))
    signed = F.filter(
        F.array(F.struct(old.alias("row"), F.lit(-1).alias("n")), F.struct(new.alias("row"), F.lit(1).alias("n"))),
        lambda side: side["row"].isNotNull(),
    )
    rows = changes.select("commit_lsn", F.inline(signed))
    return (
        rows.groupBy(key_of(F.col("row"), spec).alias("_key"))
        .agg(
            F.any_value("row").alias("row"),
            F.sum("n").cast("bigint").alias("_count"),
            F.max("commit_lsn").alias("_commit_lsn"),
        )
        .where("_count <> 0")
    )
