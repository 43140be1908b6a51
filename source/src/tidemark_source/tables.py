"""What the database's catalog says about tables now, for discovery and for the checks of init."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import dict_row

from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec

_KINDS = {"v": "view", "m": "materialized view", "f": "foreign table"}
STORED_GENERATED_SINCE = 18  # the first server that can publish them


@dataclass(frozen=True)
class Column:
    """One live column; `generated` is "s" (stored), "v" (virtual) or empty."""

    name: str
    type: str
    nullable: bool
    generated: str

    @property
    def spec(self) -> ColumnSpec:
        """The column as a spec holds it."""
        return ColumnSpec(self.name, self.type, self.nullable)

    def capturable(self, major: int) -> bool:
        """Tell whether the stream of such a server can carry it."""
        return not self.generated or (self.generated == "s" and major >= STORED_GENERATED_SINCE)


@dataclass(frozen=True)
class Index:
    """An index that could be a key: valid, unique, immediate, whole, on plain NOT NULL columns."""

    name: str
    columns: tuple[str, ...]
    primary: bool
    identity: bool


@dataclass(frozen=True)
class Table:
    """One relation with rows or the look of it: `kind` and `persistence` are `pg_class`'s letters."""

    oid: int
    name: TableName
    kind: str
    persistence: str
    parent: int | None  # the partitioned table that it is a partition of
    owner: str
    owned: bool  # by a role that the asking one belongs to
    description: str
    row_security: bool
    identity: str
    columns: tuple[Column, ...]
    keys: tuple[Index, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that a change names its row by: the identity index where there is one, else the primary key."""
        wanted = [key for key in self.keys if (key.identity if self.identity == "i" else key.primary)]
        return wanted[0].columns if wanted else ()

    @property
    def sent(self) -> frozenset[str]:
        """The columns whose old values the stream carries for UPDATE and DELETE."""
        if self.identity == "f":
            return frozenset(column.name for column in self.columns)
        return frozenset(self.key if self.identity in "di" else ())


def read_tables(connection: psycopg.Connection[Any]) -> dict[int, Table]:
    """Read all relations outside of the system's schemas, by oid; the connection must have an empty search_path."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return {row["oid"]: _table(row) for row in cursor.execute(_TABLES)}


def leaves(root: Table, tables: Mapping[int, Table]) -> tuple[Table, ...]:
    """Give the relations that hold the table's rows: itself, or the leaf partitions of a partitioned one."""
    if root.kind != "p":
        return (root,)
    children = (table for table in tables.values() if table.parent == root.oid)
    return tuple(leaf for child in children for leaf in leaves(child, tables))


def unfit(table: Table, tables: Mapping[int, Table]) -> str | None:
    """Say why the table cannot be captured, whatever its columns and key are; None when it can."""
    if table.kind not in ("r", "p"):
        return f"it is a {_KINDS[table.kind]}"
    bad = [leaf for leaf in leaves(table, tables) if leaf.kind == "f" or leaf.persistence != "p"]
    if not bad:
        return None
    why = "a foreign table" if bad[0].kind == "f" else "not logged: its changes are not in the WAL"
    return f"it is {why}" if bad[0] == table else f"its partition {bad[0].name} is {why}"


def ancestors(table: Table, tables: Mapping[int, Table]) -> Iterable[Table]:
    """Give the partitioned tables that the table is a partition of, nearest first."""
    while table.parent is not None:
        table = tables[table.parent]
        yield table


def _table(row: dict[str, Any]) -> Table:
    facts = {**row, "name": TableName(row["schema"], row["table"])}
    facts["columns"] = tuple(Column(**column) for column in row["columns"])
    facts["keys"] = tuple(Index(**{**key, "columns": tuple(key["columns"])}) for key in row["keys"])
    del facts["schema"], facts["table"]
    return Table(**facts)


_TABLES = """
SELECT relation.oid::bigint, nspname AS schema, relname AS table, relkind::text AS kind,
       relpersistence::text AS persistence,
       (SELECT inhparent::bigint FROM pg_inherits WHERE inhrelid = relation.oid AND relispartition) AS parent,
       pg_get_userbyid(relowner)::text AS owner, pg_has_role(relowner, 'USAGE') AS owned,
       coalesce(obj_description(relation.oid, 'pg_class'), '') AS description,
       relrowsecurity AS row_security, relreplident::text AS identity,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', attname, 'type', format_type(atttypid, atttypmod), 'nullable', NOT attnotnull,
            'generated', attgenerated) ORDER BY attnum), '[]')
        FROM pg_attribute WHERE attrelid = relation.oid AND attnum > 0 AND NOT attisdropped) AS columns,
       (SELECT coalesce(jsonb_agg(jsonb_build_object(
            'name', index.relname, 'columns', key.columns, 'primary', indisprimary, 'identity', indisreplident
        ) ORDER BY indisprimary DESC, index.relname), '[]')
        FROM pg_index
        JOIN pg_class index ON index.oid = indexrelid
        CROSS JOIN LATERAL (
            SELECT jsonb_agg(attname ORDER BY position) AS columns,
                   bool_and(attnotnull) AND count(*) = indnkeyatts AS whole
            FROM unnest(indkey::int2[]) WITH ORDINALITY AS part(number, position)
            JOIN pg_attribute ON attrelid = indrelid AND attnum = number AND attnum > 0
            WHERE position <= indnkeyatts
        ) key
        WHERE indrelid = relation.oid AND indisunique AND indisvalid AND indimmediate AND indpred IS NULL AND key.whole
       ) AS keys
FROM pg_class relation
JOIN pg_namespace namespace ON namespace.oid = relnamespace
WHERE relkind IN ('r', 'p', 'v', 'm', 'f') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
ORDER BY nspname, relname
"""
