"""`repair`: what differs from the source, and nothing else, read again.

A proof's comparison with a fresh snapshot says which keys differ; their rows, as the source has them, lie beside
silver as a copy's do, and sync takes them in when it comes to the snapshot's mark. Until then the table is in no mark.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.marks import MarkKind
from tidemark_contract.specs import TableSpec
from tidemark_jobs import silver
from tidemark_jobs.buckets import Compared, bucket_count, compare_with_source
from tidemark_jobs.control import TableState
from tidemark_jobs.copy import COPYING, CopiedTable, checked, silver_rows, write_manifest
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.leases import Lease, lease
from tidemark_jobs.logs import log
from tidemark_jobs.missing import deleted, has_unprotected
from tidemark_jobs.plan import COPIED, COPIED_OTHERWISE, LIVE, NEW, STALE
from tidemark_jobs.reader import read_all, read_table
from tidemark_jobs.run import Run
from tidemark_jobs.verify import named, verify_tables
from tidemark_source.checks import check_keys
from tidemark_source.proofs import ProofReader
from tidemark_source.snapshots import hold


@dataclass(frozen=True)
class _Repaired:
    copied: CopiedTable
    compared: Compared


def repair(run: Run) -> dict[str, object]:
    """Repair the named tables; live ones are verified first, and left alone when they are equal."""
    chosen = run.spec.choose(run.job.tables)
    if live := [spec for spec in chosen if _state(run, spec).state == LIVE]:
        verify_tables(run, live)
    for spec in chosen:
        if (found := _state(run, spec)).state not in (LIVE, STALE):
            why = f"{spec.table} is {found.state}{': ' * bool(found.reason)}{found.reason}"
            raise ConfigurationError(f"{why}; `tidemark copy` loads a table that is new, `sync` takes in the others")
        if found.reason == COPIED_OTHERWISE:  # all of it would differ
            raise ConfigurationError(f"{spec.table}: {COPIED_OTHERWISE}")
    broken = [spec for spec in chosen if _state(run, spec).state == STALE]
    if not broken:
        return {"job": "repair", "source": run.spec.name, "mark": None, "tables": []}
    with lease(run.layout, COPYING) as own:
        return _repair_tables(run, broken, own)


def _repair_tables(run: Run, broken: Sequence[TableSpec], own: Lease) -> dict[str, object]:
    tables = [spec.table for spec in broken]
    with hold(run.url, run.spec.name, tables, MarkKind.COPY, plain=run.spec.plain, limit_s=run.job.limit) as held:
        specs = [checked(spec, held.mark.catalog.table(spec.table)) for spec in broken]
        check_keys(run.url, specs)
        reader = ProofReader.of(run.url, held, run.job.pace, run.hash_key)
        repaired = [_repair_table(run, spec, reader) for spec in specs]
        held.check()
    own.check()
    write_manifest(run.layout, held.mark.id, [table.copied for table in repaired])
    state = TableState(COPIED, f"repaired at mark {held.mark.id}", held.mark.id)
    run.control.set_states(lambda _: {spec.table: state for spec in broken})
    return {
        "job": "repair",
        "source": run.spec.name,
        "mark": held.mark.id,
        "tables": [_facts(table) for table in repaired],
    }


def _state(run: Run, spec: TableSpec) -> TableState:
    return run.control.tables().get(spec.table, TableState(NEW))


def _facts(repaired: _Repaired) -> dict[str, object]:
    found = repaired.compared.differences
    copied = repaired.copied
    return {"table": copied.table, "rows": copied.rows, "differing": len(found), "details": named(found)}


def _repair_table(run: Run, spec: TableSpec, reader: ProofReader) -> _Repaired:
    """Write, beside the table, the rows of every key that differs; of one that the source lacks, that it goes."""
    path, mark = run.layout.silver(spec.table), reader.held.mark
    table = open_table(path)
    if differing := silver.differs(table, spec):
        raise ConfigurationError(
            f"{spec.table} has other columns than in the source ({', '.join(differing)}): `tidemark copy {spec.table}`"
        )
    if spec.soft and has_unprotected(read_all(run.spark, path, table.version()), spec):  # no proof sees deleted rows
        raise ConfigurationError(f"{spec.table}: {COPIED_OTHERWISE}")
    buckets = bucket_count(silver.rows_in(table))
    expected = reader.buckets(spec, buckets)
    there = read_table(run.spark, path, table)
    compared = compare_with_source(reader, spec, there, buckets, expected)
    folder = f"repair-{mark.nonce}"  # no leading underscore: VACUUM would never look into it
    _rows_of(there, spec, compared, mark.id).coalesce(1).write.mode("overwrite").parquet(f"{path}/{folder}")
    log("table_repaired", table=str(spec.table), rows=compared.rows, differing=len(compared.differences))
    copied = CopiedTable(str(spec.table), folder, compared.rows, table.version(), run.protection(spec))
    return _Repaired(copied, compared)


def _rows_of(there: DataFrame, spec: TableSpec, compared: Compared, mark: int) -> DataFrame:
    """Give silver rows; one that goes has its key and no `_mark`, as a fold's has, or stays as a deleted one."""
    spark = there.sparkSession
    columns = ", ".join(f"c{number} string" for number in range(len(spec.columns)))
    texts = [row for difference in compared.differences for row in compared.rows_of(difference.key)]
    coming = silver_rows(spark.createDataFrame(texts, columns), spec, mark)
    gone = [(difference.key,) for difference in compared.differences if not compared.rows_of(difference.key)]
    going = spark.createDataFrame(gone, "_key string")
    if spec.soft:
        going = deleted(there.join(going, "_key", "left_semi").dropDuplicates(["_key"]), mark)
    return coming.unionByName(going, allowMissingColumns=True)
