"""Silver's side of a proof: rows hashed and summed up by bucket of their key, and compared where buckets differ."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.keys import copy_line
from tidemark_jobs.fold.values import is_exact_sound, row_texts
from tidemark_source.proofs import ProofReader

ROWS_PER_BUCKET = 2000
MOST_BUCKETS = 1 << 16
KEY, EXACT = "_key", "_exact"
Rows = Counter[tuple[str | None, ...]]
"""The rows with one key, each with how often it is there: its texts, then which of our own columns is unsound."""
Buckets = dict[int, tuple[int, int]]
"""Bucket → its rows, and the sum of their hashes."""


@dataclass(frozen=True)
class Difference:
    """One key whose row differs: missing in the lake, extra there, or unequal in the named columns."""

    key: str
    kind: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A table's rows in the source, where the lake differs from them, and the source's rows in those buckets by key."""

    rows: int
    differences: Sequence[Difference]
    source: Mapping[str, Rows]

    def rows_of(self, key: str) -> list[tuple[str | None, ...]]:
        """Give the source's rows with a key that differs: their texts, in the spec's order."""
        return [texts[:-1] for texts in self.source.get(key, Counter()).elements()]


def bucket_count(rows: int) -> int:
    """Choose the number of buckets: about 2,000 rows in each."""
    return max(1, min(MOST_BUCKETS, rows // ROWS_PER_BUCKET))


def silver_buckets(silver: DataFrame, spec: TableSpec, buckets: int) -> Buckets:
    """Count and hash silver's rows by bucket, as `tidemark_source.hashes` does with the source's.

    The hash is of the typed columns; a row whose `_key` or `_exact` does not go with them has another.
    """
    rows = _hashed(silver, spec, buckets)
    sums = rows.groupBy("bucket").agg(
        F.sum("n").cast("bigint").alias("rows"),
        F.sum(F.col("hash").cast("decimal(38,0)") * F.col("n").cast("decimal(19,0)")).cast("string").alias("total"),
    )
    return {row["bucket"]: (row["rows"], int(row["total"])) for row in sums.collect()}


def _hashed(silver: DataFrame, spec: TableSpec, buckets: int) -> DataFrame:
    """Give `bucket, key, hash, n, texts` of each row, and no column of the source's: one may be called like ours."""
    texts = row_texts(spec)
    own_key = copy_line([texts[name] for name in spec.key or texts])
    key = F.coalesce("_key", own_key)
    hash_ = F.call_function("proof_row", F.array(*texts.values()))
    stored = F.when(~F.col("_key").eqNullSafe(own_key), F.lit(KEY)).when(~is_exact_sound(spec), F.lit(EXACT))
    return silver.select(
        (F.call_function("proof_key", key) % F.lit(buckets)).alias("bucket"),
        key.alias("key"),
        F.when(stored.isNull(), hash_).otherwise(hash_ + 1).alias("hash"),
        (F.lit(1) if spec.key else F.coalesce("_count", F.lit(0))).alias("n"),
        F.array(*texts.values(), stored).alias("texts"),
    )


def compare_with_source(
    reader: ProofReader, spec: TableSpec, silver: DataFrame, buckets: int, expected: Buckets
) -> Compared:
    """Compare silver with what is in the source's buckets, and row by row those that differ."""
    found = silver_buckets(silver, spec, buckets)
    wrong = sorted(b for b in expected.keys() | found.keys() if expected.get(b) != found.get(b))
    rows = sum(count for count, _ in expected.values())
    if not wrong:
        return Compared(rows, [], {})
    theirs = _source_rows(reader, spec, buckets, wrong)
    different = compare(theirs, _silver_rows(silver, spec, buckets, wrong), [c.name for c in spec.columns])
    return Compared(rows, sorted(different, key=lambda d: d.key), theirs)


def _source_rows(reader: ProofReader, spec: TableSpec, buckets: int, wrong: Sequence[int]) -> dict[str, Rows]:
    rows: dict[str, Rows] = defaultdict(Counter)
    for key, values in reader.rows(spec, buckets, wrong):
        rows[key][(*values, None)] += 1
    return rows


def _silver_rows(silver: DataFrame, spec: TableSpec, buckets: int, wrong: Sequence[int]) -> dict[str, Rows]:
    chosen = _hashed(silver, spec, buckets).where(F.col("bucket").isin(list(wrong)))
    rows: dict[str, Rows] = defaultdict(Counter)
    for row in chosen.select("key", "n", "texts").toLocalIterator():
        rows[row["key"]][tuple(row["texts"])] += row["n"]
    return rows


def compare(source: Mapping[str, Rows], lake: Mapping[str, Rows], columns: Sequence[str]) -> list[Difference]:
    """Name every key whose rows differ, and the columns in which they do."""
    different = []
    for key in source.keys() | lake.keys():
        theirs, ours = source.get(key, Counter()), lake.get(key, Counter())
        if theirs.total() != ours.total():
            kind = "missing" if ours.total() < theirs.total() else "extra"
            different.append(Difference(key, f"{kind} ({theirs.total()} in the source, {ours.total()} in the lake)"))
        elif theirs != ours:
            *texts, unsound = next(iter(ours - theirs))
            unequal = [c for c, a, b in zip(columns, next(iter(theirs)), texts, strict=False) if a != b]
            different.append(Difference(key, "unequal", tuple(unequal) or (str(unsound),)))
    return different
