"""Write the archive from which local Spark JVMs take their classes: `spark_classes.py LAKE`; only its kind counts.

It holds what this program has loaded: a session, and the kinds of work that every job does on a Delta table.
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from delta.tables import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tidemark_contract.s3 import SCHEME
from tidemark_jobs.session import build_session, class_archive


def work(spark: SparkSession, table: str) -> None:
    rows = spark.range(100).select(F.col("id"), F.col("id").cast("string").alias("text"))
    rows.write.format("delta").option("delta.enableDeletionVectors", "true").save(table)
    source = spark.createDataFrame(rows.where("id % 3 = 0").toArrow())
    merge = DeltaTable.forPath(spark, table).alias("t").merge(source.alias("s"), "t.id = s.id")
    merge.whenMatchedUpdateAll().whenNotMatchedInsertAll().execute()
    found = spark.read.format("delta").load(table)
    hashed = found.groupBy(F.md5("text").alias("hash")).agg(F.sum(F.col("id").cast("decimal(38,0)")).cast("string"))
    hashed.orderBy("hash").join(found, F.col("hash") == F.col("text"), "left").collect()


def main(lake: str) -> None:
    archive = class_archive(lake)
    archive.unlink(missing_ok=True)
    new = archive.with_suffix(".new")
    os.environ["SPARK_SUBMIT_OPTS"] = f'-XX:ArchiveClassesAtExit="{new}" -Xlog:cds=off -Xlog:cds+dynamic=off'
    with TemporaryDirectory() as folder:
        spark = build_session("classes", lake)
        process = spark.sparkContext._gateway.proc
        work(spark, (Path(folder) / "table").as_uri())
        if lake.startswith(SCHEME):
            jvm = spark.sparkContext._jvm
            jvm.org.apache.hadoop.fs.Path(lake).getFileSystem(spark.sparkContext._jsc.hadoopConfiguration())
        spark.stop()
    process.stdin.close()  # that ends it, and it writes as it ends
    process.wait()
    if new.exists():
        new.rename(archive)
    else:
        print("setup: this Java writes no archive; Spark starts without one, which takes some seconds more")


if __name__ == "__main__":
    main(sys.argv[1])
