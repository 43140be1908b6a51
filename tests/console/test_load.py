"""The demo's load: busy, hard to mirror, and no money is ever lost."""

import random
import time
from collections.abc import Callable, Iterator
from decimal import Decimal

import psycopg
import pytest

from tests.console.place import execute, fetch
from tidemark.demo.load import GID_PREFIX, Load, Pace, roll_back_prepared
from tidemark.demo.schema import ACCOUNTS, OPENING_BALANCE
from tidemark.demo.shop import Shop, make_shop
from tidemark.demo.transactions import choose
from tidemark.local.postgres import EmbeddedPostgres

KINDS = {"new_order", "change_order", "change_stock", "delete_old", "transfer", "savepoint", "rolled_back", "two_phase"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    from tests.console.place import LOCAL

    folder = tmp_path_factory.mktemp("shop")
    server = EmbeddedPostgres(LOCAL / "postgres" / "17", folder / "data")
    with server:
        yield make_shop(server, 0.001, folder / "tpch")
    server.remove()


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def total(url: str) -> object:
    return fetch(url, "SELECT sum(balance) FROM account")


def test_the_shop_has_every_table_with_a_key_and_rows(shop: Shop) -> None:
    empty = (
        "SELECT string_agg(relname, ',') FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND (reltuples < 1 OR NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary))"
    )

    assert None is fetch(shop.owner_url, empty)
    assert 9 == fetch(shop.owner_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")


def test_the_capture_role_may_replicate_and_reads_no_table_before_init(shop: Shop) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fetch(shop.capture_url, "SELECT count(*) FROM account")
    assert fetch(shop.capture_url, "SELECT rolreplication AND NOT rolsuper FROM pg_roles WHERE rolname = current_user")


def test_money_only_moves_whatever_else_happens(shop: Shop) -> None:
    with Load(shop.owner_url, seed=11, pace=Pace(per_second=200, long_s=0.5, long_every_s=1.0)) as load:
        sums = set()

        def all_kinds_done() -> bool:
            sums.add(total(shop.owner_url))
            return KINDS | {"long"} <= load.done.keys()

        wait_until(all_kinds_done)

    assert {Decimal(ACCOUNTS * OPENING_BALANCE)} == sums
    assert fetch(shop.owner_url, "SELECT count(DISTINCT balance) FROM account") > 10
    assert 0 == fetch(shop.owner_url, "SELECT count(*) FROM pg_prepared_xacts")


def test_orders_and_lines_come_and_go_together(shop: Shop) -> None:
    orphans = "SELECT count(*) FROM lineitem WHERE NOT EXISTS (SELECT FROM orders WHERE o_orderkey = l_orderkey)"

    with Load(shop.owner_url, seed=12, pace=Pace(per_second=200)) as load:
        wait_until(lambda: min(load.done["new_order"], load.done["delete_old"]) > 5)

    assert 0 == fetch(shop.owner_url, orphans)


def test_what_a_killed_load_has_prepared_is_rolled_back_by_the_next_one(shop: Shop) -> None:
    execute(
        shop.owner_url,
        "BEGIN",
        "UPDATE account SET balance = balance + 1 WHERE id = 1",
        f"PREPARE TRANSACTION '{GID_PREFIX}left_behind'",
    )

    roll_back_prepared(shop.owner_url)

    assert 0 == fetch(shop.owner_url, "SELECT count(*) FROM pg_prepared_xacts")
    assert Decimal(ACCOUNTS * OPENING_BALANCE) == total(shop.owner_url)


def test_the_load_goes_on_after_its_connections_were_cut(shop: Shop) -> None:
    with Load(shop.owner_url, seed=13, pace=Pace(per_second=100)) as load:
        wait_until(lambda: load.done.total() > 20)
        execute(
            shop.owner_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND pid <> pg_backend_pid()",
        )
        before = load.done.total()
        wait_until(lambda: load.done.total() > before + 20)

    assert load.failure is None


def test_the_same_seed_chooses_the_same_transactions() -> None:
    assert [choose(random.Random("3/1")) for _ in range(5)] == [choose(random.Random("3/1")) for _ in range(5)]
    chance, other = random.Random("3/1"), random.Random("3/2")
    assert [choose(chance) for _ in range(50)] != [choose(other) for _ in range(50)]
