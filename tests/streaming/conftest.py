import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

_HERE = Path(__file__).resolve().parent
# The embedded server, whose package this environment does not have.
sys.path.insert(0, str(_HERE.parents[1] / "console" / "src"))

from tests.streaming.database import Database  # noqa: E402
from tests.streaming.stack import Stack  # noqa: E402
from tidemark.local.home import home  # noqa: E402
from tidemark.local.postgres import EmbeddedPostgres  # noqa: E402

PASSWORD = "p@ss/w:rd %41 zq7"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    data = tmp_path_factory.mktemp("postgres") / "data"
    with EmbeddedPostgres(home() / "postgres" / "17", data) as server:
        yield server
    server.remove()


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[Database]:
    with Database(postgres.superuser_url) as server:
        server.ask("create database shop")
        server.ask(f"create role capture login replication password {_literal(PASSWORD)}")
    with Database(postgres.superuser_url.removesuffix("/postgres") + "/shop") as shop:
        shop.ask("create table orders (id bigint primary key, state text, price numeric, note text)")
        shop.ask("create table numbers (n int primary key)")
        shop.ask("create publication tidemark_shop for table orders, numbers")
        shop.ask("select pg_create_logical_replication_slot('tidemark_shop', 'pgoutput')")
        yield shop


@pytest.fixture(scope="module")
def stack(postgres: EmbeddedPostgres, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    location = postgres.url("capture", "shop").partition("@")[2]
    stack = Stack(tmp_path_factory.mktemp("stack"), f"postgresql://capture:{quote(PASSWORD, safe='')}@{location}")
    for source in ("shop", "other", "third", "fourth"):
        stack.write_specs(source)
    yield stack
    stack.run("stop")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
