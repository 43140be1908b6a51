"""The publication of a source: an explicit list of tables, with every row, column and operation."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName, slot_name
from tidemark_source.tables import STORED_GENERATED_SINCE

MARK = TableName(MARK_SCHEMA, MARK_TABLE)


@dataclass(frozen=True)
class Publication:
    """A publication as it is; `entries` maps its tables to whether they come whole (no row filter, no column list)."""

    exists: bool = False
    owned: bool = True
    all_tables: bool = False
    complete: bool = True  # all operations, partitions as leaves, stored generated columns where there are any
    schemas: tuple[str, ...] = ()
    entries: dict[TableName, bool] = field(default_factory=dict)

    def problems(self, source: str) -> list[str]:
        """Say what init does not mend."""
        name = slot_name(source)
        if self.all_tables:
            return [f"the publication {name} is FOR ALL TABLES, which cannot be narrowed: DROP PUBLICATION {name}"]
        return (
            [] if self.owned else [f"the publication {name} belongs to a role that the admin role is not a member of"]
        )


def read_publication(connection: psycopg.Connection[Any], source: str) -> Publication:
    """Read the source's publication; one that does not exist is empty."""
    row = connection.execute(_PUBLICATION, {"name": slot_name(source)}).fetchone()
    if row is None:
        return Publication()
    facts, owned, schemas, entries = row
    gencols = facts.get("pubgencols", "s") in ("s", True)  # since 18
    operations = all(facts[f"pub{name}"] for name in ("insert", "update", "delete", "truncate"))
    return Publication(
        exists=True,
        owned=owned,
        all_tables=facts["puballtables"],
        complete=operations and not facts["pubviaroot"] and gencols,
        schemas=tuple(schemas),
        entries={TableName(entry["schema"], entry["table"]): entry["whole"] for entry in entries},
    )


def create(source: str, tables: Sequence[TableName], major: int) -> sql.Composed:
    """Give the statement that creates the publication."""
    return sql.SQL("CREATE PUBLICATION {} FOR TABLE {} WITH ({})").format(
        _name(source), sql.SQL(", ").join(_only(table) for table in tables), _options(major)
    )


def complete(source: str, major: int) -> sql.Composed:
    """Give the statement that makes an altered publication send everything again."""
    return sql.SQL("ALTER PUBLICATION {} SET ({})").format(_name(source), _options(major))


def add(source: str, table: TableName) -> tuple[sql.Composed, ...]:
    """Give the statements, for one transaction, that add a table.

    Without the lock, what a transaction wrote before the change and committed after it would be in neither the stream
    nor a copy.
    """
    name = sql.Identifier(table.schema, table.table)
    lock = sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name)
    return lock, sql.SQL("ALTER PUBLICATION {} ADD TABLE {}").format(_name(source), _only(table))


def remove(source: str, table: TableName) -> sql.Composed:
    """Give the statement that takes a table out."""
    return sql.SQL("ALTER PUBLICATION {} DROP TABLE {}").format(_name(source), _only(table))


def remove_schema(source: str, schema: str) -> sql.Composed:
    """Give the statement that takes a schema's tables out."""
    return sql.SQL("ALTER PUBLICATION {} DROP TABLES IN SCHEMA {}").format(_name(source), sql.Identifier(schema))


def _name(source: str) -> sql.Identifier:
    return sql.Identifier(slot_name(source))


def _only(table: TableName) -> sql.Composed:
    # ONLY leaves out the tables that inherit from an ordinary one; partitions always come with their root.
    return sql.SQL("ONLY {}").format(sql.Identifier(table.schema, table.table))


def _options(major: int) -> sql.SQL:
    if major >= STORED_GENERATED_SINCE:
        return sql.SQL(
            "publish = 'insert, update, delete, truncate', publish_via_partition_root = false, "
            "publish_generated_columns = stored"
        )
    return sql.SQL("publish = 'insert, update, delete, truncate', publish_via_partition_root = false")


_PUBLICATION = """
SELECT to_jsonb(publication), pg_has_role(pubowner, 'USAGE'),
       ARRAY(
           SELECT nspname::text FROM pg_publication_namespace JOIN pg_namespace namespace ON namespace.oid = pnnspid
           WHERE pnpubid = publication.oid ORDER BY nspname
       ),
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'schema', nspname, 'table', relname, 'whole', prqual IS NULL AND prattrs IS NULL)), '[]')
        FROM pg_publication_rel
        JOIN pg_class relation ON relation.oid = prrelid JOIN pg_namespace namespace ON namespace.oid = relnamespace
        WHERE prpubid = publication.oid)
FROM pg_publication publication
WHERE pubname = %(name)s
"""
