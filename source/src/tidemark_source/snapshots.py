"""Snapshots that are held for many readers: tables locked, the snapshot exported, its mark written."""

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql

from tidemark_contract.errors import SnapshotGivenUp, SourceRefused, SourceUnavailable, TidemarkError
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.names import TableName, slot_name
from tidemark_contract.protection import HashKey
from tidemark_source.connection import address, connect, speaking_to
from tidemark_source.locks import disconnect_readers, holds, locked_relations, longest_waiter
from tidemark_source.marks import commit_mark, insert_mark, wait_for_turn

LOCK_TIMEOUT_S = 5
LOOK_EVERY_S = 0.5


class HeldSnapshot:
    """An exported snapshot, the mark that names it, and whether it still holds; may be asked from any thread."""

    def __init__(self, snapshot_id: str, mark: Mark) -> None:
        self.id = snapshot_id
        self.mark = mark
        self._failure: TidemarkError | None = None

    def check(self) -> None:
        """Raise SnapshotGivenUp when the tables were let go, SourceUnavailable when the connection was lost.

        What was read since the last check that passed may be of another state than the mark's.
        """
        if self._failure:
            raise self._failure

    def fail(self, failure: TidemarkError) -> None:
        """Let every later check raise this failure; the first one stays."""
        self._failure = self._failure or failure


@contextmanager
def hold(
    url: str,
    source: str,
    tables: Sequence[TableName],
    kind: MarkKind,
    *,
    plain: frozenset[TableName] | None = None,
    patience_s: float = 5.0,
    limit_s: float = math.inf,
) -> Iterator[HeldSnapshot]:
    """Hold the tables as one snapshot sees them, and write that snapshot's mark; `plain` as `catalog_sql` takes it.

    TRUNCATE and rewriting ALTER TABLE ignore snapshots, so the tables and their partitions are locked (ACCESS SHARE)
    before the snapshot is taken. When somebody waits longer than `patience_s` seconds for a lock that this one keeps
    from him, the snapshot is given up and its readers are disconnected, so that the application goes on. So it is,
    readers excepted, after `limit_s` seconds: VACUUM takes away nothing that a held snapshot sees. Then
    `check`, and leaving the block, raise SnapshotGivenUp; when the connection was lost, SourceUnavailable.
    """
    where = address(url)
    with connect(url, purpose="hold") as holder, connect(url, purpose="watch") as watcher:
        with speaking_to(where):
            _lock(holder, tables, where)
            held = _export_with_mark(url, holder, source, tables, kind, plain)
            relations = locked_relations(watcher, holder.info.backend_pid)
        _check_all_locked(held.mark, source, tables, relations, where)
        with _Watch(held, holder, watcher, relations, patience_s, limit_s, where):
            yield held


def join(
    url: str, snapshot_id: str, purpose: str, *, key: HashKey | None = None, lock_timeout_s: float = LOCK_TIMEOUT_S
) -> psycopg.Connection[Any]:
    """Open a connection whose one open, read-only transaction sees what the exported snapshot sees.

    It ends with that transaction: after COMMIT or ROLLBACK it would read another state. `key` is for hashed
    columns. Raises SnapshotGivenUp when the snapshot's holder is gone. A statement that waits longer than
    `lock_timeout_s` seconds for a lock fails: a reader in the queue behind a TRUNCATE would hold up all that come
    after it.
    """
    connection = connect(url, purpose=purpose, key=key)
    try:
        with speaking_to(address(url)):
            connection.execute(f"SET lock_timeout = {round(lock_timeout_s * 1000)}")
            connection.execute("SET max_parallel_workers_per_gather = 0")  # a reader takes one core
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            _import(connection, snapshot_id, address(url))
    except BaseException:
        connection.close()
        raise
    return connection


def _import(connection: psycopg.Connection[Any], snapshot_id: str, where: str) -> None:
    try:
        connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot_id))
    except (errors.InvalidParameterValue, errors.UndefinedObject, errors.ObjectNotInPrerequisiteState) as error:
        raise SnapshotGivenUp(
            f"{where}: snapshot {snapshot_id} is gone: its holder let go or died; start again"
        ) from error


def _lock(holder: psycopg.Connection[Any], tables: Sequence[TableName], where: str) -> None:
    # None of these statements takes a snapshot. LOCK TABLE takes a partitioned table's partitions with it.
    holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    holder.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
    for table in sorted(tables):
        try:
            name = sql.Identifier(table.schema, table.table)
            holder.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(name))
        except errors.LockNotAvailable as error:
            raise SourceUnavailable(
                f"{where}: {table} could not be locked within {LOCK_TIMEOUT_S} s: a TRUNCATE, ALTER TABLE or VACUUM "
                "FULL holds it; try again when that has ended"
            ) from error


def _export_with_mark(
    url: str,
    holder: psycopg.Connection[Any],
    source: str,
    tables: Sequence[TableName],
    kind: MarkKind,
    plain: frozenset[TableName] | None,
) -> HeldSnapshot:
    with connect(url, purpose="mark") as writer:
        wait_for_turn(writer, address(url))
        row = holder.execute("SELECT pg_export_snapshot()").fetchone()
        snapshot_id = str(row[0]) if row else ""
        writer.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        _import(writer, snapshot_id, address(url))
        mark = insert_mark(writer, source, kind, tables, plain)
        commit_mark(writer, address(url))
    return HeldSnapshot(snapshot_id, mark)


def _check_all_locked(
    mark: Mark, source: str, tables: Sequence[TableName], relations: frozenset[int], where: str
) -> None:
    """Refuse tables that the stream does not carry; give up when a partition came between lock and snapshot."""
    for table in tables:
        captured = mark.catalog.table(table)
        if not captured:
            raise SourceRefused(
                f"{where}: {table} is not in the publication {slot_name(source)}, or not with all its rows, columns "
                "and operations: run `tidemark init`"
            )
        if any(relation.oid not in relations for relation in captured):
            raise SnapshotGivenUp(f"{where}: {table} got a partition while it was being locked; start again")


class _Watch:
    """Look, twice a second, whether the locks still hold and whether anybody waits for them."""

    def __init__(
        self,
        held: HeldSnapshot,
        holder: psycopg.Connection[Any],
        watcher: psycopg.Connection[Any],
        relations: frozenset[int],
        patience_s: float,
        limit_s: float,
        where: str,
    ) -> None:
        self._held, self._holder, self._watcher, self._where = held, holder, watcher, where
        self._pid = holder.info.backend_pid
        self._relations, self._patience_s = relations, patience_s
        self._limit_s, self._ends = limit_s, time.monotonic() + limit_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tidemark watch", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
        if error is None or isinstance(error, Exception):
            # A reader that was disconnected fails in its own words; the cause is here.
            self._raise_cause(error)

    def _raise_cause(self, error: Exception | None) -> None:
        try:
            self._held.check()
        except TidemarkError as failure:
            if failure is not error:
                raise failure from error

    def _run(self) -> None:
        while self._look() and not self._stop.wait(LOOK_EVERY_S):
            pass

    def _look(self) -> bool:
        failure = self._failure()
        if failure:
            self._held.fail(failure)
            self._holder.close()
        return failure is None

    def _failure(self) -> TidemarkError | None:
        try:
            self._held.check()
            with speaking_to(f"{self._where}: the watch over a held snapshot"):
                return self._lost() or self._waited_for() or self._too_long()
        except TidemarkError as error:
            return error

    def _lost(self) -> TidemarkError | None:
        self._holder.execute("SELECT")  # or else the server would end its transaction, see `connection`
        if holds(self._watcher, self._pid, self._relations):
            return None
        lost = f"the connection that held snapshot {self._held.id} was lost"
        return SourceUnavailable(f"{self._where}: {lost}: start again")

    def _too_long(self) -> TidemarkError | None:
        if time.monotonic() < self._ends:
            return None
        return SnapshotGivenUp(
            f"snapshot {self._held.id} was held for {self._limit_s:.0f} s, the most that was allowed: choose fewer "
            "tables, a higher --pace or a longer --limit"
        )

    def _waited_for(self) -> TidemarkError | None:
        waiter = longest_waiter(self._watcher, self._relations)
        if waiter is None or waiter.seconds < self._patience_s:
            return None
        failure = SnapshotGivenUp(
            f"snapshot {self._held.id} was given up: pid {waiter.pid} waited {waiter.seconds:.1f} s for an exclusive "
            f"lock on {waiter.table}; start again when its TRUNCATE, ALTER TABLE or VACUUM FULL is done"
        )
        self._held.fail(failure)  # first: without its readers, the holder among them, nothing keeps the waiter
        disconnect_readers(self._watcher, waiter)
        return failure
