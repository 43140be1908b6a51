"""What a mark's catalog facts are read as."""

import json
from dataclasses import asdict, replace

from tidemark_contract.catalog import Catalog, Column, Relation, holders
from tidemark_contract.names import TableName

ID = Column(1, "id", 23, "integer")
ORDERS = Relation(16384, 16384, TableName("public", "orders"), 16384, 1, "d", (1,), ((1,),), (ID,))


def test_what_a_mark_carries_is_read_back() -> None:
    facts = asdict(ORDERS) | {"schema": "public", "table": "orders"}
    facts["columns"] = [{"number": 1, "name": "id", "type": 23, "declared": "integer"}]  # no fact that is not there
    del facts["name"]

    assert (ORDERS,) == Catalog.parse(json.dumps([facts])).relations


def test_partitions_are_found_by_their_root() -> None:
    root = replace(ORDERS, oid=1, root=1)
    leaves = tuple(replace(ORDERS, oid=n, root=1, name=TableName("public", f"orders_{n}")) for n in (2, 3))
    catalog = Catalog((leaves[1], root, leaves[0], replace(ORDERS, oid=9, root=9, name=TableName("public", "x"))))

    assert (root, *leaves) == catalog.table(ORDERS.name)
    assert () == catalog.table(TableName("public", "orders_2")) == catalog.table(TableName("public", "gone"))
    assert (leaves, (ORDERS,)) == (holders(catalog.table(ORDERS.name)), holders((ORDERS,)))
