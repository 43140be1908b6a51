"""The server that the demo and the other tests stand on."""

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.present import present
from tidemark.local.postgres import EmbeddedPostgres, ServerNotStarted

LOCAL = Path(__file__).parents[2] / ".tidemark"


NEWEST = LOCAL / "postgres" / "17"


def ask(url: str, query: str) -> Any:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query)
        return present(cursor.fetchone())[0] if cursor.description else None


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """A server for the tests that only look at it."""
    server = EmbeddedPostgres(NEWEST, tmp_path_factory.mktemp("shared") / "data")
    server.start()
    yield server
    server.remove()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(NEWEST, tmp_path / "data")
    yield server
    server.remove()


@pytest.mark.parametrize("major", ["15", "17", "18"])
def test_every_version_decodes_logically_and_survives_a_crash(major: str, tmp_path: Path) -> None:
    server = EmbeddedPostgres(LOCAL / "postgres" / major, tmp_path / "data", settings={"work_mem": "5MB"})
    server.start()
    url = server.superuser_url
    assert major == ask(url, "show server_version").split(".")[0]
    assert "logical" == ask(url, "show wal_level")
    assert 0 < int(ask(url, "show max_prepared_transactions"))
    assert "UTF8" == ask(url, "show server_encoding")
    assert "5MB" == ask(url, "show work_mem")
    assert ask(url, "select lsn from pg_create_logical_replication_slot('s', 'pgoutput')")
    ask(url, "create table t as select 1 as a")

    server.crash()
    with pytest.raises(psycopg.OperationalError):
        ask(url, "select a from t")
    server.start()

    assert 1 == ask(url, "select a from t")
    assert "automatic recovery" in server.log.read_text()
    server.remove()


def test_it_listens_on_loopback_only(shared: EmbeddedPostgres) -> None:
    assert "127.0.0.1" == ask(shared.superuser_url, "show listen_addresses")
    assert "" == ask(shared.superuser_url, "show unix_socket_directories")


def test_a_password_is_demanded(shared: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        ask(shared.url("postgres", "postgres", "wrong"), "select 1")


def test_a_url_survives_names_that_have_to_be_escaped(shared: EmbeddedPostgres) -> None:
    ask(shared.superuser_url, """create role "a@b:c" login password 'p/q?r#s'""")
    ask(shared.superuser_url, 'create database "d e/f"')

    assert "a@b:c" == ask(shared.url("a@b:c", "d e/f", "p/q?r#s"), "select current_user")


def test_the_password_is_its_owners_alone(shared: EmbeddedPostgres) -> None:
    assert 0o600 == stat.S_IMODE(shared.password_file.stat().st_mode)


def test_a_crash_kills_what_is_in_the_middle_of_its_work(server: EmbeddedPostgres) -> None:
    server.start()
    ask(server.superuser_url, "create table t (a int)")
    with psycopg.connect(server.superuser_url) as open_transaction:
        open_transaction.execute("insert into t values (1)")
        server.crash()
        server.start()
        with pytest.raises(psycopg.OperationalError):
            open_transaction.execute("select 1")

    assert 0 == ask(server.superuser_url, "select count(*) from t")


def test_a_restart_keeps_the_data_and_the_port(server: EmbeddedPostgres) -> None:
    server.start()
    ask(server.superuser_url, "create table t as select 1 as a")
    before = server.superuser_url

    server.restart()

    assert before == server.superuser_url
    assert 1 == ask(before, "select a from t")


def test_a_data_directory_is_used_again(server: EmbeddedPostgres) -> None:
    with server:
        ask(server.superuser_url, "create table t as select 1 as a")
        before = server.superuser_url
    assert not server.running()

    with EmbeddedPostgres(NEWEST, server.data) as again:
        assert before == again.superuser_url
        assert 1 == ask(again.superuser_url, "select a from t")


def test_a_server_that_runs_already_is_adopted(server: EmbeddedPostgres) -> None:
    server.start()
    second = EmbeddedPostgres(NEWEST, server.data)
    second.start()
    assert server.superuser_url == second.superuser_url

    other = EmbeddedPostgres(NEWEST, server.data, port=server.port + 1)
    with pytest.raises(ServerNotStarted, match=f"runs there on port {server.port}, not on {server.port + 1}"):
        other.start()

    second.stop()
    assert not server.running()


def test_many_may_stop_a_server_at_once(server: EmbeddedPostgres) -> None:
    """As one that ends by itself, for want of disk maybe, between being seen and being told."""
    for _ in range(3):
        server.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: EmbeddedPostgres(NEWEST, server.data).stop(), range(8)))

        assert not server.running()


def test_a_port_that_is_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(NEWEST, tmp_path / "data", port=port)
        with pytest.raises(ServerNotStarted, match=f"port {port} on 127.0.0.1 is in use"):
            server.start()
    server.remove()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    server = EmbeddedPostgres(NEWEST, tmp_path / "data", settings={"no_such_setting": "1"})
    with pytest.raises(ServerNotStarted, match="no_such_setting"):
        server.start()
    server.remove()


def test_missing_binaries_are_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ServerNotStarted, match="make setup"):
        EmbeddedPostgres(tmp_path / "nothing", tmp_path / "data").start()


def test_an_initdb_that_was_killed_is_done_again(server: EmbeddedPostgres) -> None:
    server._place()
    half = server.data.resolve().with_name("data.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("17")

    with server:
        assert 1 == ask(server.superuser_url, "select 1")


def test_removing_leaves_nothing(tmp_path: Path) -> None:
    server = EmbeddedPostgres(NEWEST, tmp_path / "data")
    server.start()
    place = server.data.resolve()

    server.remove()

    assert [] == list(tmp_path.iterdir())
    assert not place.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only a root has to become somebody else")
def test_a_root_runs_binaries_from_a_folder_that_others_cannot_enter(tmp_path: Path) -> None:
    """A checkout under /root: the server's user may enter neither the data directory nor the binaries."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(NEWEST, closed / "home", symlinks=True)

    server = EmbeddedPostgres(closed / "home", closed / "data")
    with server:
        assert 1 == ask(server.superuser_url, "select 1")
    server.remove()
