"""Columns that are called like something that Delta or we have already."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.conftest import take_way
from tests.jobs.lake import Event, Lake, insert, mark, relation, updated
from tests.jobs.test_history import versions
from tests.variants import any_of
from tidemark_contract.names import META_COLUMNS, TableName
from tidemark_contract.specs import ColumnSpec, History, SourceSpec, TableSpec

TAKEN = (
    *META_COLUMNS,
    "path",
    "filePath",
    "deletionVectorId",
    "rowIndexCol",
    "_metadata",
    "_source_row_present_",
    "_target_row_present_",
    "_row_dropped_",
    "_tmp_metadata_row_index",
    "__delta_internal_is_row_deleted",
)
ODD = TableSpec(
    TableName("public", "odd"), (ColumnSpec("id", "integer"), *(ColumnSpec(name, "text") for name in TAKEN)), ("id",)
)
OID = 20_000


def named(event: Event) -> Event:
    return replace(event, oid=OID)


def test_a_table_whose_columns_have_names_that_are_taken_is_folded_and_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    """Spark fails to read some of them where there are deletion vectors, and to delete rows beside others."""
    lake = Lake(spark, tmp_path, SourceSpec("shop", (ODD,)))
    facts = [relation(ODD, oid=OID)]
    values = {number: dict.fromkeys(TAKEN, f"v{number}") for number in range(5)}
    lake.copied(1, odd=[(str(n), *values[n].values()) for n in (1, 2, 3)])
    lake.land(mark(1, 100, kind="copy", catalog=facts)).sync()
    for number in (2, 3):  # the second fold meets the deletion vectors of the first
        changes = (
            insert(ODD, 99 + number, id=str(number * 10), **values[0]),
            updated(ODD, 101, {"id": "1", **values[4]}),
        )
        lake.land(*map(named, changes), mark(number, 100 + number, catalog=facts)).sync()

    width = len(TAKEN)
    expected = {"1": "v4", "2": "v2", "20": "v0", "3": "v3", "30": "v0"}
    assert [f"{key}\t" + "\t".join([value] * width) for key, value in expected.items()] == lake.lines(
        ODD, by_spark=True
    )


# What folds call their own columns, and what comes near it.
FOLDED = (
    "_before",
    "_row",
    "_texts",
    "_root_key",
    "from_lsn",
    "to_lsn",
    "commit_lsn",
    "time",
    "gone",
    "row",
    "unknown",
)


@any_of("way", ["small", "large"])
def test_rows_without_a_key_are_counted_whatever_their_columns_are_called(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(way, monkeypatch)
    bag = replace(ODD, columns=tuple(ColumnSpec(name, "text") for name in FOLDED), key=())
    lake = Lake(spark, tmp_path, SourceSpec("shop", (bag,)))
    facts, row = [relation(bag, oid=OID)], dict.fromkeys(FOLDED, "v")
    lake.copied(1, odd=[tuple(row.values())]).land(mark(1, 100, kind="copy", catalog=facts)).sync()
    lake.land(named(insert(bag, 101, **row)), mark(2, 110, catalog=facts)).sync()

    assert ["\t".join(row.values())] * 2 == lake.lines(bag)


@any_of("way", ["small", "large"])
def test_a_history_has_each_version_whatever_its_columns_are_called(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    take_way(way, monkeypatch)
    columns = (ColumnSpec("id", "integer"), *(ColumnSpec(name, "text") for name in FOLDED))
    told = replace(ODD, columns=columns, history=History.SCD2)
    lake = Lake(spark, tmp_path, SourceSpec("shop", (told,)))
    facts, (one, other) = [relation(told, oid=OID)], (dict.fromkeys(FOLDED, value) for value in ("v1", "v2"))
    lake.copied(1).land(mark(1, 100, kind="copy", catalog=facts)).sync()
    at = lake.lsn
    changes = (insert(told, 101, id="1", **one), updated(told, 102, {"id": "1", **other}))
    lake.land(*map(named, changes), mark(2, 110, catalog=facts)).sync()

    first, second = ("\t".join(["1", *row.values()]) for row in (one, other))
    assert [(first, at + 10, at + 20, 2, 2), (second, at + 20, None, 2, None)] == versions(lake, told)
