"""Random tables, and what their catalog says now."""

import random
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from tests.e2e.values import TYPES

# Those of which every value can be written into a literal in a database that has no types of its own.
PLAIN = {name: values for name, values in TYPES.items() if "." not in name and not name.startswith("reg")}
KEYS = 12
"""Rows of a table with a key, at most: few, so that they are met again and again."""
_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod), attnum = ANY (coalesce(indkey::int2[], '{}')), attnotnull
FROM pg_attribute LEFT JOIN pg_index ON indrelid = attrelid AND indisprimary
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


@dataclass(frozen=True)
class Column:
    """One column as it is now."""

    name: str
    type: str
    is_key: bool
    required: bool


def columns(session: psycopg.Connection[Any], table: str) -> list[Column]:
    """Ask for a table's columns; none when there is no such table."""
    return [Column(*row) for row in session.execute(_COLUMNS, (table,))]


def create(chance: random.Random, table: str) -> str:
    """Give the statements that make a table: with a key of one or two columns, partitioned, or without a key."""
    kind = chance.choice(["int", "int", "text", "pair", "partitioned", "bag"])
    key, primary = {
        "int": ("id int", "PRIMARY KEY (id)"),
        "text": ("id text", "PRIMARY KEY (id)"),
        "pair": ("id int, part text", "PRIMARY KEY (part, id)"),
        "partitioned": ("id int", "PRIMARY KEY (id)"),
        "bag": ("id int", ""),
    }[kind]
    types = [chance.choice(list(PLAIN)) for _ in range(chance.randint(1, 4))]
    rest = [f"c{n} {type_}" for n, type_ in enumerate(types)] + ["long text"]
    parts = ", ".join([key, *rest, *([primary] if primary else [])])
    statements = [f"CREATE TABLE {table} ({parts})" + (" PARTITION BY RANGE (id)" if kind == "partitioned" else "")]
    if kind == "partitioned":
        statements += [f"CREATE TABLE {table}_low PARTITION OF {table} FOR VALUES FROM (MINVALUE) TO (6)"]
        statements += [f"CREATE TABLE {table}_high PARTITION OF {table} FOR VALUES FROM (6) TO (MAXVALUE)"]
    statements.append(f"ALTER TABLE {table} ALTER long SET STORAGE EXTERNAL")
    if kind == "bag":
        statements.append(f"ALTER TABLE {table} REPLICA IDENTITY FULL")
    return ";\n".join(statements)


def value(chance: random.Random, column: Column) -> sql.Composable:
    """Give a value for a column: one at the edge of its type, a long one, or NULL."""
    if column.name == "id" or column.is_key:
        number = chance.randint(1, KEYS)
        return sql.Literal(f"k{number}" if column.type == "text" else number)
    known = PLAIN.get(column.type)
    if (known is None or chance.random() < 0.15) and not column.required:
        return sql.SQL("NULL")
    if column.type == "text" and chance.random() < 0.4:
        return sql.SQL("repeat({}, 3000)").format(sql.Literal(chance.choice("abc")))
    return sql.SQL("{}").format(sql.Literal(chance.choice(known))) if known else sql.SQL("DEFAULT")
