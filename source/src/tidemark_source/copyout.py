"""Tables as COPY text: PostgreSQL's own form of every value, protected columns as they are stored."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.specs import TableSpec
from tidemark_source.connection import speaking_to, where_of
from tidemark_source.protection import stored_value
from tidemark_source.relations import rows_of


def copy_text(connection: psycopg.Connection[Any], spec: TableSpec) -> Iterator[bytes]:
    """Give the table's rows as COPY text in UTF-8, a line each, with the spec's columns in the spec's order."""
    columns = sql.SQL(", ").join(stored_value(column) for column in spec.columns)
    query = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(columns, rows_of(connection, spec.table))
    with speaking_to(where_of(connection)), connection.cursor() as cursor, cursor.copy(query) as copy:
        for line in copy:
            yield bytes(line)
