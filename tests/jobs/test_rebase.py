"""Beginning anew: of the source's former history nothing comes into a table any more, whatever lands when."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from tests.jobs.lake import LINES, LOG, ORDERS, Lake, delete, insert, mark, update
from tidemark_contract.marks import Mark
from tidemark_contract.protection import Protect
from tidemark_contract.specs import Deletes, History, SourceSpec
from tidemark_contract.visibility import Snapshot
from tidemark_jobs import rebase as rebasing
from tidemark_jobs.plan import COPIED_OTHERWISE
from tidemark_jobs.rebase import rebase

pytestmark = pytest.mark.drawn(3)


def rebased(lake: Lake, monkeypatch: pytest.MonkeyPatch, xmax: int) -> int:
    """Begin anew with a source whose transactions have ids up to `xmax`; give the new base's id."""

    def write_mark(url: str, source: str, *, above: int, plain: object) -> Mark:
        newest = lake.run.control.published()
        assert newest is not None
        snapshot = Snapshot(xmax, xmax, frozenset())
        return replace(newest.mark, id=above + 1, nonce=f"nonce-{above + 1}", previous=None, snapshot=snapshot)

    monkeypatch.setattr(rebasing, "write_mark", write_mark)
    run = lake.run
    run.__dict__["url"] = "postgresql://nowhere"
    return int(str(rebase(run)["mark"]))


@pytest.fixture
def lake(spark: SparkSession, tmp_path: Path) -> Lake:
    lake = Lake(spark, tmp_path).copied(1, orders=[("1", "copied", None)]).land(mark(1, 100, kind="copy"))
    lake.sync()
    return lake


def test_changes_of_lost_transactions_are_not_those_of_new_ones_with_their_ids(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait in bronze, seen by no mark, until the restored source comes to their ids again."""
    lake.land(insert(ORDERS, 120, id="2", state="lost", price=None), mark(2, 110)).sync()
    base = rebased(lake, monkeypatch, xmax=105)
    lake.land(insert(ORDERS, 130, id="3", state="late", price=None))  # of the old incarnation
    lake.incarnation, lake.counter, lake.lsn = 2, 0, 500
    lake.copied(base + 1, orders=[("1", "copied", None)])
    lake.land(mark(base + 1, 107, kind="copy")).sync()
    lake.land(insert(ORDERS, 120, id="4", state="new", price=None), mark(base + 2, 140)).sync()

    assert ["1\tcopied\t\\N", "4\tnew\t\\N"] == lake.lines(ORDERS)


def test_every_table_is_out_of_the_base_and_the_older_marks_are_read_as_before(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = rebased(lake, monkeypatch, xmax=90)
    published = lake.run.control.published()

    assert published is not None
    assert (base, (), "stale") == (published.mark.id, published.tables, lake.state(LINES))
    assert ["1\tcopied\t\\N"] == lake.lines(ORDERS, 1)


def test_the_base_is_above_a_copy_that_was_never_taken_in(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files would be taken for those of a later copy with the same mark."""
    lake.copied(9)

    assert 10 == rebased(lake, monkeypatch, xmax=90)


@pytest.mark.parametrize("step", ["_empty", "PublishedMark"])
def test_cut_off_at_any_step_no_table_is_live_and_a_second_one_ends_it(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """What bronze held of changes that no mark had seen is gone then, and nobody would miss it."""
    with monkeypatch.context() as cut:
        cut.setattr(rebasing, step, cut_off)
        with pytest.raises(InterruptedError):
            rebased(lake, cut, xmax=90)
    assert "stale" == lake.state(ORDERS)

    base = rebased(lake, monkeypatch, xmax=90)
    published = lake.run.control.published()
    assert published is not None
    assert (base, ()) == (published.mark.id, published.tables)


def cut_off(*_: object) -> None:
    raise InterruptedError


def test_a_history_goes_on_after_it_by_comparison(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the restored source lacks ended with the first mark of the new base, and nothing lost is a version."""
    told = replace(ORDERS, history=History.SCD2)
    lake = Lake(spark, tmp_path, SourceSpec("shop", (told, LINES, LOG)))
    lake.copied(1, orders=[("1", "copied", None)]).land(mark(1, 100, kind="copy")).sync()
    lake.land(insert(told, 101, id="2", state="undone", price=None), mark(2, 105)).sync()
    lake.land(insert(told, 120, id="3", state="lost", price=None), mark(3, 110)).sync()

    base = rebased(lake, monkeypatch, xmax=103)
    lake.incarnation, lake.counter, lake.lsn = 2, 0, 500
    lake.copied(base + 1, orders=[("1", "copied", None), ("4", "new", None)])
    lake.land(mark(base + 1, 107, kind="copy")).sync()
    lake.land(update(told, 120, id="4", state="newer", price=None), mark(base + 2, 140)).sync()

    versions = spark.read.format("delta").load(lake.layout.history(told.table))
    found = versions.orderBy("_key", "_from_mark").select("_key", "state", "_from_mark", "_to_mark").collect()
    assert [
        ("1", "copied", 1, None),
        ("2", "undone", 2, base + 1),
        ("4", "new", base + 1, base + 2),
        ("4", "newer", base + 2, None),
    ] == [tuple(row) for row in found]


def test_a_copy_after_it_has_to_be_protected_as_the_spec_says(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And deleted rows that were kept in plain from before keep nothing of it."""
    soft = replace(ORDERS, deletes=Deletes.SOFT)
    lake = Lake(spark, tmp_path, SourceSpec("shop", (soft, LINES, LOG)))
    lake.copied(1, orders=[("1", "plain", None), ("2", "plain", None)]).land(mark(1, 100, kind="copy")).sync()
    lake.land(delete(soft, 101, id="2"), mark(2, 105)).sync()
    base = rebased(lake, monkeypatch, xmax=103)
    lake.incarnation, lake.counter, lake.lsn = 2, 0, 500
    lake.copied(base + 1, orders=[("1", "plain", None)])
    masked = soft.with_columns(
        tuple(replace(c, protect=Protect.MASK if c.name == "state" else None) for c in soft.all_columns)
    )
    lake = replace(lake, spec=SourceSpec("shop", (masked, LINES, LOG)))

    lake.land(mark(base + 1, 107, kind="copy")).sync()
    assert "stale" == lake.state(ORDERS)
    assert COPIED_OTHERWISE == lake.run.control.tables()[ORDERS.table].reason
    lake.copied(base + 2, orders=[("1", "***", None)]).land(mark(base + 2, 109, kind="copy")).sync()

    assert ["1\t***\t\\N"] == lake.lines(masked)
    rows = spark.read.format("delta").load(lake.layout.silver(ORDERS.table))
    assert [("1", "***", False), ("2", None, True)] == [
        tuple(row) for row in rows.orderBy("id").select("_key", "state", "_deleted").collect()
    ]
