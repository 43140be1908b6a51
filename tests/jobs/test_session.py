"""What a local session is started with."""

import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tidemark_jobs.session import class_archive


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows which files a process has mapped")
def test_its_jvm_takes_the_classes_from_the_archive(spark: SparkSession) -> None:
    """One that does not fit, by another order of the jars maybe, is passed over without a word."""
    maps = Path(f"/proc/{spark.sparkContext._gateway.proc.pid}/maps").read_text()

    assert str(class_archive("file:///").resolve()) in maps
