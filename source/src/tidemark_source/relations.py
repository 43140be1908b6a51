"""How a captured table is read: whole, by its name, and with or without those that inherit from it."""

from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.errors import SourceRefused
from tidemark_contract.names import TableName
from tidemark_source.connection import speaking_to, where_of


def rows_of(connection: psycopg.Connection[Any], table: TableName) -> sql.Composed:
    """Give what stands behind FROM: a partitioned root plain, any other table with ONLY.

    The stream carries an ordinary table's own rows; those of tables that inherit from it belong to those.
    """
    name = sql.Identifier(table.schema, table.table)
    return sql.Composed([name]) if kind_of(connection, table) == "p" else sql.SQL("ONLY {}").format(name)


def kind_of(connection: psycopg.Connection[Any], table: TableName) -> str:
    """Give the table's `pg_class.relkind`; SourceRefused when there is no such table."""
    where = where_of(connection)
    with speaking_to(where):
        row = connection.execute(
            "SELECT relkind FROM pg_class JOIN pg_namespace namespace ON namespace.oid = relnamespace "
            "WHERE nspname = %s AND relname = %s",
            (table.schema, table.table),
        ).fetchone()
    if row is None:
        raise SourceRefused(f"{where}: there is no table {table}: it was dropped or renamed")
    return str(row[0])
