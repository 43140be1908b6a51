"""A database with a table of a million rows, its stream and its mirror, for the benchmarks."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from pyspark.sql import SparkSession

from tests.e2e.world import LOCAL, World, warm_run
from tidemark.local import processes
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.argv import Job
from tidemark_jobs.run import Run
from tidemark_jobs.session import build_session

ROWS = 1_000_000
# 13 columns, 157 bytes a row: as wide as an order line.
WIDE = f"""
CREATE TABLE item (
    id bigint PRIMARY KEY, part integer NOT NULL, supplier integer NOT NULL, line integer NOT NULL,
    quantity numeric(12,2), price numeric(15,2), discount numeric(4,2), flag char(1), shipped date,
    changed_at timestamptz, mode text, open boolean, note text);
INSERT INTO item SELECT g, g % 20000, g % 1000, g % 7, g % 50, g / 7.0, 0.05, 'N', '2026-01-01'::date + (g % 300)::int,
    '2026-01-01'::timestamptz + g * interval '1 s', 'TRUCK', g % 2 = 0, md5(g::text)
    FROM generate_series(1, {ROWS}) g;
"""
# pgbench's accounts, by its names but for the key's and that of the table.
NARROW = f"""
CREATE TABLE item (id int PRIMARY KEY, bid int, quantity int, note char(84));
INSERT INTO item SELECT g, 1, 0, '' FROM generate_series(1, {ROWS}) g;
"""
CHANGE = """
CREATE PROCEDURE change(rows integer, a_time integer, round integer) LANGUAGE plpgsql AS $$
BEGIN
    FOR start IN 1..rows BY a_time LOOP
        UPDATE item SET quantity = round, note = md5((id + round)::text) WHERE id >= start AND id < start + a_time;
        COMMIT;
    END LOOP;
END $$;
"""
SETTINGS = {"max_wal_size": "16GB", "checkpoint_timeout": "1h", "wal_sender_timeout": "0", "shared_buffers": "512MB"}


class BenchWorld(World):
    """One large table."""

    table = WIDE

    def fill(self, connection: psycopg.Connection[Any]) -> None:
        """Make it."""
        connection.execute(self.table + CHANGE)
        connection.execute("VACUUM ANALYZE item")

    def change(self, round_: int, rows: int = ROWS, a_time: int = 100) -> None:
        """Update so many rows, so many in a transaction."""
        with psycopg.connect(self.url("owner"), autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("CALL change(%s, %s, %s)", (rows, a_time, round_))

    def run(self, spark: SparkSession, name: str, *tables: str) -> Run:
        """Give a job in a session that is warm."""
        return warm_run(self.environment, spark, Job(name, "shop", tables=tables))

    @property
    def stream(self) -> list[int]:
        """The process ids of Flink."""
        return processes.find(f"-Djava.io.tmpdir={self.folder / 'state' / 'flink' / 'shop' / 'tmp'}")

    @contextmanager
    def stream_paused(self) -> Iterator[None]:
        """Stop the server's process that feeds the stream for the length of a block.

        Flink itself must not be stopped: its heartbeats would be overdue, and the job would start again.
        """
        with psycopg.connect(self.url("owner")) as connection:
            [(sender,)] = connection.execute("SELECT active_pid FROM pg_replication_slots").fetchall()
        os.kill(sender, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(sender, signal.SIGCONT)


class NarrowWorld(BenchWorld):
    """A table of few columns."""

    table = NARROW


@contextmanager
def world(kind: type[BenchWorld] = BenchWorld) -> Iterator[BenchWorld]:
    """Make the database and its stream; both go afterwards."""
    with TemporaryDirectory(prefix="tidemark-bench-") as folder:
        server = EmbeddedPostgres(LOCAL / "postgres" / "17", Path(folder) / "data", settings=SETTINGS)
        with server:
            made = kind(server, Path(folder), seed=0)
            print(f"making {ROWS:,} rows", flush=True)
            made.make()
            made.must("discover", "--name", "shop")
            made.must("init")
            made.must("start", "--detach", "--checkpoint-interval", "1s")
            try:
                yield made
            finally:
                made.tidemark("stop")
        server.remove()


@contextmanager
def session(*, large: bool) -> Iterator[SparkSession]:
    """Start a session as the jobs do on this machine."""
    spark = build_session("bench", "file:///", large=large)
    yield spark
    spark.stop()


def jvm(spark: SparkSession) -> int:
    """Give the process id of the session's JVM."""
    gateway: Any = spark.sparkContext._gateway
    return int(gateway.proc.pid)


def wait_until(true: Any, seconds: float = 300) -> None:
    """Look again and again."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(0.02)
