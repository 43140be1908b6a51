"""Sync, on a lake filled by hand: what is visible at which mark, and what a crash leaves."""

import itertools
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from tests.jobs.conftest import take_way
from tests.jobs.lake import LINES, LOG, ORDERS, SHOP, Lake, delete, insert, mark, relation, truncate, update
from tests.variants import any_of
from tidemark_contract.marks import Mark
from tidemark_contract.specs import SourceSpec
from tidemark_jobs import publication
from tidemark_jobs.changes import few_changes
from tidemark_jobs.control import Control
from tidemark_jobs.folding import fold_table
from tidemark_jobs.landing import Landing
from tidemark_jobs.plan import Stand, TableFold, judge

pytestmark = pytest.mark.drawn(10)

BOTH_WAYS = any_of("lake", ["small", "large"], indirect=True)
"""What is small is written from Arrow, what is large by Spark: here the same changes by each of them."""
ALL_WAYS = any_of("lake", ["small", "large", "joined"], indirect=True)
"""And in a large table Spark finds the rows by a join."""


@pytest.fixture(scope="module")
def empty(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Copied, empty, at mark 1, which sees every transaction below 100."""
    lake = Lake(spark, tmp_path_factory.mktemp("empty"))
    lake.copied(1).land(mark(1, 100, kind="copy"))
    assert lake.sync() is not None
    return lake


@pytest.fixture
def lake(empty: Lake, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake at mark 1 to go on from."""
    take_way(getattr(request, "param", "small"), monkeypatch)
    return empty.duplicate(tmp_path)


def test_a_change_that_commits_after_the_mark_waits_for_the_next(lake: Lake) -> None:
    """It is in bronze already, but the mark's snapshot does not see its transaction."""
    lake.land(insert(ORDERS, 105, id="1", state="paid", price="1.50"), mark(2, 105)).sync()
    assert [] == lake.lines(ORDERS)

    lake.land(mark(3, 106)).sync()
    assert ["1\tpaid\t1.50"] == lake.lines(ORDERS)
    assert [] == lake.lines(ORDERS, 2)


def test_a_running_transaction_is_carried_over_many_marks(lake: Lake) -> None:
    lake.land(insert(ORDERS, 101, id="1", state="waits", price=None), insert(LINES, 102, id="7", part="p"))
    for number in range(2, 5):
        lake.land(mark(number, 101, 110 + number, [101])).sync()
        assert ([], ["7\tp"]) == (lake.lines(ORDERS), lake.lines(LINES))

    lake.land(mark(5, 120)).sync()
    assert ["1\twaits\t\\N"] == lake.lines(ORDERS)


@pytest.mark.parametrize("lake", ["joined"], indirect=True)
def test_of_a_long_window_comes_to_the_driver_only_what_a_table_lacks(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that runs for hours keeps it long; what other tables have had since may be millions."""
    brought: list[int] = []

    def choosing(collected: pa.Table, fold: TableFold, target: Mark) -> pa.Table:
        brought.append(collected.num_rows)
        return few_changes(collected, fold, target)

    monkeypatch.setattr("tidemark_jobs.changes.few_changes", choosing)
    lake.land(insert(ORDERS, 101, id="1", state="waits", price=None))
    lake.land(*(insert(LINES, 102, id=str(n), part="p") for n in range(50)), mark(2, 101, 110, [101])).sync()
    lake.land(insert(LINES, 111, id="70", part="q"), mark(3, 101, 120, [101])).sync()
    lake.land(insert(LOG, 121, a="x", b="y"), mark(4, 130)).sync()

    assert [50, 1, 2, 2] == brought
    assert (["1\twaits\t\\N"], ["x\ty"], 51) == (lake.lines(ORDERS), lake.lines(LOG), len(lake.lines(LINES)))


@ALL_WAYS
def test_all_changes_of_one_window_are_folded_at_once(lake: Lake) -> None:
    lake.land(
        insert(ORDERS, 101, id="1", state="new", price="1.00"),
        insert(ORDERS, 101, id="2", state="new", price="NaN"),
        update(ORDERS, 102, id="1", state="paid", price="2.00"),
        update(ORDERS, 103, was={"id": "2"}, id="3", state="moved", price="NaN"),
        delete(ORDERS, 104, id="1"),
        insert(LOG, 104, a="x", b="y"),
        insert(LOG, 104, a="x", b="y"),
        mark(2, 110),
    ).sync()

    for by_spark in (False, True):
        assert ["3\tmoved\tNaN"] == lake.lines(ORDERS, by_spark=by_spark)
        assert ["x\ty", "x\ty"] == lake.lines(LOG, by_spark=by_spark)


@BOTH_WAYS
def test_the_same_landing_files_twice_change_nothing(lake: Lake) -> None:
    lake.land(insert(LOG, 101, a="x", b=None), insert(ORDERS, 101, id="1", state="s", price="1.00"), mark(2, 110))
    lake.incarnation, lake.counter = 2, 0
    lake.land_table(lake.landed[-1]).sync()
    lake.land_table(lake.landed[-2]).land(insert(LOG, 120, a="z", b=None), mark(3, 130)).sync()

    assert (["x\t\\N", "z\t\\N"], ["1\ts\t1.00"]) == (lake.lines(LOG), lake.lines(ORDERS))


def test_a_sync_that_goes_on_takes_in_what_lands_in_one_of_several_incarnations(lake: Lake) -> None:
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None))
    lake.incarnation, lake.counter = 2, 0
    lake.land(insert(ORDERS, 102, id="2", state="b", price=None))
    landing = Landing(lake.layout)
    landing.register()
    lake.land(insert(ORDERS, 103, id="3", state="c", price=None))

    assert [1, 0, 0] == [landing.register() for _ in range(3)]


@BOTH_WAYS
def test_a_truncate_empties_and_what_follows_it_stays(lake: Lake) -> None:
    lake.land(insert(ORDERS, 101, id="1", state="a", price="1.00"), insert(LOG, 101, a="x", b="y"), mark(2, 110)).sync()
    facts = [relation(ORDERS, filenode=5), relation(LINES), relation(LOG, filenode=6)]
    lake.land(
        insert(ORDERS, 111, id="2", state="b", price="1.00"),
        truncate(ORDERS, 111),
        truncate(LOG, 111),
        insert(ORDERS, 111, id="1", state="c", price="1.00"),
        insert(LOG, 111, a="n", b="m"),
        mark(3, 120, catalog=facts),
    ).sync()

    assert (["1\tc\t1.00"], ["n\tm"]) == (lake.lines(ORDERS), lake.lines(LOG))


@ALL_WAYS
def test_changes_that_undo_each_other_leave_a_bag_as_it_was(lake: Lake) -> None:
    lake.land(insert(LOG, 101, a="x", b="y"), insert(LOG, 101, a="x", b="y"), mark(2, 110)).sync()
    lake.land(insert(LOG, 111, a="n", b=None), delete(LOG, 111, a="n", b=None), mark(3, 120)).sync()

    assert ("live", ["x\ty", "x\ty"]) == (lake.state(LOG), lake.lines(LOG))


@any_of("many", [24, 0])
def test_rows_that_were_copied_and_rows_that_came_change_together(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Their files differ in what may be NULL; with `many` 0, each commit writes all of them as one file."""
    monkeypatch.setattr("tidemark_jobs.upsert.gathering.MANY", many)
    lake = Lake(spark, tmp_path).copied(1, orders=[("1", "a", None), ("3", "c", None)], log=[("x", "y"), ("s", "t")])
    lake.land(mark(1, 100, kind="copy")).sync()
    lake.land(insert(ORDERS, 101, id="2", state="b", price=None), insert(LOG, 101, a="n", b="m"), mark(2, 110)).sync()
    both = [update(ORDERS, 111, id=key, price="1.00", unchanged=("state",)) for key in ("1", "2")]
    lake.land(*both, delete(LOG, 111, a="x", b="y"), insert(LOG, 111, a="n", b="m"), mark(3, 120)).sync()

    for by_spark in (False, True):
        assert ["1\ta\t1.00", "2\tb\t1.00", "3\tc\t\\N"] == lake.lines(ORDERS, by_spark=by_spark)
        assert ["n\tm", "n\tm", "s\tt"] == lake.lines(LOG, by_spark=by_spark)


@BOTH_WAYS
def test_a_truncate_alone_empties_whatever_came_before_it(lake: Lake) -> None:
    """Of the changes that it follows, one leaves out a value that stood in the table."""
    lake.land(
        insert(ORDERS, 101, id="1", state="long", price=None),
        insert(LOG, 101, a="x", b="y"),
        insert(LINES, 101, id="1", part="p"),
        mark(2, 110),
    ).sync()
    lake.land(
        update(ORDERS, 111, id="1", price="1.00", unchanged=("state",)),
        truncate(ORDERS, 112),
        truncate(LOG, 112),
        mark(3, 120),
    ).sync()

    assert ([], [], ["1\tp"]) == (lake.lines(ORDERS), lake.lines(LOG), lake.lines(LINES))


@BOTH_WAYS
def test_unchanged_toast_comes_from_the_row_in_the_table_even_if_it_moved(lake: Lake) -> None:
    lake.land(
        insert(ORDERS, 101, id="1", state="long", price="NaN"),
        insert(ORDERS, 101, id="2", state="other", price="2.00"),
        mark(2, 110),
    ).sync()
    lake.land(
        update(ORDERS, 111, was={"id": "1"}, unchanged=("state", "price"), id="5"),
        update(ORDERS, 111, unchanged=("state",), id="2", price="3.00"),
        mark(3, 120),
    ).sync()

    assert ["2\tother\t3.00", "5\tlong\tNaN"] == lake.lines(ORDERS)


def test_a_stop_is_published_exactly(lake: Lake) -> None:
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), mark(2, 110, kind="verify"))
    lake.land(insert(ORDERS, 111, id="2", state="b", price=None), mark(3, 120), mark(4, 121)).sync()

    assert ["1\ta\t\\N"] == lake.lines(ORDERS, 2)
    assert None is lake.run.control.published(3)
    assert ["1\ta\t\\N", "2\tb\t\\N"] == lake.lines(ORDERS)


def test_an_older_mark_that_arrives_late_is_ignored(lake: Lake) -> None:
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), mark(3, 120, previous=1)).sync()

    assert None is lake.land(mark(2, 101)).sync()
    assert ["1\ta\t\\N"] == lake.lines(ORDERS)


def test_a_table_that_was_only_rewritten_stays(lake: Lake) -> None:
    facts = [relation(ORDERS, filenode=77), relation(LINES), relation(LOG)]
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), mark(2, 110, catalog=facts)).sync()

    assert ["1\ta\t\\N"] == lake.lines(ORDERS)


@pytest.mark.parametrize(
    ("state", "facts"),
    [
        ("stale", [relation(LINES), relation(LOG)]),
        ("changed", [relation(ORDERS, oid=99999), relation(LINES), relation(LOG)]),
        ("changed", [relation(ORDERS, identity="n"), relation(LINES), relation(LOG)]),
        ("changed", [relation(ORDERS, filenode=77, written_by=7), relation(LINES), relation(LOG)]),
    ],
    ids=["unpublished", "made again", "identity", "values rewritten"],
)
def test_a_table_that_the_stream_does_not_explain_leaves_the_mark_and_its_siblings_stay(
    lake: Lake, state: str, facts: list[dict[str, object]]
) -> None:
    published = lake.land(mark(2, 110, catalog=facts)).sync()

    assert published is not None
    assert (state, None) == (lake.state(ORDERS), published.version(ORDERS.table))
    assert "live" == lake.state(LINES)


def test_a_gap_in_the_chain_of_marks_makes_every_table_stale(lake: Lake) -> None:
    """The slot was lost and made again: what was written in between is in no stream."""
    published = lake.land(insert(ORDERS, 120, id="1", state="after", price=None), mark(4, 130)).sync()

    assert published is not None
    assert () == published.tables
    assert {"stale"} == {lake.state(spec) for spec in SHOP.tables}


def test_a_new_copy_brings_a_stale_table_back_while_the_stream_runs(lake: Lake) -> None:
    facts = [relation(ORDERS, oid=99999), relation(LINES), relation(LOG)]
    lake.land(mark(2, 110, catalog=facts)).sync()
    lake.land(insert(LINES, 111, id="1", part="l"), mark(3, 120, kind="copy", catalog=facts))
    lake.sync()  # the copy's mark is published before its files are there
    lake.copied(3, orders=[("1", "a", "1.00")], lines=[("1", "l")])
    lake.land(insert(LINES, 121, id="2", part="m"), mark(4, 130, catalog=facts)).sync()

    assert (["1\ta\t1.00"], ["1\tl", "2\tm"]) == (lake.lines(ORDERS), lake.lines(LINES))
    assert "live" == lake.state(ORDERS)


def test_a_copy_that_is_finished_while_its_table_is_taken_out_counts(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = [relation(ORDERS, oid=99999), relation(LINES), relation(LOG)]

    def judge_late(stand: Stand, *rest: Any) -> Any:
        if stand.spec.table == ORDERS.table:
            lake.copied(2, orders=[("1", "a", None)])
        return judge(stand, *rest)

    with monkeypatch.context() as patch:
        patch.setattr("tidemark_jobs.publication.judge", judge_late)
        published = lake.land(mark(2, 110, kind="copy", catalog=facts)).sync()
    assert published is not None
    assert ("copied", None) == (lake.state(ORDERS), published.version(ORDERS.table))
    told = capsys.readouterr().err
    assert ("published" in told, "table_out" in told) == (True, False)
    lake.land(mark(3, 120, catalog=facts)).sync()

    assert ("live", ["1\ta\t\\N"]) == (lake.state(ORDERS), lake.lines(ORDERS))


def test_a_table_whose_spec_was_away_is_stale_until_it_is_copied(lake: Lake) -> None:
    """Nobody has followed it meanwhile; that its spec is back does not make it exact."""
    lake.spec = SourceSpec("shop", (LINES, LOG))
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), mark(2, 110)).sync()
    lake.spec = SHOP
    published = lake.land(mark(3, 120)).sync()

    assert published is not None
    assert ("stale", None) == (lake.state(ORDERS), published.version(ORDERS.table))
    assert "while it had no spec" in lake.run.control.tables()[ORDERS.table].reason
    lake.copied(4, orders=[("1", "a", None)]).land(mark(4, 130, kind="copy")).sync()
    assert ("live", ["1\ta\t\\N"]) == (lake.state(ORDERS), lake.lines(ORDERS))


def test_a_copy_whose_mark_never_arrives_is_never_adopted(spark: SparkSession, tmp_path: Path) -> None:
    """The server crashed after the copy had read transactions that were then lost."""
    lake = Lake(spark, tmp_path).copied(1, orders=[("1", "lost", None)])
    published = lake.land(mark(2, 100)).sync()

    assert published is not None
    assert () == published.tables
    assert "copied" == lake.state(ORDERS)


def test_xids_wrap_around(spark: SparkSession, tmp_path: Path) -> None:
    wrap = 1 << 32
    lake = Lake(spark, tmp_path).copied(1).land(mark(1, wrap - 5, kind="copy"))
    lake.sync()
    lake.land(
        insert(ORDERS, wrap - 2, id="1", state="before", price=None),
        insert(ORDERS, wrap + 2, id="2", state="after", price=None),
        mark(2, wrap + 3),
    ).sync()

    assert ["1\tbefore\t\\N", "2\tafter\t\\N"] == lake.lines(ORDERS)


@BOTH_WAYS
def test_a_change_that_cannot_be_decoded_takes_out_its_table_and_no_other(lake: Lake) -> None:
    lake.land(
        insert(ORDERS, 101, id="1", state="a", price="1.00"),
        insert(ORDERS, 101, id="0x1", state="b", price="1.00"),
        insert(ORDERS, 102, id="3", price="1.00"),
        insert(ORDERS, 102, id=None, state="c", price="1.00"),
        insert(LINES, 103, id="1", part="l"),
        mark(2, 110),
    ).sync()

    assert ("stale", ["1\tl"]) == (lake.state(ORDERS), lake.lines(LINES))
    assert "3 of its changes cannot be decoded" in lake.run.control.tables()[ORDERS.table].reason
    quarantined = lake.run.control.quarantine()
    assert [
        "column id is not of type integer",
        "column state is missing",
        "key column id has no value",
    ] == [row.reason for row in quarantined]
    assert {"id": "0x1", "state": "b", "price": "1.00"} == json.loads(quarantined[0].raw)["after"]
    assert ["public.orders"] * 3 == [row.table for row in quarantined]


@BOTH_WAYS
def test_a_table_that_does_not_stand_where_it_says_is_taken_out(lake: Lake) -> None:
    """The change leaves a value out because the row has it already; but there is no such row."""
    lake.land(update(ORDERS, 101, unchanged=("state",), id="9", price="1.00"), insert(LINES, 101, id="1", part="l"))
    lake.land(mark(2, 110)).sync()

    assert ("stale", ["1\tl"]) == (lake.state(ORDERS), lake.lines(LINES))
    assert "run tidemark copy" in lake.run.control.tables()[ORDERS.table].reason


class PowerCut(Exception):
    """The run ends here."""


def test_a_table_that_was_given_a_feature_we_do_not_write_is_taken_out_and_no_other(lake: Lake) -> None:
    path = lake.layout.silver(ORDERS.table)
    lake.spark.sql(f"ALTER TABLE delta.`{path}` SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), insert(LINES, 101, id="1", part="l"), mark(2, 110))
    lake.sync()

    assert ("stale", ["1\tl"]) == (lake.state(ORDERS), lake.lines(LINES))
    assert "demands changeDataFeed of its writers" in lake.run.control.tables()[ORDERS.table].reason


@any_of("words", ["dbt run 5", '{"run": 5}', "5"])
def test_what_somebody_else_says_of_his_commit_takes_out_his_table_and_no_other(lake: Lake, words: str) -> None:
    """A commit's free text is anybody's; a compaction that has one changes no row all the same."""
    theirs = lake.spark.newSession()
    theirs.conf.set("spark.databricks.delta.commitInfo.userMetadata", words)
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), insert(LINES, 101, id="1", part="l"), mark(2, 110))
    lake.sync()
    lake.land(insert(LINES, 111, id="2", part="m"), mark(3, 120)).sync()
    theirs.sql(f"DELETE FROM delta.`{lake.layout.silver(ORDERS.table)}` WHERE id = 1")
    theirs.sql(f"OPTIMIZE delta.`{lake.layout.silver(LINES.table)}`")
    lake.land(insert(LINES, 121, id="3", part="n"), mark(4, 130)).sync()

    assert ("stale", ["1\tl", "2\tm", "3\tn"]) == (lake.state(ORDERS), lake.lines(LINES))
    assert "changed by somebody else" in lake.run.control.tables()[ORDERS.table].reason


@BOTH_WAYS
@any_of("folded", [1, 3])
def test_a_run_that_was_cut_off_after_some_tables_is_gone_on_from(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, folded: int
) -> None:
    """The one that died had a newer mark still to come, too."""
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), insert(LINES, 101, id="1", part="l"))
    lake.land(insert(LOG, 101, a="x", b="y"), insert(LOG, 101, a="x", b="y"), mark(2, 110))
    number = itertools.count(1)

    def cut(*facts: Any) -> Any:
        if next(number) > folded:
            raise PowerCut
        return fold_table(*facts)

    def cut_before_published(*_: Any) -> None:
        raise PowerCut

    with monkeypatch.context() as patch:
        patch.setattr(publication, "fold_table", cut)
        patch.setattr(Control, "publish", cut_before_published)
        with pytest.raises(PowerCut):
            lake.sync()
    assert None is lake.run.control.published(2)
    lake.land(update(ORDERS, 111, id="1", state="b", price=None), insert(LOG, 111, a="x", b="y"), mark(3, 120)).sync()

    assert (["1\tb\t\\N"], ["1\tl"], ["x\ty"] * 3) == (lake.lines(ORDERS), lake.lines(LINES), lake.lines(LOG))


@BOTH_WAYS
def test_a_table_whose_files_are_gone_is_taken_out_and_no_other(lake: Lake) -> None:
    """Somebody has deleted them in the lake: no later run would find them either."""
    lake.land(insert(ORDERS, 101, id="1", state="a", price=None), mark(2, 110)).sync()
    for file in Path(lake.layout.silver(ORDERS.table).removeprefix("file://")).rglob("part-*.parquet"):
        file.unlink()
    lake.land(update(ORDERS, 111, id="1", state="b", price=None), insert(LINES, 111, id="1", part="l"), mark(3, 120))
    lake.sync()

    assert ("stale", ["1\tl"]) == (lake.state(ORDERS), lake.lines(LINES))
    assert "missing in the lake" in lake.run.control.tables()[ORDERS.table].reason
