"""Tables whose spec says `deletes: soft`, on a lake filled by hand: what stays of a row, and what readers see."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.jobs.conftest import take_way
from tests.jobs.drawn import drawn
from tests.jobs.lake import LINES, LOG, ORDERS, Lake, delete, insert, mark, relation, truncate, update
from tests.variants import any_of
from tidemark_contract.specs import ColumnSpec, Deletes, SourceSpec, TableSpec
from tidemark_jobs.fold.values import row_texts

pytestmark = pytest.mark.drawn(2)

KEPT = replace(ORDERS, deletes=Deletes.SOFT)
KEPT_LINES = replace(LINES, deletes=Deletes.SOFT)
BOTH_WAYS = any_of("lake", ["small", "large", "joined"], indirect=True)


@pytest.fixture(scope="module")
def filled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Copied at mark 1, which sees every transaction below 100."""
    lake = Lake(spark, tmp_path_factory.mktemp("filled"), SourceSpec("shop", (KEPT, KEPT_LINES, LOG)))
    lake.copied(1, orders=[("1", "a", "1.00"), ("2", "b", "NaN"), ("3", "c", None)])
    lake.land(mark(1, 100, kind="copy")).sync()
    return lake


@pytest.fixture
def lake(filled: Lake, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lake:
    take_way(getattr(request, "param", "small"), monkeypatch)
    return filled.duplicate(tmp_path)


def deleted(lake: Lake, spec: TableSpec = KEPT, *, lsn: bool = False) -> list[tuple[Any, ...]]:
    """Give the rows that are kept although deleted: their texts, the mark by which they went, perhaps the LSN."""
    published = lake.run.control.published()
    version = published.version(spec.table) if published else None
    assert version
    rows = lake.spark.read.format("delta").option("versionAsOf", version.version).load(lake.layout.silver(spec.table))
    if "_deleted" not in rows.columns:
        return []
    assert not rows.where("_deleted IS NULL").count()
    assert rows.count() == rows.select("_key").distinct().count()
    texts = [text.alias(f"t{n}") for n, text in enumerate(row_texts(spec).values())]
    told = rows.where("_deleted").select(*texts, "_mark", *(["_commit_lsn"] if lsn else []))
    return sorted((tuple(row) for row in told.collect()), key=str)


@BOTH_WAYS
def test_a_deleted_row_stays_as_it_was_last(lake: Lake) -> None:
    """A delete tells the key only: the rest is in silver, in an earlier change, or the one in the other."""
    lake.land(
        delete(ORDERS, 101, id="1"),
        update(ORDERS, 102, id="2", price="2.00", unchanged=("state",)),
        delete(ORDERS, 103, id="2"),
        insert(ORDERS, 104, id="4", state="came", price="4.00"),
        delete(ORDERS, 105, id="4"),
        mark(2, 110),
    ).sync()

    for by_spark in (False, True):
        assert ["3\tc\t\\N"] == lake.lines(KEPT, by_spark=by_spark)
    assert [("1", "a", "1.00", 2), ("2", "b", "2.00", 2), ("4", "came", "4.00", 2)] == deleted(lake)
    lake.land(insert(ORDERS, 111, id="1", state="again", price=None), mark(3, 120)).sync()
    assert ["1\tagain\t\\N", "3\tc\t\\N"] == lake.lines(KEPT)
    assert [("2", "b", "2.00", 2), ("4", "came", "4.00", 2)] == deleted(lake)


@BOTH_WAYS
def test_a_row_that_moves_leaves_its_old_key_deleted(lake: Lake) -> None:
    """Once, and once more with a value that is not sent; and another takes its place."""
    lake.land(
        update(ORDERS, 101, was={"id": "1"}, id="10", state="moved", price="1.00"),
        update(ORDERS, 102, was={"id": "2"}, id="20", price="2.00", unchanged=("state",)),
        update(ORDERS, 103, was={"id": "20"}, id="200", price="3.00", unchanged=("state",)),
        insert(ORDERS, 104, id="1", state="new", price=None),
        delete(ORDERS, 105, id="200"),
        mark(2, 110),
    ).sync()

    assert ["1\tnew\t\\N", "10\tmoved\t1.00", "3\tc\t\\N"] == lake.lines(KEPT)
    assert [("2", "b", "NaN", 2), ("20", "b", "2.00", 2), ("200", "b", "3.00", 2)] == deleted(lake)


@BOTH_WAYS
def test_the_whole_old_row_of_a_delete_changes_nothing(lake: Lake) -> None:
    """REPLICA IDENTITY FULL."""
    lake.land(delete(ORDERS, 101, id="1", state="a", price="1.00"), mark(2, 110)).sync()

    assert [("1", "a", "1.00", 2)] == deleted(lake)


@BOTH_WAYS
def test_a_truncate_marks_all_rows_as_deleted(lake: Lake) -> None:
    """Those that came before it, those that changed before it and those that nobody touched; not those that follow."""
    lake.land(delete(ORDERS, 101, id="3"), mark(2, 105)).sync()
    before = lake.lsn
    lake.land(
        insert(ORDERS, 111, id="4", state="came", price=None),
        update(ORDERS, 112, id="1", price="9.00", unchanged=("state",)),
        truncate(ORDERS, 113),
        insert(ORDERS, 114, id="1", state="after", price=None),
        insert(ORDERS, 114, id="5", state="after", price=None),
        truncate(ORDERS, 115),
        insert(ORDERS, 116, id="5", state="last", price=None),
        mark(3, 120, catalog=[relation(ORDERS, filenode=5), relation(LINES), relation(LOG)]),
    ).sync()

    for by_spark in (False, True):
        assert ["5\tlast\t\\N"] == lake.lines(KEPT, by_spark=by_spark)
    first, second = before + 30, before + 50
    assert [
        ("1", "after", None, 3, second),
        ("2", "b", "NaN", 3, first),
        ("3", "c", None, 2, before - 10),
        ("4", "came", None, 3, first),
    ] == deleted(lake, lsn=True)


def test_a_delete_of_a_row_that_is_not_there_takes_the_table_out(lake: Lake) -> None:
    """Nothing could be told of it; the table is not what it says."""
    lake.land(delete(ORDERS, 101, id="77"), mark(2, 110)).sync()

    assert "stale" == lake.state(KEPT)


def test_rows_without_a_key_are_counted_as_ever(lake: Lake) -> None:
    lake.land(insert(LOG, 101, a="x", b="y"), insert(LINES, 101, id="1", part="p"), mark(2, 110)).sync()
    lake.land(delete(LOG, 111, a="x", b="y"), delete(LINES, 111, id="1"), mark(3, 120)).sync()

    assert ([], []) == (lake.lines(LOG), lake.lines(KEPT_LINES))
    assert [("1", "p", 3)] == deleted(lake, KEPT_LINES)


@any_of("busy", [False, True])
def test_a_live_table_keeps_what_is_deleted_from_the_mark_at_which_its_spec_says_so(lake: Lake, busy: bool) -> None:
    """And lets go of it at the mark at which its spec says otherwise; both by writing it anew, once."""

    def says(spec: TableSpec) -> None:
        lake.spec = replace(lake.spec, tables=(spec, KEPT_LINES, LOG))

    says(ORDERS)
    lake.land(delete(ORDERS, 101, id="3"), mark(2, 105)).sync()
    assert (["1\ta\t1.00", "2\tb\tNaN"], []) == (lake.lines(ORDERS), deleted(lake))
    says(KEPT)
    lake.land(*([delete(ORDERS, 111, id="1")] if busy else []), mark(3, 115)).sync()
    assert ([("1", "a", "1.00", 3)] if busy else []) == deleted(lake)
    lake.land(*([] if busy else [delete(ORDERS, 121, id="1")]), mark(4, 125)).sync()
    assert [("1", "a", "1.00", 3 if busy else 4)] == deleted(lake)
    says(ORDERS)
    lake.land(*([insert(ORDERS, 131, id="1", state="z", price=None)] if busy else []), mark(5, 135)).sync()

    assert [*(["1\tz\t\\N"] if busy else []), "2\tb\tNaN"] == lake.lines(ORDERS)
    columns = lake.spark.read.format("delta").load(lake.layout.silver(ORDERS.table)).columns
    assert "_deleted" not in columns


def test_a_copy_keeps_what_is_deleted_and_marks_what_is_gone(lake: Lake) -> None:
    lake.land(delete(ORDERS, 101, id="3"), mark(2, 110)).sync()
    lake.land(mark(3, 120, kind="copy"))
    lake.copied(3, orders=[("1", "copied", "5.00")], lines=[("7", "p")])
    lake.land(mark(4, 130)).sync()

    assert (["1\tcopied\t5.00"], ["7\tp"]) == (lake.lines(KEPT), lake.lines(KEPT_LINES))
    assert [("2", "b", "NaN", 3), ("3", "c", None, 2)] == deleted(lake)
    lake.land(insert(ORDERS, 131, id="2", state="back", price=None), mark(5, 140)).sync()
    assert ["1\tcopied\t5.00", "2\tback\t\\N"] == lake.lines(KEPT)
    assert [("3", "c", None, 2)] == deleted(lake)


def test_of_what_a_copy_lacks_stays_what_its_columns_can_hold(lake: Lake) -> None:
    """A column of another type is not known any more; nor is a row when its key is another."""
    wider = replace(KEPT, columns=(*ORDERS.columns[:2], ColumnSpec("price", "numeric(14,4)")))
    known = relation(wider)
    known["columns"][2]["number"] = 5
    known["attributes"] = 5
    catalog = [known, relation(LINES), relation(LOG)]
    lake.spec = replace(lake.spec, tables=(wider, KEPT_LINES, LOG))
    lake.land(mark(2, 110, catalog=catalog)).sync()
    assert "changed" == lake.state(KEPT)
    lake.land(mark(3, 120, kind="copy", catalog=catalog))
    lake.copied(3, orders=[("1", "copied", "5.0000")])
    lake.land(mark(4, 130, catalog=catalog)).sync()

    assert ["1\tcopied\t5.0000"] == lake.lines(wider)
    assert [("2", "b", None, 3), ("3", "c", None, 3)] == deleted(lake, wider)


def test_columns_that_come_and_go_are_those_of_deleted_rows_too(lake: Lake) -> None:
    lake.land(delete(ORDERS, 101, id="1"), mark(2, 110)).sync()
    named = replace(KEPT, columns=(ORDERS.columns[0], ColumnSpec("called", "text"), ORDERS.columns[2]))
    catalog = [relation(named), relation(LINES), relation(LOG)]
    lake.land(delete(ORDERS, 111, id="2"), mark(3, 120, catalog=catalog)).sync()

    assert ["3\tc\t\\N"] == lake.lines(named)
    assert [("1", "a", "1.00", 2), ("2", "b", "NaN", 3)] == deleted(lake, named)


@any_of("seed", list(range(12)))
def test_what_stays_does_not_depend_on_where_the_marks_are(lake: Lake, tmp_path: Path, seed: int) -> None:
    """The same transactions under one mark, and under as many as there are."""
    transactions = drawn(random.Random(seed), LINES, 101)
    once, often = lake.duplicate(tmp_path / "once"), lake.duplicate(tmp_path / "often")
    for number, (xid, events, _, _) in enumerate(transactions, 2):
        catalog = [relation(ORDERS), relation(LINES, filenode=99), relation(LOG)]
        once.land(*events).lsn += 10  # where the other has a mark
        often.land(*events, mark(number, xid + 1, kind="verify", catalog=catalog))
    once.lsn -= 10
    once.land(mark(2, 120, catalog=catalog)).sync()
    often.sync()

    def without_mark(lake: Lake) -> list[tuple[Any, ...]]:
        return sorted((key, part, lsn) for key, part, _, lsn in deleted(lake, KEPT_LINES, lsn=True))

    assert often.lines(KEPT_LINES) == once.lines(KEPT_LINES)
    assert without_mark(often) == without_mark(once)
