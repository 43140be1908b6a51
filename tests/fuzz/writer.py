"""Random statements for one table: what an application, and an administrator, would send next."""

import random
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import sql

from tests.fuzz.tables import PLAIN, Column, columns, value

Statement = sql.Composable | None
Make = Callable[["Writer"], Statement]


class Writer:
    """Draws statements that fit the table as a session sees it."""

    def __init__(self, chance: random.Random, session: psycopg.Connection[Any], table: str) -> None:
        self.chance, self.session, self.name = chance, session, table
        self.table = sql.Identifier(table)
        self.columns = columns(session, table)

    @property
    def keys(self) -> list[Column]:
        return [c for c in self.columns if c.is_key] or self.columns[:1]

    @property
    def others(self) -> list[Column]:
        return [c for c in self.columns if not c.is_key and c.name != "id"]

    def any_other(self) -> Column | None:
        return self.chance.choice(self.others) if self.others else None

    def new_name(self) -> str:
        """Names are used again, which is what makes them dangerous."""
        return self.chance.choice(["c0", "c1", "c2", "x", "y", "Odd name"])

    def where(self) -> sql.Composed:
        """Choose a row, or a few."""
        key = self.keys[0]
        operator = sql.SQL(self.chance.choice(["=", "=", "=", "<", ">"]))
        return sql.SQL("{} {} {}").format(sql.Identifier(key.name), operator, value(self.chance, key))


def insert(w: Writer) -> Statement:
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in w.columns)
    rows = sql.SQL(", ").join(
        sql.SQL("({})").format(sql.SQL(", ").join(value(w.chance, c) for c in w.columns))
        for _ in range(w.chance.randint(1, 4))
    )
    conflict = sql.SQL(" ON CONFLICT DO NOTHING" if any(c.is_key for c in w.columns) else "")
    return sql.SQL("INSERT INTO {} ({}) VALUES {}{}").format(w.table, names, rows, conflict)


def update(w: Writer) -> Statement:
    if not (column := w.any_other()):
        return None
    return sql.SQL("UPDATE {} SET {} = {} WHERE {}").format(
        w.table, sql.Identifier(column.name), value(w.chance, column), w.where()
    )


def move(w: Writer) -> Statement:
    key = w.chance.choice(w.keys)
    return sql.SQL("UPDATE {} SET {} = {} WHERE {} = {}").format(
        w.table, sql.Identifier(key.name), value(w.chance, key), sql.Identifier(key.name), value(w.chance, key)
    )


def delete(w: Writer) -> Statement:
    return sql.SQL("DELETE FROM {} WHERE {}").format(w.table, w.where())


def truncate(w: Writer) -> Statement:
    leaf = w.chance.choice(["", "", "_low"])
    return sql.SQL("TRUNCATE {}").format(sql.Identifier(w.name + leaf))


def add_column(w: Writer) -> Statement:
    type_ = w.chance.choice(list(PLAIN))
    default: sql.Composable = sql.SQL("")
    if w.chance.random() < 0.5:
        default = sql.SQL(" DEFAULT {}").format(sql.Literal(w.chance.choice(PLAIN[type_])))
    if w.chance.random() < 0.1:
        type_, default = "double precision", sql.SQL(" DEFAULT random()")
    return sql.SQL("ALTER TABLE {} ADD COLUMN {} {}{}").format(
        w.table, sql.Identifier(w.new_name()), sql.SQL(type_), default
    )


def drop_column(w: Writer) -> Statement:
    column = w.any_other()
    return sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(w.table, sql.Identifier(column.name)) if column else None


def rename_column(w: Writer) -> Statement:
    column = w.chance.choice(w.columns)
    names = sql.Identifier(column.name), sql.Identifier(w.new_name())
    return sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}").format(w.table, *names)


def retype_column(w: Writer) -> Statement:
    if not (column := w.any_other()):
        return None
    type_ = sql.SQL(w.chance.choice(["text", "varchar", "numeric(20,2)", "numeric"]))
    return sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {}").format(w.table, sql.Identifier(column.name), type_)


def rewrite_values(w: Writer) -> Statement:
    if not (column := w.any_other()):
        return None
    name, type_ = sql.Identifier(column.name), sql.SQL(column.type)
    return sql.SQL("ALTER TABLE {} ALTER COLUMN {} TYPE {} USING NULL::{}").format(w.table, name, type_, type_)


def set_default(w: Writer) -> Statement:
    if not (column := w.any_other()):
        return None
    return sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
        w.table, sql.Identifier(column.name), value(w.chance, column)
    )


def identity(w: Writer) -> Statement:
    if not any(c.is_key for c in w.columns):
        return None
    how = sql.SQL(w.chance.choice(["FULL", "DEFAULT"]))
    return sql.SQL("ALTER TABLE {} REPLICA IDENTITY {}").format(w.table, how)


def vacuum(w: Writer) -> Statement:
    return sql.SQL("VACUUM FULL {}").format(w.table)


def detach(w: Writer) -> Statement:
    return sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(w.table, sql.Identifier(w.name + "_low"))


def attach(w: Writer) -> Statement:
    return sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM (MINVALUE) TO (6)").format(
        w.table, sql.Identifier(w.name + "_low")
    )


ROWS: dict[Make, int] = {insert: 12, update: 8, move: 4, delete: 3}
SCHEMA: dict[Make, int] = {
    truncate: 2,
    add_column: 6,
    drop_column: 3,
    rename_column: 4,
    retype_column: 2,
    rewrite_values: 1,
    set_default: 1,
    identity: 1,
    detach: 1,
    attach: 1,
}
ALONE: dict[Make, int] = {vacuum: 1}  # cannot be in a transaction
