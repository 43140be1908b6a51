"""Tables whose spec says `history: scd2`, on a lake filled by hand: every version that was committed, and no other."""

import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from tests.jobs.conftest import take_way
from tests.jobs.drawn import drawn
from tests.jobs.lake import LINES, LOG, ORDERS, Lake, delete, insert, mark, relation, truncate, update
from tests.present import present
from tests.variants import any_of
from tidemark_contract.evolution import spec_at
from tidemark_contract.specs import ColumnSpec, History, SourceSpec, TableSpec
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.export import copy_lines
from tidemark_jobs.history.forward import Histories
from tidemark_jobs.history.proof import history_at
from tidemark_jobs.history.table import as_silver, columns_of, widened
from tidemark_jobs.maintain import compact, vacuum

pytestmark = pytest.mark.drawn(2)

TOLD, TOLD_LINES = (replace(spec, history=History.SCD2) for spec in (ORDERS, LINES))
BOTH_WAYS = any_of("lake", ["small", "large"], indirect=True)


@pytest.fixture(scope="module")
def filled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Copied at mark 1, which sees every transaction below 100."""
    lake = Lake(spark, tmp_path_factory.mktemp("filled"), SourceSpec("shop", (TOLD, TOLD_LINES, LOG)))
    lake.copied(1, orders=[("1", "a", "1.00"), ("2", "b", "NaN"), ("3", "c", None)], lines=[("1", "copied")])
    lake.land(mark(1, 100, kind="copy")).sync()
    return lake


@pytest.fixture
def lake(filled: Lake, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lake:
    take_way(getattr(request, "param", "small"), monkeypatch)
    return filled.duplicate(tmp_path)


def history(lake: Lake, spec: TableSpec) -> DataFrame:
    return lake.spark.read.format("delta").load(lake.layout.history(spec.table))


def versions(lake: Lake, spec: TableSpec) -> list[tuple[Any, ...]]:
    """All versions, by key and in order: the row as COPY writes it, begin and end, each as LSN and mark."""
    _, names = widened(columns_of(open_table(lake.layout.history(spec.table))), spec)
    rows = history(lake, spec)
    assert not rows.where("_open <> (_to_mark IS NULL)").count()
    meta = ["_key", "_from_mark", "_from_lsn", "_to_mark", "_to_lsn"]
    columns: list[Column | str] = [*meta, *[F.col(f"`{here}`").alias(name) for name, here in names.items()], "_exact"]
    ordered = rows.orderBy("_key", "_from_mark", "_from_lsn").select(*columns)
    lines = [row[0] for row in copy_lines(ordered, spec).collect()]
    places = ordered.select("_from_lsn", "_to_lsn", "_from_mark", "_to_mark").collect()
    return [(line, *place) for line, place in zip(lines, places, strict=True)]


def valid_at(lake: Lake, spec: TableSpec, number: int) -> list[str]:
    """The versions that were valid at a mark, as sorted COPY lines."""
    published = lake.run.control.published(number)
    assert published
    then = spec_at(spec, published.mark.catalog.table(spec.table))
    _, names = widened(columns_of(open_table(lake.layout.history(spec.table))), then)
    valid = history(lake, spec).where(f"_from_mark <= {number} AND (_to_mark IS NULL OR _to_mark > {number})")
    return sorted(row[0] for row in copy_lines(as_silver(valid, names), then).collect())


def test_the_first_versions_are_those_of_the_copy(lake: Lake) -> None:
    """Since when they are so nobody knows."""
    assert [
        ("1\ta\t1.00", None, None, 1, None),
        ("2\tb\tNaN", None, None, 1, None),
        ("3\tc\t\\N", None, None, 1, None),
    ] == versions(lake, TOLD)
    assert ["2026-01-01 00:00:01"] == [
        str(row[0]) for row in history(lake, TOLD).select("_from_time").distinct().collect()
    ]


@BOTH_WAYS
def test_each_transaction_that_touches_a_row_makes_a_version(lake: Lake) -> None:
    """What is in the middle of one is none; a value that is not sent is the one before."""
    at = lake.lsn
    lake.land(
        update(ORDERS, 101, id="1", price="2.00", unchanged=("state",)),
        update(ORDERS, 101, id="1", price="3.00", unchanged=("state",)),
        update(ORDERS, 102, id="1", price="3.00", state="paid"),
        delete(ORDERS, 103, id="2"),
        insert(ORDERS, 103, id="4", state="never", price=None),
        delete(ORDERS, 103, id="4"),
        insert(ORDERS, 104, id="2", state="again", price="NaN"),
        delete(ORDERS, 105, id="2"),
        insert(ORDERS, 105, id="2", state="replaced", price=None),
        update(ORDERS, 106, id="1", unchanged=("state",), price="4.00"),
        mark(2, 110),
    ).sync()

    assert [
        ("1\ta\t1.00", None, at + 10, 1, 2),
        ("1\ta\t3.00", at + 10, at + 20, 2, 2),
        ("1\tpaid\t3.00", at + 20, at + 60, 2, 2),
        ("1\tpaid\t4.00", at + 60, None, 2, None),
        ("2\tb\tNaN", None, at + 30, 1, 2),
        ("2\tagain\tNaN", at + 40, at + 50, 2, 2),
        ("2\treplaced\t\\N", at + 50, None, 2, None),
        ("3\tc\t\\N", None, None, 1, None),
    ] == versions(lake, TOLD)


@BOTH_WAYS
def test_a_row_that_moves_ends_at_one_key_and_begins_at_the_other(lake: Lake) -> None:
    at = lake.lsn
    lake.land(
        update(ORDERS, 101, was={"id": "1"}, id="10", price="2.00", unchanged=("state",)),
        update(ORDERS, 102, was={"id": "10"}, id="1", price="3.00", unchanged=("state",)),
        update(ORDERS, 103, was={"id": "2"}, id="9", price="NaN", unchanged=("state",)),
        update(ORDERS, 103, was={"id": "9"}, id="2", price="NaN", unchanged=("state",)),
        mark(2, 110),
    ).sync()

    assert [
        ("1\ta\t1.00", None, at + 10, 1, 2),
        ("1\ta\t3.00", at + 20, None, 2, None),
        ("10\ta\t2.00", at + 10, at + 20, 2, 2),
        ("2\tb\tNaN", None, at + 30, 1, 2),
        ("2\tb\tNaN", at + 30, None, 2, None),
        ("3\tc\t\\N", None, None, 1, None),
    ] == versions(lake, TOLD)


@BOTH_WAYS
def test_a_truncate_ends_all_versions(lake: Lake) -> None:
    at = lake.lsn
    lake.land(
        insert(ORDERS, 101, id="4", state="came", price=None),
        update(ORDERS, 102, id="1", price="9.00", unchanged=("state",)),
        truncate(ORDERS, 103),
        insert(ORDERS, 104, id="1", state="after", price=None),
        truncate(ORDERS, 105),
        insert(ORDERS, 105, id="5", state="last", price=None),
        mark(2, 110, catalog=[relation(ORDERS, filenode=5), relation(LINES), relation(LOG)]),
    ).sync()

    assert [
        ("1\ta\t1.00", None, at + 20, 1, 2),
        ("1\ta\t9.00", at + 20, at + 30, 2, 2),
        ("1\tafter\t\\N", at + 40, at + 50, 2, 2),
        ("2\tb\tNaN", None, at + 30, 1, 2),
        ("3\tc\t\\N", None, at + 30, 1, 2),
        ("4\tcame\t\\N", at + 10, at + 30, 2, 2),
        ("5\tlast\t\\N", at + 50, None, 2, None),
    ] == versions(lake, TOLD)


class PowerCut(Exception):
    """The run ends here."""


@any_of("seed", list(range(8)))
@BOTH_WAYS
def test_drawn_transactions_make_the_versions_that_everybody_saw(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Wherever the marks are; and runs are cut off after they have published, or before, and files come twice."""
    chance, at = random.Random(seed), lake.lsn
    transactions = drawn(chance, LINES, 101, {"1": "copied"})
    expected: list[tuple[str, int | None, int | None]] = []
    opened: dict[str, tuple[str, int | None]] = {"1": ("copied", None)}
    catalog = [relation(ORDERS), relation(LINES, filenode=99), relation(LOG)]

    def cut(*_: Any, **__: Any) -> None:
        raise PowerCut

    number, marks = 1, [1]
    for xid, events, touched, rows in transactions:
        lake.land(*events)
        for key in touched:
            if key in opened:
                part, since = opened.pop(key)
                expected.append((f"{key}\t{part}", since, lake.lsn))
            if key in rows:
                opened[key] = (rows[key], lake.lsn)
        if chance.random() < 0.4:
            number += 1
            lake.land(mark(number, xid + 1, kind="verify", catalog=catalog))
            marks.append(number)
        if chance.random() < 0.3:
            with monkeypatch.context() as patch:
                place = chance.choice(["follow", "_take", "none"])
                if place != "none":
                    patch.setattr(Histories, place, cut)
                try:
                    lake.sync()
                except PowerCut:
                    lake.land_table(lake.landed[-1])
    lake.land(mark(number + 1, 120, catalog=catalog)).sync()

    expected += [(f"{key}\t{part}", since, None) for key, (part, since) in opened.items()]
    assert lake.lsn > at
    assert sorted(expected, key=str) == sorted((row[:3] for row in versions(lake, TOLD_LINES)), key=str)
    for published in [*marks, number + 1]:
        assert lake.lines(TOLD_LINES, published) == valid_at(lake, TOLD_LINES, published), published


def test_after_a_copy_what_differs_ends_and_begins_at_its_mark(lake: Lake) -> None:
    lake.land(mark(2, 110, kind="copy")).sync()
    lake.copied(2, orders=[("1", "a", "1.00"), ("2", "b", "Infinity"), ("4", "new", None)], lines=[("1", "copied")])
    lake.land(insert(ORDERS, 111, id="5", state="then", price=None), mark(3, 120)).sync()
    at = lake.lsn
    lake.land(delete(ORDERS, 121, id="1"), mark(4, 130)).sync()

    assert [
        ("1\ta\t1.00", None, at + 10, 1, 4),
        ("2\tb\tNaN", None, None, 1, 3),
        ("2\tb\tInfinity", None, None, 3, None),
        ("3\tc\t\\N", None, None, 1, 3),
        ("4\tnew\t\\N", None, None, 3, None),
        ("5\tthen\t\\N", None, None, 3, None),
    ] == versions(lake, TOLD)
    assert [("1\tcopied", None, None, 1, None)] == versions(lake, TOLD_LINES)
    for number in (1, 2, 3, 4):
        assert lake.lines(TOLD, number) == valid_at(lake, TOLD, number)


def test_columns_come_and_a_type_that_changes_has_a_column_of_its_own(lake: Lake) -> None:
    """An older version keeps its value as it was, in the column that it had."""
    noted = replace(TOLD, columns=(*ORDERS.columns, ColumnSpec("note", "timestamp without time zone")))
    lake.land(update(ORDERS, 101, id="1", state="a2", price="1.00"), mark(2, 110)).sync()
    lake.land(mark(3, 120, catalog=[relation(noted), relation(LINES), relation(LOG)])).sync()
    assert 4 == len(versions(lake, TOLD))  # nothing differs
    wider = replace(noted, columns=(*noted.columns[:2], ColumnSpec("price", "numeric(14,4)"), noted.columns[3]))
    facts = relation(wider, filenode=99, written_by=7)
    catalog = [facts, relation(LINES), relation(LOG)]
    lake.land(mark(4, 130, kind="copy", catalog=catalog)).sync()
    lake.spec = replace(lake.spec, tables=(wider, TOLD_LINES, LOG))
    lake.copied(4, orders=[("1", "a2", "1.0000", "infinity")], lines=[("1", "copied")])
    lake.land(mark(5, 140, catalog=catalog)).sync()
    event = update(ORDERS, 141, id="1", state="a3", price="1.5000", unchanged=("note",))
    lake.land(event, mark(6, 150, catalog=catalog)).sync()

    assert ["1\ta3\t1.5000\tinfinity"] == lake.lines(wider) == valid_at(lake, wider, 6)
    rows = history(lake, wider).orderBy("_key", "_from_mark").select("_from_mark", "price", "`price~v2`", "_exact")
    told = [(row[0], str(row[1]), str(row[2]), row[3]) for row in rows.collect()]
    assert [
        (1, "1.00", "None", None),
        (2, "1.00", "None", None),
        (5, "None", "1.0000", {"note": "infinity"}),
        (6, "None", "1.5000", {"note": "infinity"}),
        (1, "None", "None", {"price": "NaN"}),
        (1, "None", "None", None),
    ] == told
    for number, then in ((1, TOLD), (2, TOLD), (3, noted)):
        assert lake.lines(then, number) == valid_at(lake, then, number)


@BOTH_WAYS
def test_a_column_that_came_and_was_never_written_is_null(lake: Lake) -> None:
    """Silver's rows are as they were then, so the history has not moved; and goes on by what is written next."""
    noted = replace(TOLD, columns=(*ORDERS.columns, ColumnSpec("note", "text")))
    catalog = [relation(noted), relation(LINES), relation(LOG)]
    lake.land(mark(2, 110, catalog=catalog)).sync()
    published = present(lake.run.control.published(2))
    shown = sorted(row[0] for row in copy_lines(history_at(lake.run, lake.spark, noted, published), noted).collect())
    assert ["1\ta\t1.00\t\\N", "2\tb\tNaN\t\\N", "3\tc\t\\N\t\\N"] == shown == lake.lines(noted, 2)

    at = lake.lsn
    written = update(noted, 111, id="1", price="2.00", unchanged=("state", "note"))
    lake.land(written, mark(3, 120, catalog=catalog)).sync()
    assert [
        ("1\ta\t1.00\t\\N", None, at + 10, 1, 3),
        ("1\ta\t2.00\t\\N", at + 10, None, 3, None),
        ("2\tb\tNaN\t\\N", None, None, 1, None),
        ("3\tc\t\\N\t\\N", None, None, 1, None),
    ] == versions(lake, noted)


def test_it_is_compacted_and_vacuumed_and_what_somebody_else_did_to_it_is_mended(lake: Lake) -> None:
    url = lake.layout.history(ORDERS.table)
    for number in (2, 3):
        change = update(ORDERS, 101 + 10 * number, id="1", state=f"m{number}", price="1.00")
        lake.land(change, mark(number, 110 + 10 * number)).sync()
    compact(lake.spark, url)
    vacuum(lake.spark, url, 0)
    at = lake.lsn
    lake.land(update(ORDERS, 141, id="1", state="m4", price="1.00"), mark(4, 150)).sync()
    assert ("1\tm4\t1.00", at + 10, None, 4, None) == versions(lake, TOLD)[3]
    lake.spark.sql(f"DELETE FROM delta.`{url}` WHERE _open AND _key = '2'")
    lake.land(mark(5, 160)).sync()
    lake.land(update(ORDERS, 161, id="3", state="m6", price="1.00"), mark(6, 170)).sync()

    assert [("2\tb\tNaN", None, None, 5, None)] == [row for row in versions(lake, TOLD) if row[0].startswith("2")]
    assert lake.lines(TOLD) == valid_at(lake, TOLD, 6)


@any_of("most", [50, 1])
def test_a_history_that_was_left_behind_comes_mark_by_mark_or_by_a_comparison(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("tidemark_jobs.history.forward.CATCH_UP", most)
    with monkeypatch.context() as patch:
        patch.setattr(Histories, "follow", lambda *_: None)
        for number, state in ((2, "m2"), (3, None), (4, "m4")):
            changes = [update(ORDERS, 101 + 10 * number, id="1", state=state, price="1.00")] if state else []
            lake.land(*changes, mark(number, 110 + 10 * number)).sync()
    lake.land(mark(5, 160)).sync()

    told = [(row[0], *row[3:]) for row in versions(lake, TOLD) if row[0].startswith("1")]
    by_marks = [("1\ta\t1.00", 1, 2), ("1\tm2\t1.00", 2, 4), ("1\tm4\t1.00", 4, None)]
    assert (by_marks if most > 1 else [("1\ta\t1.00", 1, 4), ("1\tm4\t1.00", 4, None)]) == told


def test_a_copy_of_a_mark_that_the_history_is_past_is_compared_too(lake: Lake) -> None:
    """Nothing has changed since it in the source; but what the lake had was not what it has now."""
    lake.land(mark(2, 110, kind="copy")).sync()
    shutil.rmtree(lake.root / "history" / "shop" / ORDERS.table.path)  # as if its spec had not wanted it until now
    lake.land(mark(3, 120)).sync()
    lake.copied(2, orders=[("1", "a", "7.00")])
    lake.land(mark(4, 130)).sync()

    assert ["1\ta\t7.00"] == lake.lines(TOLD) == valid_at(lake, TOLD, 4)
    assert lake.lines(TOLD, 3) == valid_at(lake, TOLD, 3)
