"""What a local session is started with."""

import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.lake import Lake, mark
from tests.present import present
from tidemark_jobs.session import class_archive


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which files a process has mapped")
def test_its_jvm_takes_the_classes_from_the_archive(spark: SparkSession) -> None:
    """One that does not fit, by another order of the jars maybe, is passed over without a word."""
    maps = Path(f"/proc/{present(spark.sparkContext._gateway).proc.pid}/maps").read_text()

    assert str(class_archive("file:///").resolve()) in maps


@pytest.mark.parametrize(("rows", "large"), [(3, True), (4, False)])
def test_a_source_is_large_by_all_its_published_rows(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, large: bool
) -> None:
    """The optimizing compiler pays only then."""
    monkeypatch.setattr("tidemark_jobs.run.LARGE_ROWS", rows)
    lake = Lake(spark, tmp_path).copied(1, orders=[("1", "a", None), ("2", "a", None)], log=[("x", "y")])
    lake.land(mark(1, 100, kind="copy")).sync()

    assert large == lake.run._is_large()
