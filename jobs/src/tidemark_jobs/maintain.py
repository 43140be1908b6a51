"""`maintain`: compact, vacuum and expire, beside writers that go on.

OPTIMIZE changes no row, so the next publication of a mark takes the newer version; a merge that meets it is tried
again by sync. What a kept mark can see is never vacuumed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from delta.tables import DeltaTable

from tidemark_contract.names import TableName
from tidemark_jobs import storage
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.landing import committed_files, open_bronze, registered_counter
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.run import Run
from tidemark_source.marks import expire_marks

KEEP = timedelta(days=7)
"""How long published marks can be read and a copy may take: younger files are never deleted."""
KEEP_MARKS_IN_SOURCE = 1000


def maintain(run: Run) -> dict[str, object]:
    """Compact bronze and the named silver tables (default: all), then delete what no kept mark can see."""
    with lease(run.layout, "maintain"):
        published = run.control.published()
        tables = [v.table for v in published.tables] if published else []
        chosen = [TableName.parse(name) for name in run.job.tables] or tables
        hours = retention_hours(run, published)
        for table in chosen:
            compact(run, run.layout.silver(table))
            _vacuum(run, run.layout.silver(table), hours)
        compact(run, run.layout.bronze)
        expired = expire_landing(run, KEEP)
        marks = expire_marks(run.url, KEEP_MARKS_IN_SOURCE)
    return {
        "job": "maintain",
        "source": run.spec.name,
        "tables": len(chosen),
        "retention_hours": hours,
        "landing_files_deleted": expired,
        "source_marks_deleted": marks,
    }


def retention_hours(run: Run, published: PublishedMark | None, keep: timedelta = KEEP) -> int:
    """Give the hours that reach back to the oldest mark that must stay readable: kept ones, and the newest proven."""
    proven = [proof.taken_at for proof in run.control.proofs() if proof.equal]
    oldest = min([datetime.now(UTC) - keep, *proven[-1:], *([published.published_at] if published else [])])
    return int((datetime.now(UTC) - oldest) / timedelta(hours=1)) + 1


def compact(run: Run, path: str) -> None:
    """Rewrite small files into large ones; no row changes."""
    DeltaTable.forPath(run.spark.newSession(), path).optimize().executeCompaction()
    log("compacted", path=path)


def _vacuum(run: Run, path: str, hours: int) -> None:
    spark = run.spark.newSession()
    spark.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")  # we know what must stay
    DeltaTable.forPath(spark, path).vacuum(hours)


def expire_landing(run: Run, keep: timedelta) -> int:
    """Delete landing files whose rows a compaction has moved elsewhere, `keep` ago; give their number.

    A file that is not registered yet, or that bronze still reads in place, always stays.
    """
    bronze = open_bronze(run.layout)
    in_use = {str(row["path"]) for row in pa.table(bronze.get_add_actions()).to_pylist()}
    before = datetime.now(UTC) - keep
    gone = [
        file.name
        for file in committed_files(run.layout)
        if f"_landing/{file.name}" not in in_use
        and file.counter <= registered_counter(bronze, file.incarnation)
        and file.modified < before
    ]
    _delete(run, gone)
    return len(gone)


def _delete(run: Run, names: Sequence[str]) -> None:
    for name in names:
        storage.delete(run.layout.landing, name)
