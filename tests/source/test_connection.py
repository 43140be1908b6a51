"""Connections: what they pin, and what their errors mean."""

import logging
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.source.conftest import EVERY_VERSION, Database
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.errors import SourceRefused, SourceUnavailable
from tidemark_contract.marks import MarkKind
from tidemark_source.connection import address, connect
from tidemark_source.copyout import copy_text
from tidemark_source.marks import insert_mark, write_mark

HOSTILE = {
    "DateStyle": "'SQL, DMY'",
    "TimeZone": "'Asia/Kathmandu'",
    "IntervalStyle": "iso_8601",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "search_path": "shop, pg_catalog",
    "quote_all_identifiers": "on",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "row_security": "on",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "statement_timeout": "2000",
    "lock_timeout": "1",
    "idle_in_transaction_session_timeout": "1",
    "xmlbinary": "hex",
}
VALUES = """
SELECT concat(timestamptz '2026-01-02 03:04:05.6+00'), concat(date '2026-01-02'), concat(interval '1 day -2 hours'),
       concat(0.1::float8 + 0.2::float8), concat('\\x00ff'::bytea), concat('pg_class'::regclass), concat('a\\nb'),
       concat(NULL = NULL)
"""


@EVERY_VERSION
def test_values_look_the_same_under_hostile_settings(database: Database) -> None:
    for number, (name, value) in enumerate(HOSTILE.items()):
        target = f"ROLE {database.capture}" if number % 2 else f"DATABASE {database.name}"
        database.as_superuser(f"ALTER {target} SET {name} = {value}")
    with connect(database.url, purpose="look") as connection:
        row = connection.execute(VALUES).fetchone()

    expected = ("2026-01-02 03:04:05.6+00", "2026-01-02", "1 day -02:00:00", "0.30000000000000004")
    assert (*expected, r"\x00ff", "pg_class", r"a\nb", "") == row


def test_marks_are_written_under_hostile_settings(orders: Database) -> None:
    for name, value in HOSTILE.items():
        orders.as_superuser(f"ALTER ROLE {orders.capture} SET {name} = {value}")

    assert write_mark(orders.url, orders.source).nonce == write_mark(orders.url, orders.source).previous


def test_a_role_that_becomes_another_at_login_stays_itself(database: Database) -> None:
    database.as_superuser(f"GRANT {database.owner} TO {database.capture}")
    database.as_superuser(f"ALTER ROLE {database.capture} SET role = {database.owner}")
    with connect(database.url, purpose="look") as connection:
        assert (database.capture,) == connection.execute("SELECT current_user::text").fetchone()


def test_a_connection_says_what_it_is_for(database: Database) -> None:
    with connect(database.url, purpose="copy of shop.orders", autocommit=False) as connection:
        row = connection.execute("SHOW application_name").fetchone()
        assert ("tidemark copy of shop.orders",) == row
        connection.rollback()
        assert ("UTC",) == connection.execute("SHOW TimeZone").fetchone(), "the pins outlive a rollback"


def refusals(database: Database) -> dict[str, str]:
    other = {"wrong password": database.url.replace("secret-tide", "secret-ebb")}
    other["no such database"] = database.url.rsplit("/", 1)[0] + "/nowhere"
    other["no such role"] = database.url.replace(database.capture, "nobody")
    return other


@pytest.mark.parametrize("what", ["wrong password", "no such database", "no such role"])
def test_a_refused_login_names_the_place_and_never_the_password(database: Database, what: str) -> None:
    with pytest.raises(SourceRefused) as caught:
        connect(refusals(database)[what], purpose="look")

    assert f"127.0.0.1:{database.server.port}/" in str(caught.value)
    assert "secret-" not in str(caught.value)


def test_a_url_that_cannot_be_read_is_not_quoted() -> None:
    for url in ("postgresql://me:secret@h:1/x?nonsense=1", "postgresql://me:secret@[::1", "secret is here"):
        with pytest.raises(SourceRefused) as caught:
            connect(url, purpose="look")
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


def test_the_address_holds_neither_role_nor_password() -> None:
    assert "db.example:6432/shop" == address("postgresql://me:secret@db.example:6432/shop")
    assert "db.example:5432/shop" == address("host=db.example dbname=shop user=me password=secret")


def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers
        port = taken.getsockname()[1]
        with pytest.raises(SourceUnavailable, match=f"127.0.0.1:{port}/shop"):
            connect(f"postgresql://me:secret@127.0.0.1:{port}/shop", purpose="look")


def test_too_many_connections_are_a_reason_to_try_again(database: Database) -> None:
    database.as_superuser(f"ALTER ROLE {database.capture} CONNECTION LIMIT 0")
    with pytest.raises(SourceUnavailable, match="too many connections"):
        connect(database.url, purpose="look")


def test_a_server_that_does_not_take_connections_yet_is_unavailable(tmp_path: Path) -> None:
    home = Path(__file__).parents[2] / ".tidemark" / "postgres" / "17"
    server = EmbeddedPostgres(home, tmp_path / "data", settings={"hot_standby": "off"})
    server.start()
    server.stop()
    signal = server.data.resolve() / "standby.signal"
    signal.touch()
    server.start()
    try:
        with pytest.raises(SourceUnavailable, match=r"not accepting connections|starting up"):
            connect(server.superuser_url, purpose="look")
    finally:
        server.remove()


def test_a_connection_that_is_cut_is_unavailable_and_a_missing_table_refused(orders: Database) -> None:
    spec = orders.table("shop.orders")
    with orders.reader() as reader:
        orders.execute("ALTER TABLE shop.orders RENAME TO orders_old")
        with pytest.raises(SourceRefused, match=r"there is no table shop.orders"):
            list(copy_text(reader, spec))
        orders.as_superuser(f"SELECT pg_terminate_backend({reader.info.backend_pid})")
        with pytest.raises(SourceUnavailable):
            list(copy_text(reader, spec))
        reader.close()


def test_a_database_without_the_table_of_marks_is_told_what_makes_it(database: Database) -> None:
    with pytest.raises(SourceRefused, match=r"tidemark\.mark.*run `tidemark init`"):
        write_mark(database.url, database.source, MarkKind.SYNC)


@pytest.fixture
def claiming() -> Iterator[Callable[[bytes], str]]:
    """A server that says which version it is, agrees to everything and knows nothing."""
    listener = socket.create_server(("127.0.0.1", 0))

    def start(version: bytes) -> str:
        threading.Thread(target=serve, args=(listener, version), daemon=True).start()
        return f"postgresql://me@127.0.0.1:{listener.getsockname()[1]}/shop?sslmode=disable&gssencmode=disable"

    yield start
    listener.close()


def serve(listener: socket.socket, version: bytes) -> None:
    ready = message(b"Z", b"I")
    client, _ = listener.accept()
    with client:
        (length,) = struct.unpack("!i", client.recv(4))
        client.recv(length - 4)
        client.sendall(
            message(b"R", struct.pack("!i", 0)) + message(b"S", b"server_version\0" + version + b"\0") + ready
        )
        while (head := client.recv(5)) and head[:1] == b"Q":
            (length,) = struct.unpack("!i", head[1:])
            client.recv(length - 4)
            client.sendall(message(b"C", b"SET\0") + ready)


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def test_a_server_before_15_is_refused(claiming: Callable[[bytes], str]) -> None:
    with pytest.raises(SourceRefused, match="PostgreSQL 12 is too old"):
        connect(claiming(b"12.22"), purpose="look")


def test_a_server_after_18_is_warned_of(claiming: Callable[[bytes], str], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        connect(claiming(b"19.1"), purpose="look").close()
    assert "PostgreSQL 19 is newer" in caplog.text


def test_a_standby_is_refused_as_the_place_for_marks(orders: Database) -> None:
    """A standby's transactions are read-only, as this one is made to be."""
    with orders.reader() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        with pytest.raises(SourceRefused, match="is a standby"):
            insert_mark(reader, orders.source, MarkKind.SYNC)


def test_psycopg_is_never_what_a_caller_has_to_catch(orders: Database) -> None:
    with pytest.raises(SourceRefused) as caught:
        write_mark(orders.url.replace(orders.name, "postgres").replace("postgres_capture", orders.capture), "shop")
    assert isinstance(caught.value.__cause__, psycopg.Error)
