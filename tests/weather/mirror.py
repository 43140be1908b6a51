"""A mirror that stands at every mark where its source stands, and the server below it, to which anything may happen."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
from pyspark.sql import SparkSession

from tests.e2e.jobs import START, Jobs
from tests.e2e.world import World
from tidemark.local import processes
from tidemark.local.postgres import SUPERUSER, EmbeddedPostgres
from tidemark_contract.errors import SourceChanged
from tidemark_jobs.repair import repair

PATIENCE_S = 180.0
TABLES = 4


@dataclass(frozen=True)
class Mirror:
    """A mirror, with all its tables live, and its jobs in a warm session."""

    world: World
    spark: SparkSession
    first: EmbeddedPostgres

    @classmethod
    @contextmanager
    def on(cls, version: str, folder: Path, spark: SparkSession) -> Iterator["Mirror"]:
        with World.on(version, folder) as world:
            world.must("discover", "--name", "shop")
            world.must("init")
            world.must(*START)
            made = cls(world, spark, world.server)
            made.jobs.copy()
            made.is_equal()
            yield made
            if world.server is not made.first:
                world.server.stop("immediate")

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self.world, self.spark)

    @property
    def server(self) -> EmbeddedPostgres:
        return self.world.server

    def write(self, *statements: str, role: str = "owner") -> list[tuple[Any, ...]]:
        """Run statements, each in a transaction of its own; give the rows of the last."""
        server = self.server
        superuser = server.url(SUPERUSER, "shop", server.password_file.read_text())
        url = superuser if role == "superuser" else self.world.url(role)
        rows: list[tuple[Any, ...]] = []
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                done = connection.execute(statement.encode())
                rows = done.fetchall() if done.description else []
        return rows

    def rows(self, first: int, last: int) -> None:
        """Insert rows with these ids, each in a transaction of its own, and change what all tables hold."""
        self.write(
            *(f"INSERT INTO account VALUES ({n}, 'row', {n}, NULL)" for n in range(first, last + 1)),
            f"UPDATE entry SET amount = amount + {first} WHERE id % 50 = 1",
            f"INSERT INTO audit VALUES ('weather', '{first}', NULL), ('weather', '{first}', NULL)",
            f"UPDATE measure SET value = value + {first} WHERE sensor = 1",
        )

    def is_equal(self) -> dict[str, int]:
        """Sync, and have every table proven; all are live. Give their rows."""
        proven = self.jobs.proven()
        assert len(proven) == TABLES, (proven, self.world.control.tables())
        return proven

    def copy(self) -> None:
        self.jobs.copy()

    def repair(self) -> int:
        """Repair all tables; give the number of keys that differed."""
        facts: Any = repair(self.jobs.run("repair", *(str(spec.table) for spec in self.world.spec.tables)))
        return sum(table["differing"] for table in facts["tables"])

    def published(self) -> int:
        published = self.world.control.published()
        return published.mark.id if published else 0

    def sync_says(self, words: str) -> None:
        """A sync stops for that reason, and has published nothing."""
        before = self.published()
        done = self.world.tidemark("sync", "--timeout", "20")
        assert done.returncode == SourceChanged.exit_code, (done.returncode, done.stderr[-2000:])
        assert words in done.stderr, done.stderr[-2000:]
        assert before == self.published()

    def status(self) -> dict[str, Any]:
        [source] = json.loads(self.world.must("status", "--json"))["sources"]
        return dict(source)

    def start(self) -> subprocess.CompletedProcess[str]:
        return self.world.tidemark(*START)

    def is_refused(self, *words: str) -> None:
        """The stream does not start, and says why and what to do."""
        done = self.start()
        assert done.returncode == SourceChanged.exit_code, (done.returncode, done.stderr[-2000:])
        for word in (*words, "`tidemark start --without-state`"):
            assert word in done.stderr, done.stderr[-2000:]

    def begin_anew(self, back: Callable[["Mirror"], Any]) -> Any:
        """Do what the docs say, with `copy` or `repair` at the end; what was not brought back is out until then."""
        self.world.must("init")
        self.world.must(*START, "--without-state")
        assert {"stale"} == {state.state for state in self.world.control.tables().values()}
        found = back(self)
        self.is_equal()
        return found

    def wait_for_stream(self, state: str) -> dict[str, Any]:
        stream: dict[str, Any] = self.until(lambda: (now := self.status()["stream"])["state"] == state and now, state)
        return stream

    def until(self, found: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (answer := found()):
            assert time.monotonic() < deadline, f"not {what} within {PATIENCE_S} s: {self.status()}"
            time.sleep(0.5)
        return answer

    def position(self) -> str:
        """Tell where the server's log ends now."""
        [(written,)] = self.write("SELECT pg_current_wal_lsn()::text")
        return str(written)

    def lands(self) -> None:
        """Wait until all that was written has: a stream whose server was away is not back at once."""
        landed = f"SELECT 1 FROM pg_replication_slots WHERE confirmed_flush_lsn >= '{self.position()}'"
        self.until(lambda: self.write(landed, role="superuser"), "landed")

    def stop(self) -> None:
        self.world.must("stop")

    def kill_stream(self) -> None:
        word = f"-Djava.io.tmpdir={self.world.folder / 'state' / 'flink' / 'shop' / 'tmp'}"
        assert processes.kill(word) >= 2
        self.until(lambda: not processes.find(word), "dead")  # a thread may be about to write a file

    def set(self, name: str, value: str | None) -> None:
        """Change a setting of the server, or (None) take the change back; nobody is waited for.

        It holds for all when this returns. By whom commits have to wait, the checkpointer tells all others, and it
        takes up a new setting before it makes the next checkpoint.
        """
        change = f"SET {name} = '{value}'" if value is not None else f"RESET {name}"
        local = "SET synchronous_commit = local"
        self.write(local, f"ALTER SYSTEM {change}", "SELECT pg_reload_conf()", role="superuser")
        self.write("CHECKPOINT", role="superuser")

    def passes(self, position: str) -> None:
        """Write until the server's log has passed a position that it had had before it was restored.

        By itself it writes too, sooner or later: once before it was restored does not mean once again after.
        """
        fill = "SELECT pg_logical_emit_message(true, 'fill', repeat('x', 10000))"
        passed = f"SELECT 1 WHERE pg_current_wal_lsn() > '{position}'"
        self.until(lambda: self.write(*[fill] * 20, passed, role="superuser"), f"past {position}")

    def standby(self) -> EmbeddedPostgres:
        """Start a standby that follows the server, which is stopped for a moment."""
        place = self.server.data.resolve()
        self.server.stop()
        copy_as_it_is(place, place.with_name("standby"))
        self.server.start()
        made = EmbeddedPostgres(self.server._home, place.with_name("standby"))
        for slot in (made.data / "pg_replslot").glob("*"):  # as pg_basebackup leaves them out
            shutil.rmtree(slot)
        password = self.server.password_file.read_text()
        made.password_file.write_text(password)
        (made.data / "standby.signal").touch()
        with (made.data / "postgresql.auto.conf").open("a") as settings:
            where = f"host=127.0.0.1 port={self.server.port} user={SUPERUSER} password={password}"
            settings.write(f"primary_conninfo = '{where}'\n")
        made.start()
        return made

    def back_up(self, name: str = "backup") -> Path:
        """Copy the stopped server's data, as a snapshot of its volume would; start it again."""
        self.server.stop()
        place = self.server.data.resolve()
        kept = place.with_name(name)
        shutil.rmtree(kept, ignore_errors=True)
        copy_as_it_is(place, kept)
        self.server.start()
        return kept

    def restore(self, kept: Path) -> None:
        """Put the data back, and start the server on it."""
        self.server.stop("immediate")
        place = self.server.data.resolve()
        shutil.rmtree(place)
        copy_as_it_is(kept, place)
        self.server.start()


def copy_as_it_is(source: Path, target: Path) -> None:
    """Copy a folder with its owners."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)
    for file in (target / "postmaster.pid", target / "postmaster.opts"):
        file.unlink(missing_ok=True)
