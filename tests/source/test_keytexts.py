"""A key that a person has written down is taken only as PostgreSQL itself writes it."""

from collections.abc import Sequence

from tests.source.conftest import EVERY_VERSION, Database
from tidemark_contract.subjects import Subject
from tidemark_source.keytexts import key_problems

TABLES = """
CREATE SCHEMA "Odd ""s";
CREATE TYPE "Odd ""s".mood AS ENUM ('so, so', 'it''s');
CREATE DOMAIN whole AS integer CHECK (value > 0);
CREATE TABLE "Odd ""s"."t""1" (
    "i d" integer, n numeric(12,2), free numeric, c character(4), at timestamptz, m "Odd ""s".mood, w whole, b bytea,
    f float8, t text, l integer[], PRIMARY KEY ("i d")
);
"""
COLUMNS = ("i d", "n", "free", "c", "at", "m", "w", "b", "f", "t", "l")
RIGHT = ("7", "1.50", "1.50", "a   ", "2026-01-01 00:00:00+00", "so, so", "3", "\\x00", "-0", "\t\\N'\"ü", "{1,NULL}")
OTHERWISE = ("07", "1.5", "+1", "a", "2026-01-01", None, "03", "\\x0A", "0.10", None, "{ 1 }")
WRONG = ("x", "1e99", "x", "abcdef", "infinite", "happy", "-1", "\\x0", "1..", "nul\0", "{")


def subject(database: Database, rows: Sequence[Sequence[str | None]]) -> Subject:
    spec = database.table('"Odd ""s"."t""1"')
    keys = {
        tuple(given or right for given, right in zip(row, RIGHT, strict=True)): f"key {number}"
        for number, row in enumerate(rows, 1)
    }
    return Subject(spec, COLUMNS, keys)


def one_by_one(row: Sequence[str | None]) -> list[list[str | None]]:
    return [[value if m == n else None for m, value in enumerate(row)] for n in range(len(row)) if row[n]]


@EVERY_VERSION
def test_what_postgresql_writes_is_taken(database: Database) -> None:
    database.execute(TABLES)
    database.init('"Odd ""s"."t""1"')
    assert [] == key_problems(database.url, [subject(database, [RIGHT])])


@EVERY_VERSION
def test_what_it_writes_otherwise_or_not_at_all_is_told_without_the_value(database: Database) -> None:
    database.execute(TABLES)
    database.init('"Odd ""s"."t""1"')
    otherwise = key_problems(database.url, [subject(database, one_by_one(OTHERWISE))])
    wrong = key_problems(database.url, [subject(database, one_by_one(WRONG))])

    named = [column for column, text in zip(COLUMNS, OTHERWISE, strict=True) if text]
    told = "is not the text that PostgreSQL writes"
    assert [True] * len(named) == [f"{name}: {told}" in p for name, p in zip(named, otherwise, strict=True)]
    assert len(WRONG) == len(wrong)
    assert all("is not a value of i d (integer)" in problem for problem in wrong)
    assert not any(text in problem for problem in wrong for text in WRONG if len(text) > 3)
