"""Which changes of a schema are followed, and which are not: every one that could mean another thing."""

from dataclasses import replace

import pytest

from tidemark_contract.catalog import Column, Relation
from tidemark_contract.evolution import Evolution, NotFollowed, SentSchema, follow, spec_at, unlike
from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec, OnSchemaChange, TableSpec

NAME = TableName("public", "orders")
SPEC = TableSpec(NAME, (ColumnSpec("id", "integer", False), ColumnSpec("state", "text")), key=("id",))
FROZEN = replace(SPEC, on_schema_change=OnSchemaChange.FREEZE)
ID, STATE = Column(1, "id", 23, "integer", written_by=5), Column(2, "state", 25, "text", written_by=5)
ORDERS = Relation(9, 9, NAME, 9, 2, "d", (1,), ((1,),), (ID, STATE))
PRICE = Column(3, "price", 1700, "numeric(12,2)", written_by=8)


def table(*columns: Column, attributes: int = 2, **facts: object) -> tuple[Relation, ...]:
    return (replace(ORDERS, columns=columns, attributes=attributes, **facts),)  # type: ignore[arg-type]


TYPES = {"id": 23, "price": 1700, "sum": 23}


def followed(after: tuple[Relation, ...], *sent: str, spec: TableSpec = SPEC) -> Evolution:
    """With the schemas that the stream sent, each a list of columns: `id state:23`; text where no type is named."""
    schemas = [[(n, int(t or TYPES.get(n, 25))) for n, _, t in (c.partition(":") for c in s.split())] for s in sent]
    return follow(spec, (ORDERS,), after, lambda _: schemas)


def nothing_sent(_: int) -> list[SentSchema]:
    return []


def never_asked(_: int) -> list[SentSchema]:
    raise AssertionError("bronze would be read for nothing")


def test_nothing_has_happened() -> None:
    assert not follow(SPEC, (ORDERS,), (ORDERS,), never_asked)


def test_a_column_that_came_has_what_the_catalog_says_in_older_rows() -> None:
    assert Evolution(added={"price": None}) == followed(
        table(ID, STATE, PRICE, attributes=3), "id state", "id state price"
    )
    constant = replace(PRICE, missing="1.50")
    assert Evolution(added={"price": "1.50"}) == followed(table(ID, STATE, constant, attributes=3))


def test_columns_that_went_or_have_another_name() -> None:
    assert Evolution(dropped=frozenset({"state"})) == followed(table(ID))
    assert Evolution(renamed={"state": "status"}) == followed(
        table(ID, replace(STATE, name="status")), "id state", "id status"
    )
    assert Evolution(renamed={"id": "number"}) == followed(table(replace(ID, name="number"), STATE))


def test_a_type_that_prints_the_same_is_followed() -> None:
    assert Evolution() == followed(table(ID, replace(STATE, type=1043, declared="character varying(9)")))
    wide = replace(ORDERS, columns=(ID, replace(PRICE, number=2, declared="numeric(20,2)")))
    narrow = replace(ORDERS, columns=(ID, replace(PRICE, number=2)))
    assert Evolution() == follow(SPEC, (narrow,), (wide,), nothing_sent)


def test_a_rewrite_that_touched_no_column_changed_no_value() -> None:
    """VACUUM FULL, CLUSTER, another tablespace; and a TRUNCATE, in a savepoint or not, which the stream brings."""
    assert not follow(SPEC, (ORDERS,), (replace(ORDERS, filenode=10),), never_asked)


@pytest.mark.parametrize(
    ("after", "seen", "reason"),
    [
        (table(ID, STATE, oid=10, root=10), (), "dropped, created, attached"),
        ((ORDERS, replace(ORDERS, oid=10)), (), "dropped, created, attached"),
        (table(ID, STATE, published="put back"), (), "put back"),
        (table(ID, STATE, identity="i"), (), "replica identity"),
        (table(ID, STATE, key=(2,), keys=((2,),)), (), "key or replica"),
        (table(ID, STATE, key=(), keys=()), (), "key or replica"),
        (table(ID, replace(STATE, written_by=6), filenode=10), (), "rewritten"),
        (table(ID, STATE, PRICE, attributes=3, filenode=10), (), "rewritten"),
        (table(ID, STATE, replace(PRICE, number=4), attributes=4), (), "came and went"),
        (table(ID, STATE, attributes=3), (), "came and went"),
        (table(ID, replace(STATE, number=3), attributes=3), (), "another column"),
        (table(replace(ID, name="state"), replace(STATE, name="id")), (), "another column"),
        (table(ID, replace(PRICE, name="state"), attributes=3), (), "another column"),
        (table(ID, replace(STATE, type=23, declared="integer")), (), "from text to integer"),
        (table(ID, replace(STATE, written_by=6)), ("id status",), "called status"),
        (table(ID), ("id status",), "called status"),
        # state was called price for a while, then it went, and another price came:
        (table(ID, replace(PRICE, type=25), attributes=3), ("id price:25",), "may have been the name"),
        (table(ID, PRICE, attributes=3), ("id price:25",), "another type"),
        # price came, was called sum, and another price came:
        (
            table(ID, STATE, replace(PRICE, name="sum"), replace(PRICE, number=4), attributes=4),
            ("id state price",),
            "names of others",
        ),
        (
            table(ID, STATE, replace(PRICE, name="sum"), replace(PRICE, number=4), attributes=4),
            ("id state price sum:1700",),
            "names of others",
        ),
    ],
)
def test_what_could_mean_another_thing_is_not_followed(
    after: tuple[Relation, ...], seen: tuple[str, ...], reason: str
) -> None:
    with pytest.raises(NotFollowed, match=reason):
        followed(after, *seen)


def test_a_rewrite_that_touched_only_what_is_not_mirrored_changed_no_value() -> None:
    generated = Column(3, "sum", 23, "integer", generated="s", expression=77, written_by=8)
    assert not followed(table(ID, STATE, generated, attributes=3, filenode=10))
    constant = replace(PRICE, missing="1.50")
    assert Evolution(added={"price": "1.50"}) == followed(table(ID, STATE, constant, attributes=3, filenode=10))


def test_one_went_and_then_one_of_another_type_came() -> None:
    gone = Evolution(added={"price": None}, dropped=frozenset({"state"}))
    assert gone == followed(table(ID, PRICE, attributes=3), "id state", "id", "id price")
    assert gone == followed(table(ID, PRICE, attributes=3), "id state price", "id price")


def test_labels_may_come_but_not_change() -> None:
    old = table(ID, replace(STATE, labels=("new", "paid")))
    assert not follow(SPEC, old, table(ID, replace(STATE, labels=("new", "paid", "sent"))), nothing_sent)
    with pytest.raises(NotFollowed, match="renamed"):
        follow(SPEC, old, table(ID, replace(STATE, labels=("new", "settled"))), nothing_sent)


def test_generated_columns_are_the_specs_affair() -> None:
    generated = Column(3, "sum", 23, "integer", generated="s", expression=77)
    there = table(ID, STATE, generated, attributes=3)
    assert not followed(there)
    assert SPEC == spec_at(SPEC, there)
    with_it = replace(SPEC, columns=(*SPEC.columns, ColumnSpec("sum", "integer")))
    assert with_it == spec_at(with_it, there)
    with pytest.raises(NotFollowed, match="expression"):
        follow(with_it, there, table(ID, STATE, replace(generated, expression=78), attributes=3), nothing_sent)
    with pytest.raises(NotFollowed, match="became a plain one"):
        follow(SPEC, there, table(ID, STATE, replace(generated, generated=""), attributes=3), nothing_sent)


def test_the_columns_of_partitions_have_numbers_of_their_own() -> None:
    root = replace(ORDERS, oid=1, root=1, filenode=0)
    leaf = replace(ORDERS, oid=2, root=1, columns=(replace(STATE, number=1), replace(ID, number=4)), attributes=4)
    grown = replace(root, columns=(ID, STATE, PRICE), attributes=3)
    with_price = replace(leaf, columns=(*leaf.columns, replace(PRICE, number=5, missing="0.00")), attributes=5)

    assert Evolution(added={"price": "0.00"}) == follow(SPEC, (root, leaf), (grown, with_price), nothing_sent)
    other = replace(leaf, oid=3)
    with pytest.raises(NotFollowed, match="partitions"):
        follow(SPEC, (root, leaf, other), (grown, with_price, other), nothing_sent)


def test_the_spec_is_what_the_mark_has() -> None:
    after = table(ID, replace(STATE, name="status"), PRICE, attributes=3)
    found = spec_at(SPEC, after)

    assert ("id", "status", "price") == tuple(column.name for column in found.columns)
    assert (SPEC.columns[0], ColumnSpec("price", "numeric(12,2)")) == (found.columns[0], found.columns[2])
    assert (("id",), ("number",)) == (found.key, spec_at(SPEC, table(replace(ID, name="number"), STATE)).key)
    assert SPEC == spec_at(SPEC, ())


def test_of_whole_old_rows_the_specs_key_counts_while_it_is_one() -> None:
    full = replace(ORDERS, identity="f", key=(), keys=((2,),))
    by_state = replace(SPEC, key=("state",))
    assert ("state",) == spec_at(by_state, (full,)).key
    assert () == spec_at(by_state, (replace(full, keys=()),)).key
    assert ("id",) == spec_at(by_state, (replace(full, key=(1,), keys=((1,),)),)).key
    assert () == spec_at(replace(SPEC, key=()), (full,)).key


def test_a_frozen_spec_is_binding() -> None:
    grown = table(ID, STATE, PRICE, attributes=3)
    assert (FROZEN, ["price"], []) == (spec_at(FROZEN, grown), unlike(FROZEN, grown), unlike(FROZEN, (ORDERS,)))
    assert not followed(table(ID, STATE, filenode=10), spec=FROZEN)
    with pytest.raises(NotFollowed, match="freezes its columns, and they changed: price"):
        followed(grown, spec=FROZEN)
