"""The slot's health, as the capture role sees it."""

import psycopg

from tests.present import present
from tests.source.conftest import EVERY_VERSION, Database, Until
from tidemark_source.slots import slot_health


@EVERY_VERSION
def test_a_slot_tells_how_far_behind_it_is(orders: Database) -> None:
    before = orders.slot()
    orders.execute("INSERT INTO shop.orders SELECT g, 'more' FROM generate_series(10, 1000) g")
    after = orders.slot()

    assert (False, None, "reserved", None, False) == (
        after.active,
        after.active_pid,
        after.wal_status,
        after.invalidation,
        after.lost,
    )
    assert present(after.lag_bytes) >= present(before.lag_bytes) + 50_000
    assert present(after.retained_bytes) >= present(after.lag_bytes)
    assert 0 < present(after.restart_lsn) <= present(after.confirmed_flush_lsn)


def test_a_source_without_a_slot_has_no_health(database: Database) -> None:
    assert slot_health(database.url, database.source) is None


@EVERY_VERSION
def test_a_slot_that_lost_its_wal_says_so(orders: Database, until: Until) -> None:
    with psycopg.connect(orders.url_super, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        admin.execute("SELECT pg_reload_conf()")
        try:
            until(lambda: orders.slot().safe_wal_size is not None)
            for _ in range(4):
                orders.execute("INSERT INTO shop.orders SELECT -g, 'x' FROM generate_series(1, 10) g")
                orders.execute("DELETE FROM shop.orders WHERE id < 0")
                admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
            health = until(lambda: found if (found := orders.slot()).lost else None)
        finally:
            admin.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            admin.execute("SELECT pg_reload_conf()")

    assert ("lost", "wal_removed") == (health.wal_status, health.invalidation)
