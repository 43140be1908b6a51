"""Why a database cannot be mirrored as the specs want it: every problem at once, each with its cure."""

from collections.abc import Iterator, Mapping, Sequence

from tidemark_contract.errors import SourceRefused
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, quote, slot_name
from tidemark_contract.specs import SourceSpec, TableSpec
from tidemark_source.connection import address, connect, speaking_to
from tidemark_source.server import Server
from tidemark_source.tables import Column, Table, ancestors, leaves, read_tables, unfit

MARK_COLUMNS = (
    "id bigint, nonce uuid, previous uuid, kind text, tables jsonb, snapshot pg_snapshot, lsn pg_lsn, "
    "taken_at timestamp with time zone, system_id text, timeline integer, catalog jsonb"
)


def problems(server: Server, tables: Mapping[int, Table], spec: SourceSpec, capture_role: str) -> list[str]:
    """Give a line for each thing that init cannot mend by itself; none when it can go on."""
    by_name = {table.name: table for table in tables.values()}
    found = [*_server_problems(server, spec.name), *_role_problems(server, capture_role)]
    for table_spec in spec.tables:
        table = by_name.get(table_spec.table)
        if table is None:
            found.append(f"there is no table {table_spec.table}: remove its spec, or correct the name")
        else:
            found += _table_problems(table, table_spec, tables, server.major)
            found += _overlaps(table, spec, tables)
            found += _row_security(table, tables, server, capture_role)
    return found


def check_keys(url: str, specs: Sequence[TableSpec]) -> None:
    """Raise SourceRefused when the stream cannot name the rows of a table by its key, or whole where it has none."""
    with connect(url, purpose="check") as connection, speaking_to(address(url)):
        tables = read_tables(connection)
    by_name = {table.name: table for table in tables.values()}
    found: list[str] = []
    for spec in specs:
        if table := by_name.get(spec.table):
            found += _key_problems(table, spec)
            found += [line for leaf in leaves(table, tables) for line in _identity_problems(leaf, spec)]
    if found:
        raise SourceRefused("\n".join(found))


def _server_problems(server: Server, source: str) -> Iterator[str]:
    slot = slot_name(source)
    if server.wal_level != "logical":
        yield f"wal_level is {server.wal_level}: ALTER SYSTEM SET wal_level = logical; then restart the server"
    if server.slot_plugin is None and server.slots >= server.max_slots:
        yield f"all {server.max_slots} replication slots are taken: drop one, or raise max_replication_slots"
    if server.slot_plugin is None and server.senders >= server.max_senders:
        yield f"all {server.max_senders} WAL senders are taken: raise max_wal_senders and restart the server"
    if server.slot_plugin and (server.slot_plugin, server.slot_database) != ("pgoutput", server.database):
        yield (
            f"the slot {slot} is of plugin {server.slot_plugin} in database {server.slot_database}, not of pgoutput in "
            f"{server.database}: drop it, or give the source another name"
        )
    if server.mirrored_as:
        others = ", ".join(server.mirrored_as)
        yield f"this database is mirrored as {others} already, and has one chain of marks: drop that source"
    if server.mark_columns not in (None, MARK_COLUMNS):
        yield f"{MARK_SCHEMA}.{MARK_TABLE} is not tidemark's: it has ({server.mark_columns}); rename or drop it"
    if not server.may_create and not (server.schema_exists and server.mark_columns):
        yield f"the admin role may not create a schema: GRANT CREATE ON DATABASE {quote(server.database)} to it"


def _role_problems(server: Server, role: str) -> Iterator[str]:
    if not server.role_exists:
        yield f"there is no role {quote(role)}: CREATE ROLE {quote(role)} LOGIN REPLICATION PASSWORD '…'"
    elif not (server.role_login and server.role_replication):
        yield f"the role {quote(role)} lacks LOGIN or REPLICATION: ALTER ROLE {quote(role)} LOGIN REPLICATION"


def _table_problems(table: Table, spec: TableSpec, tables: Mapping[int, Table], major: int) -> Iterator[str]:
    if why := unfit(table, tables):
        yield f"{table.name}: {why}; remove its spec"
        return
    if not table.owned:
        yield f"{table.name}: its owner is {quote(table.owner)}, which the admin role is not a member of: grant it"
    yield from (f"{table.name}: {line}" for line in _column_problems(table, spec, major))
    if spec.protected:
        yield from _order_problems(table, leaves(table, tables), major)
    yield from _key_problems(table, spec)
    for leaf in leaves(table, tables):
        yield from _identity_problems(leaf, spec)


def _column_problems(table: Table, spec: TableSpec, major: int) -> Iterator[str]:
    written = spec.all_columns
    wanted = {column.name for column in written}
    for column in table.columns:
        if column.name in wanted and not column.capturable(major):
            yield f"column {column.name!r} is generated and not in the stream: take it out of the spec"
    if not spec.frozen:
        return
    # A generated column may be left out by its name, and no other; beside protected ones all that the stream sends are
    # named, for it lets through no other rows.
    there = [
        column
        for column in table.columns
        if column.name in wanted or not column.generated or (spec.protected and column.capturable(major))
    ]
    if [column.name for column in there] != [column.name for column in written]:
        yield f"its columns are {_named(there)}; the spec has {', '.join(column.name for column in written)}"
        return
    for column, expected in zip(there, written, strict=True):
        if column.type != expected.type:
            yield f"column {column.name!r} is {column.type}; the spec says {expected.type}"
        if column.nullable and not expected.nullable:
            yield f"column {column.name!r} may be NULL; the spec says nullable: false"


def _order_problems(root: Table, parts: Sequence[Table], major: int) -> Iterator[str]:
    """A name alone does not tell the stream what a column holds: those of every partition stand as its root's do."""
    first = [column.name for column in root.columns if column.capturable(major)]
    for part in parts:
        if [column.name for column in part.columns if column.capturable(major)] != first:
            yield (
                f"{part.name}: its columns stand in another order than those of {root.name}, which has protected ones: "
                "make it anew, in the same order"
            )


def _key_problems(table: Table, spec: TableSpec) -> Iterator[str]:
    keys = [list(key.columns) for key in table.keys]
    if spec.key and set(spec.key) not in [set(key) for key in keys]:
        known = " or ".join(str(key) for key in keys) or "[], with REPLICA IDENTITY FULL"
        yield (
            f"{table.name}: key {list(spec.key)} is not the columns of a valid, unique, immediate, whole index on "
            f"NOT NULL columns: create one, or let the spec say {known}"
        )


def _identity_problems(leaf: Table, spec: TableSpec) -> Iterator[str]:
    wanted = set(spec.key) or {column.name for column in leaf.columns}
    if (leaf.identity == "f") if not spec.key else wanted <= leaf.sent:
        return
    index = next((key for key in leaf.keys if spec.key and set(key.columns) == wanted), None)
    identity = "FULL"
    if index:
        identity = "DEFAULT" if index.primary else f"USING INDEX {quote(index.name)}"
    why = "the stream would not carry the old values of its key" if spec.key else "it has no key"
    yield f"{leaf.name}: {why}: ALTER TABLE {leaf.name} REPLICA IDENTITY {identity}"


def _overlaps(table: Table, spec: SourceSpec, tables: Mapping[int, Table]) -> Iterator[str]:
    mirrored = {other.table for other in spec.tables}
    for root in ancestors(table, tables):
        if root.name in mirrored:
            yield f"{table.name}: it is a partition of {root.name}, which has a spec and stands for it: remove this one"


def _row_security(table: Table, tables: Mapping[int, Table], server: Server, role: str) -> Iterator[str]:
    guarded = {t.name for t in (table, *leaves(table, tables)) if t.row_security}
    if guarded and not server.role_sees_all_rows:
        names = ", ".join(str(name) for name in sorted(guarded))
        yield f"{names}: row-level security would hide rows from a copy: ALTER ROLE {quote(role)} BYPASSRLS"


def _named(columns: list[Column]) -> str:
    return ", ".join(column.name for column in columns)
