"""What the capture role may do, and nothing else: read the captured tables, write marks."""

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName
from tidemark_source.marks import MARK
from tidemark_source.server import Server
from tidemark_source.tables import Table

MARK_PRIVILEGES = ("INSERT", "DELETE", "SELECT")


def missing_grants(
    connection: psycopg.Connection[Any], server: Server, role: str, tables: Sequence[Table]
) -> list[sql.Composed]:
    """Give the GRANTs that the role lacks to read the tables and their leaves, and to write and expire marks."""
    grantee = sql.Identifier(role)
    grants: list[sql.Composed] = []
    if not server.role_connects:
        grants.append(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(server.database), grantee))
    for schema in _schemas_not_usable(connection, role, tables):
        grants.append(sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), grantee))
    for name in _tables_not_readable(connection, role, tables):
        table = sql.Identifier(name.schema, name.table)
        grants.append(sql.SQL("GRANT SELECT ON TABLE {} TO {}").format(table, grantee))
    return [*grants, *_mark_grants(connection, server, role)]


def _schemas_not_usable(connection: psycopg.Connection[Any], role: str, tables: Sequence[Table]) -> list[str]:
    schemas = sorted({table.name.schema for table in tables})
    rows = connection.execute(
        "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s::name[]) "
        "AND NOT has_schema_privilege(%s::name, oid, 'USAGE') ORDER BY 1",
        (schemas, role),
    )
    return [schema for (schema,) in rows]


def _tables_not_readable(connection: psycopg.Connection[Any], role: str, tables: Sequence[Table]) -> list[TableName]:
    rows = connection.execute(
        "SELECT oid::bigint FROM pg_class WHERE oid = ANY(%s::oid[]) "
        "AND NOT has_table_privilege(%s::name, oid, 'SELECT')",
        ([table.oid for table in tables], role),
    )
    unreadable = {oid for (oid,) in rows}
    return sorted(table.name for table in tables if table.oid in unreadable)


def _mark_grants(connection: psycopg.Connection[Any], server: Server, role: str) -> Iterator[sql.Composed]:
    usable, allowed = False, [False]
    if server.mark_columns:
        row = connection.execute(
            "SELECT has_schema_privilege(%s::name, relnamespace, 'USAGE'), "
            "ARRAY(SELECT has_table_privilege(%s::name, relation.oid, privilege) FROM unnest(%s::text[]) privilege) "
            "FROM pg_class relation JOIN pg_namespace namespace ON namespace.oid = relnamespace "
            "WHERE nspname = %s AND relname = %s",
            (role, role, [*MARK_PRIVILEGES], MARK_SCHEMA, MARK_TABLE),
        ).fetchone()
        usable, allowed = row or (False, [False])
    grantee = sql.Identifier(role)
    if not usable:
        yield sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(MARK_SCHEMA), grantee)
    if not all(allowed):
        privileges = sql.SQL(", ").join(sql.SQL(name) for name in MARK_PRIVILEGES)
        yield sql.SQL("GRANT {} ON TABLE {} TO {}").format(privileges, MARK, grantee)
