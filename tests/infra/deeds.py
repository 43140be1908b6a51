"""What jobs and stream do in a lake on S3, by their own code, each alone; run in Spark's environment under a role.

`python -m tests.infra.deeds LAKE CHECKPOINTS SOURCE DEED…` prints what became of each: done, refused, or the error.
"""

import io
import json
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable, write_deltalake

from tidemark_contract.layout import Layout
from tidemark_contract.names import TableName
from tidemark_contract.outcome import ADDRESS, Outcome
from tidemark_jobs import storage
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.control import Control, TableState
from tidemark_jobs.deltalog import open_table, storage_options
from tidemark_jobs.landing import Landing
from tidemark_jobs.leases import lease
from tidemark_jobs.outcomes import deliver
from tidemark_jobs.storage import check_lake
from tidemark_streaming.incarnations import Incarnations

TABLE = TableName("public", "orders")
ROWS = pa.table({"id": [1, 2, 3]})
SIGNS = ("AccessDenied", "403 Forbidden", "these credentials may not")


@dataclass(frozen=True)
class Deeds:
    """One source in a lake, and everything that somebody does there."""

    lake: str
    checkpoints: str
    source: str

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.lake, self.source)

    def check(self) -> None:
        check_lake(self.lake)

    def claim(self) -> None:
        Incarnations(self.layout).take()

    def land(self) -> None:
        """Write a file as Flink's sink names it; its counter is higher than those before."""
        counter, content = time.time_ns(), io.BytesIO()
        pq.write_table(pa.Table.from_pylist([{"commit_lsn": counter, "ordinal": 0, "op": "c"}], CHANGES), content)
        storage.create(self.layout.landing, f"000001/part-{uuid.uuid4()}-0-{counter}", content.getvalue())

    def clear(self) -> None:
        """Remove what lies in the landing folder: the stream what a killed run has left, maintain what is old."""
        storage.delete(self.layout.landing, "000001/left")

    def save(self) -> None:
        storage.create(f"{self.checkpoints}/{self.source}", f"chk-{uuid.uuid4()}", b"state")

    def lease(self) -> None:
        with lease(self.layout, f"test-{uuid.uuid4()}"):
            pass

    def register(self) -> None:
        """Add what has landed: the test sees to it that there is something."""
        assert Landing(self.layout).register()

    def read_bronze(self) -> None:
        open_table(self.layout.bronze)

    def fold(self) -> None:
        self._write(self.layout.silver(TABLE))
        self._write(self.layout.history(TABLE))

    def read_silver(self) -> None:
        open_table(self.layout.silver(TABLE)).to_pyarrow_table()

    def publish(self) -> None:
        Control(self.layout).set_states(lambda _: {TABLE: TableState("stale", str(uuid.uuid4()))})

    def read_marks(self) -> None:
        Control(self.layout).published()
        Control(self.layout).tables()

    def build(self) -> None:
        self._write(self.layout.gold("mart"))

    def vacuum_silver(self) -> None:
        self._vacuum(self.layout.silver(TABLE))

    def vacuum_gold(self) -> None:
        self._vacuum(self.layout.gold("mart"))

    def tell(self) -> None:
        deliver(Outcome(), {ADDRESS: self.layout.outcome(str(uuid.uuid4()))})

    def _write(self, url: str) -> None:
        write_deltalake(url, ROWS, mode="append", storage_options=storage_options(url))

    def _vacuum(self, url: str) -> None:
        write_deltalake(url, ROWS, mode="overwrite", storage_options=storage_options(url))
        DeltaTable(url, storage_options=storage_options(url)).vacuum(0, dry_run=False, enforce_retention_duration=False)


def done(deed: Callable[[], None]) -> str:
    try:
        deed()
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        return "refused" if any(sign in text for sign in SIGNS) else text
    return "done"


def all_of(deeds: Deeds, names: list[str]) -> Mapping[str, str]:
    return {name: done(getattr(deeds, name)) for name in names}


if __name__ == "__main__":
    print(json.dumps(all_of(Deeds(*sys.argv[1:4]), sys.argv[4:])))
