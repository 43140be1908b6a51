"""Stream to landing, against pg_recvlogical that throws away what it reads, on the same log.

Each column of a row is an entry of a map in the file, and the writer of files is what the stream waits for; so a table
of few columns, pgbench's, is measured, and one of many.

The server's side of the stream is stopped while the changes are made, so that both begin at the same place;
pg_recvlogical reads a copy of the slot. The stream's time ends when the last change is in a committed landing file.
"""

import shutil
import subprocess

import psycopg
from psycopg import sql

from tests.bench.measure import Measured, measured, median_wall, rounds, show
from tests.bench.world import ROWS, BenchWorld, wait_until
from tidemark_contract.layout import Layout
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.landing import Landing
from tidemark_source.marks import write_mark

TIMES = 2
"""So often is every row changed in a round: that the last checkpoint comes up to a second later has less weight."""
SLOT, COPY = "tidemark_shop", "bench_copy"


def bench(world: BenchWorld, columns: str, goal: float) -> None:
    """Print how many times faster than pg_recvlogical the stream is."""
    if not shutil.which("pg_recvlogical"):
        print("stream: pg_recvlogical is not on the PATH (Debian: postgresql-client); left out", flush=True)
        return
    layout = world.control.layout
    counter = iter(range(1, 100))

    def both() -> tuple[Measured, Measured]:
        with world.stream_paused():
            for _ in range(TIMES):
                world.change(next(counter))
            mark = write_mark(world.url("capture"), "shop")
            theirs = _received(world, mark.lsn)
        return theirs, _landed(world, layout, mark.nonce)

    results: list[tuple[Measured, Measured]] = []

    def theirs() -> Measured:
        results.append(both())
        return results[-1][0]

    works = {"pg_recvlogical to /dev/null": theirs, "stream to landing": lambda: results[-1][1]}
    rounds(1, works)
    print("  (that was to warm up)", flush=True)
    found = rounds(3, works)
    recv, ours = (TIMES * ROWS / median_wall(took) for took in found.values())
    print(f"  pg_recvlogical {recv:,.0f} changes/s, stream {ours:,.0f} changes/s", flush=True)
    ratio = ours / recv
    show(f"stream to landing / pg_recvlogical, {columns}", f"{ratio:.2f} x", f">= {goal} x", reached=ratio >= goal)


def _received(world: BenchWorld, lsn: int) -> Measured:
    """Read the log from a copy of the slot, up to the mark."""
    with psycopg.connect(world.url("capture"), autocommit=True) as connection:
        copy = sql.SQL("SELECT pg_copy_logical_replication_slot({}, {})")
        connection.execute(copy.format(sql.Literal(SLOT), sql.Literal(COPY)))
        end = connection.execute("SELECT pg_current_wal_lsn()").fetchone() or ("",)
        words = ["pg_recvlogical", "-d", world.url("capture"), "-S", COPY, "--start", "-f", "/dev/null", "-n"]
        words += ["-E", end[0], "-o", "proto_version=1", "-o", f"publication_names={SLOT}", "-F", "0"]
        with measured() as took:
            done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        connection.execute(sql.SQL("SELECT pg_drop_replication_slot({})").format(sql.Literal(COPY)))
    return took


def _landed(world: BenchWorld, layout: Layout, nonce: str) -> Measured:
    """Let the stream go on, and wait until the mark has landed."""
    landing, bronze = Landing(layout), Bronze(layout)

    def arrived() -> bool:
        if not landing.register():
            return False
        bronze.refresh()
        return any(found.mark.nonce == nonce for found in bronze.marks_since(0))

    with measured(world.stream) as took:
        wait_until(arrived)
    return took
