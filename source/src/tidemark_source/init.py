"""Make a database fit to be mirrored, and undo that: what is to be done is planned first, as SQL text."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from psycopg import sql

from tidemark_contract.errors import SourceRefused
from tidemark_contract.names import MARK_SCHEMA, MARK_TABLE, TableName, slot_name
from tidemark_contract.specs import SourceSpec
from tidemark_source import publication
from tidemark_source.checks import MARK_COLUMNS, problems
from tidemark_source.connection import address, connect, speaking_to
from tidemark_source.grants import missing_grants
from tidemark_source.marks import LOCK, MARK
from tidemark_source.publication import Publication, read_publication
from tidemark_source.server import Server, read_server
from tidemark_source.steps import Step, create_slot, run
from tidemark_source.tables import Table, leaves, read_tables

_MARK_TABLE = TableName(MARK_SCHEMA, MARK_TABLE)


@dataclass(frozen=True)
class Plan:
    """What `apply` will do, in order; nothing when the database is as the specs want it. The URLs hold secrets."""

    spec: SourceSpec
    capture_role: str
    steps: tuple[Step, ...]
    url_admin: str = field(repr=False)
    capture_url: str | None = field(repr=False)

    @property
    def sql(self) -> str:
        """The whole plan as a script for people to read: just what `apply` sends."""
        return "\n".join(step.sql for step in self.steps)


def plan(url_admin: str, capture_role: str, spec: SourceSpec, *, capture_url: str | None = None) -> Plan:
    """Find out what there is to do; change nothing.

    SourceRefused tells every problem that the plan could not mend, each with its cure. The slot is created over
    `capture_url`; without it by the admin role, which must be able to SET ROLE to the capture role then.
    """
    with connect(url_admin, purpose="init") as connection, speaking_to(address(url_admin)):
        server = read_server(connection, spec.name, capture_role)
        tables = read_tables(connection)
        published = read_publication(connection, spec.name)
        found = [*problems(server, tables, spec, capture_role), *published.problems(spec.name)]
        found += _unknown_to_stream(server, published, spec)
        if found:
            raise SourceRefused("\n".join(f"{address(url_admin)}: {problem}" for problem in found))
        grants = missing_grants(connection, server, capture_role, _read_by_jobs(spec, tables))
    steps = (
        *_mark_steps(server),
        *([Step.of(f"grant {capture_role} what it needs", *grants)] if grants else []),
        *_publication_steps(server, published, spec),
        *_slot_steps(server, spec.name),
    )
    return Plan(spec, capture_role, steps, url_admin, capture_url)


def apply(planned: Plan, *, patience_s: float = 60.0, slot_patience_s: float = 30.0) -> None:
    """Do what is planned. Raises SourceUnavailable when somebody keeps a lock or a transaction for too long.

    What was done until then stays; plan and apply again go on from there.
    """
    where = address(planned.url_admin)
    with connect(planned.url_admin, purpose="init") as connection, speaking_to(where):
        for step in planned.steps:
            if step.creates_slot:
                role = None if planned.capture_url else planned.capture_role
                create_slot(planned.capture_url or planned.url_admin, role, step, where, slot_patience_s)
            else:
                run(connection, step, where, patience_s)
    # GRANT by a role that may not grant only warns.
    left = plan(planned.url_admin, planned.capture_role, planned.spec).steps
    if left:
        raise SourceRefused(f"{where}: this had no effect, let the tables' owner run it:\n{left[0].sql}")


def drop(url_admin: str, source: str, *, capture_url: str | None = None) -> None:
    """Remove slot, publication and the schema with the marks; what is gone already is no error.

    The slot goes over `capture_url`, whose role may (REPLICATION); without it the admin role has to. Nobody is
    disconnected: SourceRefused while the slot is in use.
    """
    where, name = address(url_admin), slot_name(source)
    _drop_slot(capture_url or url_admin, name)
    with connect(url_admin, purpose="drop") as connection, speaking_to(where):
        schema = sql.Identifier(MARK_SCHEMA)
        gone = (
            sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)),
            sql.SQL("DROP TABLE IF EXISTS {}").format(MARK),
            sql.SQL("DROP SCHEMA IF EXISTS {}").format(schema),
        )
        run(connection, Step.of(f"drop the publication {name} and the schema {MARK_SCHEMA}", *gone), where, 60.0)


def _drop_slot(url: str, name: str) -> None:
    with connect(url, purpose="drop") as connection, speaking_to(address(url)):
        row = connection.execute("SELECT active_pid FROM pg_replication_slots WHERE slot_name = %s", (name,)).fetchone()
        if row and row[0] is not None:
            raise SourceRefused(f"{address(url)}: the slot {name} is read by pid {row[0]}: stop its pipeline first")
        if row:
            connection.execute("SELECT pg_drop_replication_slot(%s)", (name,))


def _read_by_jobs(spec: SourceSpec, tables: Mapping[int, Table]) -> list[Table]:
    wanted = {table.table for table in spec.tables}
    roots = [table for table in tables.values() if table.name in wanted]
    return list({part.oid: part for root in roots for part in (root, *leaves(root, tables))}.values())


def _unknown_to_stream(server: Server, published: Publication, spec: SourceSpec) -> Iterator[str]:
    """A stream reads the specs when it starts: one that runs would send a new table's protected columns in plain."""
    for table in spec.tables if server.slot_active else ():
        if table.protected and table.table not in published.entries:
            yield (
                f"{table.table} has protected columns, of which the stream that runs knows nothing: `tidemark stop`, "
                "this, then `tidemark start`"
            )


def _mark_steps(server: Server) -> Iterator[Step]:
    statements = []
    if not server.schema_exists:
        statements.append(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(MARK_SCHEMA)))
    if not server.mark_columns:
        columns = MARK_COLUMNS.replace("id bigint", "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", 1)
        columns = columns.replace("nonce uuid", "nonce uuid NOT NULL", 1)
        statements.append(sql.SQL("CREATE TABLE {} ({})").format(MARK, sql.SQL(columns)))
    if statements:
        yield Step.of("create the table of marks", *statements)


def _publication_steps(server: Server, published: Publication, spec: SourceSpec) -> Iterator[Step]:
    source, name = spec.name, slot_name(spec.name)
    wanted = [*(table.table for table in spec.tables), _MARK_TABLE]
    there = published.entries
    if not published.exists:
        # With no slot there is no stream that could miss what is being written now: its creation waits for that.
        first = wanted if server.slot_plugin is None else [_MARK_TABLE]
        yield Step.of(f"create the publication {name}", publication.create(source, first, server.major))
        there = dict.fromkeys(first, True)
    if not published.complete:
        yield Step.of(f"let {name} publish every operation", publication.complete(source, server.major))
    for schema in published.schemas:
        yield Step.of(f"take schema {schema} out of {name}", publication.remove_schema(source, schema))
    for table in sorted(there.keys() - set(wanted)):
        yield Step.of(f"take {table} out of {name}", publication.remove(source, table), table=table)
    for table in wanted:
        lock, add = publication.add(source, table)
        if table not in there:
            yield Step.of(f"add {table} to {name}", lock, add, table=table)
        elif not there[table]:
            again = publication.remove(source, table)
            yield Step.of(f"publish {table} with all rows and columns", lock, again, add, table=table)


def _slot_steps(server: Server, source: str) -> Iterator[Step]:
    slot = sql.Literal(slot_name(source))
    if server.slot_plugin is None or server.slot_lost:
        if server.mark_columns:
            yield Step.of("write a mark that no stream carries: the chain shows the gap", *_gap())
        create = sql.SQL("SELECT pg_catalog.pg_create_logical_replication_slot({}, 'pgoutput')").format(slot)
        drop_slot = sql.SQL("SELECT pg_catalog.pg_drop_replication_slot({})").format(slot)
        # Both by the role that has REPLICATION: the tables' owner may not touch slots.
        statements = [drop_slot, create] if server.slot_lost else [create]
        what = f"create the slot {slot_name(source)}{' in place of the one that lost changes' * server.slot_lost}"
        yield Step(what, tuple(each.as_string(None) for each in statements), creates_slot=True)


def _gap() -> tuple[sql.Composed, ...]:
    lock = sql.SQL("SELECT pg_catalog.pg_advisory_xact_lock({})").format(sql.Literal(LOCK))
    insert = sql.SQL(
        "INSERT INTO {mark} (nonce, previous, kind, taken_at) "
        "SELECT gen_random_uuid(), nonce, 'gap', now() FROM {mark} ORDER BY id DESC LIMIT 1"
    ).format(mark=MARK)
    return lock, insert
