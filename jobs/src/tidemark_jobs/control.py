"""What is published: marks with their table versions, the state of every table, proofs, quarantine, erasures.

Five small Delta tables, written by compare-and-append: a writer reads a version, decides, and its commit counts only
if that version is still the newest. So two publishers can never both go on from the same mark.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from tidemark_contract import s3
from tidemark_contract.catalog import Catalog
from tidemark_contract.errors import LeaseTaken
from tidemark_contract.layout import Layout
from tidemark_contract.marks import Mark, MarkKind, format_lsn
from tidemark_contract.names import TableName
from tidemark_contract.visibility import Snapshot
from tidemark_jobs.deltalog import SMALL, OwnCommit, keep_small, open_table, storage_options
from tidemark_jobs.failures import damaged, engines_told, intact
from tidemark_jobs.tables import (
    ERASURES,
    MARKS,
    PROOFS,
    QUARANTINE,
    TABLES,
    ErasureRow,
    ProofRow,
    QuarantineRow,
)

SCHEMAS = {"marks": MARKS, "tables": TABLES, "proofs": PROOFS, "quarantine": QUARANTINE, "erasures": ERASURES}
ATTEMPTS = 20


@dataclass(frozen=True)
class TableVersion:
    """One table in a published mark: the Delta version that equals the source there, and its rows."""

    table: TableName
    version: int
    mark: int  # the last mark that changed it
    copy: int  # the mark of the copy that its content began with
    rows: int


@dataclass(frozen=True)
class PublishedMark:
    """A mark with the version of every table that is exact at it."""

    mark: Mark
    commit_lsn: int  # of the mark's own transaction: bronze beyond it is not looked at for this mark
    read_from: int  # lowest commit LSN in bronze of an event that the mark does not see
    changes: int
    tables: tuple[TableVersion, ...]
    published_at: datetime

    def version(self, table: TableName) -> TableVersion | None:
        """Give the table's version at this mark; None while it is out of the marks."""
        return next((version for version in self.tables if version.table == table), None)

    def __str__(self) -> str:
        return f"mark {self.mark.id} (LSN {format_lsn(self.mark.lsn)}, time {self.mark.taken_at.isoformat()})"


@dataclass(frozen=True)
class TableState:
    """The one named state that a table is in, and why.

    new: not copied yet; copied: a finished copy waits for its mark; live: exact at every published mark; changed: its
    schema or its partitions changed as the stream cannot tell, the next sync copies it; stale: only a person brings it
    back, by `copy` or what the reason says.
    """

    state: str
    reason: str = ""
    mark: int | None = None  # copied: the copy's mark
    since: datetime | None = None


class Control:
    """The control tables of one source."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.source = layout.source

    def published(self, mark: int | None = None) -> PublishedMark | None:
        """Give the newest published mark, or the one with that id."""
        table = self._open("marks")
        wanted = mark if mark is not None else self._newest_mark(table)
        if table is None or wanted is None:
            return None
        rows = self._rows(table, f"mark = {wanted:d}")
        return _published(rows[-1]) if rows else None

    def marks_since(self, mark: int) -> list[PublishedMark]:
        """Give the published marks with that id or a higher one, in order of id."""
        table = self._open("marks")
        if table is None:
            return []
        rows = self._rows(table, f"mark >= {mark:d}")
        return [_published(row) for row in sorted(rows, key=lambda row: int(row["mark"]))]

    def published_from(self, mark: int) -> PublishedMark | None:
        """Give the first published mark with that id or a higher one."""
        return self._one_published(f"mark >= {mark:d} ORDER BY mark LIMIT 1")

    def published_before(self, mark: int, *, since: int) -> PublishedMark | None:
        """Give the last published mark with a lower id, but none below `since`."""
        return self._one_published(f"mark >= {since:d} AND mark < {mark:d} ORDER BY mark DESC LIMIT 1")

    def _one_published(self, condition: str) -> PublishedMark | None:
        table = self._open("marks")
        rows = self._rows(table, condition) if table else []
        return _published(rows[0]) if rows else None

    def publish(self, published: PublishedMark, after: PublishedMark | None) -> None:
        """Publish a mark as the successor of `after`; LeaseTaken if another run has published meanwhile."""

        def only_after(table: DeltaTable | None) -> None:
            newest = self._newest_mark(table)
            if newest != (after.mark.id if after else None):
                raise LeaseTaken(f"another sync of {self.source} has published mark {newest} meanwhile")

        self._append("marks", MARKS, [_row(self.source, published)], only_after)

    def tables(self) -> dict[TableName, TableState]:
        """Give the state of every table that has one; a table without is `new`."""
        table = self._open("tables")
        if table is None:
            return {}
        rows = self._rows(table)
        return {
            TableName.parse(row["table"]): TableState(row["state"], row["reason"], row["mark"], row["since"])
            for row in rows
        }

    def set_states(self, change: Callable[[dict[TableName, TableState]], Mapping[TableName, TableState]]) -> None:
        """Change table states: `change` gets the newest states and gives those that differ; called again on a race."""
        for _ in range(ATTEMPTS):
            table = self._open("tables")
            before = self.tables()
            changed = {t: s for t, s in change(before).items() if not _same(before.get(t), s)}
            if not changed:
                return
            now = datetime.now(UTC)
            rows = [
                _state_row(self.source, t, s)
                for t, s in (before | {t: replace(s, since=now) for t, s in changed.items()}).items()
            ]
            if self._commit("tables", table, pa.Table.from_pylist(rows, TABLES), overwrite=True):
                return
        raise LeaseTaken(f"the states of {self.source}'s tables are being changed by too many others")

    def add_proofs(self, proofs: Sequence[ProofRow]) -> None:
        """Append the results of a verify."""
        self._append("proofs", PROOFS, [asdict(proof) for proof in proofs])

    def proofs(self) -> list[ProofRow]:
        """Give every proof at a mark that can still be opened, oldest first."""
        table, first = self._open("proofs"), self.erased_before()
        rows = self._rows(table, f"mark >= {first:d}") if table else []
        return sorted((ProofRow(**row) for row in rows), key=lambda proof: proof.mark)

    def add_erasure(self, erasure: ErasureRow) -> None:
        """Append the beginning or the end of an erasure."""
        self._append("erasures", ERASURES, [asdict(erasure)])

    def erasures(self) -> list[ErasureRow]:
        """Give the rows of every erasure, oldest first."""
        table = self._open("erasures")
        rows = self._rows(table) if table else []
        return sorted((ErasureRow(**row) for row in rows), key=lambda erasure: erasure.at)

    def erased_before(self) -> int:
        """Give the mark before which none can be opened, because an erasure has deleted its files; 0 for none."""
        return max((erasure.mark for erasure in self.erasures()), default=0)

    def catalogs(self) -> list[Catalog]:
        """Give what the catalog was at any published mark, each once."""
        table = self._open("marks")
        rows = self._select(table, "DISTINCT catalog") if table else []
        return [Catalog.parse(row["catalog"]) for row in rows]

    def rewrite(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> int:
        """Change this source's rows in one commit, or leave out those that become None; give the number of both."""
        for _ in range(ATTEMPTS):
            table = self._open(name)
            before = self._rows(table) if table else []
            after = [change(row) for row in before]
            changed = sum(new is not row for row, new in zip(before, after, strict=True))
            if table is None or not changed:
                return 0
            rows = pa.Table.from_pylist([row for row in after if row], pa.schema(table.schema().to_arrow()))
            if self._commit(name, table, rows, overwrite=True):
                return changed
        raise LeaseTaken(f"control table {name} is being written by too many others")

    def add_quarantine(self, rows: Sequence[QuarantineRow]) -> None:
        """Append changes that could not be decoded; those that are there already are not added again."""
        known = {(row.table, row.commit_lsn, row.ordinal) for row in self.quarantine()}
        new = [asdict(row) for row in rows if (row.table, row.commit_lsn, row.ordinal) not in known]
        if new:
            self._append("quarantine", QUARANTINE, new)

    def quarantine(self) -> list[QuarantineRow]:
        """Give every quarantined row of this source."""
        table = self._open("quarantine")
        rows = self._rows(table) if table else []
        return [QuarantineRow(**row) for row in rows]

    def vacuum(self, hours: int) -> None:
        """Delete files that no version younger than so many hours has, other sources' too: all read the newest."""
        for name in SCHEMAS:
            if table := self._open(name):
                table.vacuum(retention_hours=hours, dry_run=False, enforce_retention_duration=False, full=True)

    def _rows(self, table: DeltaTable, condition: str = "true") -> list[dict[str, Any]]:
        """Read this source's rows by delta-rs itself.

        Its pyarrow dataset reads through Python from Arrow's threads, and such a thread, still alive when the
        interpreter ends, aborts the process.
        """
        return self._select(table, "*", condition)

    def _select(self, table: DeltaTable, what: str, condition: str = "true") -> list[dict[str, Any]]:
        # A source name is [a-z0-9_] only.
        query = f"SELECT {what} FROM t WHERE source = '{self.source}' AND {condition}"
        with intact(table.table_uri):
            return list(pa.table(QueryBuilder().register("t", table).execute(query).read_all()).to_pylist())

    def _newest_mark(self, table: DeltaTable | None) -> int | None:
        """Read from the log's statistics: no file is opened."""
        if table is None:
            return None
        adds = pa.table(table.get_add_actions(flatten=True)).select(["partition.source", "max.mark"]).to_pylist()
        return max((row["max.mark"] for row in adds if row["partition.source"] == self.source), default=None)

    def _open(self, name: str) -> DeltaTable | None:
        url = self.layout.control(name)
        try:
            with intact(url):
                table = open_table(url)
        except TableNotFoundError:
            return None
        if missing := set(SCHEMAS[name].names) - {field.name for field in table.schema().fields}:
            raise damaged(url, f"it has no column {', '.join(sorted(missing))}, so it is no table of ours")
        return table

    def _append(
        self,
        name: str,
        schema: pa.Schema,
        rows: list[dict[str, Any]],
        check: Callable[[DeltaTable | None], None] = lambda _: None,
    ) -> None:
        for _ in range(ATTEMPTS):
            table = self._open(name)
            check(table)
            if self._commit(name, table, pa.Table.from_pylist(rows, schema)):
                keep_small(self.layout.control(name), table.version() + 1 if table else 0)
                return
        raise LeaseTaken(f"control table {name} is being written by too many others")

    def _commit(self, name: str, table: DeltaTable | None, rows: pa.Table, *, overwrite: bool = False) -> bool:
        """Commit on top of exactly the version that was read; False when somebody else was first."""
        own = OwnCommit(self.layout.control(name), table.version() + 1 if table else 0)
        try:
            s3.insist(partial(self._write, own, table, rows, overwrite))
        except CommitFailedError:
            return own.stands()
        except DeltaError as error:
            if table is None and "already exists" in str(error):
                return own.stands()
            raise
        return True

    def _write(self, own: OwnCommit, table: DeltaTable | None, rows: pa.Table, overwrite: bool) -> None:
        with engines_told(own.url):
            if table is None:
                write_deltalake(
                    own.url,
                    rows,
                    mode="error",
                    partition_by=["source"],
                    configuration=SMALL,
                    commit_properties=own.properties,
                    storage_options=storage_options(self.layout.root),
                )
            elif overwrite:
                mine = f"source = '{self.source}'"  # a source name is [a-z0-9_] only
                write_deltalake(table, rows, mode="overwrite", predicate=mine, commit_properties=own.properties)
            else:
                write_deltalake(table, rows, mode="append", commit_properties=own.properties)


def _same(before: TableState | None, after: TableState) -> bool:
    return before is not None and (before.state, before.reason, before.mark) == (after.state, after.reason, after.mark)


def _state_row(source: str, table: TableName, state: TableState) -> dict[str, Any]:
    return {"source": source, "table": str(table), **asdict(state)}


def _row(source: str, published: PublishedMark) -> dict[str, Any]:
    mark = published.mark
    return {
        "source": source,
        "mark": mark.id,
        "nonce": mark.nonce,
        "previous": mark.previous,
        "kind": str(mark.kind),
        "snapshot": str(mark.snapshot),
        "lsn": mark.lsn,
        "taken_at": mark.taken_at,
        "system_id": mark.system_id,
        "timeline": mark.timeline,
        "catalog": mark.catalog_json,
        "commit_lsn": published.commit_lsn,
        "read_from": published.read_from,
        "changes": published.changes,
        "tables": [{**asdict(version), "table": str(version.table)} for version in published.tables],
        "published_at": published.published_at,
    }


def _published(row: Mapping[str, Any]) -> PublishedMark:
    mark = Mark(
        id=row["mark"],
        nonce=row["nonce"],
        previous=row["previous"],
        kind=MarkKind(row["kind"]),
        snapshot=Snapshot.parse(row["snapshot"]),
        lsn=row["lsn"],
        taken_at=row["taken_at"],
        system_id=row["system_id"],
        timeline=row["timeline"],
        catalog_json=row["catalog"],
    )
    tables = tuple(TableVersion(**{**version, "table": TableName.parse(version["table"])}) for version in row["tables"])
    return PublishedMark(mark, row["commit_lsn"], row["read_from"], row["changes"], tables, row["published_at"])
