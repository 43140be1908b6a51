"""What a proof takes from the source: rows a second at full pace, and its share of the server at the default one."""

import os
import time
from dataclasses import replace

import psycopg

from tests.bench.measure import cpu_of, show
from tests.bench.world import ROWS, BenchWorld
from tidemark_contract.argv import DEFAULT_PACE
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec, load_source
from tidemark_source.connection import connect
from tidemark_source.hashes import bucket_hashes
from tidemark_source.pace import FULL, Pace

PART = 200_000


def bench(world: BenchWorld) -> None:
    """Print both; the first seconds, which are not throttled, do not count."""
    [spec] = load_source(world.folder / "specs" / "shop").tables
    _hashed(world, spec, Pace(FULL), ROWS)
    wall, cpu = _hashed(world, spec, Pace(FULL), ROWS)
    print(f"  at full pace: {ROWS / wall:,.0f} rows/s, {cpu:.1f} CPU-s of the server for {ROWS:,} rows", flush=True)
    wall, cpu = _hashed(world, _part(world, spec), Pace(DEFAULT_PACE, burst_s=0), PART)
    share = cpu / wall / (os.cpu_count() or 1)
    print(f"  at the default pace: {PART / wall:,.0f} rows/s, {wall:.0f} s", flush=True)
    show("verify, of the CPU of the source's machine", f"{share:.1%}", "< 2 %", reached=share < 0.02)


def _part(world: BenchWorld, spec: TableSpec) -> TableSpec:
    """Make a table of some of the rows, which the mirror knows nothing of."""
    with psycopg.connect(world.url("owner"), autocommit=True) as connection:
        connection.execute(f"CREATE TABLE part AS SELECT * FROM item LIMIT {PART}; GRANT SELECT ON part TO capture")
    return replace(spec, table=TableName("public", "part"))


def _hashed(world: BenchWorld, spec: TableSpec, pace: Pace, expected: int) -> tuple[float, float]:
    """Hash the table; give the wall time and the CPU-seconds of the server's process."""
    with connect(world.url("capture"), purpose="proof") as connection:
        pid, began = connection.info.backend_pid, time.monotonic()
        found = bucket_hashes(connection, spec, ROWS // 2000, pace)
        wall, cpu = time.monotonic() - began, cpu_of([pid])
    assert sum(rows for rows, _ in found.values()) == expected
    return wall, cpu
