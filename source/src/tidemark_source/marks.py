"""Marks: rows in `tidemark.mark`, each in the transaction of the snapshot that it names.

Marks are written one at a time, and a mark's snapshot is taken only after its predecessor has committed: so snapshots
of successive marks contain one another, and `previous` makes them a chain.
"""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from tidemark_contract.errors import ConfigurationError, SourceRefused, SourceUnavailable
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName
from tidemark_source.catalog import catalog_sql
from tidemark_source.connection import address, connect, speaking_to

MARK = sql.Identifier(MARK_SCHEMA, MARK_TABLE)
COLUMNS = ("id", "nonce", "previous", "kind", "snapshot", "lsn", "taken_at", "system_id", "timeline", "catalog")
LOCK_TIMEOUT_S = 10
LOCK = 0x7469_6465_6D61_726B  # "tidemark": the advisory lock of its mark table, one in a database

# The timeline comes from the name of the WAL file in use: pg_control_checkpoint() still tells the old one between a
# promotion and the first checkpoint after it.
_WRITE = sql.SQL(
    """
INSERT INTO {mark} (nonce, previous, kind, tables, snapshot, lsn, taken_at, system_id, timeline, catalog)
SELECT gen_random_uuid(), (SELECT nonce FROM {mark} ORDER BY id DESC LIMIT 1), {kind}, {tables}::jsonb,
       pg_current_snapshot(), pg_current_wal_insert_lsn(), clock_timestamp(),
       (SELECT system_identifier::text FROM pg_control_system()),
       ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int,
       ({catalog})
RETURNING {columns}
"""
)


def text_columns() -> sql.Composed:
    """Give the select list, each column as text, that `Mark.from_text` reads."""
    return sql.SQL(", ").join(
        sql.SQL("{column}::text AS {column}").format(column=sql.Identifier(name)) for name in COLUMNS
    )


def write_mark(url: str, source: str, kind: MarkKind = MarkKind.SYNC) -> Mark:
    """Write a mark of what is committed now and give it back; it is durable when this returns."""
    with connect(url, purpose="mark") as connection, speaking_to(address(url)):
        wait_for_turn(connection, address(url))
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        mark = insert_mark(connection, source, kind)
        connection.execute("COMMIT")
        return mark


def mark_exists(url: str, nonce: str) -> bool:
    """Tell whether the source still holds the mark; a source that lacks a recent one was restored or failed over."""
    with connect(url, purpose="mark") as connection, speaking_to(address(url)):
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE nonce = %s::uuid)").format(MARK)
        row = connection.execute(query, (nonce,)).fetchone()
        return bool(row and row[0])


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


def insert_mark(
    connection: psycopg.Connection[Any], source: str, kind: MarkKind, tables: Sequence[TableName] = ()
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
        catalog=catalog_sql(source),
        columns=text_columns(),
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        try:
            row = cursor.execute(query).fetchone()
        except (errors.ReadOnlySqlTransaction, errors.ObjectNotInPrerequisiteState) as error:
            raise SourceRefused(
                "the source is a standby, where no mark can be written: let the source URL name the primary, or "
                "several hosts with target_session_attrs=read-write"
            ) from error
    if row is None:
        raise SourceRefused("tidemark.mark swallowed a mark: drop the rule or trigger on it")
    return Mark.from_text(row)
