"""Marks: rows in `tidemark.mark`, each in the transaction of the snapshot that it names.

Marks are written one at a time, and a mark's snapshot is taken only after its predecessor has committed: so snapshots
of successive marks contain one another, and `previous` makes them a chain.
"""

import json
import threading
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from tidemark_contract.errors import ConfigurationError, SourceRefused, SourceUnavailable
from tidemark_contract.marks import Mark, MarkKind, other_history
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName
from tidemark_source.catalog import catalog_sql
from tidemark_source.connection import address, connect, speaking_to

MARK = sql.Identifier(MARK_SCHEMA, MARK_TABLE)
COLUMNS = ("id", "nonce", "previous", "kind", "snapshot", "lsn", "taken_at", "system_id", "timeline", "catalog")
LOCK_TIMEOUT_S = 10
COMMIT_S = 30.0
LOCK = 0x7469_6465_6D61_726B  # "tidemark": the advisory lock of its mark table, one in a database

# The timeline comes from the name of the WAL file in use: pg_control_checkpoint() still tells the old one between a
# promotion and the first checkpoint after it.
_WRITE = sql.SQL(
    """
INSERT INTO {mark} (nonce, previous, kind, tables, snapshot, lsn, taken_at, system_id, timeline, catalog)
SELECT gen_random_uuid(), (SELECT nonce FROM {mark} ORDER BY id DESC LIMIT 1), {kind}, {tables}::jsonb,
       pg_current_snapshot(), pg_current_wal_insert_lsn(), clock_timestamp(), {system_id}, {timeline}, ({catalog})
RETURNING {columns}
"""
)
_SYSTEM_ID = sql.SQL("(SELECT system_identifier::text FROM pg_control_system())")
_TIMELINE = sql.SQL("('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int")
_LACKING = sql.SQL(
    """
SELECT {system_id}, {timeline}, ARRAY(
    SELECT wanted.id FROM unnest(%(ids)s::bigint[], %(nonces)s::text[]) wanted (id, nonce)
    WHERE wanted.id >= (SELECT coalesce(min(id), 0) FROM {mark})
        AND NOT EXISTS (SELECT FROM {mark} mark WHERE mark.nonce::text = wanted.nonce)
    ORDER BY wanted.id)
"""
)


def text_columns() -> sql.Composed:
    """Give the select list, each column as text, that `Mark.from_text` reads."""
    return sql.SQL(", ").join(
        sql.SQL("{column}::text AS {column}").format(column=sql.Identifier(name)) for name in COLUMNS
    )


def write_mark(
    url: str,
    source: str,
    kind: MarkKind = MarkKind.SYNC,
    *,
    plain: frozenset[TableName] | None = None,
    above: int = 0,
) -> Mark:
    """Write a mark of what is committed now and give it back; it is durable when this returns.

    `plain` as `catalog_sql` takes it. Its id is higher than `above`: a source that was restored would give ids again
    that the lake knows.
    """
    with connect(url, purpose="mark") as connection, speaking_to(address(url)):
        wait_for_turn(connection, address(url))
        if above:
            _use_up_ids(connection, above)
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        mark = insert_mark(connection, source, kind, plain=plain)
        commit_mark(connection, address(url))
        return mark


def _use_up_ids(connection: psycopg.Connection[Any], above: int) -> None:
    """Let the next mark's id be higher; an id is not given back by a rollback, and costs no right to the sequence."""
    insert = sql.SQL("INSERT INTO {} (nonce) SELECT gen_random_uuid() FROM generate_series(1, %s) RETURNING id")
    with connection.transaction(force_rollback=True):
        row = connection.execute(insert.format(MARK), (1,)).fetchone()
        if row and row[0] < above:
            connection.execute(insert.format(MARK), (above - row[0],))


def changed_since(url: str, marks: Sequence[Mark]) -> str | None:
    """Say why the source is not the one, or not of the history, in which marks were written; None when it is.

    A source that lacks a recent mark was restored or failed over; marks that were expired are not missed.
    """
    query = _LACKING.format(system_id=_SYSTEM_ID, timeline=_TIMELINE, mark=MARK)
    asked = {"ids": [mark.id for mark in marks], "nonces": [mark.nonce for mark in marks]}
    with connect(url, purpose="mark") as connection, speaking_to(address(url)):
        row = connection.execute(query, asked).fetchone()
    if not marks or row is None:
        return None
    system_id, timeline, lacking = row
    newest = max(marks, key=lambda mark: mark.id)
    why = other_history(newest, system_id, timeline)
    if why is None and lacking:
        why = f"does not know mark {lacking[0]} that the lake has: it was restored from a backup, or failed over"
    return f"the source {why}" if why else None


def expire_marks(url: str, keep: int) -> int:
    """Delete all marks but the newest `keep` (at least 1: the chain hangs on it); give the number of rows deleted."""
    if keep < 1:
        raise ConfigurationError(f"{keep} marks cannot be kept: keep at least 1, the next mark names its predecessor")
    query = sql.SQL("DELETE FROM {mark} WHERE id < (SELECT min(id) FROM ({newest}) newest)").format(
        mark=MARK, newest=sql.SQL("SELECT id FROM {} ORDER BY id DESC LIMIT %s").format(MARK)
    )
    with connect(url, purpose="expire") as connection, speaking_to(address(url)):
        return connection.execute(query, (keep,)).rowcount


def wait_for_turn(connection: psycopg.Connection[Any], where: str) -> None:
    """Take the lock under which marks are written, before the snapshot is taken; closing the connection lets it go.

    It is a lock of the session, taken outside of any transaction: in one, the very statement that waits for the
    lock would fix the snapshot before it waits.
    """
    with speaking_to(where):
        connection.execute(sql.SQL("SET lock_timeout = {}").format(f"{LOCK_TIMEOUT_S}s"))
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        except errors.LockNotAvailable as error:
            raise SourceUnavailable(
                f"{where}: another mark has been under way for {LOCK_TIMEOUT_S} s: look for sessions named 'tidemark "
                "mark' or 'tidemark hold' in pg_stat_activity; a commit may be waiting for a synchronous standby"
            ) from error


def commit_mark(connection: psycopg.Connection[Any], where: str) -> None:
    """Commit the mark's transaction; SourceUnavailable when a synchronous standby has not confirmed it in COMMIT_S.

    It is committed all the same, on this server, and arrives in the lake: nobody counts on it.
    """
    given_up = threading.Event()

    def give_up() -> None:
        given_up.set()
        connection.cancel_safe()  # no time limit of the server's applies to this wait

    timer = threading.Timer(COMMIT_S, give_up)
    timer.start()
    try:
        connection.execute("COMMIT")
    finally:
        timer.cancel()
    if given_up.is_set():
        row = connection.execute("SHOW synchronous_standby_names").fetchone()
        raise SourceUnavailable(
            f"{where}: no synchronous standby has confirmed a mark within {COMMIT_S:.0f} s: synchronous_standby_names "
            f"is {row[0] if row else ''!r}; bring one back, change that setting, or ALTER ROLE {connection.info.user} "
            "SET synchronous_commit = local, by which the mirror waits for none"
        )


def insert_mark(
    connection: psycopg.Connection[Any],
    source: str,
    kind: MarkKind,
    tables: Sequence[TableName] = (),
    plain: frozenset[TableName] | None = None,
) -> Mark:
    """Insert the mark of the connection's open REPEATABLE READ transaction, and see to it that COMMIT makes it durable.

    The caller has waited for its turn, commits, and turns psycopg's errors into ours.
    """
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') = 'off'"
    )
    query = _WRITE.format(
        mark=MARK,
        kind=sql.Literal(str(kind)),
        tables=sql.Literal(json.dumps([str(table) for table in tables]) if tables else None),
        system_id=_SYSTEM_ID,
        timeline=_TIMELINE,
        catalog=catalog_sql(source, plain),
        columns=text_columns(),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        try:
            row = cursor.execute(query).fetchone()
        except (errors.ReadOnlySqlTransaction, errors.ObjectNotInPrerequisiteState) as error:
            raise SourceRefused(
                "the source is a standby, where no mark can be written: let the source URL name the primary"
            ) from error
    if row is None:
        raise SourceRefused("tidemark.mark swallowed a mark: drop the rule or trigger on it")
    return Mark.from_text(row)
