"""The source behind a bad network: nothing waits for ever, and nothing that was cut is taken for whole."""

import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import psycopg
import pytest

from tests.network import RST, Network, network_to
from tests.present import present
from tests.source.conftest import Aside, Database, Until
from tests.variants import any_of
from tidemark_contract.errors import SourceUnavailable
from tidemark_contract.marks import MarkKind
from tidemark_contract.names import TableName
from tidemark_source import connection, patience
from tidemark_source.connection import address, connect, speaking_to
from tidemark_source.copyout import copy_text
from tidemark_source.hashes import bucket_hashes
from tidemark_source.marks import write_mark
from tidemark_source.pace import Pace
from tidemark_source.slots import slot_health
from tidemark_source.snapshots import hold, join

ORDERS = TableName("shop", "orders")
SILENCE_S, PATIENCE = 0.5, "?connect_timeout=2"
BOUND_S = 50.0  # TCP itself gives up after a minute
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a socket of ours drop packets")
CUTS = ["reset", "swallow", pytest.param("vanish", marks=on_linux)]


@pytest.fixture
def net(orders: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The way that every session of ours takes; a server that says nothing is asked after half a second."""
    monkeypatch.setattr(patience, "SILENCE_S", SILENCE_S)
    port = orders.server.port
    with network_to(port) as network:
        monkeypatch.setattr(orders, "url", orders.url.replace(f":{port}/", f":{network.port}/") + PATIENCE)
        yield network


def fails(call: Callable[[], object], url: str) -> None:
    """It ends soon, and says which source it is that does not answer."""
    started = time.monotonic()
    with pytest.raises(SourceUnavailable, match=address(url)):
        call()
    assert time.monotonic() - started < BOUND_S


def query(open_: psycopg.Connection, url: str, work: str = "pg_sleep(1)") -> list[tuple[object, ...]]:
    with speaking_to(address(url)):
        return open_.execute(f"SELECT {work}, 'done'").fetchall()


@any_of("cut", CUTS)
def test_a_session_that_is_cut_while_it_waits_is_given_up(
    orders: Database, net: Network, aside: Aside, until: Until, cut: str
) -> None:
    """The server has its answer a moment later."""
    waits = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"

    def cut_and_let_go() -> None:
        until(lambda: orders.execute(waits))
        getattr(net, cut)()
        orders.execute("SELECT pg_advisory_unlock(7)")

    orders.execute("SELECT pg_advisory_lock(7)")
    with connect(orders.url, purpose="test") as session, aside(cut_and_let_go):
        fails(lambda: query(session, orders.url, "pg_advisory_lock(7)"), orders.url)

    net.heal()
    with connect(orders.url, purpose="test") as session:
        assert "done" == query(session, orders.url)[0][1]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a socket of ours go without a word")
def test_a_server_that_was_started_again_without_a_word_is_noticed(orders: Database, net: Network) -> None:
    with connect(orders.url, purpose="test") as session:
        try:
            net.forget()
        except PermissionError:
            pytest.skip("only root may let a connection go without a word")
        fails(lambda: query(session, orders.url), orders.url)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a socket of ours drop packets")
@any_of("way", ["vanish", "forget"])
def test_connections_that_ended_do_not_shield_those_of_now(
    orders: Database, net: Network, until: Until, way: str
) -> None:
    """Of one that its client has reset an end is closed already."""
    with connect(orders.url, purpose="test") as ended, connect(orders.url, purpose="test") as session:
        with socket.socket(fileno=os.dup(ended.fileno())) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        ended.close()
        until(lambda: any(end.fileno() < 0 for each in net._connections for end in each.ends))
        try:
            getattr(net, way)()
        except PermissionError:
            pytest.skip("only root may let a connection go without a word")
        fails(lambda: query(session, orders.url), orders.url)


def test_a_network_that_is_reset_while_connections_are_made_takes_others() -> None:
    """One that is not joined yet may be reset already."""
    turns = sys.getswitchinterval()
    over = threading.Event()
    with socketserver.TCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with network_to(int(server.server_address[1])) as network:

            def dial() -> None:
                while not over.is_set():
                    with suppress(ConnectionError):  # it may be reset before it is known to be there
                        socket.create_connection(("127.0.0.1", network.port), 120).close()

            dialing = threading.Thread(target=dial)
            dialing.start()
            try:
                sys.setswitchinterval(1e-6)
                for _ in range(20_000):
                    network.reset()
            finally:
                sys.setswitchinterval(turns)
                over.set()
                dialing.join()
            with socket.create_connection(("127.0.0.1", network.port), 120) as client:
                assert b"" == client.recv(1), "the server ends it"
        server.shutdown()


def test_a_server_that_works_for_long_is_waited_for(orders: Database, net: Network) -> None:
    """It says nothing for ten times as long as is asked after, but that it works."""
    with connect(orders.url, purpose="test") as session:
        session.execute("SELECT pg_sleep(%s)", (10 * SILENCE_S,))


def test_a_network_that_accepts_and_never_answers_is_not_waited_for(orders: Database, net: Network) -> None:
    net.swallow()
    fails(lambda: slot_health(orders.url, orders.source), orders.url)


def test_a_slow_network_is_no_lost_one(orders: Database, net: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    net.latency_s, net.bytes_per_s = 0.2, 1000
    monkeypatch.setattr(patience, "SILENCE_S", 3.0)
    with connect(orders.url.replace(PATIENCE, "?connect_timeout=60"), purpose="test") as session:
        assert "x" * 5000 == session.execute("SELECT repeat('x', 5000)").fetchall()[0][0]


@any_of("cut", CUTS)
def test_a_held_snapshot_and_its_readers_notice_that_they_were_cut(orders: Database, net: Network, cut: str) -> None:
    def hold_and_read() -> None:
        with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held:
            with join(orders.url, held.id, "reader") as reader:
                getattr(net, cut)()
                b"".join(copy_text(reader, orders.table("shop.orders")))
            held.check()

    fails(hold_and_read, orders.url)
    net.heal()
    with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held:
        with join(orders.url, held.id, "reader") as reader:
            assert 3 == len(list(copy_text(reader, orders.table("shop.orders"))))
        held.check()


@any_of("bytes_", [0, 20_000, 100_000, 300_000])
def test_a_copy_text_that_is_cut_is_no_short_one(orders: Database, net: Network, bytes_: int) -> None:
    orders.execute("INSERT INTO shop.orders SELECT g, repeat('x', 100) FROM generate_series(10, 5000) g")
    with connect(orders.url, purpose="test") as session:
        spec = orders.table("shop.orders")

        net.left = bytes_  # of half a million
        fails(lambda: list(copy_text(session, spec)), orders.url)


def test_a_mark_whose_commit_was_not_answered_is_a_mark_all_the_same(orders: Database, net: Network) -> None:
    """The next one follows on it: the chain has no gap."""
    before = write_mark(orders.url, orders.source)
    written = []
    for bytes_ in range(0, 12_000, 400):
        net.left = bytes_
        try:
            written.append(write_mark(orders.url, orders.source))
            break
        except SourceUnavailable:
            net.heal()
    net.heal()
    after = write_mark(orders.url, orders.source)
    chain = dict(orders.as_superuser("SELECT nonce::text, previous::text FROM tidemark.mark"))
    found = [after.nonce]
    while found[-1] != before.nonce:
        found.append(chain[found[-1]])
    assert set(found) >= {mark.nonce for mark in written}


def test_a_server_that_has_lost_us_lets_go_of_our_locks(
    orders: Database, net: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a TRUNCATE would wait for a reader who is no more."""
    monkeypatch.setattr(connection, "_PINS", connection._PINS.replace("'5min'", "'5s'"))
    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SourceUnavailable),
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY),
    ):
        time.sleep(6)  # for longer than the server would wait: a holder that is well is not idle
        net.swallow()
    with orders.session() as application:
        application.execute("SET statement_timeout = '60s'")
        application.execute("TRUNCATE shop.orders")


def test_the_server_looks_after_a_client_that_has_vanished(orders: Database) -> None:
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    with connect(orders.url, purpose="test") as session:
        assert ["30", "10", "3", "60000"] == [present(session.execute(f"SHOW {name}").fetchone())[0] for name in names]


def test_a_reader_that_rests_is_not_ended(orders: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a low pace it rests for longer than the server lets a session be idle in its transaction."""
    monkeypatch.setattr(connection, "_PINS", connection._PINS.replace("'5min'", "'4s'"))
    with (
        hold(orders.url, orders.source, [ORDERS], MarkKind.VERIFY) as held,
        join(orders.url, held.id, "reader") as reader,
    ):
        spec, pace = orders.table("shop.orders"), Pace(share=0.5, burst_s=-3)
        assert bucket_hashes(reader, spec, 1, pace) == bucket_hashes(reader, spec, 1)
