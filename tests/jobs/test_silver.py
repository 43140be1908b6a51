"""A silver table's first log entry, written without Spark, and the two readers that see the same rows."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import SparkSession

from tests.jobs.lake import LINES, ORDERS, Lake, insert, mark
from tests.jobs.test_every_type import SPEC
from tidemark_jobs import silver
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.reader import read_by_spark, read_files, read_version


def test_a_table_of_every_type_is_one_that_spark_would_have_made(spark: SparkSession, tmp_path: Path) -> None:
    ours, theirs = f"file://{tmp_path}/our table", f"file://{tmp_path}/theirs"
    silver.create(ours, SPEC)
    empty = spark.createDataFrame([], silver.schema(SPEC))
    empty.write.format("delta").option("delta.enableDeletionVectors", "true").save(theirs)

    assert read_by_spark(spark, theirs, 0).schema == read_by_spark(spark, ours, 0).schema == silver.schema(SPEC)
    made, expected = open_table(ours).protocol(), open_table(theirs).protocol()
    for facts in ("min_reader_version", "min_writer_version"):
        assert getattr(expected, facts) == getattr(made, facts)
    for features in ("reader_features", "writer_features"):
        assert set(getattr(expected, features)) == set(getattr(made, features))


def test_a_table_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    """Also one whose first entries are gone, as Delta removes them once there is a checkpoint."""
    url = tmp_path.as_uri()
    silver.create(url, ORDERS)
    DeltaTable(url).create_checkpoint()
    (tmp_path / "_delta_log" / f"{0:020d}.json").unlink()
    silver.create(url, LINES)

    assert silver.schema(ORDERS).fieldNames() == [field.name for field in open_table(url).schema().fields]
    assert not list((tmp_path / "_delta_log").glob("*.json"))


def test_of_two_who_make_a_table_one_has_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    silver.create(tmp_path.as_uri(), ORDERS)

    def too_early(url: str) -> DeltaTable:
        raise TableNotFoundError(url)

    with monkeypatch.context() as late:
        late.setattr(silver, "open_table", too_early)
        silver.create(tmp_path.as_uri(), LINES)

    assert silver.schema(ORDERS).fieldNames() == [field.name for field in open_table(tmp_path.as_uri()).schema().fields]


@pytest.mark.parametrize("limit", ["FEW_ROWS", "FEW_BYTES"])
def test_few_rows_are_read_through_the_driver_and_more_by_spark(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    lake = Lake(spark, tmp_path).copied(1, orders=[("1", "a", "1.50")]).land(mark(1, 100, kind="copy"))
    lake.sync()
    lake.land(insert(ORDERS, 101, id="2", state="b", price="NaN"), mark(2, 110))
    published = lake.sync()
    version = published and published.version(ORDERS.table)
    assert version

    few = read_version(spark, lake.layout, version)
    monkeypatch.setattr(f"tidemark_jobs.reader.{limit}", 1)
    more = read_version(spark, lake.layout, version)

    assert ([], 2) == (few.inputFiles(), len(more.inputFiles()))
    assert sorted(few.collect()) == sorted(more.collect())
    assert [row.id for row in read_version(spark, lake.layout, replace(version, version=1)).collect()] == [1]


def test_the_name_of_a_folder_is_no_pattern(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "lake [1] {a,b} *"
    folder.mkdir()
    pq.write_table(pa.table({"id": [1, 2]}), folder / "part-0")

    assert [1, 2] == [row.id for row in read_files(spark, "id bigint", [f"file://{folder}/part-0"]).collect()]
