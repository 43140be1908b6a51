"""The slot's health, as the capture role sees it."""

import psycopg

from tests.variants import any_of
from tidemark_source.slots import slot_health

EVERY_VERSION = any_of("major", (15, 17, 18))


@EVERY_VERSION
def test_a_slot_tells_how_far_behind_it_is(orders):
    before = slot_health(orders.url, orders.source)
    orders.execute("INSERT INTO shop.orders SELECT g, 'more' FROM generate_series(10, 1000) g")
    after = slot_health(orders.url, orders.source)

    assert (False, None, "reserved", None, False) == (
        after.active,
        after.active_pid,
        after.wal_status,
        after.invalidation,
        after.lost,
    )
    assert after.lag_bytes >= before.lag_bytes + 50_000
    assert after.retained_bytes >= after.lag_bytes
    assert 0 < after.restart_lsn <= after.confirmed_flush_lsn


def test_a_source_without_a_slot_has_no_health(database):
    assert slot_health(database.url, database.source) is None


@EVERY_VERSION
def test_a_slot_that_lost_its_wal_says_so(orders, until):
    with psycopg.connect(orders.url_super, autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        admin.execute("SELECT pg_reload_conf()")
        try:
            until(lambda: slot_health(orders.url, orders.source).safe_wal_size is not None)
            for _ in range(4):
                orders.execute("INSERT INTO shop.orders SELECT -g, 'x' FROM generate_series(1, 10) g")
                orders.execute("DELETE FROM shop.orders WHERE id < 0")
                admin.execute("SELECT pg_switch_wal()")
            admin.execute("CHECKPOINT")
            health = until(lambda: (found := slot_health(orders.url, orders.source)).lost and found)
        finally:
            admin.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
            admin.execute("SELECT pg_reload_conf()")

    assert ("lost", "wal_removed") == (health.wal_status, health.invalidation)
