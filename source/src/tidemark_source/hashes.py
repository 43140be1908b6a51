"""The source's half of a proof: hashes of rows, summed by bucket of their key.

A value is hashed as the text that its type's output function gives, the text that COPY writes and the stream carries;
of a protected column, as what is stored of it.
`::text` is not that: character(n) loses its blanks, inet gains /32, boolean is spelled out. Silver computes the same
from its own rows; the two sides must agree byte by byte:

- `_key`: COPY text of the key columns (of all columns when the table has no key), tabs between them;
- the row: for each column in the spec's order, octets of its text, ":", the text; "~" for NULL;
- a row's hash: the first 15 hex digits of md5(row); its bucket: the first 8 of md5(_key), modulo the buckets.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.copytext import decode_row
from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_source.connection import speaking_to, where_of
from tidemark_source.pace import Pace
from tidemark_source.pages import page_count
from tidemark_source.protection import stored_value, text_of
from tidemark_source.ranges import block_ranges
from tidemark_source.relations import rows_of

# What is read between two rests: 16 MB, or a part of the table, as each range tells of every bucket again.
_BLOCKS = 2048
_MOST_RANGES = 64

# Types whose text holds none of the characters that COPY escapes.
_NEVER_ESCAPED = re.compile(
    r"smallint|integer|bigint|oid|boolean|real|double precision|date|uuid|numeric(\(.*\))?|time(stamp)?(\(\d\))? with.*"
)
_ESCAPES = (("\\", r"\\"), ("\b", r"\b"), ("\f", r"\f"), ("\n", r"\n"), ("\r", r"\r"), ("\t", r"\t"), ("\v", r"\v"))


def bucket_sql(spec: TableSpec, buckets: int, rows: sql.Composable, encoding: str = "UTF8") -> sql.Composed:
    """Give the SELECT of each row's bucket, `_key`, hash (bigint) and texts `_1`, `_2`, … from `rows`.

    `rows` is what stands behind FROM. `encoding` is the server's: length and md5 are of UTF-8 bytes whatever the
    database is stored in.
    """
    # OFFSET 0 keeps the planner from writing the output functions out once for every use of a text.
    return sql.SQL(
        "SELECT {bucket} AS bucket, _key, {hash} AS hash, {texts} FROM "
        "(SELECT {key} AS _key, {texts} FROM (SELECT {values} FROM {rows} OFFSET 0) texts OFFSET 0) keyed"
    ).format(
        bucket=_bits(sql.Identifier("_key"), 8, encoding) + sql.SQL(" % {}").format(sql.Literal(buckets)),
        hash=_bits(_row(spec, encoding), 15, encoding),
        texts=_listed([_text(n) for n in range(len(spec.columns))]),
        key=_key(spec),
        values=_listed([_value(column, n) for n, column in enumerate(spec.columns)]),
        rows=rows,
    )


def bucket_hashes(
    connection: psycopg.Connection[Any], spec: TableSpec, buckets: int, pace: Pace | None = None
) -> dict[int, tuple[int, int]]:
    """Give for each bucket that has rows their number and the sum of their hashes."""
    found: dict[int, tuple[int, int]] = {}
    for select in _selects(connection, spec, buckets):
        query = sql.SQL("SELECT bucket, count(*), sum(hash)::text FROM ({}) rows GROUP BY bucket").format(select)
        with speaking_to(where_of(connection)), (pace or Pace()).work(partial(connection.execute, "SELECT")):
            part = connection.execute(query).fetchall()
        for bucket, rows, total in part:
            before = found.get(bucket, (0, 0))
            found[bucket] = (before[0] + rows, before[1] + int(total))
    return found


def rows_of_buckets(
    connection: psycopg.Connection[Any],
    spec: TableSpec,
    buckets: int,
    chosen: Collection[int],
    pace: Pace | None = None,
) -> Iterator[tuple[str, list[str | None]]]:
    """Give `_key` and the texts, in the spec's order, of every row in the chosen buckets; in no order."""
    for select in _selects(connection, spec, buckets):
        query = sql.SQL(
            "COPY (SELECT _key, {texts} FROM ({rows}) rows WHERE bucket = ANY({chosen}::bigint[])) TO STDOUT"
        ).format(
            texts=_listed([_text(n) for n in range(len(spec.columns))]),
            rows=select,
            chosen=sql.Literal([int(bucket) for bucket in chosen]),
        )
        with speaking_to(where_of(connection)), (pace or Pace()).work(partial(connection.execute, "SELECT")):
            yield from _copied(connection, query)


def _copied(connection: psycopg.Connection[Any], query: sql.Composed) -> Iterator[tuple[str, list[str | None]]]:
    with speaking_to(where_of(connection)), connection.cursor() as cursor, cursor.copy(query) as copy:
        for line in copy:
            key, *texts = decode_row(bytes(line).decode().removesuffix("\n"))
            yield key or "", texts


def _selects(connection: psycopg.Connection[Any], spec: TableSpec, buckets: int) -> list[sql.Composed]:
    """Give the SELECTs of `bucket_sql` that together read every row once, each a range of blocks."""
    encoding = connection.info.parameter_status("server_encoding") or ""
    rows, pages = rows_of(connection, spec.table), page_count(connection, spec.table)
    blocks = max(_BLOCKS, sum(count for _, count in pages) // _MOST_RANGES)
    return [bucket_sql(spec, buckets, rows + part, encoding) for part in block_ranges(pages, blocks)]


def _value(column: ColumnSpec, number: int) -> sql.Composed:
    name = sql.Identifier(column.name)
    text = stored_value(column) if column.protect else text_of(name, sql.SQL("concat({})").format(name))
    return sql.SQL("{} AS {}").format(text, _text(number))


def _key(spec: TableSpec) -> sql.Composed:
    chosen = spec.key or [column.name for column in spec.columns]
    numbers = {column.name: n for n, column in enumerate(spec.columns)}
    return sql.SQL(" || E'\\t' || ").join(_copy_text(spec.columns[numbers[name]], numbers[name]) for name in chosen)


def _copy_text(column: ColumnSpec, number: int) -> sql.Composed:
    escaped: sql.Composable = _text(number)
    for raw, escape in () if _NEVER_ESCAPED.fullmatch(column.type) else _ESCAPES:
        escaped = sql.SQL("replace({}, {}, {})").format(escaped, sql.Literal(raw), sql.Literal(escape))
    return sql.SQL("coalesce({}, {})").format(escaped, sql.Literal(r"\N"))


def _row(spec: TableSpec, encoding: str) -> sql.Composed:
    part = sql.SQL("coalesce(octet_length({}) || ':' || {}, '~')")
    texts = [_text(number) for number in range(len(spec.columns))]
    return sql.SQL(" || ").join(part.format(_utf8(text, encoding), text) for text in texts)


def _bits(text: sql.Composable, digits: int, encoding: str) -> sql.Composed:
    return sql.SQL("('x' || substr(md5({}), 1, {}))::bit({})::bigint").format(
        _utf8(text, encoding), sql.Literal(digits), sql.Literal(digits * 4)
    )


def _utf8(text: sql.Composable, encoding: str) -> sql.Composable:
    return text if encoding == "UTF8" else sql.SQL("convert_to({}, 'UTF8')").format(text)


def _text(number: int) -> sql.Identifier:
    return sql.Identifier(f"_{number + 1}")


def _listed(parts: Sequence[sql.Composable]) -> sql.Composed:
    return sql.SQL(", ").join(parts)
