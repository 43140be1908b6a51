"""The facts of `tidemark status`, put together from what is published, the slot and the stream."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tidemark.published import ProofRow, PublishedMark, TableState
from tidemark_contract.evolution import unlike
from tidemark_contract.marks import format_lsn
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec

NEW = TableState("new", "not copied yet: `tidemark copy`")


@dataclass(frozen=True)
class MarkPoint:
    """A published mark as people name it."""

    mark: int
    lsn: int
    time: datetime

    def __str__(self) -> str:
        return f"mark {self.mark} (LSN {format_lsn(self.lsn)}, time {self.time:%Y-%m-%d %H:%M:%S%z})"

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON takes it."""
        return {"mark": self.mark, "lsn": format_lsn(self.lsn), "time": self.time.isoformat()}


@dataclass(frozen=True)
class SourceHealth:
    """What the source says: where its log ends, what the slot holds back, its clock; None where it does not answer."""

    wal_lsn: int | None = None
    slot_state: str = "unknown"
    retained_bytes: int | None = None
    problem: str = ""
    clock: datetime | None = None


@dataclass(frozen=True)
class TableReport:
    """One table: its state and why, rows, the last mark it is exact at, its newest proof, and its lag."""

    table: TableName
    state: str
    why: str
    rows: int | None = None
    at: MarkPoint | None = None
    verified: int | None = None
    lag_s: float | None = None
    lag_bytes: int | None = None
    history: str | None = None  # where it is, of a table that has one
    protected: Mapping[str, str] = field(default_factory=dict)  # column → drop, hash or mask

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON takes it."""
        return {
            "table": str(self.table),
            "state": self.state,
            "why": self.why,
            "rows": self.rows,
            "mark": self.at.mark if self.at else None,
            "verified_through": self.verified,
            "lag_s": self.lag_s,
            "lag_bytes": self.lag_bytes,
            "history": self.history,
            "protected": dict(self.protected),
        }


@dataclass(frozen=True)
class Report:
    """One source."""

    source: str
    tables: tuple[TableReport, ...]
    published: MarkPoint | None
    verified: MarkPoint | None
    quarantined: int
    health: SourceHealth
    stream: Mapping[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON takes it."""
        return {
            "source": self.source,
            "tables": [table.as_dict() for table in self.tables],
            "published": self.published.as_dict() if self.published else None,
            "verified_through": self.verified.as_dict() if self.verified else None,
            "quarantined": self.quarantined,
            "slot": {
                "state": self.health.slot_state,
                "retained_bytes": self.health.retained_bytes,
                "problem": self.health.problem or None,
            },
            "stream": dict(self.stream),
        }


def point(published: PublishedMark) -> MarkPoint:
    """Name a published mark."""
    return MarkPoint(published.mark.id, published.mark.lsn, published.mark.taken_at)


def table_report(
    spec: TableSpec,
    state: TableState | None,
    published: PublishedMark | None,
    proofs: Iterable[ProofRow],
    now: datetime,
    wal_lsn: int | None,
) -> TableReport:
    """Describe one table; lag is that of the newest mark it is exact at, so a table that left the marks has none."""
    table, state = spec.table, state or NEW
    version = published.version(table) if published else None
    at = point(published) if published and version else None
    return TableReport(
        table=table,
        state=state.state,
        why=state.reason or (_followed(spec, published) if at and published else ""),
        rows=version.rows if version else None,
        at=at,
        verified=max((proof.mark for proof in proofs if proof.equal and proof.table == str(table)), default=None),
        lag_s=round((now - at.time).total_seconds(), 1) if at else None,
        lag_bytes=max(0, wal_lsn - at.lsn) if at and wal_lsn is not None else None,
        protected={column: str(how) for column, how in spec.protected.items()},
    )


def _followed(spec: TableSpec, published: PublishedMark) -> str:
    """Say which columns the mirror has followed that the spec does not know of."""
    relations = published.mark.catalog.table(spec.table)
    columns = unlike(spec, relations) if relations else []
    cure = "`tidemark discover --force` writes them into its spec"
    return f"followed the source in {', '.join(columns)}: {cure}" if columns else ""


def verified_through(tables: Iterable[TableName], proofs: Iterable[ProofRow]) -> MarkPoint | None:
    """Give the newest mark at which every one of the tables was proven equal."""
    wanted = {str(table) for table in tables}
    equal: dict[int, dict[str, ProofRow]] = {}
    for proof in proofs:
        proven = equal.setdefault(proof.mark, {})
        proven.pop(proof.table, None)
        if proof.equal:
            proven[proof.table] = proof
    whole = [mark for mark, proven in equal.items() if wanted and wanted <= proven.keys()]
    if not whole:
        return None
    newest = next(iter(equal[max(whole)].values()))
    return MarkPoint(newest.mark, newest.lsn, newest.taken_at)
