"""What a history shows at a published mark, as silver would show it: so a proof compares it with the source too."""

import time

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.specs import TableSpec
from tidemark_jobs.control import PublishedMark, TableVersion
from tidemark_jobs.deltalog import open_table
from tidemark_jobs.history.table import as_silver, columns_of, completed, stands_at, widened
from tidemark_jobs.reader import read_table
from tidemark_jobs.run import Run

_LOOK_EVERY_S = 0.5


def history_at(run: Run, spark: SparkSession, spec: TableSpec, published: PublishedMark) -> DataFrame:
    """Give the rows that a history has for a published mark, of a table that is in it.

    Waits for the sync that has published the mark and is about to bring its histories there; raises LakeUnavailable
    when that does not happen.
    """
    version = published.version(spec.table)
    assert version is not None, f"{spec.table} is not in {published}"
    url = run.layout.history(spec.table)
    table = _arrived(url, version, time.monotonic() + run.job.timeout)
    columns, names = widened(columns_of(table), spec)
    mark = F.lit(published.mark.id)
    ended = F.col("_to_mark")
    valid = (F.col("_from_mark") <= mark) & (ended.isNull() | (ended > mark))
    return as_silver(completed(read_table(spark, url, table).where(valid), columns), names)


def _arrived(url: str, version: TableVersion, deadline: float) -> DeltaTable:
    """Open the history when it has seen the mark at which silver became what it is in `version`."""
    while True:
        table, stands = _look(url)
        if table and stands and stands[0] >= version.mark:
            return table
        if time.monotonic() > deadline:
            at = f"at mark {stands[0]}" if stands else "at no mark"
            raise LakeUnavailable(
                f"the history of {version.table} stands {at}, and the table changed at mark {version.mark}: "
                "a sync brings it there, or its log says why not (history_left)"
            )
        time.sleep(_LOOK_EVERY_S)


def _look(url: str) -> tuple[DeltaTable | None, tuple[int, str | None] | None]:
    try:
        table = open_table(url)
    except TableNotFoundError:
        return None, None
    return table, stands_at(table)
