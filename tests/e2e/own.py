"""A database that is not ours: pgbench's tables, names that SQL has to quote, and a column of every type."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from tests.e2e.values import TYPES, rows
from tidemark_contract.names import DELTA_COLUMNS

LONGEST = "ü" * 31 + "x"  # 63 bytes
PGBENCH = """
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88)) WITH (fillfactor = 100);
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches VALUES (1, 0);
INSERT INTO pgbench_tellers SELECT g, 1, 0 FROM generate_series(1, 10) g;
INSERT INTO pgbench_accounts SELECT g, 1, 0, '' FROM generate_series(1, 1000) g;
INSERT INTO pgbench_history SELECT 1, 1, g, 5, '2026-01-01' FROM generate_series(1, 20) g;
INSERT INTO pgbench_history SELECT * FROM pgbench_history;
"""
ODD_COLUMNS = (
    "select",
    "A",
    "a",
    "with space",
    "dot.dot",
    'quo"te',
    "back\\slash",
    "semi;colon, comma",
    "tick`",
    "{cur}ly (round) [square]",
    "tab\tand\nline",
    "=",
    "%s",
    ":name",
    "$1",
    "?",
    "per%20cent",
    "~7e",
    "_mark",
    "_key",
    "_exact",
    "_commit_lsn",
    "_Gone",
    *DELTA_COLUMNS,
    "İ",
    "i̇",
    "😀",
    "key",
    "bucket",
    "hash",
    "texts",
    "null",
    "yes",
    "1e3",
    LONGEST,
)
ODD_TABLES = (
    ("Odd Schema", 'a"b'),
    (LONGEST, LONGEST),
    (LONGEST, LONGEST.replace("x", "X")),
    ("select", "back\\slash.line\n%\t_"),
)

NEW_TYPES = """
CREATE SCHEMA types;
CREATE EXTENSION citext SCHEMA types;
CREATE EXTENSION hstore SCHEMA types;
CREATE EXTENSION ltree SCHEMA types;
CREATE EXTENSION cube SCHEMA types;
CREATE EXTENSION seg SCHEMA types;
CREATE TYPE types.mood AS ENUM ('so, so', 'it''s', E'a\\tb');
CREATE TYPE types.pair AS (a int, b text);
CREATE TYPE types.words AS RANGE (subtype = text, multirange_type_name = types.multiwords);
CREATE DOMAIN types.whole AS int CHECK (value > 0);
CREATE DOMAIN types.even AS types.whole CHECK (value % 2 = 0);
CREATE DOMAIN types.wholes AS int[];
CREATE DOMAIN types.price AS numeric(12,2);
CREATE DOMAIN types.pairs AS types.pair;
"""
# Values that are equal and have different texts: a change of the text alone is a change of `_key`.
KEYS_AND_BAGS = """
CREATE TABLE types.keys (
    f float8, n numeric, c char(4), at timestamptz, b bytea, d date, t types.citext, i interval, v text,
    PRIMARY KEY (f, n, c, at, b, d, t, i)
);
INSERT INTO types.keys VALUES
    ('-0', 1.0, 'a', 'infinity', '\\x5c09', '0044-03-15 BC', E'T\\t', '1 day', 'copied'),
    ('NaN', 'NaN', '', '0044-03-15 BC', '\\x', 'infinity', '', '0', 'copied'),
    (1, 2, 'gone', '2026-01-01', '\\x00', '2026-01-01', '\\N', '24:00:00', 'copied');
CREATE TABLE types.bag (f float8, n numeric, j json, p point, x xml, t text, at timestamptz);
INSERT INTO types.bag SELECT '-0', 1.0, '{"a": 1}', '(1,-0)', '<a/>', E'\\t', 'infinity' FROM generate_series(1, 3);
INSERT INTO types.bag SELECT '0', 1.00, '{"a":1}', '(1,0)', '<a />', E'\\\\t', NULL FROM generate_series(1, 3);
"""
WRITES = """
INSERT INTO pgbench_history SELECT 1, 1, g, 5, '2026-01-01' FROM generate_series(1, 20) g;
UPDATE pgbench_history SET delta = 6 WHERE aid = 1;
DELETE FROM pgbench_history WHERE ctid IN (SELECT min(ctid) FROM pgbench_history WHERE aid = 2);
UPDATE pgbench_accounts SET abalance = abalance + 5 WHERE aid <= 20;
UPDATE pgbench_tellers SET tid = tid + 100 WHERE tid = 3;
DELETE FROM pgbench_branches;
UPDATE types.keys SET f = '0', n = 1.00, t = E't\\t', i = '24:00:00', v = 'moved' WHERE d = '0044-03-15 BC';
UPDATE types.keys SET v = 'changed' WHERE f = 'NaN';
DELETE FROM types.keys WHERE c = 'gone';
INSERT INTO types.keys VALUES
    ('Infinity', '-Infinity', E'\\t\\\\', '294276-01-01', '\\x0a', '5874897-01-01', E'\\n', '-1 mon', 'streamed');
INSERT INTO types.bag SELECT * FROM types.bag;
UPDATE types.bag SET n = 1.000 WHERE ctid IN (SELECT min(ctid) FROM types.bag WHERE f::text = '-0');
DELETE FROM types.bag WHERE ctid IN (SELECT min(ctid) FROM types.bag WHERE f::text = '0');
"""


def make(connection: psycopg.Connection[Any]) -> None:
    """Make the tables, with the rows that a copy will find."""
    for number, name in enumerate(ODD_TABLES):
        _make_odd(connection, name, ODD_COLUMNS if number == 0 else ("id", "_key", "no_key"))
    connection.execute(PGBENCH + NEW_TYPES + KEYS_AND_BAGS)
    _make_everything(connection)


def write(connection: psycopg.Connection[Any]) -> None:
    """Write what the stream will bring: every row of types.everything once more, and each kind of change."""
    connection.execute(WRITES)
    columns = sql.SQL(", ").join(map(sql.Identifier, ["defaulted", *TYPES]))
    again = sql.SQL(
        "INSERT INTO types.everything (id, {0}) SELECT id + 1000, {0} FROM types.everything WHERE id < 1000"
    )
    renew = sql.SQL(
        "UPDATE types.everything old SET ({0}) = (SELECT {0} FROM types.everything WHERE id = old.id - 2000) "
        "WHERE id BETWEEN 2000 AND 2999"
    )
    connection.execute(again.format(columns))
    connection.execute(renew.format(columns))
    connection.execute("DELETE FROM types.everything WHERE id > 3000")
    # What is stored out of line is not sent again.
    connection.execute("UPDATE types.everything SET defaulted = 'only this' WHERE length(text) > 10000")
    for name in ODD_TABLES:
        _write_odd(connection, name)


def _make_everything(connection: psycopg.Connection[Any]) -> None:
    columns = sql.SQL(", ").join(sql.SQL("{} {}").format(sql.Identifier(type_), sql.SQL(type_)) for type_ in TYPES)
    table = sql.SQL(
        "CREATE TABLE types.everything (id int PRIMARY KEY, defaulted text DEFAULT 'd', {}, "
        "doubled bigint GENERATED ALWAYS AS (id * 2) STORED, tripled bigint GENERATED ALWAYS AS (id * 3))"
    )
    connection.execute(table.format(columns))
    names = sql.SQL(", ").join(map(sql.Identifier, TYPES))
    row = sql.SQL(", ").join([sql.Placeholder()] * len(TYPES))
    statement = sql.SQL("INSERT INTO types.everything (id, defaulted, {}) VALUES (%s, NULL, {})").format(names, row)
    ids = [(1, rows()), (2001, rows()[::-1]), (3001, rows()[:2])]
    with connection.cursor() as cursor:
        cursor.executemany(statement, [(n, *row) for first, values in ids for n, row in enumerate(values, first)])


def _make_odd(connection: psycopg.Connection[Any], name: tuple[str, str], columns: Sequence[str]) -> None:
    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(name[0])))
    texts = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(column)) for column in columns)
    key = sql.SQL(", ").join(map(sql.Identifier, columns[:2]))
    table = sql.Identifier(*name)
    connection.execute(sql.SQL("CREATE TABLE {} ({}, PRIMARY KEY ({}))").format(table, texts, key))
    for value in "abc":
        row = sql.SQL(", ").join([sql.Literal(value)] * len(columns))
        connection.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(table, row))


def _write_odd(connection: psycopg.Connection[Any], name: tuple[str, str]) -> None:
    first, second, third = (ODD_COLUMNS if name == ODD_TABLES[0] else ("id", "_key", "no_key"))[:3]
    facts = {"table": sql.Identifier(*name), "first": sql.Identifier(first), "second": sql.Identifier(second),
             "third": sql.Identifier(third)}  # fmt: skip
    for statement in (
        "INSERT INTO {table} ({first}, {second}, {third}) VALUES ('d', '', 'streamed')",
        "UPDATE {table} SET {third} = 'changed' WHERE {first} = 'a'",
        "UPDATE {table} SET {second} = 'moved' WHERE {first} = 'b'",
        "DELETE FROM {table} WHERE {first} = 'c'",
    ):
        connection.execute(sql.SQL(statement).format(**facts))
