"""`maintain`: compact, and delete what no mark that is kept can see, beside writers that go on.

OPTIMIZE changes no row: the next publication of a mark takes the newer version, and a merge that meets it is tried
again by sync. Bronze is vacuumed by its log alone (LITE): a full VACUUM would delete landing files that the stream
has committed and no sync has registered yet.
"""

from datetime import UTC, datetime, timedelta

from delta.exceptions.captured import ConcurrentDeleteDeleteException, ConcurrentDeleteReadException
from delta.tables import DeltaTable
from pyspark.sql import SparkSession

from tidemark_contract.names import TableName
from tidemark_jobs import storage
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.deltalog import is_table
from tidemark_jobs.gold.marts import built
from tidemark_jobs.landing import open_bronze
from tidemark_jobs.leases import lease
from tidemark_jobs.logs import log
from tidemark_jobs.run import Run
from tidemark_source.marks import expire_marks

KEEP = timedelta(days=7)
"""How long published marks can be read and a copy may take: younger files are never deleted."""
SKEW = timedelta(days=1)
"""By so much the clocks of source, store and machines may differ: nothing is deleted earlier for it."""
KEEP_MARKS_IN_SOURCE = 1000


def maintain(run: Run) -> dict[str, object]:
    """Compact bronze and the named tables (default: all), silver and history, then delete what no kept mark can see.

    Of marts, with all tables, what is no version's any more: each of them is written whole.
    """
    with lease(run.layout, "maintain"):
        published = run.control.published()
        tables = [version.table for version in published.tables] if published else []
        chosen = [TableName.parse(name) for name in run.job.tables] or tables
        hours = retention_hours(run, published)
        histories = [
            run.layout.history(spec.table) for spec in run.spec.tables if spec.historic and spec.table in chosen
        ]
        changing = [*map(run.layout.silver, chosen), *filter(is_table, histories)]
        marts = [] if run.job.tables else map(run.layout.gold, built(run.layout))
        for path in changing:
            compact(run.spark, path)
        for path in (*changing, *marts):
            vacuum(run.spark, path, hours)
            sweep(path, timedelta(hours=hours))
        open_bronze(run.layout)  # made if no sync has run yet
        compact(run.spark, run.layout.bronze)
        vacuum(run.spark, run.layout.bronze, hours, lite=True)
        run.control.vacuum(hours)
        marks = expire_marks(run.url, KEEP_MARKS_IN_SOURCE)
    return {
        "job": "maintain",
        "source": run.spec.name,
        "tables": len(chosen),
        "retention_hours": hours,
        "source_marks_deleted": marks,
    }


def retention_hours(run: Run, published: PublishedMark | None, keep: timedelta = KEEP) -> int:
    """Give the hours that reach back to the oldest mark that must stay readable: kept ones, and the newest proven."""
    proven = [proof.taken_at for proof in run.control.proofs() if proof.equal]
    oldest = min([datetime.now(UTC) - keep, *proven[-1:], *([published.published_at] if published else [])])
    return int((datetime.now(UTC) - oldest + SKEW) / timedelta(hours=1)) + 1


def compact(spark: SparkSession, path: str) -> None:
    """Rewrite small files into large ones; no row changes. A merge that was quicker wins: the next run comes back."""
    try:
        DeltaTable.forPath(spark.newSession(), path).optimize().executeCompaction()
    except (ConcurrentDeleteDeleteException, ConcurrentDeleteReadException) as conflict:
        log("compaction_left", level="warning", path=path, conflict=type(conflict).__name__)
    else:
        log("compacted", path=path)


def vacuum(spark: SparkSession, path: str, hours: int, *, lite: bool = False) -> None:
    """Delete files that no version younger than so many hours holds; `lite`: only those that the log knows."""
    session = spark.newSession()
    session.conf.set("spark.databricks.delta.retentionDurationCheck.enabled", "false")  # we know what must stay
    session.conf.set("spark.databricks.delta.vacuum.logging.enabled", "false")  # a commit would come before a writer's
    quoted = path.replace("`", "``")
    session.sql(f"VACUUM delta.`{quoted}` {'LITE' if lite else 'FULL'} RETAIN {hours:d} HOURS")
    log("vacuumed", path=path, hours=hours)


def sweep(path: str, keep: timedelta) -> None:
    """Delete what copies and folds that were cut off have left half-written: VACUUM passes by what begins with `_`."""
    before = datetime.now(UTC) - keep
    for file in storage.list_objects(path):
        if "_temporary" in file.name.split("/") and file.modified < before:
            storage.delete(path, file.name)
