"""How large the captured tables are, so that readers can share them out by ranges of ctid."""

from typing import Any

import psycopg

from tidemark_contract.errors import SourceRefused
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
SELECT namespace.nspname, relation.relname, has_table_privilege(relation.oid, 'SELECT')
           AND has_schema_privilege(namespace.oid, 'USAGE'),
       pg_relation_size(relation.oid) / current_setting('block_size')::bigint
FROM part
JOIN pg_class relation ON relation.oid = part.oid AND relation.relkind <> 'p'
JOIN pg_namespace namespace ON namespace.oid = relation.relnamespace
ORDER BY 1, 2
"""


def page_count(connection: psycopg.Connection[Any], table: TableName) -> list[tuple[TableName, int]]:
    """Give the table, or each leaf of a partitioned one, with its number of blocks of `block_size` (8 kB) bytes.

    Read each with ONLY and `ctid >= '(a,0)' AND ctid < '(b,0)'`. Inside a held snapshot no row that it sees lies
    beyond the last block. SourceRefused names partitions that the role may not read: they came after `tidemark init`.
    """
    kind_of(connection, table)
    where = where_of(connection)
    with speaking_to(where):
        rows = connection.execute(_PAGES, (table.schema, table.table)).fetchall()
    hidden = [str(TableName(schema, name)) for schema, name, readable, _ in rows if not readable]
    if hidden:
        raise SourceRefused(
            f"{where}: the role may not read {', '.join(hidden)}: run `tidemark init` again to grant it"
        )
    return [(TableName(schema, name), pages) for schema, name, _, pages in rows]
