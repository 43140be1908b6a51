"""A witness in the source: triggers that write down what becomes of every row, transaction by transaction.

What they saw is read in a mark's snapshot, and says what a table that keeps deleted rows, or a history, has to hold.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.names import TableName

SETUP = """
CREATE SCHEMA audit;
CREATE UNLOGGED TABLE audit.log (
    seq bigserial, xid xid8 DEFAULT pg_current_xact_id(), "table" text, op text,
    was_key text, key text, was text, row text
);
GRANT USAGE ON SCHEMA audit TO capture;
GRANT SELECT ON audit.log TO capture;
-- Whatever the session that fires it has set: values are written as the stream writes them.
CREATE FUNCTION audit.witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET DateStyle = 'ISO, MDY' SET TimeZone = 'UTC' SET IntervalStyle = 'postgres' SET extra_float_digits = 3
    SET bytea_output = 'hex' AS $$
DECLARE was_key text; key text; was text; now text;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        was := OLD::text;
        EXECUTE format('SELECT ($1).%I::text', TG_ARGV[1]) INTO was_key USING OLD;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        now := NEW::text;
        EXECUTE format('SELECT ($1).%I::text', TG_ARGV[1]) INTO key USING NEW;
    END IF;
    INSERT INTO audit.log ("table", op, was_key, key, was, row) VALUES (TG_ARGV[0], TG_OP, was_key, key, was, now);
    RETURN NULL;
END $$;
"""
_KEYED = """
SELECT relname, attname FROM pg_class JOIN pg_index ON indrelid = pg_class.oid AND indisprimary AND indnatts = 1
JOIN pg_attribute ON attrelid = pg_class.oid AND attnum = indkey[0]
WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p') AND NOT relispartition
"""
Seen = tuple[int, str | None]
"""A transaction that touched a key, and the row that it left there, as PostgreSQL writes a row; None for none."""


def watch(connection: psycopg.Connection[Any], schema: str) -> None:
    """Put a witness on every table of a schema whose key is one column; the rows that are there count as inserted."""
    for table, key in connection.execute(_KEYED, (schema,)).fetchall():
        name, arguments = sql.Identifier(schema, table), (sql.Literal(f"{TableName(schema, table)}"), sql.Literal(key))
        for events, level in (("INSERT OR UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            connection.execute(
                sql.SQL("CREATE TRIGGER {} AFTER {} ON {} FOR EACH {} EXECUTE FUNCTION audit.witness({}, {})").format(
                    sql.Identifier(f"witness_{level}"), sql.SQL(events), name, sql.SQL(level), *arguments
                )
            )
        connection.execute(
            sql.SQL(
                """INSERT INTO audit.log ("table", op, key, row) SELECT {}, 'INSERT', t.{}::text, t::text FROM {} t"""
            ).format(arguments[0], sql.Identifier(key), name)
        )


def testimony(connection: psycopg.Connection[Any]) -> dict[str, list[tuple[Any, ...]]]:
    """Give what was seen of each table, in order: transaction, operation, old and new key, old and new row."""
    found = defaultdict(list)
    query = 'SELECT "table", xid::text::bigint, op, was_key, key, was, row FROM audit.log ORDER BY seq'
    for table, *seen in connection.execute(query):
        found[table].append(tuple(seen))
    return dict(found)


def seen_at_keys(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Seen]]:
    """Give what each transaction left at each key that it touched, in order."""
    states: dict[str, list[Seen]] = defaultdict(list)

    def leave(xid: int, key: str, row: str | None) -> None:
        if states[key] and states[key][-1][0] == xid:
            states[key].pop()
        states[key].append((xid, row))

    for xid, op, was_key, key, _, row in rows:
        if op == "TRUNCATE":
            for there in [at for at, seen in states.items() if seen and seen[-1][1] is not None]:
                leave(xid, there, None)
        elif was_key is not None and was_key != key:
            leave(xid, was_key, None)
        if key is not None:
            leave(xid, key, row)
    return states


def lives(seen: Sequence[Seen]) -> list[str | None]:
    """Give the versions of a row, one after the other, and None where there was no row for a while, or is none now."""
    told: list[str | None] = []
    for _, row in seen:
        if row is not None or (told and told[-1] is not None):
            told.append(row)
    return told


def last_rows(rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
    """Give the row that each key last had, of the keys that have none any more."""
    now: dict[str, str] = {}
    gone: dict[str, str] = {}
    for _, op, was_key, key, was, row in rows:
        if op == "TRUNCATE":
            gone |= now
            now = {}
        elif was_key is not None and was_key != key:
            gone[was_key] = was
            now.pop(was_key, None)
        if key is not None:
            now[key] = row
            gone.pop(key, None)
    return gone


def as_row(texts: Sequence[str | None]) -> str:
    """Write a row as PostgreSQL does, from the texts of its columns."""
    return "(" + ",".join("" if text is None else _quoted(text) for text in texts) + ")"


def _quoted(text: str) -> str:
    special = text == "" or any(c in '"\\(),' or c.isspace() for c in text)
    return '"' + text.replace("\\", "\\\\").replace('"', '""') + '"' if special else text
