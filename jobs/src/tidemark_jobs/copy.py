"""`copy`: read tables in parallel inside one exported snapshot, while the stream runs on.

The files lie in the silver table's own folder, unknown to its log: sync adopts them when it comes to the copy's mark.
First load, a table added later, repair and recovery after a lost slot are all this.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.errors import SourceChanged, SourceRefused
from tidemark_contract.evolution import Table, spec_at, unlike
from tidemark_contract.layout import COPIES, Layout
from tidemark_contract.marks import BEGIN_ANEW, MarkKind
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver, storage
from tidemark_jobs.control import TableState
from tidemark_jobs.fold.keys import key_of
from tidemark_jobs.fold.values import typed_columns, with_map
from tidemark_jobs.jdbc import jdbc_options
from tidemark_jobs.leases import Lease, lease
from tidemark_jobs.logs import log
from tidemark_jobs.plan import COPIED
from tidemark_jobs.run import Run
from tidemark_jobs.upsert.written import written_files
from tidemark_source.checks import check_keys
from tidemark_source.pages import page_count
from tidemark_source.ranges import range_queries
from tidemark_source.snapshots import HeldSnapshot, hold

_TABLES_AT_ONCE = 2
COPYING = "copy"
"""The lease of who writes rows of the source beside silver: an erasure would miss them, or take them away half-made."""


@dataclass(frozen=True)
class CopiedTable:
    """One table of a finished copy: the folder of its files, below the silver table, and its rows.

    A repair's files have only what differed from the version of the silver table that it repairs. `protection` names
    how its columns were protected (`TableSpec.protection`).
    """

    table: str
    folder: str
    rows: int
    repairs: int | None = None
    protection: str | None = None


def copy(run: Run) -> dict[str, object]:
    """Copy the tables that the job names (default: all)."""
    return copy_tables(run, run.spec.choose(run.job.tables))


def copy_tables(run: Run, written: Sequence[TableSpec]) -> dict[str, object]:
    """Copy tables, with the columns that they have by now, and record the copy, which counts from its mark on."""
    with lease(run.layout, COPYING) as own:
        return _copy_tables(run, written, own)


def _copy_tables(run: Run, written: Sequence[TableSpec], own: Lease) -> dict[str, object]:
    tables = [spec.table for spec in written]
    with hold(run.url, run.spec.name, tables, MarkKind.COPY, plain=run.spec.plain) as held:
        log("snapshot_held", mark=held.mark.id, tables=len(tables))
        specs = [checked(spec, held.mark.catalog.table(spec.table)) for spec in written]
        check_keys(run.url, specs)
        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            copied = list(pool.map(lambda spec: _copy_table(run, spec, held), specs))
        held.check()
    own.check()
    write_manifest(run.layout, held.mark.id, copied)
    state = TableState(COPIED, f"copied at mark {held.mark.id}", held.mark.id)
    run.control.set_states(lambda _: {spec.table: state for spec in specs})
    return {"job": "copy", "source": run.spec.name, "mark": held.mark.id, "rows": sum(table.rows for table in copied)}


def write_manifest(layout: Layout, mark: int, copied: Sequence[CopiedTable]) -> None:
    """Record which files a copy made; what is not recorded is never adopted.

    SourceChanged when there is a copy of that mark: an id is given twice by none but a source that was restored.
    """
    if not storage.create(layout.claims, _manifest(mark), json.dumps([asdict(table) for table in copied]).encode()):
        raise SourceChanged(f"the lake has another copy of a mark {mark}: the source was restored; {BEGIN_ANEW}")


def read_manifest(layout: Layout, mark: int) -> Mapping[TableName, CopiedTable]:
    """Give the tables of a finished copy; empty when there is no such copy."""
    try:
        return _finished(layout, mark)
    except LookupError:
        return {}


@lru_cache
def _finished(layout: Layout, mark: int) -> Mapping[TableName, CopiedTable]:
    """A manifest is written once and stays: every sync asks for those of its tables."""
    content = storage.read(layout.claims, _manifest(mark))
    if content is None:
        raise LookupError(mark)
    tables = [CopiedTable(**facts) for facts in json.loads(content)]
    return {TableName.parse(table.table): table for table in tables}


def newest_copy(layout: Layout) -> int:
    """Give the mark of the newest finished copy, adopted or not; 0 when there is none."""
    names = [stored.name for stored in storage.list_objects(layout.claims) if stored.name.startswith(COPIES)]
    return max((int(name.removeprefix(COPIES).removesuffix(".json")) for name in names), default=0)


def _manifest(mark: int) -> str:
    return f"{COPIES}{mark}.json"


def _copy_table(run: Run, spec: TableSpec, held: HeldSnapshot) -> CopiedTable:
    path, protection = run.layout.silver(spec.table), run.protection(spec)
    rows = silver_rows(_read(run, spec, held), spec, held.mark.id)
    silver.create(path, spec)
    folder = f"copy-{held.mark.nonce}"  # no leading underscore: VACUUM would never look into it
    rows.write.mode("overwrite").parquet(f"{path}/{folder}")
    held.check()
    count = sum(file.weight for file in written_files(path, folder))
    log("table_copied", table=str(spec.table), rows=count)
    return CopiedTable(str(spec.table), folder, count, protection=protection)


def silver_rows(texts: DataFrame, spec: TableSpec, mark: int) -> DataFrame:
    """Turn rows of PostgreSQL text, `c0, c1, …` in the spec's order, into silver rows."""
    columns = {column.name: F.col(f"c{number}") for number, column in enumerate(spec.columns)}
    keyed = with_map(texts, "row", {name: columns[name] for name in spec.key or columns})
    meta = [
        key_of(F.col("row"), spec).alias("_key"),
        F.lit(mark).cast("bigint").alias("_mark"),
        F.lit(None).cast("bigint").alias("_commit_lsn"),
    ]
    if spec.soft:
        meta.append(F.lit(False).alias(silver.DELETED))
    rows = keyed.select(*typed_columns(columns, spec), *meta)
    if not spec.key:
        names = [name for name in rows.columns if name != "_key"]
        rows = rows.groupBy("_key").agg(*[F.any_value(f"`{n}`").alias(n) for n in names], F.count("*").alias("_count"))
    return rows.select(*[f"`{field.name}`" for field in silver.schema(spec)])


def checked(spec: TableSpec, table: Table) -> TableSpec:
    """Give the spec as the table is by now; one that freezes its columns has to say the same."""
    if spec.frozen and (differing := unlike(spec, table)):
        raise SourceRefused(
            f"{spec.table}: its spec freezes its columns, and differs from the database in {', '.join(differing)}: "
            "run `tidemark discover` again, correct the spec, or let it say `on_schema_change: evolve`"
        )
    return spec_at(spec, table)


def _read(run: Run, spec: TableSpec, held: HeldSnapshot) -> DataFrame:
    with run.join(held, "copy") as connection:
        queries = range_queries(connection, spec, page_count(connection, spec.table))
    reader = run.spark.read.format("io.tidemark.spark.copy.CopySource").schema(
        ", ".join(f"c{number} string" for number in range(len(spec.columns)))
    )
    for name, value in {**jdbc_options(run.url, run.hash_key), "snapshot": held.id}.items():
        reader = reader.option(name, value)
    for number, query in enumerate(queries):
        reader = reader.option(f"query.{number}", query)
    return reader.load()
