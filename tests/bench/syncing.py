"""`sync` of a million changes into a table of a million rows."""

from pathlib import Path
from urllib.parse import unquote

from deltalake import DeltaTable
from pyspark.sql import SparkSession

from tests.bench.measure import Measured, measured, median_wall, rounds, show
from tests.bench.world import ROWS, BenchWorld, jvm, wait_until
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.copy import copy
from tidemark_jobs.landing import Landing
from tidemark_jobs.leases import lease
from tidemark_jobs.sync import publish_due, sync_job
from tidemark_jobs.verify import verify
from tidemark_source.marks import write_mark

GOAL = 70_000


def bench(world: BenchWorld, spark: SparkSession) -> None:
    """Print changes a second and bytes written per byte that was changed; what came out is proven equal."""
    copy(world.run(spark, "copy"))
    list(sync_job(world.run(spark, "sync")))
    counter = iter(range(1000, 2000))
    works = {"sync of 1M changes": lambda: _once(world, spark, next(counter))}
    rounds(1, works)
    print("  (that was to warm up)", flush=True)
    before = _bytes(world)
    found = rounds(3, works)["sync of 1M changes"]
    written = (_bytes(world) - before) / 3
    assert verify(world.run(spark, "verify"))["equal"]
    speed = ROWS / median_wall(found)
    show("sync, changes a second, warm", f"{speed:,.0f}", f">= {GOAL:,}", reached=speed >= GOAL)
    live = DeltaTable(world.control.layout.silver(world.spec.tables[0].table))
    size = sum(Path(unquote(uri.removeprefix("file://"))).stat().st_size for uri in live.file_uris())
    print(f"  bytes written per changed byte: {written / size:.2f} (every row changed; Parquet of silver)", flush=True)


def _once(world: BenchWorld, spark: SparkSession, number: int) -> Measured:
    """Change every row, wait until that is in bronze, and measure only the fold."""
    run = world.run(spark, "sync")
    world.change(number)
    mark = write_mark(run.url, "shop")
    landing, bronze = Landing(run.layout), Bronze(run.layout)

    def arrived() -> bool:
        landing.register()
        bronze.refresh()
        return any(found.mark.nonce == mark.nonce for found in bronze.marks_since(0))

    wait_until(arrived)
    with lease(run.layout, "sync") as held, measured([jvm(spark)]) as took:
        published = list(publish_due(run, Bronze(run.layout), held, run.control.published()))
    assert published[-1].changes == ROWS
    return took


def _bytes(world: BenchWorld) -> int:
    """Add up everything that was ever written to silver's table."""
    folder = Path(world.control.layout.silver(world.spec.tables[0].table).removeprefix("file://"))
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
