"""Changes to the source as steps of SQL text, each in one transaction, that wait for nobody long."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

from tidemark_contract.errors import SourceUnavailable
from tidemark_contract.names import TableName
from tidemark_source.connection import connect, speaking_to

LOCK_TIMEOUT_S = 2


@dataclass(frozen=True)
class Step:
    """What is done and the statements that do it; `table` is the one that they lock."""

    what: str
    statements: tuple[str, ...]
    table: TableName | None = None
    creates_slot: bool = False

    @classmethod
    def of(cls, what: str, *statements: sql.Composable, table: TableName | None = None) -> "Step":
        """Make a step of composed statements."""
        return cls(what, tuple(statement.as_string(None) for statement in statements), table)

    @property
    def sql(self) -> str:
        """The step as a script: just what `run` sends."""
        lines = list(self.statements)
        if not self.creates_slot:
            lines = ["BEGIN", f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'", *lines, "COMMIT"]
        return f"-- {self.what}\n" + "".join(f"{line};\n" for line in lines)


def run(connection: psycopg.Connection[Any], step: Step, where: str, patience_s: float) -> None:
    """Run a step in one transaction, again and again while its locks are not to be had within LOCK_TIMEOUT_S.

    Raises SourceUnavailable after `patience_s` seconds, naming who holds the table.
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_S}s'")
                for statement in step.statements:
                    connection.execute(statement.encode())
            return
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.InternalError_) as error:
            if isinstance(error, errors.InternalError_) and not _lost_a_race(error):
                raise
            if time.monotonic() >= deadline:
                raise SourceUnavailable(
                    f"{where}: could not {step.what}: {_writers(connection, step.table)}; try again when that has ended"
                ) from error
            # Writers queue behind a lock that is asked for: let them go first for a while.
            time.sleep(random.uniform(0.2, 1.0))


def _lost_a_race(error: errors.InternalError_) -> bool:
    """GRANT locks no table: a TRUNCATE or ANALYZE that writes the same catalog row meanwhile makes it fail."""
    return "concurrently" in (error.diag.message_primary or "")


def create_slot(url: str, role: str | None, step: Step, where: str, patience_s: float) -> None:
    """Create the slot, as `role` if one is given.

    The server waits for every transaction that runs; after `patience_s` seconds SourceUnavailable names the oldest.
    """
    with connect(url, purpose="init") as connection, speaking_to(where):
        if role is not None:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        connection.execute(f"SET statement_timeout = {round(patience_s * 1000)}")
        try:
            for statement in step.statements:
                connection.execute(statement.encode())
        except errors.QueryCanceled as error:
            raise SourceUnavailable(
                f"{where}: could not {step.what}: it waits for every transaction that runs, and the oldest is "
                f"{_oldest_transaction(connection)}: end it, or try again when it has ended"
            ) from error


def _oldest_transaction(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute(_OLDEST).fetchone()
    return str(row[0]) if row else "gone by now"


def _writers(connection: psycopg.Connection[Any], table: TableName | None) -> str:
    if table is None:
        return "another session holds a lock that it needs"
    rows: Sequence[tuple[str]] = connection.execute(_WRITERS, {"schema": table.schema, "table": table.table}).fetchall()
    return f"{table} is in use by {', '.join(who for (who,) in rows) or 'somebody who is gone by now'}"


# pg_locks shows every role who holds what. A prepared transaction has no process, and is known by the lock on its xid.
_WHO = """
    coalesce('prepared transaction ' || quote_literal(prepared.gid) || ' of ' || prepared.owner,
             'pid ' || held.pid || coalesce(' (' || nullif(activity.application_name, '') || ')', ''))
FROM pg_locks held
LEFT JOIN pg_stat_activity activity ON activity.pid = held.pid
LEFT JOIN pg_locks own ON held.pid IS NULL AND own.pid IS NULL AND own.virtualtransaction = held.virtualtransaction
    AND own.locktype = 'transactionid' AND own.mode = 'ExclusiveLock'
LEFT JOIN pg_prepared_xacts prepared ON prepared.transaction = own.transactionid
"""

_OLDEST = f"""
SELECT {_WHO}
WHERE held.locktype = 'transactionid' AND held.mode = 'ExclusiveLock' AND held.granted
  AND held.pid IS DISTINCT FROM pg_backend_pid()
ORDER BY age(held.transactionid) DESC LIMIT 1
"""

_WRITERS = f"""
WITH RECURSIVE part AS (
    SELECT relation.oid FROM pg_class relation JOIN pg_namespace namespace ON namespace.oid = relnamespace
    WHERE nspname = %(schema)s AND relname = %(table)s
    UNION
    SELECT inhrelid FROM part JOIN pg_inherits ON inhparent = part.oid
)
SELECT DISTINCT {_WHO}
WHERE held.locktype = 'relation' AND held.relation IN (SELECT oid FROM part) AND held.granted
  AND held.mode NOT IN ('AccessShareLock', 'RowShareLock')
ORDER BY 1
"""
