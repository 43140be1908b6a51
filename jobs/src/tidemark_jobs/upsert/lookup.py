"""Which rows of a table make way for many new ones: the driver finds them while the keys are few enough, else Spark."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_jobs.reader import read_files
from tidemark_jobs.silver import DELETED
from tidemark_jobs.upsert import deletion_vectors
from tidemark_jobs.upsert.place import Place
from tidemark_jobs.upsert.rows import Leaving, find, weight
from tidemark_jobs.upsert.written import Written, all_keys

LOOKED_THROUGH = 4_000_000
"""Keys, of the table and of the changes, that the driver looks through by itself: some 0.2 s a million, and 20 MB."""


@dataclass(frozen=True)
class Lookup:
    """The rows that make way."""

    leaving: Sequence[Leaving]
    deleted: int = 0  # those in whose place nothing comes
    weight: int = 0  # rows of the source that they stand for

    @property
    def rows(self) -> int:
        """Rows in all."""
        return sum(len(part.positions) for part in self.leaving)


def look_up(spark: SparkSession, place: Place, files: Sequence[Written]) -> Lookup:
    """Find the rows of the table under the keys in the new files."""
    if not files:
        return Lookup(())
    if place.rows + sum(file.all_rows for file in files) <= LOOKED_THROUGH:
        return _in_arrow(place, files)
    return _by_join(spark, place, files)


def _in_arrow(place: Place, files: Sequence[Written]) -> Lookup:
    found = find(place.url, place.files, all_keys(files), place.weighing)
    keys = pa.chunked_array([file.read("_key")["_key"].take(pa.array(file.gone)).combine_chunks() for file in files])
    deleted = sum(int(pc.sum(pc.is_in(part.rows["_key"], keys)).as_py() or 0) for part in found) if len(keys) else 0
    return Lookup([part.leaving for part in found], deleted, sum(weight(part.rows) for part in found))


def _by_join(spark: SparkSession, place: Place, files: Sequence[Written]) -> Lookup:
    """The positions come back as one list for each file."""
    new = read_files(spark, "_key string, _mark bigint", [f"{place.url}/{file.path}" for file in files])
    keys = new.select("_key", F.col("_mark").isNull().alias("gone"))
    weights = {"_count": F.col("_count"), DELETED: (~F.col(DELETED)).cast("int")}
    weighed = next((weights[name] for name in place.weighing), F.lit(1))
    at = (F.col("_metadata.file_path").alias("path"), F.col("_metadata.row_index").alias("position"))
    there = open_rows(spark, place).select("_key", weighed.alias("weight"), *at).join(keys, "_key")
    by_file = there.groupBy("path").agg(
        F.collect_list("position").alias("positions"),
        F.count_if("gone").alias("deleted"),
        F.sum("weight").alias("weight"),
    )
    found = by_file.toArrow().to_pylist()
    named = {PurePosixPath(unquote(file.path)).name: file for file in place.files}
    leaving = [
        Leaving(file, deletion_vectors.read(place.url, file.deletion_vector), np.array(facts["positions"], np.int64))
        for facts in found
        for file in [named[PurePosixPath(unquote(facts["path"])).name]]
    ]
    return Lookup(leaving, sum(f["deleted"] for f in found), sum(f["weight"] for f in found))


def open_rows(spark: SparkSession, place: Place) -> DataFrame:
    """Open the table as it was looked at."""
    return spark.read.format("delta").option("versionAsOf", place.version).load(place.url)
