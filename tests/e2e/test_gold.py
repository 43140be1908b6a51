"""The marts, against the same queries run by PostgreSQL inside the mark's own snapshot."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.e2e.world import warm_run
from tidemark.local.builder import Builder
from tidemark.local.stack import Stack
from tidemark.local.steps import Steps
from tidemark_contract.argv import Job
from tidemark_contract.marks import MarkKind
from tidemark_jobs.copy import copy
from tidemark_jobs.erase.job import erase
from tidemark_jobs.gold.marts import gold
from tidemark_jobs.run import Run
from tidemark_jobs.sync import sync_job
from tidemark_source.snapshots import hold, join

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


def job(stack: Stack, spark: SparkSession, name: str, mark: int | None = None) -> Run:
    return warm_run(stack.environment(), spark, Job(name, "shop", mark=mark, timeout=180))


def exactly(rows: list[Any]) -> list[tuple[Any, ...]]:
    """Numbers are compared as numbers: 1.50 is 1.5."""
    plain = [tuple(value.normalize() if isinstance(value, Decimal) else value for value in row) for row in rows]
    return sorted(plain, key=str)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_erased_key_is_in_no_version_of_a_mart(stack: Stack, spark: SparkSession) -> None:
    """A mart that has read the table is built anew, from the mark of the erasure, and its older files are gone."""
    run = job(stack, spark, "sync")
    path = run.layout.gold("shipping_priority")
    key = spark.read.format("delta").load(path).first()["l_orderkey"]
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
