"""Warm syncs of many tables: 20 with a few changes each, then 50 without any; landing files written by hand."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

from tests.bench.measure import Measured, measured, rounds, show
from tests.bench.world import jvm
from tests.jobs.lake import OIDS, Lake, delete, insert, mark, relation, updated
from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec, SourceSpec, TableSpec

TABLES, TOUCHED, ROWS = 50, 20, 5000
WARM_UP, ROUNDS = 6, 5
COLUMNS = (
    ColumnSpec("id", "bigint"),
    ColumnSpec("name", "text"),
    ColumnSpec("amount", "numeric(12,2)"),
    ColumnSpec("at", "timestamp with time zone"),
    ColumnSpec("day", "date"),
    ColumnSpec("open", "boolean"),
    ColumnSpec("note", "text"),
    ColumnSpec("quantity", "integer"),
)
SPECS = tuple(TableSpec(TableName("public", f"t{n:02d}"), COLUMNS, key=("id",)) for n in range(TABLES))
CATALOG = [relation(spec, oid=20000 + number) for number, spec in enumerate(SPECS)]


class SmallLake:
    """Fifty tables of some thousand rows."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        OIDS.update({spec.table: 20000 + number for number, spec in enumerate(SPECS)})
        self.lake, self.number = Lake(spark, folder, spec=SourceSpec("shop", SPECS)), 1
        rows = [tuple(_row(key, 0).values()) for key in range(ROWS)]
        self.lake.copied(1, **{spec.table.table: rows for spec in SPECS})
        self.lake.land(mark(1, 100, kind="copy", catalog=CATALOG))
        self.lake.sync()

    def touched(self) -> Measured:
        """Five updates, an insert and a delete in each of some tables."""
        self.number += 1
        number, xid = self.number, 190 + 10 * self.number
        events = [
            event
            for spec in SPECS[:TOUCHED]
            for event in (
                *(updated(spec, xid, _row((number * 37 + n) % 4000, number)) for n in range(5)),
                insert(spec, xid, **_row(10_000 + number, number)),
                delete(spec, xid, id=str(4000 + number)),
            )
        ]
        self.lake.land(*events, mark(number, 200 + 10 * number, catalog=CATALOG))
        return self._synced()

    def idle(self) -> Measured:
        """A mark, and nothing else."""
        self.number += 1
        self.lake.land(mark(self.number, 200 + 10 * self.number, catalog=CATALOG))
        return self._synced()

    def _synced(self) -> Measured:
        with measured([jvm(self.lake.spark)]) as took:
            published = self.lake.sync()
        assert published is not None
        assert published.mark.id == self.number
        assert TABLES == len(published.tables)
        return took


def bench(spark: SparkSession) -> None:
    """Print CPU-seconds a touched table, and the wall time for idle ones."""
    with TemporaryDirectory(prefix="tidemark-bench-") as folder:
        lake = SmallLake(spark, Path(folder))
        rounds(WARM_UP, {"20 tables touched": lake.touched})
        print("  (that was to warm up)", flush=True)
        cpu = (
            min(took.cpu for took in rounds(ROUNDS, {"20 tables touched": lake.touched})["20 tables touched"]) / TOUCHED
        )
        show("sync of 20 tables with 7 changes, CPU-s a table", f"{cpu:.2f}", "<= 1.2", reached=cpu <= 1.2)
        idle = rounds(ROUNDS, {"50 tables idle": lake.idle})["50 tables idle"]
        wall = min(took.wall for took in idle)
        show("sync of 50 idle tables, seconds", f"{wall:.2f}", "<= 3", reached=wall <= 3)


def _row(key: int, number: int) -> dict[str, str]:
    return {
        "id": str(key),
        "name": f"name {key}",
        "amount": "12.50",
        "at": "2026-01-01 10:00:00+00",
        "day": "2026-01-01",
        "open": "t",
        "note": f"round {number}",
        "quantity": str(number),
    }
