"""Changes that cannot be decoded: kept with their place, the reason and their raw text, for a person to look at.

Whoever meets such a change while folding stops; only then is it looked for, so what is sound pays nothing for it.
"""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from tidemark_contract.marks import Mark
from tidemark_contract.specs import TableSpec
from tidemark_jobs.fold.values import is_undecodable
from tidemark_jobs.logs import log
from tidemark_jobs.run import Run
from tidemark_jobs.tables import QuarantineRow

MOST = 1000
"""So many changes of one table and mark are kept; there may be millions, all for one reason."""


def quarantine(run: Run, changes: DataFrame, spec: TableSpec, mark: Mark) -> int:
    """Keep the changes that cannot be decoded; give their number (at most MOST)."""
    now = datetime.now(UTC)
    rows = [
        QuarantineRow(run.spec.name, str(spec.table), mark.id, row[0], row[1], row[2], row[3], now)
        for row in undecodable(changes, spec).limit(MOST).collect()
    ]
    run.control.add_quarantine(rows)
    log("quarantined", level="warning", table=str(spec.table), mark=mark.id, changes=len(rows))
    return len(rows)


def undecodable(changes: DataFrame, spec: TableSpec) -> DataFrame:
    """Give `commit_lsn, ordinal, reason, raw (JSON)` of every change that cannot be decoded."""
    deleted = F.col("op") == "d"
    row = F.when(deleted, F.col("before")).otherwise(
        F.map_concat(F.coalesce("before", _nothing()), F.coalesce("after", _nothing()))
    )
    reasons = F.array(*_lacks_key(row, spec), *[F.when(~deleted, fault) for fault in _faults(row, spec)])
    raw = F.to_json(F.struct("op", "before", "after", "unchanged"))
    rows = changes.where("op <> 't'")  # a TRUNCATE, where it is told, has none
    found = rows.select("commit_lsn", "ordinal", F.array_join(reasons, "; ").alias("reason"), raw.alias("raw"))
    return found.where("reason <> ''").orderBy("commit_lsn", "ordinal")


def _nothing() -> Column:
    return F.create_map().cast("map<string,string>")


def _lacks_key(row: Column, spec: TableSpec) -> list[Column]:
    return [F.when(row.getItem(name).isNull(), F.lit(f"key column {name} has no value")) for name in spec.key]


def _faults(row: Column, spec: TableSpec) -> list[Column]:
    """What was left out because it did not change is no fault."""
    faults = []
    for column in spec.columns:
        known = F.map_contains_key(row, column.name) | F.coalesce(
            F.array_contains("unchanged", column.name), F.lit(False)
        )
        faults.append(F.when(~known, F.lit(f"column {column.name} is missing")))
        wrong = is_undecodable(row.getItem(column.name), column.silver)
        faults.append(F.when(wrong, F.lit(f"column {column.name} is not of type {column.type}")))
    return faults
