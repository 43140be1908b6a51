"""The marts, against the same queries run by PostgreSQL inside the mark's own snapshot."""

import os
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.e2e.world import warm_run
from tests.present import present
from tidemark.local.builder import Builder
from tidemark.local.stack import Stack
from tidemark.local.steps import Steps
from tidemark_contract.argv import Job
from tidemark_contract.errors import ConfigurationError, LeaseTaken, NotEqual
from tidemark_contract.marks import MarkKind
from tidemark_jobs.copy import copy
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.erase.job import erase
from tidemark_jobs.gold.backfill import backfill, check, drop, stage, swap
from tidemark_jobs.gold.marts import TRANSFORMS, gold, lease_of, opened
from tidemark_jobs.leases import lease
from tidemark_jobs.maintain import maintain
from tidemark_jobs.reader import find_mark
from tidemark_jobs.run import Run
from tidemark_jobs.sync import sync_job
from tidemark_source.snapshots import hold, join

pytestmark = pytest.mark.slow

QUERIES = {
    "pricing_summary": """
        SELECT l_returnflag, l_linestatus, sum(l_quantity), sum(l_extendedprice),
            sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)),
            round(avg(l_quantity), 6), round(avg(l_extendedprice), 6), round(avg(l_discount), 6), count(*)
        FROM lineitem WHERE l_shipdate <= date '1998-12-01' - interval '90' day GROUP BY 1, 2""",
    "shipping_priority": """
        SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate, o_shippriority
        FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
        WHERE c_mktsegment = 'BUILDING' AND o_orderdate < date '1995-03-15' AND l_shipdate > date '1995-03-15'
        GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate, l_orderkey LIMIT 10""",
    "local_supplier_volume": """
        SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue
        FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey
        JOIN supplier ON l_suppkey = s_suppkey AND c_nationkey = s_nationkey
        JOIN nation ON s_nationkey = n_nationkey JOIN region ON n_regionkey = r_regionkey
        WHERE r_name = 'ASIA' AND o_orderdate >= date '1994-01-01' AND o_orderdate < date '1995-01-01'
        GROUP BY n_name""",
}
WRITES = """
UPDATE lineitem SET l_discount = 0.07 WHERE l_orderkey % 5 = 0;
DELETE FROM lineitem WHERE l_orderkey % 11 = 0;
UPDATE orders SET o_orderdate = o_orderdate + 1 WHERE o_orderkey % 3 = 0;
UPDATE customer SET c_mktsegment = 'BUILDING' WHERE c_custkey % 13 = 0;
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("shop") / "stack")
    build = Builder(made, Steps())
    try:
        build.shop(0.01)
        build.stream(build.source())
        yield made
    finally:
        made.remove()


def job(stack: Stack, spark: SparkSession, name: str, mark: int | None = None, *marts: str) -> Run:
    return warm_run(stack.environment(), spark, Job(name, "shop", marts, mark=mark, timeout=180))


def exactly(rows: list[Any]) -> list[tuple[Any, ...]]:
    """Numbers are compared as numbers: 1.50 is 1.5."""
    plain = [tuple(value.normalize() if isinstance(value, Decimal) else value for value in row) for row in rows]
    return sorted(plain, key=str)


@pytest.mark.timeout(600)
def test_the_marts_are_what_postgresql_says_in_the_marks_snapshot(stack: Stack, spark: SparkSession) -> None:
    copy(job(stack, spark, "copy"))
    run = job(stack, spark, "sync")
    with psycopg.connect(stack.mirror().settings.admin_url("shop"), autocommit=True) as owner:
        owner.execute(WRITES)
        with hold(run.url, "shop", [spec.table for spec in run.spec.tables], MarkKind.VERIFY) as held:
            owner.execute("DELETE FROM orders WHERE o_orderkey % 2 = 0")  # after the mark: not in it
            with join(run.url, held.id, "truth") as connection:
                connection.execute("SET LOCAL search_path = public")
                expected = {mart: connection.execute(query).fetchall() for mart, query in QUERIES.items()}
    list(sync_job(run))

    built = gold(job(stack, spark, "gold", held.mark.id))

    assert held.mark.id == built["mark"]
    for mart, rows in expected.items():
        assert rows, f"{mart} has no rows: nothing would be compared"
        found = spark.read.format("delta").load(run.layout.gold(mart)).collect()
        assert exactly(rows) == exactly([tuple(row) for row in found]), mart


def state(spark: SparkSession, path: str) -> tuple[int, list[Any]]:
    """Give a mart's version and rows, as any reader of Delta sees them."""
    rows = spark.read.format("delta").load(path).collect()
    return open_table(path).version(), exactly([tuple(row) for row in rows])


def leftovers(path: str) -> list[Path]:
    return list(Path(path.removeprefix("file://")).glob("backfill-*/*.parquet"))


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_a_mart_is_built_anew_from_an_older_mark_and_from_the_newest_again(stack: Stack, spark: SparkSession) -> None:
    """Each is what `gold` makes of that mark."""
    path = job(stack, spark, "sync").layout.gold("pricing_summary")
    older, newest = _two_marks(stack, spark)
    gold(job(stack, spark, "gold", newest))
    version, as_newest = state(spark, path)

    for mark, number in ((older, version + 1), (newest, version + 2)):
        done = backfill(job(stack, spark, "backfill", mark, "pricing_summary"))

        assert (mark, {"pricing_summary": number}) == (done["mark"], done["marts"])
        backfilled = state(spark, path)
        assert number == backfilled[0]
        assert (mark == newest) == (backfilled[1] == as_newest)
    gold(job(stack, spark, "gold", older))
    assert state(spark, path)[1] != as_newest


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_a_backfill_that_is_cut_off_before_the_swap_leaves_the_mart_as_it_was(
    stack: Stack, spark: SparkSession
) -> None:
    run = job(stack, spark, "backfill", None, "pricing_summary")
    path, before = run.layout.gold("pricing_summary"), state(spark, run.layout.gold("pricing_summary"))
    published = find_mark(run.control, None)
    rows = TRANSFORMS["pricing_summary"](opened(run, ["pricing_summary"], published).of("pricing_summary"))

    staged = stage(run.layout, "pricing_summary", rows)  # and no more: the process is dead

    assert len(before[1]) == staged.rows
    assert leftovers(path)
    assert before == state(spark, path)
    backfill(run)
    assert before[0] + 1 == state(spark, path)[0]
    with pytest.raises(LeaseTaken, match="was built by somebody else meanwhile"):
        swap(staged, published)  # should the first be alive after all
    drop(staged)


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_maintain_takes_away_what_a_backfill_that_was_killed_has_left(stack: Stack, spark: SparkSession) -> None:
    """Once it is older than what may still be wanted: another backfill may be at work."""
    run = job(stack, spark, "maintain")
    path = run.layout.gold("pricing_summary")
    before, live = state(spark, path), spark.read.format("delta").load(path)
    old, young = (stage(run.layout, "pricing_summary", live) for _ in range(2))
    folder = Path(path.removeprefix("file://"))
    for file in (folder / old.folder).iterdir():
        os.utime(file, times=(time.time() - 30 * 86400,) * 2)

    maintain(run)

    assert [] == list((folder / old.folder).glob("*.parquet"))
    assert list((folder / young.folder).glob("*.parquet"))
    assert before == state(spark, path)
    drop(young)


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_of_two_who_write_a_mart_at_once_the_second_is_refused(stack: Stack, spark: SparkSession) -> None:
    run = job(stack, spark, "backfill", None, "pricing_summary")
    with lease(run.layout, lease_of("pricing_summary")):
        for work in (backfill, gold):
            with pytest.raises(LeaseTaken, match="another gold-pricing_summary of shop is running"):
                work(run)


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_what_is_not_sound_does_not_take_the_marts_place(stack: Stack, spark: SparkSession) -> None:
    """Other columns, no rows, rows that are not what was computed."""
    run = job(stack, spark, "backfill")
    path = run.layout.gold("pricing_summary")
    before, lying = state(spark, path), leftovers(path)
    live = spark.read.format("delta").load(path)

    with pytest.raises(ConfigurationError, match="has other columns by now"):
        stage(run.layout, "pricing_summary", live.drop("avg_qty"))
    with pytest.raises(ConfigurationError, match=r"would lose all its \d+ rows"):
        check(empty := stage(run.layout, "pricing_summary", live.limit(0)), live)
    torn = stage(run.layout, "pricing_summary", live)
    file = Path(path.removeprefix("file://")) / next(written.path for written in torn.files if written.rows)
    pq.write_table(pq.read_table(file).slice(1), file)
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)  # Hadoop's own: the rows alone have to tell it
    with pytest.raises(NotEqual, match="others were written"):
        check(torn, live)
    drop(empty)
    drop(torn)
    with pytest.raises(ConfigurationError, match="there is no mart 'shipping'"):
        backfill(job(stack, spark, "backfill", None, "shipping"))
    assert (before, lying) == (state(spark, path), leftovers(path))


def _two_marks(stack: Stack, spark: SparkSession) -> tuple[int, int]:
    """Change what the mart sums up between two marks."""
    marks = []
    for _ in range(2):
        with psycopg.connect(stack.mirror().settings.admin_url("shop"), autocommit=True) as owner:
            owner.execute("UPDATE lineitem SET l_quantity = l_quantity + 1 WHERE l_orderkey % 7 = 0")
        marks += [int(str(facts["mark"])) for facts in sync_job(job(stack, spark, "sync"))]
    return marks[0], marks[-1]


@pytest.mark.drawn(2)
@pytest.mark.timeout(600)
def test_an_erased_key_is_in_no_version_of_a_mart(stack: Stack, spark: SparkSession) -> None:
    """A mart that has read the table is built anew, from the mark of the erasure, and its older files are gone."""
    run = job(stack, spark, "sync")
    path = run.layout.gold("shipping_priority")
    key = present(spark.read.format("delta").load(path).first())["l_orderkey"]
    with psycopg.connect(stack.mirror().settings.admin_url("shop"), autocommit=True) as owner:
        owner.execute("DELETE FROM lineitem WHERE l_orderkey = %s", (key,))
        owner.execute("DELETE FROM orders WHERE o_orderkey = %s", (key,))
    subject = stack.folder / "subject.yaml"
    subject.write_text(f"- {{table: public.orders, keys: [{key}]}}")
    erased = erase(warm_run(stack.environment(), spark, Job("erase", "shop", timeout=180, subject=str(subject))))

    assert {} == erased["left"]
    files = [pq.read_table(file) for file in Path(path.removeprefix("file://")).glob("*.parquet")]
    orders = [order for file in files for order in file["l_orderkey"].to_pylist()]
    assert orders
    assert key not in orders
