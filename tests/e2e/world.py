"""A database that is written to by many, its mirror, and the truth of every mark that the test takes."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import psycopg
from pyspark.sql import SparkSession

from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.argv import Job
from tidemark_contract.errors import RetryableError
from tidemark_contract.layout import Layout
from tidemark_contract.marks import MarkKind
from tidemark_contract.protection import HashKey
from tidemark_contract.settings import Settings
from tidemark_contract.specs import SourceSpec, load_source
from tidemark_jobs.control import Control
from tidemark_jobs.run import Run
from tidemark_source.copyout import copy_text
from tidemark_source.snapshots import hold, join

LOCAL = Path(__file__).parents[2] / ".tidemark"
PASSWORD = "e2e/secret"
HASH_KEY = HashKey("k1", bytes(range(32)))
PATIENCE_S = 400.0
TABLES = """
CREATE TABLE account (id integer PRIMARY KEY, owner text NOT NULL, balance numeric(12,2) NOT NULL, note text);
CREATE TABLE entry (id bigint, line integer, amount numeric, at timestamptz, PRIMARY KEY (id, line));
CREATE TABLE audit (who text, what text, at timestamp);
ALTER TABLE audit REPLICA IDENTITY FULL;
CREATE TABLE measure (day date, sensor integer, value double precision, PRIMARY KEY (day, sensor))
    PARTITION BY RANGE (day);
CREATE TABLE measure_old PARTITION OF measure FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE measure_new PARTITION OF measure FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
ALTER TABLE account ALTER note SET STORAGE EXTERNAL;
INSERT INTO account SELECT g, 'owner ' || g, 100, repeat(md5(g::text), 200) FROM generate_series(1, 200) g;
INSERT INTO entry SELECT g, 1, g * 1.5, '2026-01-01' FROM generate_series(1, 500) g;
INSERT INTO audit SELECT 'copy', 'twin', NULL FROM generate_series(1, 20);
INSERT INTO measure SELECT '2025-12-01'::date + g, g % 7, g / 3.0 FROM generate_series(0, 60) g;
"""


@dataclass
class World:
    """PostgreSQL with writers, and the folders of its mirror."""

    server_settings: ClassVar[Mapping[str, str]] = {}
    server: EmbeddedPostgres
    folder: Path
    seed: int
    stop: threading.Event = field(default_factory=threading.Event)
    truncates: threading.Event = field(default_factory=threading.Event)  # a copy or a verify gives way to one
    commits: int = 0
    begun: Counter[int] = field(default_factory=Counter)  # how many transactions, by the writer's seed
    passwords: dict[str, str] = field(default_factory=dict)  # of roles whose password is not ours any more
    truth: dict[int, dict[str, list[str]]] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def on(cls, version: str, folder: Path, seed: int = 0) -> Iterator[Self]:
        """A world on a server of its own, which goes with all that runs on it."""
        server = EmbeddedPostgres(LOCAL / "postgres" / version, folder / "data", settings=cls.server_settings)
        with server:
            made = cls(server, folder, seed)
            made.make()
            try:
                yield made
            finally:
                made.stop.set()
                made.tidemark("stop")
        server.remove()

    def url(self, role: str) -> str:
        return self.server.url(role, "shop", self.passwords.get(role, PASSWORD))

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "TIDEMARK_SPECS": str(self.folder / "specs"),
            "TIDEMARK_LAKE": (self.folder / "the lake").as_uri(),
            "TIDEMARK_STATE": str(self.folder / "state"),
            "TIDEMARK_SOURCE_SHOP_URL": self.url("capture"),
            "TIDEMARK_SOURCE_SHOP_ADMIN_URL": self.url("owner"),
            "TIDEMARK_HASH_KEY": HASH_KEY.text,
        }

    @cached_property
    def spec(self) -> SourceSpec:
        return load_source(self.folder / "specs" / "shop")

    @cached_property
    def control(self) -> Control:
        return Control(Layout(Settings.read(self.environment).lake, "shop"))

    def make(self) -> None:
        with psycopg.connect(self.server.superuser_url, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE owner LOGIN PASSWORD '{PASSWORD}'")
            connection.execute(f"CREATE ROLE capture LOGIN REPLICATION PASSWORD '{PASSWORD}'")
            connection.execute("GRANT SET ON PARAMETER session_replication_role TO owner")
            connection.execute("CREATE DATABASE shop OWNER owner")
        with psycopg.connect(self.url("owner"), autocommit=True) as connection:
            self.fill(connection)

    def fill(self, connection: psycopg.Connection) -> None:
        connection.execute(TABLES)

    def tidemark(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the console's command, as a person does."""
        argv = [str(Path(sys.executable).with_name("tidemark")), *words]
        return subprocess.run(argv, env=self.environment, capture_output=True, text=True, timeout=600, check=False)

    def must(self, *words: str) -> str:
        done = self.tidemark(*words)
        assert done.returncode == 0, (
            f"tidemark {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}"
        )
        return done.stdout

    @contextmanager
    def syncing(self) -> Iterator["subprocess.Popen[bytes]"]:
        """A continuous sync that is there for the length of a block, unless somebody kills it."""
        log = (self.folder / "sync.log").open("ab")
        argv = [sys.executable, "-m", "tidemark_jobs", "sync", "--source", "shop", "--continuous"]
        process = subprocess.Popen(argv, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        try:
            yield process
        finally:
            kill_group(process)
            log.close()

    def take_truth(self) -> int:
        """Read every table inside the snapshot of a mark of ours; give the mark's id."""
        while True:
            with suppress(RetryableError):  # a TRUNCATE wanted a table meanwhile: it was let through
                return self._read_truth()

    def _read_truth(self) -> int:
        names = [spec.table for spec in self.spec.tables]
        with (
            hold(self.url("capture"), "shop", names, MarkKind.VERIFY) as held,
            join(self.url("capture"), held.id, "truth") as connection,
        ):
            found = {
                str(spec.table): sorted(line.decode() for line in copy_text(connection, spec))
                for spec in self.spec.tables
            }
        self.truth[held.mark.id] = found
        return held.mark.id

    def end_truncates(self) -> None:
        """Let there be no TRUNCATE any more, and none that is on its way: whoever holds its table gives way to one."""
        self.truncates.clear()
        begun = dict(self.begun)
        while any(self.begun[writer] == number for writer, number in begun.items()):
            self.stop.wait(0.1)

    def wait_for(self, mark: int) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while self.control.published(mark) is None:
            assert time.monotonic() < deadline, f"mark {mark} was not published; see {self.folder}"
            self.stop.wait(0.5)

    @contextmanager
    def written_to(self, writers: int = 6) -> Iterator[None]:
        threads = [threading.Thread(target=self._write, args=(self.seed * 100 + n,)) for n in range(writers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()

    def _write(self, seed: int) -> None:
        chance = random.Random(seed)
        with psycopg.connect(self.url("owner"), autocommit=True) as connection:
            while not self.stop.wait(chance.random() * 0.1):
                self.begun[seed] += 1
                try:
                    self._transaction(connection, chance, f"g{seed}_{self.commits}")
                except psycopg.Error:
                    connection.execute("ROLLBACK")
                self.commits += 1

    def _transaction(self, connection: psycopg.Connection, chance: random.Random, name: str) -> None:
        connection.execute("BEGIN")
        for _ in range(chance.randint(1, 5)):
            self._change(connection, chance)
        if chance.random() < 0.05:
            self.stop.wait(chance.random() * 5)  # a transaction that spans marks
        end = chance.random()
        if end < 0.1:
            connection.execute("ROLLBACK")
        elif end < 0.2:
            connection.execute(f"PREPARE TRANSACTION '{name}'")
            self.stop.wait(chance.random())
            connection.execute(f"COMMIT PREPARED '{name}'")
        else:
            connection.execute("COMMIT")

    def _change(self, connection: psycopg.Connection, chance: random.Random) -> None:
        a, b, amount = chance.randint(1, 220), chance.randint(1, 220), chance.randint(1, 50)
        statement, values = chance.choice(STATEMENTS)
        # A few a minute: a snapshot that meets one gives way, and its mark is published all the same.
        if self.truncates.is_set() and chance.random() < 0.01:
            statement, values = "TRUNCATE measure", ()
        # A TRUNCATE in a savepoint is not explained by its transaction's id: the table waits for a verify.
        inside = chance.random() < 0.2 and not statement.startswith("TRUNCATE")
        if inside:
            connection.execute("SAVEPOINT s")
        connection.execute(statement, {name: {"a": a, "b": b, "amount": amount}[name] for name in values})
        if inside and chance.random() < 0.5:
            connection.execute("ROLLBACK TO s")
        if inside:
            connection.execute("RELEASE s")


STATEMENTS: list[tuple[str, tuple[str, ...]]] = [
    ("UPDATE account SET balance = balance + %(amount)s WHERE id = %(a)s", ("a", "amount")),
    ("UPDATE account SET note = repeat(md5(%(b)s::text), 300) WHERE id = %(a)s", ("a", "b")),
    (
        "UPDATE account SET id = %(b)s WHERE id = %(a)s AND NOT EXISTS (SELECT FROM account WHERE id = %(b)s)",
        ("a", "b"),
    ),
    ("DELETE FROM account WHERE id = %(a)s AND %(amount)s < 10", ("a", "amount")),
    ("INSERT INTO account VALUES (%(a)s, E'tab\\there \\\\N', 'NaN', NULL) ON CONFLICT DO NOTHING", ("a",)),
    (
        "INSERT INTO entry VALUES (%(a)s, %(b)s, %(amount)s / 7) ON CONFLICT (id, line) DO UPDATE SET at = 'infinity'",
        ("a", "b", "amount"),
    ),
    ("DELETE FROM entry WHERE id = %(a)s", ("a",)),
    ("INSERT INTO audit VALUES ('w', 'twin', NULL), ('w', 'twin', NULL)", ()),
    ("DELETE FROM audit WHERE ctid = (SELECT min(ctid) FROM audit WHERE who = 'w')", ()),
    ("UPDATE audit SET what = md5(%(b)s::text) WHERE ctid = (SELECT min(ctid) FROM audit)", ("b",)),
    ("INSERT INTO measure VALUES ('2025-12-01'::date + %(a)s, %(b)s, random()) ON CONFLICT DO NOTHING", ("a", "b")),
    ("UPDATE measure SET day = day + 40, value = '-0' WHERE sensor = %(b)s AND day < '2026-01-10'", ("b",)),
]


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill -9 a process and its children (Spark's JVM)."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def lines_of(export: str) -> list[str]:
    """Give the lines of COPY text, sorted."""
    return sorted(line + "\n" for line in export.split("\n") if line)


def warm_run(environment: dict[str, str], spark: SparkSession, job: Job) -> Run:
    """Give a job that runs in a session that is there."""
    run = Run(job, Settings.read(environment))
    run.__dict__["spark"] = spark
    return run
