"""Init while others use the tables: it waits for whom it must, names them, and keeps nobody from writing."""

import pytest

from tests.source.conftest import EVERY_VERSION, Aside, Database, Until
from tests.source.published import changes, published
from tidemark_contract.errors import SourceUnavailable
from tidemark_source import init
from tidemark_source.slots import slot_health


@EVERY_VERSION
def test_a_table_is_added_only_when_no_writer_has_it_open(plain: Database, aside: Aside, until: Until) -> None:
    """What such a writer wrote before would be in neither the stream nor a copy."""
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    writer = plain.session()
    writer.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
    planned = plain.plan()
    with pytest.raises(SourceUnavailable, match=rf"shop\.later is in use by pid {writer.info.backend_pid}\b"):
        init.apply(planned, patience_s=0)
    assert not published(plain, "later")

    with aside(lambda: init.apply(planned)):
        until(lambda: plain.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.later'::regclass"))
        writer.execute("COMMIT")
    writer.close()
    plain.execute("INSERT INTO shop.later VALUES (2)")
    assert published(plain, "later")
    assert [("I", "shop.later")] == changes(plain)


def test_a_prepared_transaction_that_has_the_table_open_is_named(plain: Database) -> None:
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    plain.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
    plain.execute("PREPARE TRANSACTION 'left behind'")
    try:
        with pytest.raises(SourceUnavailable, match="prepared transaction 'left behind'"):
            init.apply(plain.plan(), patience_s=0)
    finally:
        plain.execute("ROLLBACK PREPARED 'left behind'")


def test_a_grant_that_meets_a_truncate_is_tried_again(plain: Database, aside: Aside, until: Until) -> None:
    """It locks no table, and would end with "tuple concurrently updated"."""
    with plain.session() as writer:
        writer.execute("BEGIN; TRUNCATE shop.orders")
        with aside(plain.init):
            waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'GRANT%%' AND wait_event_type = 'Lock'"
            until(lambda: plain.execute(waits))
            writer.execute("COMMIT")
    assert published(plain, "orders")


def test_application_writes_go_on_between_the_tries_to_add_a_table(plain: Database, aside: Aside) -> None:
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    with plain.session() as holder, plain.session() as writer:
        holder.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
        with (  # noqa: PT012 (it is raised at the block's end)
            pytest.raises(SourceUnavailable),
            aside(lambda: init.apply(plain.plan(), patience_s=3)),
        ):
            writer.execute("SET lock_timeout = '60s'")
            for number in range(100, 110):
                writer.execute("INSERT INTO shop.later VALUES (%s)", (number,))
        holder.execute("ROLLBACK")


@EVERY_VERSION
@pytest.mark.parametrize("prepared", [False, True])
def test_a_transaction_that_the_slot_waits_for_is_named(plain: Database, prepared: bool) -> None:
    with plain.session() as application:
        application.execute("BEGIN; INSERT INTO shop.orders VALUES (1)")
        if prepared:
            application.execute("PREPARE TRANSACTION 'half done'")
        expected = "prepared transaction 'half done'" if prepared else rf"pid {application.info.backend_pid}\b"
        with pytest.raises(SourceUnavailable, match=expected):
            init.apply(plain.plan(), slot_patience_s=0.5)
        application.execute("COMMIT PREPARED 'half done'" if prepared else "COMMIT")
    assert slot_health(plain.url, plain.source) is None, "a slot that was given up is not left behind"
    init.apply(plain.plan())
    plain.execute("INSERT INTO shop.orders VALUES (2)")
    assert [("I", "shop.orders")] == changes(plain)
