"""Compaction and deletion beside writers: nothing that a kept mark can see is lost."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from tests.jobs.lake import LINES, ORDERS, Lake, insert, mark, update
from tidemark_jobs import folding
from tidemark_jobs.landing import Landing
from tidemark_jobs.maintain import KEEP, SKEW, compact, retention_hours, sweep, vacuum
from tidemark_jobs.tables import ProofRow

pytestmark = pytest.mark.drawn(2)


@pytest.fixture(scope="module")
def used(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Three marks, each of which has left small files."""
    lake = Lake(spark, tmp_path_factory.mktemp("used"))
    lake.copied(1, orders=[("1", "a", None)]).land(mark(1, 100, kind="copy")).sync()
    lake.land(insert(ORDERS, 101, id="2", state="b", price=None), mark(2, 110)).sync()
    lake.land(insert(ORDERS, 111, id="3", state="c", price=None), mark(3, 120)).sync()
    return lake


@pytest.fixture
def lake(used: Lake, tmp_path: Path) -> Lake:
    """A used lake to go on from."""
    return used.duplicate(tmp_path)


def files(folder: str) -> set[str]:
    root = Path(folder.removeprefix("file://"))
    return {str(path.relative_to(root)) for path in root.rglob("part-*") if not path.name.endswith(".crc")}


def test_an_idle_table_that_was_optimized_and_vacuumed_is_read_at_the_next_mark(lake: Lake) -> None:
    """No change comes for it any more; its version has to move on all the same."""
    path = lake.layout.silver(ORDERS.table)
    before = files(path)
    compact(lake.spark, path)
    lake.land(insert(LINES, 121, id="7", part="p"), mark(4, 130)).sync()
    vacuum(lake.spark, path, 0)

    assert not before & files(path)
    assert ["1\ta\t\\N", "2\tb\t\\N", "3\tc\t\\N"] == lake.lines(ORDERS, by_spark=True)


def test_what_a_job_that_was_cut_off_has_left_half_written_goes_when_it_is_old(lake: Lake) -> None:
    path = lake.layout.silver(ORDERS.table)
    left = Path(path.removeprefix("file://")) / "fold-x" / "_temporary" / "0"
    for name, age in (("old", KEEP * 2), ("young", KEEP / 2)):
        file = left / name / "part-00000.parquet"
        file.parent.mkdir(parents=True)
        file.touch()
        then = (datetime.now(UTC) - age).timestamp()
        os.utime(file, (then, then))
    kept = files(path) - {"fold-x/_temporary/0/old/part-00000.parquet"}
    sweep(path, KEEP)

    assert kept == files(path)
    assert ["1\ta\t\\N", "2\tb\t\\N", "3\tc\t\\N"] == lake.lines(ORDERS)


def test_bronze_loses_what_was_compacted_and_keeps_what_is_not_registered(lake: Lake) -> None:
    """A landing file that is older than any retention may still wait for a sync."""
    lake.land(insert(ORDERS, 121, id="4", state="d", price=None), mark(4, 130))
    waiting = {f"_landing/000001/part-0a-0-{lake.counter - 1}"}
    compact(lake.spark, lake.layout.bronze)
    vacuum(lake.spark, lake.layout.bronze, 0, lite=True)

    assert waiting == {name for name in files(lake.layout.bronze) if name.startswith("_landing")}
    lake.sync()
    assert "4\td\t\\N" in lake.lines(ORDERS, by_spark=True)
    assert 0 == Landing(lake.layout).register()


def test_a_compacted_changelog_is_folded_like_one_that_was_not(lake: Lake) -> None:
    """A transaction that marks have passed by is carried over in the compacted files."""
    lake.land(insert(ORDERS, 121, id="5", state="long", price=None), mark(4, 121, 130, [121])).sync()
    compact(lake.spark, lake.layout.bronze)
    lake.land(update(ORDERS, 131, id="1", state="z", price=None), mark(5, 140)).sync()

    assert ["1\tz\t\\N", "2\tb\t\\N", "3\tc\t\\N", "5\tlong\t\\N"] == lake.lines(ORDERS, by_spark=True)


def test_retention_reaches_back_to_the_newest_mark_and_to_the_newest_proof(lake: Lake) -> None:
    """A source that was quiet for a month is still readable."""
    newest = lake.run.control.published()
    assert newest is not None
    assert (KEEP + SKEW) // timedelta(hours=1) + 1 == retention_hours(lake.run, newest)

    month_ago = datetime.now(UTC) - timedelta(days=30)
    assert 31 * 24 + 1 == retention_hours(lake.run, replace(newest, published_at=month_ago))

    at = month_ago - timedelta(days=1)
    lake.run.control.add_proofs([ProofRow("shop", "public.orders", 1, 1, at, True, 1, 0, "[]", at)])
    assert 32 * 24 + 1 == retention_hours(lake.run, newest)


@pytest.mark.parametrize("way", ["merge_small", "merge_large"])
def test_a_fold_that_a_compaction_comes_before_is_done_again(
    lake: Lake, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    """It looks at the table again: the rows lie in other files now."""
    merge, first = getattr(folding, way), iter([True])

    def compacted_before(*facts: Any) -> Any:
        if next(first, False):
            compact(lake.spark, lake.layout.silver(ORDERS.table))
        return merge(*facts)

    monkeypatch.setattr(folding, "is_small", lambda _: way == "merge_small")
    monkeypatch.setattr(folding, way, compacted_before)
    lake.land(update(ORDERS, 121, id="2", state="new", price=None), mark(4, 130)).sync()

    assert ["1\ta\t\\N", "2\tnew\t\\N", "3\tc\t\\N"] == lake.lines(ORDERS, by_spark=True)
    assert "merge_overtaken" in capfd.readouterr().err
