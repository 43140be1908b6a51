"""`copy` against what reads the table without a snapshot, a mark or exact values: Spark's JDBC source, ADBC."""

import shutil

from deltalake import DeltaTable, write_deltalake
from pyspark.sql import SparkSession

from tests.bench.measure import Measured, measured, median_wall, rounds, show
from tests.bench.world import ROWS, BenchWorld, jvm
from tidemark_jobs.copy import copy
from tidemark_jobs.jdbc import jdbc_options

PARTITIONS = 8


def bench(world: BenchWorld, spark: SparkSession) -> None:
    """Print how many times faster than plain Spark JDBC the copy is."""
    works = {
        "plain Spark JDBC": lambda: _plain(world, spark),
        "ADBC + delta-rs": lambda: _adbc(world),
        "tidemark copy": lambda: _ours(world, spark),
    }
    rounds(1, works)
    print("  (that was to warm up)", flush=True)
    found = rounds(3, works)
    for name, took in found.items():
        print(f"  {name}: {ROWS / median_wall(took):,.0f} rows/s", flush=True)
    ours = median_wall(found["tidemark copy"])
    ratio, other = median_wall(found["plain Spark JDBC"]) / ours, median_wall(found["ADBC + delta-rs"]) / ours
    show("copy / plain Spark JDBC, warm", f"{ratio:.2f} x", ">= 1 x", reached=ratio >= 1)
    print(f"  copy / ADBC + delta-rs, which is one process and not exact: {other:.2f} x", flush=True)


def _ours(world: BenchWorld, spark: SparkSession) -> Measured:
    with measured([jvm(spark)]) as took:
        facts = copy(world.run(spark, "copy"))
    assert facts["rows"] == ROWS
    return took


def _plain(world: BenchWorld, spark: SparkSession) -> Measured:
    """Read in as many partitions as the copy does, and write a Delta table."""
    folder = world.folder / "plain"
    shutil.rmtree(folder, ignore_errors=True)
    reader = spark.read.format("jdbc").option("dbtable", "item").option("fetchsize", 10_000)
    for name, value in jdbc_options(world.url("capture")).items():
        reader = reader.option(name, value)
    bounds: dict[str, str | int] = {
        "partitionColumn": "id",
        "lowerBound": 1,
        "upperBound": ROWS,
        "numPartitions": PARTITIONS,
    }
    for name, bound in bounds.items():
        reader = reader.option(name, bound)
    with measured([jvm(spark)]) as took:
        reader.load().write.format("delta").save(str(folder))
    assert DeltaTable(folder).count() == ROWS
    return took


def _adbc(world: BenchWorld) -> Measured:
    from adbc_driver_postgresql import dbapi

    folder = world.folder / "adbc"
    shutil.rmtree(folder, ignore_errors=True)
    # ADBC knows numeric only as text.
    numbers = "quantity::text, price::text, discount::text"
    columns = f"id, part, supplier, line, {numbers}, flag, shipped, changed_at, mode, open, note"
    with measured() as took, dbapi.connect(world.url("capture")) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM item")
        write_deltalake(folder, cursor.fetch_record_batch())
    assert DeltaTable(folder).count() == ROWS
    return took
