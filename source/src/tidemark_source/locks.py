"""Who holds and who waits for locks on tables; pg_locks shows that to every role."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import psycopg

from tidemark_contract.names import TableName


@dataclass(frozen=True)
class Waiter:
    """A session that waits, and for how many seconds, for an exclusive lock on a table or an index of it."""

    pid: int
    table: TableName
    seconds: float


def locked_relations(connection: psycopg.Connection[Any], pid: int) -> frozenset[int]:
    """Give the oids of the relations on which the session holds an ACCESS SHARE lock."""
    rows = connection.execute(
        "SELECT relation::bigint FROM pg_locks "
        "WHERE pid = %s AND locktype = 'relation' AND mode = 'AccessShareLock' AND granted",
        (pid,),
    )
    return frozenset(oid for (oid,) in rows)


def holds(connection: psycopg.Connection[Any], pid: int, relations: Collection[int]) -> bool:
    """Tell whether the session is alive, in its transaction, and holds its locks on all these relations."""
    row = connection.execute(
        "SELECT count(*) FILTER (WHERE locktype = 'virtualxid' AND mode = 'ExclusiveLock') FROM pg_locks "
        "WHERE pid = %s AND granted",
        (pid,),
    ).fetchone()
    return bool(row and row[0]) and locked_relations(connection, pid) >= frozenset(relations)


def longest_waiter(connection: psycopg.Connection[Any], relations: Collection[int]) -> Waiter | None:
    """Give the session that has waited longest for a lock that ACCESS SHARE keeps from it.

    Only ACCESS EXCLUSIVE is. A reader holds its tables' indexes and TOAST tables too, so REINDEX counts.
    """
    row = connection.execute(_WAITER, {"held": [*relations]}).fetchone()
    return Waiter(row[0], TableName(row[1], row[2]), row[3]) if row else None


def disconnect_readers(connection: psycopg.Connection[Any], waiter: Waiter) -> None:
    """End the sessions of our own role, named tidemark, that keep the waiter waiting; nobody else's.

    Letting the holder go is not enough: whoever read under its snapshot holds locks of his own.
    """
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = ANY(pg_blocking_pids(%s)) "
        "AND usename = current_user AND application_name LIKE 'tidemark %%' AND pid <> pg_backend_pid()",
        (waiter.pid,),
    )


_WAITER = """
WITH held AS (
    SELECT unnest(%(held)s::oid[]) AS relation
), watched AS (
    SELECT relation, relation AS owner FROM held
    UNION ALL
    SELECT indexrelid, indrelid FROM pg_index WHERE indrelid IN (SELECT relation FROM held)
    UNION ALL
    SELECT reltoastrelid, oid FROM pg_class WHERE oid IN (SELECT relation FROM held) AND reltoastrelid <> 0
)
SELECT waiting.pid, namespace.nspname, owner.relname,
       coalesce(extract(epoch FROM clock_timestamp() - waiting.waitstart), 0)::float8 AS seconds
FROM pg_locks waiting
JOIN watched ON watched.relation = waiting.relation
JOIN pg_class owner ON owner.oid = watched.owner
JOIN pg_namespace namespace ON namespace.oid = owner.relnamespace
WHERE NOT waiting.granted AND waiting.locktype = 'relation' AND waiting.mode = 'AccessExclusiveLock'
  AND waiting.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY seconds DESC
LIMIT 1
"""
