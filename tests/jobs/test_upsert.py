"""Commits written without Spark, beside Spark's own: both read what both have written."""

import os
import random
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from delta.tables import DeltaTable
from deltalake import QueryBuilder
from pyspark.sql import SparkSession

from tests.jobs.lake import LOG, ORDERS
from tidemark_jobs import silver
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.maintain import compact, vacuum
from tidemark_jobs.silver import Step
from tidemark_jobs.upsert.apply import (
    NotInTable,
    Overtaken,
    read_rows,
    upsert,
    upsert_counts,
)
from tidemark_jobs.upsert.gathering import MANY
from tidemark_jobs.upsert.place import NotWritable, open_place

pytestmark = pytest.mark.drawn(4)

Rows = dict[str, str | None]
COURSES, COMMITS = int(os.environ.get("TIDEMARK_COURSES", "1")), int(os.environ.get("TIDEMARK_COMMITS", "60"))
"""So many courses, and commits in each; `make prove` asks for more."""
KEYED = pa.schema(
    [
        ("id", pa.int32()),
        ("state", pa.string()),
        ("price", pa.decimal128(12, 2)),
        ("_key", pa.string()),
        ("_mark", pa.int64()),
        ("_commit_lsn", pa.int64()),
        ("_exact", pa.map_(pa.string(), pa.string())),
    ]
)
COUNTED = pa.schema(
    [("a", pa.string()), ("b", pa.string()), *[KEYED.field(n) for n in range(3, 7)], ("_count", pa.int64())]
)


@pytest.fixture
def url(spark: SparkSession, tmp_path: Path) -> str:
    place = f"file://{tmp_path}/a table"
    silver.create(place, ORDERS)
    return place


def table(rows: Rows) -> pa.Table:
    facts = [
        {"id": int(key), "state": state, "price": Decimal("1.50"), "_key": key, "_mark": 1, "_exact": [("x", "NaN")]}
        for key, state in rows.items()
    ]
    return pa.Table.from_pylist(facts, KEYED)


def write(url: str, rows: Rows, gone: set[str] | frozenset[str] = frozenset(), *, truncated: int | None = None) -> None:
    place = open_place(url)
    everything = table({**rows, **dict.fromkeys(gone)})
    flags = pa.chunked_array([[key in gone for key in everything["_key"].to_pylist()]], pa.bool_())
    upsert(place, everything, flags, Step("b", place.version, f"n{place.version}"), truncated=truncated)


def by_spark(spark: SparkSession, url: str) -> Rows:
    spark.catalog.clearCache()
    return {row["_key"]: row["state"] for row in spark.read.format("delta").load(url).collect()}


def by_delta_rs(url: str) -> Rows:
    found = QueryBuilder().register("t", open_table(url)).execute("SELECT _key, state FROM t").read_all()
    return {row["_key"]: row["state"] for row in pa.table(found).to_pylist()}


def test_a_row_takes_the_place_of_the_one_with_its_key(spark: SparkSession, url: str) -> None:
    write(url, {"1": "a", "2": "b", "3": None})
    write(url, {"2": "B", "4": "d"}, gone={"3", "9"})

    assert {"1": "a", "2": "B", "4": "d"} == by_spark(spark, url) == by_delta_rs(url)
    assert [3, 0] == [step.rows for step in silver.standing(url, 0).steps]


def test_a_file_of_which_nothing_is_left_goes(spark: SparkSession, url: str) -> None:
    write(url, {"1": "a", "2": "b"})
    write(url, {"3": "c"}, gone={"1"})
    write(url, {}, gone={"2"})

    assert ({"3": "c"}, 1) == (by_spark(spark, url), len(open_place(url).files))


def test_a_truncate_takes_everything(spark: SparkSession, url: str) -> None:
    write(url, {"1": "a", "2": "b"})
    write(url, {"2": "c"}, truncated=2)

    assert {"2": "c"} == by_spark(spark, url)
    assert [2, -1] == [step.rows for step in silver.standing(url, 0).steps]


def test_the_second_of_two_who_looked_at_the_same_version_changes_nothing(spark: SparkSession, url: str) -> None:
    write(url, {"1": "a"})
    late = open_place(url)
    write(url, {"1": "b"})
    with pytest.raises(Overtaken):
        upsert(late, table({"1": "late"}), pa.chunked_array([[False]]), Step("b", 9, "n"), truncated=None)

    assert {"1": "b"} == by_spark(spark, url)


def test_counts_are_added_and_never_go_below_nothing(spark: SparkSession, tmp_path: Path) -> None:
    url = (tmp_path / "log").as_uri()
    silver.create(url, LOG)

    def count(**counts: int) -> None:
        rows = [{"a": key, "_key": key, "_mark": 1, "_count": n} for key, n in counts.items()]
        upsert_counts(open_place(url), pa.Table.from_pylist(rows, COUNTED), Step("b", 1, "n"), truncated=None)

    count(x=2, y=1)
    count(x=-1, y=-1, z=5)
    found = spark.read.format("delta").load(url)
    assert {"x": 1, "z": 5} == {row["_key"]: row["_count"] for row in found.collect()}
    assert [3, 3] == [step.rows for step in silver.standing(url, 0).steps]
    with pytest.raises(NotInTable):
        count(x=-2)


def test_files_that_are_not_small_stay_as_they_are(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever their number: their rows may be long, and all of them would go through memory."""
    monkeypatch.setattr("tidemark_jobs.upsert.gathering.SMALL", 1)
    for number in range(MANY + 3):
        write(url, {f"{number}": "a"})

    assert MANY + 3 == len(open_place(url).files)


def test_small_files_grow_together(spark: SparkSession, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each commit would else have to look into one file more."""
    many = 6
    monkeypatch.setattr("tidemark_jobs.upsert.gathering.MANY", many)
    for number in range(3 * many):
        write(url, {f"{number}": "a", "999": f"{number}"}, gone={f"{number - 1}"} if number % 2 else frozenset())
        assert len(open_place(url).files) <= many + 1

    expected = {f"{number}": "a" for number in range(1, 3 * many, 2)} | {"999": f"{3 * many - 1}"}
    assert expected == by_spark(spark, url) == by_delta_rs(url)


@pytest.mark.parametrize("seed", range(COURSES))
def test_many_commits_of_both_writers_keep_what_a_dictionary_keeps(spark: SparkSession, url: str, seed: int) -> None:
    """Deletion vectors grow, checkpoints come, files are compacted; keys are as long as bounds are not."""
    chance, model = random.Random(seed), dict[str, str | None]()
    for number in range(1, COMMITS + 1):
        keys = [str(chance.randint(1, 300)) for _ in range(chance.randint(1, 40))]
        rows: Rows = dict.fromkeys(keys, f"{number}")
        gone = {str(chance.randint(1, 300)) for _ in range(8)} - rows.keys()
        write(url, rows, gone)
        model = {key: state for key, state in (model | rows).items() if key not in gone}
        if number % 30 == 7:
            DeltaTable.forPath(spark, url).delete("id % 7 = 3")
            model = {key: state for key, state in model.items() if int(key) % 7 != 3}
        if number % 40 == 0:
            compact(spark, url)
            vacuum(spark, url, 0)

    assert (Path(url.removeprefix("file://")) / "_delta_log" / "_last_checkpoint").exists()
    assert model == by_spark(spark, url) == by_delta_rs(url)
    wanted = pa.chunked_array([[*list(model)[:5], "none"]])
    found = read_rows(open_place(url), wanted, ["state"])
    assert found is not None
    assert {key: model[key] for key in list(model)[:5]} == dict(
        zip(found["_key"].to_pylist(), found["state"].to_pylist(), strict=True)
    )


def test_a_table_that_demands_more_of_its_writers_is_refused(spark: SparkSession, url: str) -> None:
    spark.sql(f"ALTER TABLE delta.`{url}` SET TBLPROPERTIES ('delta.enableRowTracking' = 'true')")

    with pytest.raises(NotWritable, match=r"a table demands domainMetadata, rowTracking of its writers: drop"):
        open_place(url)


def test_a_table_with_a_deletion_vector_inside_its_log_is_refused(spark: SparkSession, url: str) -> None:
    """The protocol allows it; another writer may have done it."""
    write(url, {"1": "a", "2": "b"})
    write(url, {}, gone={"1"})
    entry = Path(url.removeprefix("file://")) / "_delta_log" / f"{open_place(url).version:020d}.json"
    words = entry.read_text()
    assert '"storageType":"u"' in words
    entry.write_text(words.replace('"storageType":"u"', '"storageType":"i"'))

    with pytest.raises(NotWritable, match="deletion vectors inside its log"):
        open_place(url)
