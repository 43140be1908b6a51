import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest
from psycopg import sql

from tests.console.place import LOCAL, PASSWORD, Place, execute
from tidemark.children import pass_interrupts_on
from tidemark.local.postgres import EmbeddedPostgres
from tidemark.main import run

pass_interrupts_on()  # as main does: the tests may run in the background of a script


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL 17 for all tests of this folder that only need a database in it."""
    postgres = EmbeddedPostgres(LOCAL / "postgres" / "17", tmp_path_factory.mktemp("postgres") / "data")
    with postgres:
        for role in ("owner", "capture", "nobody"):
            replication = "REPLICATION" if role == "capture" else ""
            execute(postgres.superuser_url, f"CREATE ROLE {role} LOGIN {replication} PASSWORD '{PASSWORD}'")
        yield postgres
    postgres.remove()


@pytest.fixture
def place(server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place whose settings are in the environment; its slots and its database go with it."""
    database = f"shop_{os.urandom(4).hex()}"
    execute(server.superuser_url, f"CREATE DATABASE {database} OWNER owner")
    found = Place(server, database, tmp_path)
    execute(
        found.url("owner"),
        "CREATE TABLE orders (id bigint PRIMARY KEY, state text)",
        'CREATE SCHEMA "Odd Schema"',
        'CREATE TABLE "Odd Schema"."a""b" ("the key" integer PRIMARY KEY, amount numeric(12,2))',
    )
    for name, value in found.environment().items():
        monkeypatch.setenv(name, value)
    yield found
    drop = sql.SQL(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = {database}"
    ).format(database=sql.Literal(database))
    execute(server.superuser_url, drop.as_string(None), f"DROP DATABASE {database} WITH (FORCE)")


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


class Tidemark(Protocol):
    def __call__(self, *arguments: str) -> Outcome: ...


@pytest.fixture
def tidemark(capfd: pytest.CaptureFixture[str]) -> Tidemark:
    """Run one command as `main` does, and give its exit code and what it wrote."""

    def call(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = run(list(arguments))
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def discovered(place: Place, tidemark: Tidemark) -> Place:
    """A place with the specs of its two tables."""
    assert 0 == tidemark("discover", "--name", "shop").code
    return place
