"""A lake that a test fills by hand: landing files as the stream writes them, copies as `copy` leaves them."""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from tidemark_contract.argv import Job
from tidemark_contract.layout import Layout
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName
from tidemark_contract.settings import Settings
from tidemark_contract.specs import ColumnSpec, SourceSpec, TableSpec
from tidemark_jobs import silver, storage
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.changelog import CHANGES
from tidemark_jobs.control import PublishedMark, TableState
from tidemark_jobs.copy import CopiedTable, silver_rows, write_manifest
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.export import copy_lines
from tidemark_jobs.landing import Landing
from tidemark_jobs.leases import lease
from tidemark_jobs.plan import COPIED
from tidemark_jobs.reader import read_by_delta_rs, read_by_spark
from tidemark_jobs.run import Run
from tidemark_jobs.sync import publish_due

ORDERS = TableSpec(
    TableName("public", "orders"),
    (ColumnSpec("id", "integer"), ColumnSpec("state", "text"), ColumnSpec("price", "numeric(12,2)")),
    key=("id",),
)
LINES = TableSpec(TableName("public", "lines"), (ColumnSpec("id", "bigint"), ColumnSpec("part", "text")), key=("id",))
LOG = TableSpec(TableName("public", "log"), (ColumnSpec("a", "text"), ColumnSpec("b", "text")))
SHOP = SourceSpec("shop", (ORDERS, LINES, LOG))
OIDS = {spec.table: 16384 + number for number, spec in enumerate(SHOP.tables)}
Row = Mapping[str, str | None]


@dataclass(frozen=True)
class Event:
    """One row of bronze in the making."""

    table: TableName
    op: str
    xid: int
    before: Row | None = None
    after: Row | None = None
    unchanged: tuple[str, ...] | None = None
    oid: int | None = None
    protection: str | None = None


def insert(spec: TableSpec, xid: int, **after: str | None) -> Event:
    return Event(spec.table, "c", xid, after=after)


def update(
    spec: TableSpec, xid: int, *, was: Row | None = None, unchanged: tuple[str, ...] | None = None, **after: str | None
) -> Event:
    return replace(updated(spec, xid, after), before=was, unchanged=unchanged)


def updated(spec: TableSpec, xid: int, after: Row) -> Event:
    return Event(spec.table, "u", xid, after=after)


def delete(spec: TableSpec, xid: int, **before: str | None) -> Event:
    return Event(spec.table, "d", xid, before=before)


def truncate(spec: TableSpec, xid: int) -> Event:
    return Event(spec.table, "t", xid)


def type_oid(declared: str) -> int:
    """Text's, but for numerics: two types that are told apart."""
    return 1700 if declared.startswith("numeric") else 25


def relation(spec: TableSpec, *, oid: int | None = None, written_by: int = 1, **facts: Any) -> dict[str, Any]:
    """Catalog facts of one plain table, as a mark carries them; `facts` differ from the usual."""
    number = oid or OIDS[spec.table]
    columns = [
        {"number": n, "name": c.name, "type": type_oid(c.type), "declared": c.type, "written_by": written_by}
        for n, c in enumerate(spec.columns, 1)
    ]
    return {
        "oid": number,
        "root": number,
        "schema": spec.table.schema,
        "table": spec.table.table,
        "filenode": number,
        "attributes": len(columns),
        "identity": "d" if spec.key else "f",
        "key": [1] if spec.key else [],
        "keys": [[1]] if spec.key else [],
        "columns": columns,
        "published": "",
    } | facts


def mark(
    number: int,
    xmin: int,
    xmax: int | None = None,
    running: Iterable[int] = (),
    *,
    kind: str = "sync",
    catalog: Iterable[dict[str, Any]] | None = None,
    timeline: int = 1,
    previous: int | None = None,
) -> Event:
    """The mark with that id, taken in the snapshot xmin:xmax:running; its transaction is its number + 900."""
    snapshot = f"{xmin}:{xmax or xmin}:{','.join(map(str, running))}"
    facts = [relation(spec) for spec in SHOP.tables] if catalog is None else list(catalog)
    row = {
        "id": str(number),
        "nonce": f"nonce-{number}",
        "previous": f"nonce-{previous or number - 1}",
        "kind": kind,
        "snapshot": snapshot,
        "lsn": "0/100",
        "taken_at": f"2026-01-01 00:00:{number:02d}+00",
        "system_id": "7",
        "timeline": str(timeline),
        "catalog": json.dumps(facts),
    }
    return Event(TableName(MARK_SCHEMA, MARK_TABLE), "c", xmin + 900 + number, after=row, oid=16000)


@dataclass
class Lake:
    """The lake of the source `shop`."""

    spark: SparkSession
    root: Path
    spec: SourceSpec = SHOP
    incarnation: int = 1
    counter: int = 0
    lsn: int = 1000
    landed: list[pa.Table] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.root.as_uri(), self.spec.name)

    @property
    def run(self) -> Run:
        run = Run(Job("sync", "shop"), Settings(self.root, self.layout.root, self.root, self.environment))
        run.__dict__.update(spark=self.spark, spec=self.spec)  # what a process would start and load
        return run

    def land(self, *events: Event) -> "Lake":
        """Commit one landing file; the changes of one xid in a row are one transaction."""
        rows: list[dict[str, Any]] = []
        xid, ordinal = None, 0
        for event in events:
            if event.xid != xid:
                xid, ordinal, self.lsn = event.xid, 0, self.lsn + 10
            rows.append(self._row(event, ordinal))
            ordinal += 1
        return self.land_table(pa.Table.from_pylist(rows, CHANGES))

    def land_table(self, table: pa.Table) -> "Lake":
        content = pa.BufferOutputStream()
        pq.write_table(table, content, compression="zstd")
        name = f"{self.incarnation:06d}/part-0a-0-{self.counter}"
        assert storage.create(self.layout.landing, name, content.getvalue().to_pybytes())
        self.landed.append(table)
        self.counter += 1
        return self

    def _row(self, event: Event, ordinal: int) -> dict[str, Any]:
        return {
            "system_id": "7",
            "timeline": 1,
            "commit_lsn": self.lsn,
            "ordinal": ordinal,
            "xid": event.xid % (1 << 32),
            "commit_ts": 0,
            "op": event.op,
            "schema_name": event.table.schema,
            "table_name": event.table.table,
            "relation_id": event.oid or OIDS.get(event.table, 0),
            "before": None if event.before is None else list(event.before.items()),
            "after": None if event.after is None else list(event.after.items()),
            "unchanged": None if event.unchanged is None else list(event.unchanged),
            "protection": event.protection,
        }

    def copied(self, number: int, **tables: Iterable[tuple[str | None, ...]]) -> "Lake":
        """Leave a finished copy of all tables (those not named: empty) that counts from mark `number` on."""
        manifest = []
        for spec in self.spec.tables:
            rows = list(tables.get(spec.table.table, ()))
            path, folder = self.layout.silver(spec.table), f"copy-{number}"
            silver.create(path, spec)
            fields = pa.schema([(f"c{n}", pa.string()) for n in range(len(spec.columns))])
            arrow = pa.Table.from_pylist([{f"c{n}": v for n, v in enumerate(row)} for row in rows], fields)
            texts = self.spark.createDataFrame(arrow)
            frame = silver_rows(texts, spec, number)
            frame.coalesce(1).write.mode("overwrite").parquet(f"{path}/{folder}")
            manifest.append(CopiedTable(str(spec.table), folder, len(rows), protection=self.run.protection(spec)))
        write_manifest(self.layout, number, manifest)
        state = TableState(COPIED, "", number)
        self.run.control.set_states(lambda _: {spec.table: state for spec in self.spec.tables})
        return self

    def duplicate(self, root: Path) -> "Lake":
        """Give one that is the same, in another folder: no path in it is absolute."""
        shutil.copytree(self.root, root, dirs_exist_ok=True)
        return replace(self, root=root, landed=list(self.landed))

    def sync(self) -> PublishedMark | None:
        """Publish every mark that is due; give the last."""
        Landing(self.layout).register()
        with lease(self.layout, "sync") as held:
            published = list(publish_due(self.run, Bronze(self.layout), held, self.run.control.published()))
        return published[-1] if published else None

    def lines(self, spec: TableSpec, number: int | None = None, *, by_spark: bool = False) -> list[str]:
        """The table's rows at a published mark, as sorted COPY lines.

        Read by delta-rs, which takes a tenth of the time, or as a reader in Spark sees them.
        """
        published = self.run.control.published(number)
        version = published.version(spec.table) if published else None
        assert version is not None, f"{spec.table} is not in {published}"
        url = self.layout.silver(spec.table)
        if by_spark:
            rows = read_by_spark(self.spark, url, version.version)
        else:
            rows = read_by_delta_rs(self.spark, open_table(url, version.version))
        lines = sorted(row[0] for row in copy_lines(rows, spec).collect())
        assert len(lines) == version.rows
        return lines

    def state(self, spec: TableSpec) -> str:
        return self.run.control.tables()[spec.table].state
