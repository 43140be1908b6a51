"""How large the captured tables are, so that readers can share them out by ranges of ctid."""

from typing import Any

import psycopg

from tidemark_contract.names import TableName
from tidemark_source.connection import speaking_to, where_of
from tidemark_source.relations import kind_of

_PAGES = """
WITH RECURSIVE part AS (
    SELECT relation.oid FROM pg_class relation JOIN pg_namespace namespace ON namespace.oid = relation.relnamespace
    WHERE namespace.nspname = %s AND relation.relname = %s
    UNION ALL
    SELECT child.inhrelid FROM part
    JOIN pg_class parent ON parent.oid = part.oid AND parent.relkind = 'p'
    JOIN pg_inherits child ON child.inhparent = part.oid
)
SELECT namespace.nspname, relation.relname, pg_relation_size(relation.oid) / current_setting('block_size')::bigint
FROM part
JOIN pg_class relation ON relation.oid = part.oid AND relation.relkind <> 'p'
JOIN pg_namespace namespace ON namespace.oid = relation.relnamespace
ORDER BY 1, 2
"""


def page_count(connection: psycopg.Connection[Any], table: TableName) -> list[tuple[TableName, int]]:
    """Give the table, or each leaf of a partitioned one, with its number of blocks of `block_size` (8 kB) bytes.

    Inside a held snapshot no row that it sees lies beyond the last block. SourceRefused when there is no such table.
    """
    kind_of(connection, table)
    with speaking_to(where_of(connection)):
        rows = connection.execute(_PAGES, (table.schema, table.table)).fetchall()
    return [(TableName(schema, name), pages) for schema, name, pages in rows]
