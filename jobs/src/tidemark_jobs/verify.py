"""`verify`: prove tables equal to the source at a mark.

The source's rows are hashed inside the mark's own snapshot, silver's at the versions that are published for that
mark, and what a history shows at that mark; rows are summed up by bucket of their key, and only buckets that differ are
looked into, row by row.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

from tidemark_contract.errors import ConfigurationError, NotEqual
from tidemark_contract.evolution import spec_at
from tidemark_contract.marks import MarkKind
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_jobs.buckets import Buckets, Difference, bucket_count, compare_with_source
from tidemark_jobs.control import PublishedMark, TableState, TableVersion
from tidemark_jobs.history.proof import history_at
from tidemark_jobs.logs import log
from tidemark_jobs.plan import COPIED, LIVE, STALE
from tidemark_jobs.reader import FEW_ROWS, read_version
from tidemark_jobs.run import Run
from tidemark_jobs.session import session_beside
from tidemark_jobs.sync import sync_or_wait
from tidemark_jobs.tables import ProofRow
from tidemark_source.proofs import ProofReader
from tidemark_source.snapshots import hold

SHOWN = 20
"""So many differing keys are named in a proof."""
_TABLES_AT_ONCE = 2


def verify(run: Run) -> dict[str, object]:
    """Prove the named tables (default: all live ones) at a mark of their own; give what was found."""
    states = run.control.tables()
    specs = [spec for spec in run.spec.choose(run.job.tables) if _provable(run, states, spec)]
    if not specs:
        raise ConfigurationError(f"no table of {run.spec.name} is live: run `tidemark copy`, then `tidemark sync`")
    return verify_tables(run, specs)


def verify_tables(run: Run, specs: Sequence[TableSpec]) -> dict[str, object]:
    """Prove tables at a mark of their own; give what was found."""
    tables = [spec.table for spec in specs]
    with hold(run.url, run.spec.name, tables, MarkKind.VERIFY, plain=run.spec.plain, limit_s=run.job.limit) as held:
        reader = ProofReader.of(run.url, held, run.job.pace, run.hash_key)
        log("snapshot_held", mark=held.mark.id, tables=len(specs))
        specs = [spec_at(spec, held.mark.catalog.table(spec.table)) for spec in specs]
        with ThreadPoolExecutor(_TABLES_AT_ONCE) as pool:
            pool.submit(getattr, run, "spark")  # to start it takes seconds, and so may the mark
            of_source = [pool.submit(source_buckets, run, spec, reader) for spec in specs]
            published = sync_or_wait(run, held.mark)
            compared = [(spec, future.result()) for spec, future in zip(specs, of_source, strict=True)]
            proving = [pool.submit(prove, run, reader, published, *pair) for pair in compared]
        held.check()
    record(run, published, [future.result() for future in proving if not future.exception()])
    return _summary(run, published, [future.result() for future in proving])


def _provable(run: Run, states: Mapping[TableName, TableState], spec: TableSpec) -> bool:
    state = states.get(spec.table)
    if state is not None and state.state in (LIVE, COPIED):
        return True
    if run.job.tables:
        why = f"{state.state}: {state.reason}" if state else "new: not copied yet"
        raise ConfigurationError(f"{spec.table} cannot be verified, it is {why}; run `tidemark copy {spec.table}`")
    return False


def source_buckets(run: Run, spec: TableSpec, reader: ProofReader) -> tuple[int, Buckets]:
    """Hash a table in the source, inside the held snapshot: into how many buckets, and what is in each."""
    version = _last_known(run, spec.table)
    buckets = bucket_count(version.rows if version else 0)
    return buckets, reader.buckets(spec, buckets)


def _last_known(run: Run, table: TableName) -> TableVersion | None:
    published = run.control.published()
    return published.version(table) if published else None


def prove(
    run: Run, reader: ProofReader, published: PublishedMark, spec: TableSpec, source: tuple[int, Buckets]
) -> ProofRow:
    """Compare a table at the published mark, which is the reader's, with its `source_buckets`."""
    buckets, expected = source
    version = published.version(spec.table)
    if version is None:
        return _proof(run, published, spec, sum(rows for rows, _ in expected.values()), 1, ["it is not in the mark"])
    spark = session_beside(run.spark, few=version.rows <= FEW_ROWS)
    compared = compare_with_source(reader, spec, read_version(spark, run.layout, version), buckets, expected)
    found = list(compared.differences)
    if spec.historic:
        history = history_at(run, spark, spec, published)
        wrong = compare_with_source(reader, spec, history, buckets, expected).differences
        found += [replace(difference, kind=f"in its history {difference.kind}") for difference in wrong]
    log("table_compared", table=str(spec.table), rows=compared.rows, buckets=buckets, differing=len(found))
    return _proof(run, published, spec, compared.rows, len(found), named(found))


def named(differences: Sequence[Difference]) -> list[dict[str, object]]:
    """Name the first of the keys that differ, for people: no value is told."""
    return [{"key": d.key, "kind": d.kind, "columns": d.columns} for d in differences[:SHOWN]]


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


def record(run: Run, published: PublishedMark, proofs: Sequence[ProofRow]) -> None:
    """Keep the proofs; a table in the mark that differs is out until it is copied."""
    run.control.add_proofs(proofs)
    wrong = {TableName.parse(proof.table): proof for proof in proofs if not proof.equal}

    def change(now: dict[TableName, TableState]) -> dict[TableName, TableState]:
        """One that is not in the mark is out already; one that was copied meanwhile is another by now."""
        return {
            version.table: TableState(STALE, f"verify found {proof.differing} keys different at mark {proof.mark}")
            for version in published.tables
            if (proof := wrong.get(version.table)) and _is_still(now[version.table], version)
        }

    run.control.set_states(change)


def _is_still(state: TableState, version: TableVersion) -> bool:
    return state.state == LIVE or (state.state == COPIED and state.mark == version.copy)


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
    return NotEqual(f"at mark {facts['mark']} the lake differs from the source: {named}; `tidemark repair` mends it")
