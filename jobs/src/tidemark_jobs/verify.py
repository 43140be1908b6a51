"""`verify`: prove tables equal to the source at a mark.

The source's rows are hashed inside the mark's own snapshot, silver's at the versions that are published for that
mark; rows are summed up by bucket of their key, and only buckets that differ are looked into, row by row.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from tidemark_contract.errors import ConfigurationError, LeaseTaken, NotEqual
from tidemark_contract.marks import MarkKind
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs.bronze import Bronze
from tidemark_jobs.control import PublishedMark, TableState, TableVersion
from tidemark_jobs.fold.values import row_texts
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.plan import LIVE, STALE, SUSPECT
from tidemark_jobs.reader import read_version
from tidemark_jobs.run import Run
from tidemark_jobs.sync import check_source, sync_to, wait_for_mark
from tidemark_jobs.tables import ProofRow
from tidemark_source.hashes import bucket_hashes, rows_of_buckets
from tidemark_source.snapshots import HeldSnapshot, hold, join

ROWS_PER_BUCKET = 2000
MOST_BUCKETS = 1 << 16
SHOWN = 20
"""So many differing keys are named in a proof."""
_TABLES_AT_ONCE = 2
Buckets = dict[int, tuple[int, int]]


@dataclass(frozen=True)
class Difference:
    """One key whose row differs: missing in the lake, extra there, or unequal in the named columns."""

    key: str
    kind: str
    columns: tuple[str, ...] = ()


def verify(run: Run) -> dict[str, object]:
    """Prove the named tables (default: all live or suspect ones) at a mark of their own; give what was found."""
    states = run.control.tables()
    specs = [spec for spec in run.spec.choose(run.job.tables) if _provable(run, states, spec)]
    if not specs:
        raise ConfigurationError(f"no table of {run.spec.name} is live: run `tidemark copy`, then `tidemark sync`")
    with hold(run.url, run.spec.name, [spec.table for spec in specs], MarkKind.VERIFY) as held:
        log("snapshot_held", mark=held.mark.id, tables=len(specs))
        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            of_source = [pool.submit(_source_buckets, run, spec, held) for spec in specs]
            published = _publish(run, held)
            compared = [(spec, future.result()) for spec, future in zip(specs, of_source, strict=True)]
            proofs = list(pool.map(lambda pair: _prove(run, held, published, *pair), compared))
        held.check()
    _record(run, proofs)
    return _summary(run, published, proofs)


def _provable(run: Run, states: Mapping[TableName, TableState], spec: TableSpec) -> bool:
    state = states.get(spec.table)
    if state is not None and state.state in (LIVE, SUSPECT, "copied"):
        return True
    if run.job.tables:
        why = f"{state.state}: {state.reason}" if state else "new: not copied yet"
        raise ConfigurationError(f"{spec.table} cannot be verified, it is {why}; run `tidemark copy {spec.table}`")
    return False


def _publish(run: Run, held: HeldSnapshot) -> PublishedMark:
    """Bring silver to the held mark, or wait until the sync that is running has done it."""
    try:
        with lease(run.layout, "sync") as own:
            bronze = Bronze(run.layout)
            check_source(run, bronze)
            sync_to(run, bronze, held.mark, own)
    except LeaseTaken:
        log("waiting_for_sync", mark=held.mark.id)
    return wait_for_mark(run, held.mark)


def bucket_count(rows: int) -> int:
    """Choose the number of buckets: about 2,000 rows in each."""
    return max(1, min(MOST_BUCKETS, rows // ROWS_PER_BUCKET))


def _source_buckets(run: Run, spec: TableSpec, held: HeldSnapshot) -> tuple[int, Buckets]:
    version = _last_known(run, spec.table)
    buckets = bucket_count(version.rows if version else 0)
    with join(run.url, held.id, "verify") as connection:
        hashes = bucket_hashes(connection, spec, buckets)
    held.check()
    return buckets, hashes


def _last_known(run: Run, table: TableName) -> TableVersion | None:
    published = run.control.published()
    return published.version(table) if published else None


def _prove(
    run: Run, held: HeldSnapshot, published: PublishedMark, spec: TableSpec, source: tuple[int, Buckets]
) -> ProofRow:
    buckets, expected = source
    version = published.version(spec.table)
    if version is None:
        return _proof(run, published, spec, sum(rows for rows, _ in expected.values()), 1, ["it is not in the mark"])
    silver = read_version(run.spark, run.layout, spec.table, version.version)
    found = silver_buckets(silver, spec, buckets)
    wrong = sorted(b for b in expected.keys() | found.keys() if expected.get(b) != found.get(b))
    differences = _differences(run, held, spec, silver, buckets, wrong) if wrong else []
    rows = sum(count for count, _ in expected.values())
    details = [{"key": d.key, "kind": d.kind, "columns": d.columns} for d in differences[:SHOWN]]
    log("table_compared", table=str(spec.table), rows=rows, buckets=buckets, differing=len(differences))
    return _proof(run, published, spec, rows, len(differences), details)


def silver_buckets(silver: DataFrame, spec: TableSpec, buckets: int) -> Buckets:
    """Count and hash silver's rows by bucket, as `tidemark_source.hashes` does with the source's."""
    count = F.lit(1) if spec.key else F.col("_count")
    rows = _hashed(silver, spec, buckets).select("bucket", count.alias("n"), "hash")
    sums = rows.groupBy("bucket").agg(
        F.sum("n").cast("bigint").alias("rows"),
        F.sum(F.col("hash").cast("decimal(38,0)") * F.col("n").cast("decimal(19,0)")).cast("string").alias("total"),
    )
    return {row["bucket"]: (row["rows"], int(row["total"])) for row in sums.collect()}


def _hashed(silver: DataFrame, spec: TableSpec, buckets: int) -> DataFrame:
    texts = row_texts(spec)
    bucket = F.call_function("proof_key", F.col("_key")) % F.lit(buckets)
    hash_ = F.call_function("proof_row", F.array(*[texts[column.name] for column in spec.columns]))
    return silver.withColumn("bucket", bucket).withColumn("hash", hash_)


def _differences(
    run: Run, held: HeldSnapshot, spec: TableSpec, silver: DataFrame, buckets: int, wrong: Sequence[int]
) -> list[Difference]:
    texts = row_texts(spec)
    count = F.lit(1) if spec.key else F.col("_count")
    rows = _hashed(silver, spec, buckets).where(F.col("bucket").isin(list(wrong)))
    chosen = rows.select("_key", count.alias("n"), F.array(*[texts[c.name] for c in spec.columns]).alias("texts"))
    ours: dict[str, list[list[str | None]]] = {}
    for row in chosen.toLocalIterator():
        ours.setdefault(row["_key"], []).extend([row["texts"]] * row["n"])
    theirs: dict[str, list[list[str | None]]] = {}
    with join(run.url, held.id, "verify") as connection:
        for key, values in rows_of_buckets(connection, spec, buckets, wrong):
            theirs.setdefault(key, []).append(values)
    return sorted(compare(theirs, ours, [c.name for c in spec.columns]), key=lambda d: d.key)


def compare(
    source: Mapping[str, list[list[str | None]]], lake: Mapping[str, list[list[str | None]]], columns: Sequence[str]
) -> list[Difference]:
    """Name every key whose rows differ, and the columns in which they do."""
    differences = []
    for key in source.keys() | lake.keys():
        theirs, ours = source.get(key, []), lake.get(key, [])
        if theirs == ours:
            continue
        if len(theirs) != len(ours):
            kind = "missing" if len(ours) < len(theirs) else "extra"
            differences.append(Difference(key, f"{kind} ({len(theirs)} in the source, {len(ours)} in the lake)"))
        else:
            unequal = [c for c, a, b in zip(columns, theirs[0], ours[0], strict=True) if a != b]
            differences.append(Difference(key, "unequal", tuple(unequal)))
    return differences


def _proof(
    run: Run, published: PublishedMark, spec: TableSpec, rows: int, differing: int, details: Sequence[object]
) -> ProofRow:
    return ProofRow(
        source=run.spec.name,
        table=str(spec.table),
        mark=published.mark.id,
        lsn=published.mark.lsn,
        taken_at=published.mark.taken_at,
        equal=differing == 0,
        rows=rows,
        differing=differing,
        details=json.dumps(details),
        proven_at=datetime.now(UTC),
    )


def _record(run: Run, proofs: Sequence[ProofRow]) -> None:
    """Keep the proofs; a suspect table that was proven equal is live again, one that differs is out until copied."""
    run.control.add_proofs(proofs)
    outcome = {TableName.parse(proof.table): proof for proof in proofs}

    def change(now: dict[TableName, TableState]) -> dict[TableName, TableState]:
        changed = {}
        for table, proof in outcome.items():
            if not proof.equal:
                changed[table] = TableState(
                    STALE, f"verify found {proof.differing} keys different at mark {proof.mark}"
                )
            elif now.get(table, TableState("")).state == SUSPECT:
                changed[table] = TableState(LIVE)
        return changed

    run.control.set_states(change)


def _summary(run: Run, published: PublishedMark, proofs: Sequence[ProofRow]) -> dict[str, object]:
    facts: dict[str, object] = {
        "job": "verify",
        "source": run.spec.name,
        "mark": published.mark.id,
        "equal": all(proof.equal for proof in proofs),
        "tables": [
            {
                "table": proof.table,
                "equal": proof.equal,
                "rows": proof.rows,
                "differing": proof.differing,
                "details": json.loads(proof.details),
            }
            for proof in proofs
        ],
    }
    return facts


def not_equal(facts: Mapping[str, object]) -> NotEqual:
    """Give the error that a verify ends with when tables differ."""
    tables = [t for t in facts["tables"] if not t["equal"]]  # type: ignore[attr-defined]
    named = "; ".join(f"{t['table']}: {t['differing']} keys, first {t['details'][:3]}" for t in tables)
    return NotEqual(f"at mark {facts['mark']} the lake differs from the source: {named}; `tidemark copy` mends it")
