"""What the server, the capture role and tidemark's own objects are like before init changes them."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, slot_name


@dataclass(frozen=True)
class Server:
    """The facts that init checks and builds on."""

    major: int
    database: str
    wal_level: str
    slots: int
    max_slots: int
    senders: int
    max_senders: int
    slot_plugin: str | None  # None: there is no slot of our name
    slot_database: str | None
    slot_lost: bool
    slot_active: bool  # a stream reads it
    role_exists: bool
    role_login: bool
    role_replication: bool
    role_sees_all_rows: bool
    role_connects: bool
    may_create: bool  # the asking role, in this database
    schema_exists: bool
    mark_columns: str | None  # None: there is no mark table
    mirrored_as: list[str]  # other publications that hold the mark table


def read_server(connection: psycopg.Connection[Any], source: str, capture_role: str) -> Server:
    """Read the facts for one source and its capture role."""
    names = {
        "slot": slot_name(source),
        "role": capture_role,
        "schema": MARK_SCHEMA,
        "mark": MARK_TABLE,
        "major": connection.info.server_version // 10000,
    }
    with connection.cursor(row_factory=class_row(Server)) as cursor:
        server = cursor.execute(_SERVER, names).fetchone()
    if server is None:
        raise AssertionError("a SELECT without FROM gave no row")
    return server


# Managed servers give REPLICATION through membership: rds_replication is Amazon's.
_SERVER = """
WITH role AS (SELECT * FROM pg_roles WHERE rolname = %(role)s),
     slot AS (SELECT * FROM pg_replication_slots WHERE slot_name = %(slot)s),
     mark AS (
        SELECT relation.oid FROM pg_class relation JOIN pg_namespace namespace ON namespace.oid = relnamespace
        WHERE nspname = %(schema)s AND relname = %(mark)s
     )
SELECT %(major)s AS major,
       current_database()::text AS database,
       current_setting('wal_level') AS wal_level,
       (SELECT count(*) FROM pg_replication_slots) AS slots,
       current_setting('max_replication_slots')::int AS max_slots,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender') AS senders,
       current_setting('max_wal_senders')::int AS max_senders,
       (SELECT coalesce(plugin, 'none') FROM slot) AS slot_plugin,
       (SELECT coalesce(database, 'none') FROM slot) AS slot_database,
       coalesce((SELECT wal_status = 'lost' FROM slot), false) AS slot_lost,
       coalesce((SELECT active FROM slot), false) AS slot_active,
       EXISTS (SELECT FROM role) AS role_exists,
       coalesce((SELECT rolcanlogin FROM role), false) AS role_login,
       coalesce((SELECT rolreplication OR rolsuper OR EXISTS (
           SELECT FROM pg_auth_members
           JOIN pg_roles granted ON granted.oid = roleid AND granted.rolname = 'rds_replication'
           WHERE member = role.oid
       ) FROM role), false) AS role_replication,
       coalesce((SELECT rolbypassrls OR rolsuper FROM role), false) AS role_sees_all_rows,
       coalesce((SELECT has_database_privilege(oid, current_database(), 'CONNECT') FROM role), false) AS role_connects,
       has_database_privilege(current_database(), 'CREATE') AS may_create,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = %(schema)s) AS schema_exists,
       (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
        FROM pg_attribute JOIN mark ON attrelid = mark.oid WHERE attnum > 0 AND NOT attisdropped) AS mark_columns,
       ARRAY(
           SELECT pubname::text FROM pg_publication publication
           JOIN pg_publication_rel entry ON entry.prpubid = publication.oid JOIN mark ON mark.oid = entry.prrelid
           WHERE pubname <> %(slot)s ORDER BY pubname
       ) AS mirrored_as
"""
