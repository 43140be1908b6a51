"""Silver's side of a proof: rows hashed and summed up by bucket of their key, and compared where buckets differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.values import row_texts
from tidemark_source.hashes import rows_of_buckets

ROWS_PER_BUCKET = 2000
MOST_BUCKETS = 1 << 16
Buckets = dict[int, tuple[int, int]]
"""Bucket → its rows, and the sum of their hashes."""


@dataclass(frozen=True)
class Difference:
    """One key whose row differs: missing in the lake, extra there, or unequal in the named columns."""

    key: str
    kind: str
    columns: tuple[str, ...] = ()


def bucket_count(rows: int) -> int:
    """Choose the number of buckets: about 2,000 rows in each."""
    return max(1, min(MOST_BUCKETS, rows // ROWS_PER_BUCKET))


def silver_buckets(silver: DataFrame, spec: TableSpec, buckets: int) -> Buckets:
    """Count and hash silver's rows by bucket, as `tidemark_source.hashes` does with the source's."""
    count = F.lit(1) if spec.key else F.col("_count")
    rows = _hashed(silver, spec, buckets).select("bucket", count.alias("n"), "hash")
    sums = rows.groupBy("bucket").agg(
        F.sum("n").cast("bigint").alias("rows"),
        F.sum(F.col("hash").cast("decimal(38,0)") * F.col("n").cast("decimal(19,0)")).cast("string").alias("total"),
    )
    return {row["bucket"]: (row["rows"], int(row["total"])) for row in sums.collect()}


def _hashed(silver: DataFrame, spec: TableSpec, buckets: int) -> DataFrame:
    texts = row_texts(spec)
    bucket = F.call_function("proof_key", F.col("_key")) % F.lit(buckets)
    hash_ = F.call_function("proof_row", F.array(*[texts[column.name] for column in spec.columns]))
    return silver.withColumn("bucket", bucket).withColumn("hash", hash_)


def differences(
    connection: Connection[Any], spec: TableSpec, silver: DataFrame, buckets: int, wrong: Sequence[int]
) -> list[Difference]:
    """Compare the rows of some buckets one by one: silver's with the source's, read by a connection in the snapshot."""
    texts = row_texts(spec)
    count = F.lit(1) if spec.key else F.col("_count")
    rows = _hashed(silver, spec, buckets).where(F.col("bucket").isin(list(wrong)))
    chosen = rows.select("_key", count.alias("n"), F.array(*[texts[c.name] for c in spec.columns]).alias("texts"))
    ours: dict[str, list[list[str | None]]] = {}
    for row in chosen.toLocalIterator():
        ours.setdefault(row["_key"], []).extend([row["texts"]] * row["n"])
    theirs: dict[str, list[list[str | None]]] = {}
    for key, values in rows_of_buckets(connection, spec, buckets, wrong):
        theirs.setdefault(key, []).append(values)
    return sorted(compare(theirs, ours, [c.name for c in spec.columns]), key=lambda d: d.key)


def compare(
    source: Mapping[str, list[list[str | None]]], lake: Mapping[str, list[list[str | None]]], columns: Sequence[str]
) -> list[Difference]:
    """Name every key whose rows differ, and the columns in which they do."""
    differences = []
    for key in source.keys() | lake.keys():
        theirs, ours = source.get(key, []), lake.get(key, [])
        if theirs == ours:
            continue
        if len(theirs) != len(ours):
            kind = "missing" if len(ours) < len(theirs) else "extra"
            differences.append(Difference(key, f"{kind} ({len(theirs)} in the source, {len(ours)} in the lake)"))
        else:
            unequal = [c for c, a, b in zip(columns, theirs[0], ours[0], strict=True) if a != b]
            differences.append(Difference(key, "unequal", tuple(unequal)))
    return differences
