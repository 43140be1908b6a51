"""The fold on rows written by hand."""

from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.fold.bags import fold_bag
from tidemark_jobs.fold.keyed import fold_keyed
from tidemark_jobs.fold.toast import fold_keyed_with_toast
from tidemark_jobs.fold.visibility import seen, widened

pytestmark = pytest.mark.drawn(4)

ORDERS = TableSpec(
    TableName("public", "orders"),
    (ColumnSpec("id", "integer"), ColumnSpec("state", "text"), ColumnSpec("note", "text")),
    key=("id",),
)
BAG = TableSpec(TableName("public", "log"), (ColumnSpec("a", "text"), ColumnSpec("b", "text")))
CHANGE = (
    "commit_lsn bigint, ordinal bigint, op string, before map<string,string>, after map<string,string>, "
    "unchanged array<string>"
)
Row = dict[str, str | None]


class Changes:
    """Changes of one table, in the order they are told."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark
        self.rows: list[Any] = []

    def tell(self, op: str, before: Row | None, after: Row | None, unchanged: list[str] | None = None) -> "Changes":
        self.rows.append((100, len(self.rows), op, before, after, unchanged))
        return self

    def insert(self, **after: str | None) -> "Changes":
        return self.tell("c", None, after)

    def update(self, *, was: Row | None = None, unchanged: list[str] | None = None, **after: str | None) -> "Changes":
        return self.tell("u", was, after, unchanged)

    def delete(self, **before: str | None) -> "Changes":
        return self.tell("d", before, None)

    def frame(self) -> DataFrame:
        return self.spark.createDataFrame(self.rows, CHANGE)


@pytest.fixture
def changes(spark: SparkSession) -> Changes:
    return Changes(spark)


def keyed(changes: Changes, *, moved: bool = True) -> dict[str, Row | None]:
    rows = fold_keyed(changes.frame(), ORDERS, moved=moved).collect()
    return {row["_key"]: None if row["gone"] else row["row"] for row in rows}


def toasted(changes: Changes, *toast: str) -> dict[str, tuple[Row | None, list[str], str]]:
    rows = fold_keyed_with_toast(changes.frame(), ORDERS, moved=True, toast=toast).collect()
    return {row["_key"]: (row["row"], row["unknown"], row["root"]) for row in rows}


def test_the_last_change_of_a_key_is_its_state(changes: Changes) -> None:
    changes.insert(id="1", state="new", note="").update(id="1", state="paid", note=None)

    assert {"1": {"id": "1", "state": "paid", "note": None}} == keyed(changes, moved=False)


def test_a_deleted_and_reinserted_key_is_there(changes: Changes) -> None:
    changes.delete(id="1").insert(id="1", state="again", note="x").insert(id="2", state="s", note="n").delete(id="2")

    assert {"1": {"id": "1", "state": "again", "note": "x"}, "2": None} == keyed(changes)


def test_a_key_change_takes_the_row_from_its_old_key(changes: Changes) -> None:
    changes.update(was={"id": "1"}, id="2", state="moved", note="n")

    assert {"1": None, "2": {"id": "2", "state": "moved", "note": "n"}} == keyed(changes)


def test_an_old_row_with_the_same_key_is_no_key_change(changes: Changes) -> None:
    changes.update(was={"id": "1", "state": "a", "note": "n"}, id="1", state="b", note="n")

    assert {"1": {"id": "1", "state": "b", "note": "n"}} == keyed(changes)


def test_a_swap_of_two_keys_through_a_third_keeps_both_rows(changes: Changes) -> None:
    changes.update(was={"id": "1"}, id="9", state="A", note="a")
    changes.update(was={"id": "2"}, id="1", state="B", note="b")
    changes.update(was={"id": "9"}, id="2", state="A", note="a")

    states = {key: row and row["state"] for key, row in keyed(changes).items()}
    assert {"1": "B", "2": "A", "9": None} == states


def test_a_key_with_a_tab_and_one_with_its_escape_differ(changes: Changes) -> None:
    spec = TableSpec(ORDERS.table, (ColumnSpec("a", "text"), ColumnSpec("b", "text")), key=("a", "b"))
    changes.insert(a="x\t", b="y").insert(a="x", b="\ty").insert(a="x\\t", b="y").insert(a="n", b="\\N")

    keys = {row["_key"] for row in fold_keyed(changes.frame(), spec, moved=False).collect()}
    assert {"x\\t\ty", "x\t\\ty", "x\\\\t\ty", "n\t\\\\N"} == keys


def test_an_unchanged_column_is_found_in_the_same_batch(changes: Changes) -> None:
    changes.insert(id="1", state="new", note="long").update(unchanged=["note"], id="1", state="paid")

    assert {"1": ({"id": "1", "state": "paid", "note": "long"}, [], "1")} == toasted(changes, "note")


def test_an_unchanged_column_that_was_never_sent_stays_unknown(changes: Changes) -> None:
    changes.update(unchanged=["note"], id="1", state="paid").update(unchanged=["note"], id="1", state="sent")

    assert {"1": ({"id": "1", "state": "sent"}, ["note"], "1")} == toasted(changes, "note")


def test_an_explicit_null_is_known(changes: Changes) -> None:
    changes.update(id="1", state="a", note=None).update(unchanged=["note"], id="1", state="b")

    assert {"1": ({"id": "1", "state": "b", "note": None}, [], "1")} == toasted(changes, "note")


def test_an_unchanged_column_follows_its_row_through_key_changes(changes: Changes) -> None:
    changes.update(id="1", state="a", note="long")
    changes.update(was={"id": "1"}, unchanged=["note"], id="2", state="b")
    changes.update(was={"id": "2"}, unchanged=["note"], id="3", state="c")
    changes.update(unchanged=["note"], id="3", state="d")

    folded = toasted(changes, "note")
    assert ({"id": "3", "state": "d", "note": "long"}, []) == folded["3"][:2]
    assert [None, None] == [folded["1"][0], folded["2"][0]]


def test_an_unknown_column_of_a_moved_row_is_in_the_table_at_its_first_key(changes: Changes) -> None:
    changes.update(was={"id": "1"}, unchanged=["note"], id="2", state="b")
    changes.update(was={"id": "2"}, unchanged=["note"], id="3", state="c")

    assert ({"id": "3", "state": "c"}, ["note"], "1") == toasted(changes, "note")["3"]


def test_a_reused_key_does_not_take_the_value_of_the_row_before(changes: Changes) -> None:
    changes.update(id="1", state="a", note="first").delete(id="1").insert(id="1", state="b", note=None)
    changes.update(unchanged=["state"], id="1", note="second")

    assert {"id": "1", "state": "b", "note": "second"} == toasted(changes, "note", "state")["1"][0]


def test_swapped_rows_keep_their_own_unchanged_values(changes: Changes) -> None:
    changes.update(id="1", state="A", note="of A").update(id="2", state="B", note="of B")
    changes.update(was={"id": "1"}, unchanged=["note"], id="9", state="A")
    changes.update(was={"id": "2"}, unchanged=["note"], id="1", state="B")
    changes.update(was={"id": "9"}, unchanged=["note"], id="2", state="A")

    folded = toasted(changes, "note")
    assert ("of B", "of A") == (folded["1"][0]["note"], folded["2"][0]["note"])  # type: ignore[index]


def test_a_full_old_row_makes_unchanged_columns_known(changes: Changes) -> None:
    changes.update(was={"id": "1", "state": "a", "note": "long"}, unchanged=["note"], id="1", state="b")

    assert {"1": ({"id": "1", "state": "b", "note": "long"}, [], "1")} == toasted(changes, "note")


def test_an_unchanged_key_column_is_in_the_old_key(changes: Changes) -> None:
    """A long key can be TOASTed; PostgreSQL then sends it as the old key, and not with the new row."""
    changes.update(was={"id": "1"}, unchanged=["id"], state="paid", note=None)

    assert {"1": ({"id": "1", "state": "paid", "note": None}, [], "1")} == toasted(changes, "id")


def test_a_bag_counts_identical_rows(changes: Changes) -> None:
    changes.insert(a="x", b=None).insert(a="x", b=None).insert(a="y", b="\t").delete(a="y", b="\t")
    changes.update(was={"a": "p", "b": "q"}, unchanged=["b"], a="r")

    counts = {row["_key"]: row["_count"] for row in fold_bag(changes.frame(), BAG).collect()}
    assert {"x\t\\N": 2, "p\tq": -1, "r\tq": 1} == counts


@pytest.mark.parametrize("epoch", [0, 1, 7])
def test_spark_sees_what_the_contract_sees(spark: SparkSession, epoch: int) -> None:
    base = epoch << 32
    snapshot = Snapshot(base + 95, base + 110, frozenset({base + 97, base + 105}))
    xids = [*range(90, 120), 0, 3, (1 << 32) - 5, 1 << 31]
    frame = spark.createDataFrame([(xid,) for xid in xids], "xid bigint")

    from tidemark_contract.visibility import widen

    rows = frame.select("xid", seen(frame["xid"], snapshot).alias("s"), widened(frame["xid"], snapshot.xmax).alias("w"))
    for row in rows.collect():
        wide = widen(row["xid"], snapshot.xmax)
        assert (wide, snapshot.sees(wide)) == (row["w"], row["s"])
