"""Drop: what init made is gone, unless somebody reads it."""

import psycopg
import pytest

from tests.source.conftest import EVERY_VERSION, Database, Until
from tidemark_contract.errors import SourceRefused
from tidemark_source import init
from tidemark_source.slots import slot_health


@EVERY_VERSION
def test_drop_leaves_nothing_and_a_second_one_has_nothing_to_do(orders: Database) -> None:
    init.drop(orders.url_super, orders.source)
    init.drop(orders.url_super, orders.source)

    assert slot_health(orders.url, orders.source) is None
    assert [] == orders.execute("SELECT 1 FROM pg_publication")
    assert [] == orders.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'tidemark'")
    orders.init()


def test_drop_refuses_while_the_slot_is_read(orders: Database, until: Until) -> None:
    """Whoever reads it is told to stop first, and is not disconnected."""
    name = f"tidemark_{orders.source}"
    with psycopg.connect(orders.url + "?replication=database", autocommit=True) as stream:
        options = f"(proto_version '1', publication_names '{name}')"
        stream.pgconn.send_query(f"START_REPLICATION SLOT {name} LOGICAL 0/0 {options}".encode())
        until(lambda: orders.slot().active)
        with pytest.raises(SourceRefused, match=rf"{name} is read by pid {stream.info.backend_pid}: stop its pipeline"):
            init.drop(orders.url_super, orders.source)
        assert orders.slot().active
        stream.pgconn.finish()
    until(lambda: not orders.slot().active)
