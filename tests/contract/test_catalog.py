"""What the stream explains of a catalog change, and what it does not."""

from dataclasses import replace

import pytest

from tidemark_contract.catalog import Catalog, Column, Relation, unexplained
from tidemark_contract.names import TableName

ID = Column(1, "id", 23, -1, "", None)
ORDERS = Relation(16384, 16384, TableName("public", "orders"), 16384, 700, "d", (1,), (ID,))


def test_no_change_needs_no_explanation() -> None:
    assert None is unexplained((ORDERS,), (replace(ORDERS, changed_by=701),), {})


def test_a_truncate_that_the_stream_brought_explains_a_new_file() -> None:
    truncated = replace(ORDERS, filenode=16999, changed_by=710)

    assert None is unexplained((ORDERS,), (truncated,), {16384: 710})
    assert "rewritten" in (unexplained((ORDERS,), (truncated,), {16384: 709}) or "")
    assert "rewritten" in (unexplained((ORDERS,), (truncated,), {}) or "")


@pytest.mark.parametrize(
    "after",
    [
        (),
        (replace(ORDERS, oid=9, root=9),),
        (ORDERS, replace(ORDERS, oid=9)),
        (replace(ORDERS, columns=(replace(ID, missing="{7}"),)),),
        (replace(ORDERS, columns=(replace(ID, number=2),)),),
        (replace(ORDERS, identity="f"),),
        (replace(ORDERS, key=()),),
    ],
)
def test_what_the_stream_cannot_tell_is_unexplained(after: tuple[Relation, ...]) -> None:
    assert unexplained((ORDERS,), after, {16384: 700})


def test_partitions_are_found_by_their_root() -> None:
    root = replace(ORDERS, oid=1, root=1)
    leaves = tuple(replace(ORDERS, oid=n, root=1, name=TableName("public", f"orders_{n}")) for n in (2, 3))
    catalog = Catalog((leaves[1], root, leaves[0], replace(ORDERS, oid=9, root=9, name=TableName("public", "x"))))

    assert (root, *leaves) == catalog.table(ORDERS.name)
    assert () == catalog.table(TableName("public", "orders_2")) == catalog.table(TableName("public", "gone"))
