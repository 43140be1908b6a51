"""Tables cut into ranges of their blocks, to be read side by side whatever their keys are."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_source.protection import stored_value

BLOCKS = 8192  # 64 MB: a task of some seconds


def range_queries(
    connection: psycopg.Connection[Any],
    spec: TableSpec,
    pages: Sequence[tuple[TableName, int]],
    *,
    blocks: int = BLOCKS,
) -> list[str]:
    """Give SELECTs of the spec's columns that together read every row once, each of about `blocks` blocks.

    `pages` is what `page_count` gives. A partitioned table is read through its root, a range of every leaf at once:
    the role then needs no right to leaves that came after `tidemark init`. The last range is open: it costs nothing,
    and a block that was added since holds no row that the snapshot sees. Needs TID range scans (PostgreSQL 14).
    """
    columns = sql.SQL(", ").join(stored_value(column) for column in spec.columns)
    only = sql.SQL("ONLY " if [name for name, _ in pages] == [spec.table] else "")
    return [
        sql.SQL("SELECT {} FROM {}{}{}")
        .format(columns, only, sql.Identifier(spec.table.schema, spec.table.table), part)
        .as_string(connection)
        for part in block_ranges(pages, blocks)
    ]


def block_ranges(pages: Sequence[tuple[TableName, int]], blocks: int) -> list[sql.Composed]:
    """Give WHERE clauses that together hold for every row once, each on average for `blocks` blocks of all leaves.

    There are as many as that makes, however much longer than the others one leaf is.
    """
    longest, total = max((count for _, count in pages), default=0), sum(count for _, count in pages)
    number = max(1, -(-total // blocks))
    borders = list(range(0, max(longest, 1), max(1, -(-longest // number))))
    lower = [sql.SQL(" WHERE ctid >= {}::tid").format(sql.Literal(f"({border},0)")) for border in borders]
    upper = [sql.SQL(" AND ctid < {}::tid").format(sql.Literal(f"({border},0)")) for border in borders[1:]]
    return [first + last for first, last in zip(lower, [*upper, sql.Composed([])], strict=True)]
