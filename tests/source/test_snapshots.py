"""Held snapshots: what their readers see, and that they never freeze the application."""

import threading
import time
from typing import Any

import psycopg
import pytest

from tests.present import present
from tests.source.conftest import EVERY_VERSION, Aside, Database, Until
from tidemark_contract.errors import SnapshotGivenUp, SourceRefused, SourceUnavailable
from tidemark_contract.marks import MarkKind
from tidemark_contract.names import TableName
from tidemark_source import snapshots
from tidemark_source.copyout import copy_text
from tidemark_source.locks import disconnect_readers
from tidemark_source.marks import changed_since, write_mark
from tidemark_source.pace import FULL, Pace
from tidemark_source.proofs import ProofReader
from tidemark_source.snapshots import HeldSnapshot, hold, join

ORDERS = TableName("shop", "orders")


@pytest.fixture
def partitioned(database: Database) -> Database:
    database.execute("CREATE TABLE shop.sales (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE shop.sales_1 PARTITION OF shop.sales FOR VALUES FROM (0) TO (10)")
    database.execute("CREATE TABLE shop.sales_2 PARTITION OF shop.sales FOR VALUES FROM (10) TO (20)")
    database.execute("INSERT INTO shop.sales VALUES (1), (11)")
    database.init()
    return database


@EVERY_VERSION
def test_all_readers_see_the_rows_of_the_mark_whatever_is_written_meanwhile(orders: Database) -> None:
    with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held:
        orders.execute("UPDATE shop.orders SET state = 'late'")
        orders.execute("DELETE FROM shop.orders WHERE id = 1")
        orders.execute("INSERT INTO shop.orders VALUES (9, 'late')")
        readers = [join(orders.url, held.id, f"reader {number}") for number in range(3)]
        read = [b"".join(copy_text(reader, orders.table("shop.orders"))) for reader in readers]
        seen = {present(reader.execute("SELECT pg_current_snapshot()::text").fetchone())[0] for reader in readers}
        for reader in readers:
            reader.close()
        held.check()

    assert [b"1\tnew\n2\tpaid\n3\t\\N\n"] * 3 == read
    assert {str(held.mark.snapshot)} == {text.rstrip() for text in seen}


@EVERY_VERSION
def test_the_mark_is_in_the_chain_and_durable_before_the_block_begins(orders: Database) -> None:
    before = write_mark(orders.url, orders.source)
    with hold(orders.url, orders.source, [ORDERS], MarkKind.VERIFY) as held:
        assert changed_since(orders.url, [held.mark]) is None
        assert (before.nonce, MarkKind.VERIFY) == (held.mark.previous, held.mark.kind)
        inside = write_mark(orders.url, orders.source)

    assert [(["shop.orders"],)] == orders.execute("SELECT tables FROM tidemark.mark WHERE nonce = %s", held.mark.nonce)
    assert held.mark.nonce == inside.previous
    assert inside.follows(held.mark)
    assert held.mark.follows(before)


@EVERY_VERSION
def test_a_truncate_gets_its_way_quickly_and_the_snapshot_is_given_up(
    orders: Database, aside: Aside, until: Until
) -> None:
    """Behind a queued TRUNCATE every reader and writer of the table waits."""

    def truncate() -> tuple[int, float]:
        with orders.session() as application:
            started = time.monotonic()
            application.execute("TRUNCATE shop.orders")
            return application.info.backend_pid, time.monotonic() - started

    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SnapshotGivenUp) as caught,
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=0.3) as held,
    ):
        reader = join(orders.url, held.id, "reader")
        reader.execute("SELECT count(*) FROM shop.orders")
        with aside(truncate) as done:
            pass
        [(pid, seconds)] = done
        with pytest.raises(SnapshotGivenUp):
            held.check()
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")
        reader.close()

    assert f"pid {pid} " in str(caught.value)
    assert "shop.orders" in str(caught.value)
    assert seconds < 60


def test_whoever_asks_after_a_truncate_was_let_through_is_told(
    orders: Database, aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the watch takes: what is read from then on may be the empty table."""

    def and_be_slow(*facts: Any) -> None:
        disconnect_readers(*facts)
        time.sleep(1)

    monkeypatch.setattr(snapshots, "disconnect_readers", and_be_slow)
    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SnapshotGivenUp),
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=0.1) as held,
    ):
        with aside(lambda: truncated_by_another(orders, "shop.orders")):
            pass
        with pytest.raises(SnapshotGivenUp):
            held.check()


def test_a_truncate_of_a_partition_counts_as_one_of_its_table(partitioned: Database, aside: Aside) -> None:
    with (
        pytest.raises(SnapshotGivenUp, match=r"shop\.sales_2"),
        hold(partitioned.url, partitioned.source, [TableName("shop", "sales")], MarkKind.COPY, patience_s=0.1),
        aside(lambda: truncated_by_another(partitioned, "shop.sales_2")),
    ):
        pass
    assert [(1,)] == partitioned.execute("SELECT id FROM shop.sales")


def truncated_by_another(database: Database, table: str) -> None:
    with database.session() as application:
        application.execute(f"TRUNCATE {table}")


def test_what_a_reader_says_when_it_is_disconnected_is_not_what_the_caller_gets(orders: Database, aside: Aside) -> None:
    with (
        pytest.raises(SnapshotGivenUp),
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=0.1) as held,
        join(orders.url, held.id, "reader") as reader,
        aside(lambda: truncated_by_another(orders, "shop.orders")),
    ):
        reader.execute("SELECT pg_sleep(60), count(*) FROM shop.orders")


def test_a_snapshot_is_given_up_when_it_was_held_too_long(orders: Database, until: Until) -> None:
    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SnapshotGivenUp, match=r"was held for 1 s.*--pace"),
        hold(orders.url, orders.source, [ORDERS], MarkKind.VERIFY, limit_s=1) as held,
    ):
        ProofReader.of(orders.url, held, FULL).buckets(orders.table("shop.orders"), 1)
        resting = Pace(0.001, held.check, burst_s=0)
        with resting.work():
            time.sleep(0.1)

    held_by = "SELECT pid FROM pg_stat_activity WHERE application_name = 'tidemark hold'"
    until(lambda: not orders.execute(held_by))  # the server takes its time to end a session


def test_reindex_waits_for_readers_and_is_let_through_too(orders: Database, aside: Aside) -> None:
    """It keeps writers out while it waits for those who have read the table."""

    def reindex() -> None:
        with orders.session() as application:
            application.execute("REINDEX INDEX shop.orders_pkey")

    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SnapshotGivenUp, match=r"shop\.orders"),
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=0.1) as held,
    ):
        reader = join(orders.url, held.id, "reader")
        reader.execute("SELECT * FROM shop.orders WHERE id = 1")
        with aside(reindex):
            pass
        reader.close()


def test_a_truncate_that_gives_up_in_time_leaves_the_snapshot_alone(orders: Database) -> None:
    with (
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=60) as held,
        orders.session() as application,
    ):
        application.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            application.execute("TRUNCATE shop.orders")
        held.check()


def test_those_who_wait_for_somebody_else_are_no_reason_to_give_up(
    orders: Database, aside: Aside, until: Until
) -> None:
    """CREATE INDEX waits for a writer; the snapshot is in nobody's way."""

    def create_index() -> None:
        with orders.session() as other:
            other.execute("CREATE INDEX ON shop.orders (state)")

    with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=0.01) as held:
        writer = orders.session()
        writer.execute("BEGIN; UPDATE shop.orders SET state = 'x'")
        with aside(create_index):
            until(
                lambda: orders.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.orders'::regclass"
                )
            )
            watch = next(thread for thread in threading.enumerate() if thread.name == "tidemark watch")
            assert watch.is_alive()
            writer.execute("COMMIT")
        writer.close()
        held.check()


@pytest.mark.parametrize("lost", ["tidemark hold", "tidemark watch"])
def test_a_lost_connection_is_told(orders: Database, until: Until, lost: str) -> None:
    with (  # noqa: PT012 (it is raised at the block's end)
        pytest.raises(SourceUnavailable),
        hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held,
    ):
        orders.as_superuser(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '{lost}' "
            f"AND datname = '{orders.name}'"
        )
        until(lambda: failed(held))


def test_a_connection_lost_at_the_last_moment_is_told_too(orders: Database) -> None:
    with pytest.raises(SourceUnavailable), hold(orders.url, orders.source, [ORDERS], MarkKind.COPY):
        orders.as_superuser(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'tidemark hold' "
            f"AND datname = '{orders.name}'"
        )


def failed(held: HeldSnapshot) -> bool:
    try:
        held.check()
    except (SnapshotGivenUp, SourceUnavailable):
        return True
    return False


def test_the_callers_own_error_passes_and_the_locks_are_let_go(orders: Database) -> None:
    with pytest.raises(ZeroDivisionError), hold(orders.url, orders.source, [ORDERS], MarkKind.COPY):
        raise ZeroDivisionError
    orders.execute("SET lock_timeout = '5s'")
    orders.execute("TRUNCATE shop.orders")


def test_a_snapshot_whose_holder_is_gone_cannot_be_joined(orders: Database) -> None:
    with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held:
        pass
    for name in (held.id, "no such name"):
        with pytest.raises(SnapshotGivenUp, match="is gone"):
            join(orders.url, name, "reader")


def test_a_reader_does_not_queue_behind_a_truncate(orders: Database, aside: Aside, until: Until) -> None:
    """It would hold up everybody behind it."""
    with hold(orders.url, orders.source, [ORDERS], MarkKind.COPY, patience_s=60) as held:
        application = orders.session()
        with (
            aside(lambda: swallow(application)),
            join(orders.url, held.id, "reader", lock_timeout_s=0.1) as reader,
        ):
            until(
                lambda: orders.execute(
                    "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.orders'::regclass"
                )
            )
            with pytest.raises(SourceUnavailable, match="lock timeout"):
                list(copy_text(reader, orders.table("shop.orders")))
            application.cancel()
        application.close()


def swallow(application: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        application.execute("TRUNCATE shop.orders")


def test_a_table_that_is_being_truncated_is_not_waited_for_long(
    orders: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "LOCK_TIMEOUT_S", 1)
    with orders.session() as application:
        application.execute("BEGIN; TRUNCATE shop.orders")
        with (
            pytest.raises(SourceUnavailable, match=r"shop\.orders could not be locked"),
            hold(orders.url, orders.source, [ORDERS], MarkKind.COPY),
        ):
            raise AssertionError


def test_a_truncate_that_came_before_the_lock_is_seen(
    orders: Database, aside: Aside, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock comes before the snapshot: else the readers would find an empty table under an older one."""
    monkeypatch.setattr(snapshots, "LOCK_TIMEOUT_S", 60)
    application = orders.session()
    application.execute("BEGIN; TRUNCATE shop.orders; INSERT INTO shop.orders VALUES (7, 'after')")

    def read() -> bytes:
        with (
            hold(orders.url, orders.source, [ORDERS], MarkKind.COPY) as held,
            join(orders.url, held.id, "reader") as reader,
        ):
            return b"".join(copy_text(reader, orders.table("shop.orders")))

    with aside(read) as done:
        until(lambda: orders.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.orders'::regclass"))
        application.execute("COMMIT")
    application.close()
    assert [b"7\tafter\n"] == done


def test_a_table_outside_of_the_publication_cannot_be_held(orders: Database) -> None:
    orders.execute("CREATE TABLE shop.more (id int PRIMARY KEY)")
    orders.execute(f"GRANT SELECT ON shop.more TO {orders.capture}")
    with (
        pytest.raises(SourceRefused, match="run `tidemark init`"),
        hold(orders.url, orders.source, [TableName("shop", "more")], MarkKind.COPY),
    ):
        raise AssertionError
