"""A real server of each major version, a database of its own for each test, and its three roles.

The owner owns the tables and runs init, the capture role is what the product runs as, and neither is a superuser.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import psycopg
import pytest
from psycopg import sql

from tests.present import present
from tests.variants import any_of
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.names import TableName
from tidemark_contract.specs import SourceSpec, TableSpec
from tidemark_source import discover, init
from tidemark_source.connection import connect
from tidemark_source.slots import SlotHealth, slot_health

LOCAL = Path(__file__).parents[2] / ".tidemark"
PASSWORD = "secret-tide"
EVERY_VERSION = any_of("major", (15, 17, 18))
_numbers = itertools.count(1)
T = TypeVar("T")
Servers = Callable[[int], EmbeddedPostgres]


class Until(Protocol):
    def __call__(self, ask: Callable[[], T | None]) -> T: ...


class Aside(Protocol):
    def __call__(self, work: Callable[[], T]) -> AbstractContextManager[list[T]]: ...


class Database:
    """One database of one test, and ways to speak with it."""

    def __init__(self, server: EmbeddedPostgres, name: str) -> None:
        self.server, self.name, self.source = server, name, name
        self.owner, self.capture = f"{name}_owner", f"{name}_capture"
        self.url = server.url(self.capture, name, PASSWORD)
        self.url_admin = server.url(self.owner, name, PASSWORD)
        self.url_super = server.superuser_url.rsplit("/", 1)[0] + f"/{name}"
        self._owner: psycopg.Connection[Any] | None = None

    def execute(self, statement: str | bytes, *parameters: object) -> list[Any]:
        """Run a statement as the owner of the tables."""
        if self._owner is None:
            self._owner = psycopg.connect(self.url_admin, autocommit=True)
        return rows(self._owner.execute(statement, parameters or None))

    def as_superuser(self, statement: str) -> list[Any]:
        with psycopg.connect(self.url_super, autocommit=True) as connection:
            return rows(connection.execute(statement))

    def session(self) -> psycopg.Connection[Any]:
        """An application's session, to be closed by the test."""
        return psycopg.connect(self.url_admin, autocommit=True)

    def spec(self, *tables: str) -> SourceSpec:
        names = [TableName.parse(table) for table in tables]
        return discover.discover(self.url_admin, self.source, tables=names).spec

    def table(self, name: str) -> TableSpec:
        return self.spec(name).tables[0]

    def plan(self, spec: SourceSpec | None = None) -> init.Plan:
        return init.plan(self.url_admin, self.capture, spec or self.spec(), capture_url=self.url)

    def init(self, *tables: str) -> SourceSpec:
        spec = self.spec(*tables)
        init.apply(self.plan(spec))
        return spec

    def reader(self, purpose: str = "test") -> psycopg.Connection[Any]:
        """A session of the capture role, to be closed by the test."""
        return connect(self.url, purpose=purpose)

    def slot(self) -> SlotHealth:
        """The health of its slot, which is there."""
        return present(slot_health(self.url, self.source))

    def close(self) -> None:
        if self._owner is not None:
            self._owner.close()


def rows(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Servers by major version, started when they are first asked for."""
    started: dict[int, EmbeddedPostgres] = {}

    def server(major: int) -> EmbeddedPostgres:
        if major not in started:
            data = tmp_path_factory.mktemp(f"postgres-{major}") / "data"
            started[major] = EmbeddedPostgres(LOCAL / "postgres" / str(major), data, settings={"fsync": "off"})
            started[major].start()
        return started[major]

    yield server
    for one in started.values():
        one.remove()


@pytest.fixture
def major() -> int:
    """The server's version, where a test does not say `EVERY_VERSION`."""
    return 17


@pytest.fixture
def database(servers: Servers, major: int) -> Iterator[Database]:
    """A fresh database, as a shop's owner left it."""
    server = servers(major)
    made = Database(server, f"shop{next(_numbers)}")
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        for role, options in ((made.owner, "LOGIN"), (made.capture, "LOGIN REPLICATION")):
            statement = sql.SQL(f"CREATE ROLE {{}} {options} PASSWORD {{}}")
            connection.execute(statement.format(sql.Identifier(role), PASSWORD))
        create = sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(made.name), sql.Identifier(made.owner))
        connection.execute(create)
    made.execute("CREATE SCHEMA shop")
    yield made
    made.close()
    for (gid,) in made.as_superuser("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()"):
        # A test that failed leaves it behind, and every slot would wait for it.
        made.as_superuser(sql.SQL("ROLLBACK PREPARED {}").format(gid).as_string(None))
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", (made.name,)
        )
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(made.name)))


@pytest.fixture
def orders(database: Database) -> Database:
    """The database with one plain table of three rows, mirrored."""
    database.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, state text)")
    database.execute("INSERT INTO shop.orders VALUES (1, 'new'), (2, 'paid'), (3, NULL)")
    database.init("shop.orders")
    return database


@pytest.fixture
def plain(database: Database) -> Database:
    """A table that is fit to be mirrored, and is not yet."""
    database.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, state text)")
    return database


@pytest.fixture
def until() -> Until:
    """Ask again and again until the answer is true, and give it; fail after a minute."""

    def wait(ask: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + 60
        while not (answer := ask()):
            assert time.monotonic() < deadline, "it did not come true within a minute"
            time.sleep(0.02)
        return answer

    return wait


@pytest.fixture
def aside() -> Aside:
    """Run something in a thread for the length of a block; what it raised is raised at the block's end."""

    @contextmanager
    def run(work: Callable[[], T]) -> Iterator[list[T]]:
        done: list[T] = []
        failed: list[BaseException] = []

        def body() -> None:
            try:
                done.append(work())
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        try:
            yield done
        finally:
            thread.join(60)
        if failed:
            raise failed[0]

    return run
