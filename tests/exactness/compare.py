"""The oracle: what `export` writes of a table at a mark, against what COPY wrote in its snapshot, as bags of lines.

Of a table that keeps the past, also what it keeps, against what the witness in the source had seen by then.
"""

from dataclasses import dataclass

from pyspark.sql import SparkSession

from tests.exactness import kept
from tests.exactness.world import Exactness
from tidemark_contract.evolution import spec_at
from tidemark_contract.specs import TableSpec
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.export import copy_lines
from tidemark_jobs.reader import read_version


@dataclass(frozen=True)
class Difference:
    """What the lake lacks of a table, what it has besides, and what else is wrong."""

    lacks: list[str]
    surplus: list[str]
    what: str


def difference(
    world: Exactness, spark: SparkSession, spec: TableSpec, published: PublishedMark, truth: int
) -> Difference | None:
    """Compare a table at a published mark with the truth of a mark of ours; None when it is equal."""
    version = published.version(spec.table)
    if version is None:
        return Difference([], [], f"it is not in mark {published.mark.id}: {world.control.tables()[spec.table]}")
    expected = world.truth[truth][str(spec.table)]
    rows = read_version(spark, world.control.layout, version)
    now = spec_at(spec, published.mark.catalog.table(spec.table))
    found = sorted(row[0] + "\n" for row in copy_lines(rows, now).collect())
    if found == expected and version.rows == len(expected):
        return _kept_difference(world, spark, spec, published, truth)
    lacks, surplus = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    return Difference(lacks, surplus, f"{len(expected)} rows, found {len(found)}, counted {version.rows}")


def _kept_difference(
    world: Exactness, spark: SparkSession, spec: TableSpec, published: PublishedMark, truth: int
) -> Difference | None:
    """Compare what is kept; where columns change, only what is valid at the mark: a row was written otherwise then."""
    told: list[tuple[str, kept.Rows, kept.Rows]] = []
    if spec.historic:
        valid = kept.valid_lines(spark, world, spec, published)
        told.append(("valid", {"": world.truth[truth][str(spec.table)]}, {"": valid}))
    if not world.alters(spec):
        if spec.soft:
            deleted = kept.deleted_rows(spark, world, spec, published)
            told.append(("deleted", kept.expected_deleted(world, spec, truth), deleted))
        if spec.historic:
            lives = kept.row_lives(spark, world, spec, published.mark.id)
            told.append(("versions", kept.expected_lives(world, spec, truth), lives))
    for what, expected, found in told:
        if expected != found:
            lacks = [f"{key}: {row}" for key, row in expected.items() if found.get(key) != row]
            surplus = [f"{key}: {row}" for key, row in found.items() if expected.get(key) != row]
            return Difference(lacks, surplus, f"{what}: {len(expected)} keys, found {len(found)}")
    return None
