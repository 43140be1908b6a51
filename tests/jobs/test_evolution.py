"""Tables whose columns change while they are synced, on a lake filled by hand: what the table's log shows, and crashes.

What PostgreSQL does and the stream sends then is in tests/exactness.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.jobs.conftest import take_way
from tests.jobs.lake import LINES, LOG, ORDERS, Event, Lake, insert, mark, relation, type_oid, update
from tests.variants import any_of
from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_jobs.control import Control, TableState
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.plan import COPIED
from tidemark_jobs.tables import ProofRow
from tidemark_jobs.verify import record

pytestmark = pytest.mark.drawn(3)

NOTED = replace(ORDERS, columns=(*ORDERS.columns, ColumnSpec("note", "timestamp without time zone")))
BY_WEIGHT = replace(LOG, columns=(ColumnSpec("b", "text"), ColumnSpec("weight", "numeric(4,1)")))


def facts(spec: TableSpec, *numbers: int, **values: str) -> dict[str, Any]:
    """Catalog facts of a table whose columns have these numbers; `values` are those of rows that are older than one."""
    known = relation(spec, attributes=max(numbers))
    for column, number in zip(known["columns"], numbers, strict=True):
        column["number"] = number
        if column["name"] in values:
            column["missing"] = values[column["name"]]
    return known


def schema_row(spec: TableSpec, xid: int) -> Event:
    described = {column.name: f"{type_oid(column.type)},-1,0" for column in spec.columns}
    return Event(spec.table, "s", xid, after=described)


def others(*but: TableSpec) -> list[dict[str, Any]]:
    return [relation(spec) for spec in (ORDERS, LINES, LOG) if spec.table not in [b.table for b in but]]


@pytest.fixture(scope="module")
def filled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(spark, tmp_path_factory.mktemp("filled"))
    lake.copied(1, orders=[("1", "a", "1.00"), ("2", "b", None)], log=[("x", "same"), ("y", "same")])
    lake.land(mark(1, 100, kind="copy")).sync()
    return lake


@pytest.fixture
def lake(filled: Lake, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lake:
    take_way(getattr(request, "param", "small"), monkeypatch)
    return filled.duplicate(tmp_path)


def operations(lake: Lake, spec: TableSpec) -> list[str]:
    """The table's commits, newest first."""
    return [commit["operation"] for commit in open_table(lake.layout.silver(spec.table)).history()]


@any_of("lake", ["small", "large"], indirect=True)
def test_a_new_column_is_a_line_in_the_log(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that lack it are read, and grow together, with those that have it."""
    monkeypatch.setattr("tidemark_jobs.upsert.gathering.MANY", 0)
    catalog = [facts(NOTED, 1, 2, 3, 4), *others(ORDERS)]
    late = update(ORDERS, 102, id="2", state="b", price="2.00", note="2026-01-01 00:00:00")
    lake.land(insert(ORDERS, 101, id="3", state="c", price=None), schema_row(NOTED, 102), late)
    lake.land(mark(2, 110, catalog=catalog)).sync()

    expected = ["1\ta\t1.00\t\\N", "2\tb\t2.00\t2026-01-01 00:00:00", "3\tc\t\\N\t\\N"]
    for by_spark in (False, True):
        assert expected == lake.lines(NOTED, by_spark=by_spark)
    assert ["MERGE", "ADD COLUMNS", "WRITE", "CREATE TABLE"] == operations(lake, ORDERS)
    lake.land(update(NOTED, 111, id="1", state="z", unchanged=("price", "note")), mark(3, 120, catalog=catalog)).sync()
    assert ["1\tz\t1.00\t\\N", *expected[1:]] == lake.lines(NOTED)


def test_a_new_column_of_an_idle_table_costs_no_rewrite(lake: Lake) -> None:
    lake.land(mark(2, 110, catalog=[facts(NOTED, 1, 2, 3, 4), *others(ORDERS)])).sync()

    assert ["1\ta\t1.00\t\\N", "2\tb\t\\N\t\\N"] == lake.lines(NOTED)
    assert ["ADD COLUMNS", "WRITE", "CREATE TABLE"] == operations(lake, ORDERS)


@any_of("lake", ["small", "large"], indirect=True)
def test_the_rows_of_a_bag_are_added_up_when_what_told_them_apart_goes(lake: Lake) -> None:
    catalog = [facts(BY_WEIGHT, 2, 3, weight="0.5"), *others(LOG)]
    lake.land(insert(LOG, 101, a="x", b="same"), insert(LOG, 101, a="z", b="other"), schema_row(BY_WEIGHT, 102))
    lake.land(Event(LOG.table, "d", 102, before={"b": "same", "weight": "0.5"}), mark(2, 110, catalog=catalog)).sync()

    for by_spark in (False, True):
        assert ["other\t0.5", "same\t0.5", "same\t0.5"] == lake.lines(BY_WEIGHT, by_spark=by_spark)


def test_a_name_that_no_catalog_knows_is_not_followed(lake: Lake) -> None:
    passing = replace(LINES, columns=(LINES.columns[0], ColumnSpec("passing", "text")))
    lake.land(schema_row(passing, 101), Event(LINES.table, "c", 101, after={"id": "1", "passing": "p"}))
    lake.land(mark(2, 110, catalog=[relation(LINES, written_by=102), *others(LINES)])).sync()

    assert "changed" == lake.state(LINES)
    assert "called passing" in lake.run.control.tables()[LINES.table].reason


def test_schemas_of_before_the_changes_do_not_count(lake: Lake) -> None:
    """A transaction that is carried over makes the window begin long before the table's last mark."""
    old = replace(LINES, columns=(LINES.columns[0], ColumnSpec("was", "text")))
    lake.land(insert(ORDERS, 101, id="9", state="waits", price=None), schema_row(old, 102))
    lake.land(mark(2, 101, 105, [101], catalog=[facts(LINES, 1, 2), *others(LINES)])).sync()
    lake.land(schema_row(LINES, 106), insert(LINES, 106, id="1", part="p"))
    lake.land(mark(3, 110, catalog=[relation(LINES, written_by=105), *others(LINES)])).sync()

    assert (["1\tp"], "live") == (lake.lines(LINES), lake.state(LINES))


class PowerCut(Exception):
    """The run ends here."""


@any_of("place", ["fold", "publish"])
def test_a_run_that_was_cut_off_on_the_way_is_gone_on_from(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The table has its new columns already, or its rows too; the next run has a newer mark, with other columns."""

    def cut(*_: Any, **__: Any) -> None:
        raise PowerCut

    noted = [facts(NOTED, 1, 2, 3, 4), facts(BY_WEIGHT, 2, 3, weight="0.5")]
    lake.land(insert(ORDERS, 101, id="3", state="c", price=None, note="2026-01-01 00:00:00"))
    lake.land(insert(LOG, 101, b="new", weight="1.5"), mark(2, 110, catalog=[*noted, relation(LINES)]))
    with monkeypatch.context() as patch:
        if place == "fold":
            patch.setattr("tidemark_jobs.folding.merge_small", cut)
            patch.setattr("tidemark_jobs.folding.merge_large", cut)
        patch.setattr(Control, "publish", cut)
        with pytest.raises(PowerCut):
            lake.sync()
    wider = replace(NOTED, columns=(*NOTED.columns, ColumnSpec("more", "text")))
    lake.land(insert(wider, 111, id="4", state="d", price=None, note=None, more="m"))
    catalog = [facts(wider, 1, 2, 3, 4, 5, more="old"), noted[1], relation(LINES)]
    lake.land(mark(3, 120, catalog=catalog)).sync()

    assert ["new\t1.5", "same\t0.5", "same\t0.5"] == lake.lines(BY_WEIGHT)
    assert [
        "1\ta\t1.00\t\\N\told",
        "2\tb\t\\N\t\\N\told",
        "3\tc\t\\N\t2026-01-01 00:00:00\told",
        "4\td\t\\N\t\\N\tm",
    ] == lake.lines(wider)


def test_a_copy_brings_its_own_columns(lake: Lake) -> None:
    catalog = [facts(NOTED, 1, 2, 3, 5), *others(ORDERS)]
    lake.land(mark(2, 110, catalog=catalog)).sync()
    assert "changed" == lake.state(ORDERS)
    lake.land(mark(3, 120, kind="copy", catalog=catalog))
    lake.sync()
    lake.spec = replace(lake.spec, tables=(NOTED, LINES, LOG))
    lake.copied(3, orders=[("1", "a", "1.00", "infinity")])
    lake.land(mark(4, 130, catalog=catalog)).sync()

    for by_spark in (False, True):
        assert ["1\ta\t1.00\tinfinity"] == lake.lines(NOTED, by_spark=by_spark)
    schema = json.loads(open_table(lake.layout.silver(ORDERS.table)).schema().to_json())
    assert ["id", "state", "price", "note"] == [field["name"] for field in schema["fields"]][:4]


def test_a_proof_leaves_alone_a_table_that_was_out_of_its_mark_and_was_copied_meanwhile(lake: Lake) -> None:
    rewritten = relation(ORDERS, filenode=77, written_by=7)
    published = lake.land(mark(2, 110, catalog=[rewritten, *others(ORDERS)])).sync()
    lake.run.control.set_states(lambda _: {ORDERS.table: TableState(COPIED, "copied at mark 3", 3)})
    assert published
    now = datetime.now(UTC)
    wrong = [
        ProofRow("shop", str(spec.table), 2, 1, now, equal=False, rows=1, differing=1, details="[]", proven_at=now)
        for spec in (ORDERS, LOG)
    ]
    record(lake.run, published, wrong)

    assert ("copied", "stale") == (lake.state(ORDERS), lake.state(LOG))
