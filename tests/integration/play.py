"""One course of syncs on S3, from the first copy on, that a fault may strike at any request."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import obstore
import pyarrow as pa

from tests.integration.proxy import HEALTHY, FaultyS3, Rule
from tests.integration.s3 import BUCKET
from tests.jobs.lake import LINES, LOG, ORDERS, Event, Lake, delete, insert, mark, truncate, update
from tidemark_contract.errors import RetryableError
from tidemark_contract.layout import Layout
from tidemark_jobs import silver, storage
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.failures import engines_told

COPIED: dict[str, list[tuple[str | None, ...]]] = {
    "orders": [("1", "new", "1.50"), ("2", "new", "2.50")],
    "lines": [("7", "p")],
    "log": [("a", "b"), ("a", "b")],
}
STAGES: list[list[Event]] = [
    [
        mark(1, 100, kind="copy"),
        update(ORDERS, 101, id="1", state="paid", price="1.75"),
        insert(LINES, 101, id="8", part="q"),
        insert(LOG, 101, a="a", b="b"),
        mark(2, 102),
    ],
    [
        update(ORDERS, 103, id="2", state="gone", price="2.50"),
        delete(ORDERS, 104, id="1"),
        insert(ORDERS, 104, id="3", state="new", price="NaN"),
        truncate(LINES, 105),
        insert(LINES, 105, id="9", part="r"),
        delete(LOG, 105, a="a", b="b"),
        mark(3, 106),
    ],
]
"""What lands before each sync."""
END = {
    ORDERS: ["2\tgone\t2.50", "3\tnew\tNaN"],
    LINES: ["9\tr"],
    LOG: ["a\tb", "a\tb"],
}


@dataclass
class S3Lake(Lake):
    """A lake of the source `shop` below a prefix of the bucket."""

    prefix: str = "template"

    @cached_property
    def layout(self) -> Layout:
        return Layout(f"s3://{BUCKET}/{self.prefix}", self.spec.name)

    def at(self, prefix: str) -> "S3Lake":
        """Give one that is the same, below another prefix."""
        bucket = storage.open_store(f"s3://{BUCKET}")
        names = [file.name for file in storage.list_objects(self.layout.root)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: obstore.copy(bucket, f"{self.prefix}/{n}", f"{prefix}/{n}"), names))
        return replace(self, prefix=prefix, landed=list(self.landed))


def play(lake: S3Lake, s3: FaultyS3, rule: Rule) -> tuple[str, list[str]]:
    """Sync after each stage, under the rule until a sync fails; that one is run again.

    Gives what it failed with, and the requests that the rule has counted.
    """
    failed, counted = "", list[str]()
    s3.follow(rule)
    try:
        for stage in STAGES:
            lake.land(*stage)
            try:
                _sync(lake)
            except RetryableError as error:
                failed, counted = str(error), s3.counted()
                s3.follow(HEALTHY)
                _sync(lake)
        return failed, counted or s3.counted()
    finally:
        s3.follow(HEALTHY)


def _sync(lake: S3Lake) -> None:
    with engines_told(lake.layout.root):
        lake.sync()


def check_end(lake: S3Lake) -> None:
    """Nothing was lost, and nothing happened twice."""
    assert END == {spec: lake.lines(spec) for spec in END}
    assert [1, 2, 3] == [published.mark.id for published in lake.run.control.marks_since(0)]
    files = pa.table(open_table(lake.layout.bronze).get_add_actions()).to_pylist()
    assert sorted(add["path"] for add in files) == [f"_landing/000001/part-0a-0-{number}" for number in range(2)]
    for spec in END:
        steps = silver.standing(lake.layout.silver(spec.table), -1).steps
        assert [1, 2, 3] == [step.mark for step in steps], f"{spec.table} took these steps: {steps}"
