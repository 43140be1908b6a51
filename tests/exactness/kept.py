"""What tables keep of the past, against what the witness in the source has seen."""

from collections import defaultdict
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from tests.exactness.audit import as_row, last_rows, lives, seen_at_keys
from tests.exactness.world import Exactness
from tidemark_contract.evolution import spec_at
from tidemark_contract.specs import TableSpec
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.export import copy_lines
from tidemark_jobs.fold.values import row_texts
from tidemark_jobs.history.table import as_silver, columns_of, completed, widened
from tidemark_jobs.silver import DELETED

Rows = dict[str, Any]


def deleted_rows(spark: SparkSession, world: Exactness, spec: TableSpec, published: PublishedMark) -> Rows:
    """Give key → row of what silver keeps at a mark although it is deleted."""
    version = published.version(spec.table)
    assert version
    url = world.control.layout.silver(spec.table)
    rows = spark.read.format("delta").option("versionAsOf", version.version).load(url)
    assert not rows.where(f"{DELETED} IS NULL").count()
    return {key: row for key, row, *_ in _told(rows.where(DELETED), spec, [])}


def expected_deleted(world: Exactness, spec: TableSpec, mark: int) -> Rows:
    """Give what that has to be."""
    return last_rows(world.seen[mark].get(str(spec.table), []))


def row_lives(spark: SparkSession, world: Exactness, spec: TableSpec, mark: int) -> Rows:
    """Give key → its versions up to a mark, one after the other, with None where there was no row for a while."""
    rows = _history(spark, world, spec).where(f"_from_mark <= {mark}")
    found: dict[str, list[str | None]] = defaultdict(list)
    ends: dict[str, int | None] = {}
    columns = ["_from_mark", "_from_lsn", "_to_mark", "_to_lsn"]
    for key, row, from_mark, from_lsn, to_mark, to_lsn in sorted(
        _told(rows, spec, columns), key=lambda told: (told[0], told[2], told[3] or 0)
    ):
        if key in ends and ends[key] != (from_lsn or from_mark):
            found[key].append(None)
        found[key].append(row)
        ends[key] = None if to_mark is None or to_mark > mark else (to_lsn or to_mark)
    return {key: told + ([None] if ends[key] is not None else []) for key, told in found.items()}


def expected_lives(world: Exactness, spec: TableSpec, mark: int) -> Rows:
    """Give what that has to be."""
    seen = seen_at_keys(world.seen[mark].get(str(spec.table), []))
    return {key: told for key, states in seen.items() if (told := lives(states))}


def valid_lines(spark: SparkSession, world: Exactness, spec: TableSpec, published: PublishedMark) -> list[str]:
    """Give the versions that were valid at a mark as sorted lines of COPY text."""
    now = spec_at(spec, published.mark.catalog.table(spec.table))
    number = published.mark.id
    rows = _history(spark, world, now).where(f"_from_mark <= {number} AND (_to_mark IS NULL OR _to_mark > {number})")
    return sorted(row[0] + "\n" for row in copy_lines(rows, now).collect())


def _history(spark: SparkSession, world: Exactness, spec: TableSpec) -> DataFrame:
    url = world.control.layout.history(spec.table)
    columns, names = widened(columns_of(open_table(url)), spec)
    rows = spark.read.format("delta").load(url)
    ours = [name for name in rows.columns if name.startswith(("_from", "_to"))]
    return as_silver(completed(rows, columns), names, ours)


def _told(rows: DataFrame, spec: TableSpec, others: list[str]) -> list[tuple[Any, ...]]:
    texts = [text.alias(f"t{n}") for n, text in enumerate(row_texts(spec).values())]
    width = len(texts)
    return [(row[spec_key(spec)], as_row(row[:width]), *row[width:]) for row in rows.select(*texts, *others).collect()]


def spec_key(spec: TableSpec) -> int:
    """Give the place of the only key column."""
    [key] = spec.key
    return [column.name for column in spec.columns].index(key)
