"""Init: everything that a database needs to be mirrored, planned first, and nothing else."""

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.source.conftest import Aside, Database, Until
from tests.variants import any_of
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.errors import SourceRefused, SourceUnavailable
from tidemark_contract.names import TableName
from tidemark_contract.specs import OnSchemaChange, SourceSpec
from tidemark_source import init
from tidemark_source.discover import discover
from tidemark_source.marks import write_mark
from tidemark_source.slots import slot_health

EVERY_VERSION = any_of("major", (15, 17, 18))

STATE = """
SELECT (SELECT array_agg((relname, relacl)::text ORDER BY oid) FROM pg_class),
       (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_replication_slots)
"""
ODD = ("Odd.Schema", 'a"b.c', "d e", "ünïcödé", "x" * 63, "select", "a\\b", "100%s")


@pytest.fixture
def plain(database: Database) -> Database:
    """A table that is fit to be mirrored, and is not yet."""
    database.execute("CREATE TABLE shop.orders (id int PRIMARY KEY, state text)")
    return database


def changes(database: Database, publication: str | None = None) -> list[tuple[str, str]]:
    """Decode what the slot holds: (operation, table), without moving it."""
    with database.reader() as reader:
        stream = reader.execute(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
            "'publication_names', %s)",
            (f"tidemark_{database.source}", publication or f"tidemark_{database.source}"),
        ).fetchall()
    names, found = {}, []
    for (data,) in stream:
        if data[:1] == b"R":
            schema, table = data[5:].split(b"\0")[:2]
            names[data[1:5]] = (schema + b"." + table).decode()
        elif data[:1] in b"IUD":
            found.append((data[:1].decode(), names[data[1:5]]))
        elif data[:1] == b"T":
            (count,) = struct.unpack("!i", data[1:5])
            found += [("T", names[data[6 + 4 * n : 10 + 4 * n]]) for n in range(count)]
    return found


@EVERY_VERSION
def test_init_makes_a_database_ready_and_a_second_one_has_nothing_to_do(plain: Database) -> None:
    spec = plain.init()
    write_mark(plain.url, plain.source)
    plain.execute("INSERT INTO shop.orders VALUES (1, 'new')")

    assert [("I", "tidemark.mark"), ("I", "shop.orders")] == changes(plain)
    assert ("", ()) == (plain.plan(spec).sql, plain.plan(spec).steps)
    init.apply(plain.plan(spec))
    assert [("I", "tidemark.mark"), ("I", "shop.orders")] == changes(plain), "the slot is the one that was there"


@EVERY_VERSION
def test_a_dry_run_says_what_would_be_run_and_changes_nothing(plain: Database) -> None:
    before = plain.execute(STATE)
    text = plain.plan().sql

    assert before == plain.execute(STATE)
    order = ["CREATE SCHEMA", "CREATE TABLE", "GRANT", "CREATE PUBLICATION", "pg_create_logical_replication_slot"]
    assert sorted(order, key=text.index) == order, "the publication comes before the slot"
    assert "secret" not in text + repr(plain.plan())


def test_the_script_of_a_dry_run_does_what_apply_does(plain: Database) -> None:
    """A database administrator may run it by hand."""
    with psycopg.connect(plain.url_super, autocommit=True) as admin:
        for statement in "\n".join(line for line in plain.plan().sql.splitlines() if line[:2] != "--").split(";"):
            if statement.strip():
                admin.execute(statement.encode())
        admin.execute(f"ALTER PUBLICATION tidemark_{plain.source} OWNER TO {plain.owner}")

    assert () == plain.plan().steps


@EVERY_VERSION
def test_the_capture_role_may_do_what_it_must_and_nothing_else(plain: Database) -> None:
    plain.execute("CREATE TABLE shop.private (id int PRIMARY KEY)")
    plain.init("shop.orders")
    granted = plain.as_superuser(
        "SELECT relnamespace::regnamespace || '.' || relname, privilege_type FROM pg_class, aclexplode(relacl) "
        f"WHERE grantee = '{plain.capture}'::regrole ORDER BY 1, 2"
    )
    schemas = plain.as_superuser(
        "SELECT nspname::text, privilege_type FROM pg_namespace, aclexplode(nspacl) "
        f"WHERE grantee = '{plain.capture}'::regrole ORDER BY 1"
    )
    may = plain.as_superuser(
        "SELECT privilege FROM unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,REFERENCES,TRIGGER}'::text[]) privilege "
        f"WHERE has_table_privilege('{plain.capture}', 'shop.orders', privilege)"
    )

    mark = [("tidemark.mark", privilege) for privilege in ("DELETE", "INSERT", "SELECT")]
    assert [("shop.orders", "SELECT"), *mark] == granted
    assert [("shop", "USAGE"), ("tidemark", "USAGE")] == schemas
    assert [("SELECT",)] == may
    assert [(False, True)] == plain.as_superuser(
        f"SELECT has_database_privilege('{plain.capture}', '{plain.name}', 'CREATE'), "
        f"has_database_privilege('{plain.capture}', '{plain.name}', 'CONNECT')"
    )


def test_connect_is_granted_where_it_is_not_everybodys(plain: Database) -> None:
    plain.as_superuser(f"REVOKE CONNECT ON DATABASE {plain.name} FROM PUBLIC")
    plain.init()
    write_mark(plain.url, plain.source)


@EVERY_VERSION
def test_odd_names_are_mirrored_like_any_others(database: Database) -> None:
    for name in ODD:
        quoted = '"' + name.replace('"', '""') + '"'
        database.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted}".encode())
        database.execute(f"CREATE TABLE {quoted}.{quoted} ({quoted} int PRIMARY KEY)".encode())
        database.execute(f"INSERT INTO {quoted}.{quoted} VALUES (1)".encode())
    spec = database.init()
    mark = write_mark(database.url, database.source)

    assert {TableName(name, name) for name in ODD} == {table.table for table in spec.tables}
    assert all(mark.catalog.table(table.table) for table in spec.tables)
    assert () == database.plan(spec).steps


@EVERY_VERSION
def test_partitions_are_captured_as_leaves_and_their_truncate_is_seen(database: Database) -> None:
    database.execute("CREATE TABLE shop.sales (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE shop.low PARTITION OF shop.sales FOR VALUES FROM (0) TO (10)")
    database.init()
    database.execute("INSERT INTO shop.sales VALUES (1)")
    database.execute("TRUNCATE shop.low")
    database.execute("CREATE TABLE shop.high PARTITION OF shop.sales FOR VALUES FROM (10) TO (20)")
    database.execute("INSERT INTO shop.sales VALUES (11)")

    assert [("I", "shop.low"), ("T", "shop.low"), ("I", "shop.high")] == changes(database)


def test_tables_that_inherit_are_published_only_when_they_are_named(database: Database) -> None:
    database.execute("CREATE TABLE shop.parent (id int PRIMARY KEY)")
    database.execute("CREATE TABLE shop.child (note text) INHERITS (shop.parent)")
    database.init("shop.parent")
    database.execute("INSERT INTO shop.child VALUES (1)")
    database.execute("INSERT INTO shop.parent VALUES (2)")

    assert [("I", "shop.parent")] == changes(database)


@EVERY_VERSION
def test_a_table_is_added_only_when_no_writer_has_it_open(plain: Database, aside: Aside, until: Until) -> None:
    """What such a writer wrote before would be in neither the stream nor a copy."""
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    writer = plain.session()
    writer.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
    planned = plain.plan()
    with pytest.raises(SourceUnavailable, match=rf"shop\.later is in use by pid {writer.info.backend_pid}\b"):
        init.apply(planned, patience_s=0)
    assert not published(plain, "later")

    with aside(lambda: init.apply(planned)):
        until(lambda: plain.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'shop.later'::regclass"))
        writer.execute("COMMIT")
    writer.close()
    plain.execute("INSERT INTO shop.later VALUES (2)")
    assert published(plain, "later")
    assert [("I", "shop.later")] == changes(plain)


def published(database: Database, table: str) -> list[Any]:
    return database.execute("SELECT 1 FROM pg_publication_tables WHERE tablename = %s", table)


def test_a_prepared_transaction_that_has_the_table_open_is_named(plain: Database) -> None:
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    plain.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
    plain.execute("PREPARE TRANSACTION 'left behind'")
    try:
        with pytest.raises(SourceUnavailable, match="prepared transaction 'left behind'"):
            init.apply(plain.plan(), patience_s=0)
    finally:
        plain.execute("ROLLBACK PREPARED 'left behind'")


def test_a_grant_that_meets_a_truncate_is_tried_again(plain: Database, aside: Aside, until: Until) -> None:
    """It locks no table, and would end with "tuple concurrently updated"."""
    with plain.session() as writer:
        writer.execute("BEGIN; TRUNCATE shop.orders")
        with aside(plain.init):
            waits = "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'GRANT%%' AND wait_event_type = 'Lock'"
            until(lambda: plain.execute(waits))
            writer.execute("COMMIT")
    assert published(plain, "orders")


def test_application_writes_go_on_between_the_tries_to_add_a_table(plain: Database, aside: Aside) -> None:
    plain.init()
    plain.execute("CREATE TABLE shop.later (id int PRIMARY KEY)")
    with plain.session() as holder, plain.session() as writer:
        holder.execute("BEGIN; INSERT INTO shop.later VALUES (1)")
        with (  # noqa: PT012 (it is raised at the block's end)
            pytest.raises(SourceUnavailable),
            aside(lambda: init.apply(plain.plan(), patience_s=3)),
        ):
            writer.execute("SET lock_timeout = '10s'")
            for number in range(100, 110):
                writer.execute("INSERT INTO shop.later VALUES (%s)", (number,))
        holder.execute("ROLLBACK")


@EVERY_VERSION
@pytest.mark.parametrize("prepared", [False, True])
def test_a_transaction_that_the_slot_waits_for_is_named(plain: Database, prepared: bool) -> None:
    with plain.session() as application:
        application.execute("BEGIN; INSERT INTO shop.orders VALUES (1)")
        if prepared:
            application.execute("PREPARE TRANSACTION 'half done'")
        expected = "prepared transaction 'half done'" if prepared else rf"pid {application.info.backend_pid}\b"
        with pytest.raises(SourceUnavailable, match=expected):
            init.apply(plain.plan(), slot_patience_s=0.5)
        application.execute("COMMIT PREPARED 'half done'" if prepared else "COMMIT")
    assert slot_health(plain.url, plain.source) is None, "a slot that was given up is not left behind"
    init.apply(plain.plan())
    plain.execute("INSERT INTO shop.orders VALUES (2)")
    assert [("I", "shop.orders")] == changes(plain)


def test_a_table_without_a_spec_is_taken_out(plain: Database) -> None:
    plain.execute("CREATE TABLE shop.more (id int PRIMARY KEY)")
    plain.init()
    spec = plain.init("shop.orders")

    assert not published(plain, "more")
    assert published(plain, "orders")
    assert () == plain.plan(spec).steps


EDITS = {
    "a row filter": "SET TABLE shop.orders WHERE (id > 1), tidemark.mark",
    "a column list": "SET TABLE shop.orders (id), tidemark.mark",
    "fewer operations": "SET (publish = 'insert')",
    "partitions as their root": "SET (publish_via_partition_root = true)",
    "no marks": "DROP TABLE tidemark.mark",
    "a foreign table": "ADD TABLE shop.foreign",
}


@EVERY_VERSION
@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_a_foreign_edit_of_the_publication_is_repaired(plain: Database, edit: str) -> None:
    plain.execute("CREATE TABLE shop.foreign (id int)")
    spec = plain.init("shop.orders")
    whole = plain.execute("SELECT tablename, attnames, rowfilter FROM pg_publication_tables ORDER BY 1")
    plain.execute(f"ALTER PUBLICATION tidemark_{plain.source} {edit}")
    init.apply(plain.plan(spec))

    assert whole == plain.execute("SELECT tablename, attnames, rowfilter FROM pg_publication_tables ORDER BY 1")
    assert () == plain.plan(spec).steps


def test_a_schema_put_into_the_publication_is_taken_out(plain: Database) -> None:
    spec = plain.init()
    plain.as_superuser(f"ALTER PUBLICATION tidemark_{plain.source} ADD TABLES IN SCHEMA shop")
    init.apply(plain.plan(spec))
    plain.execute("CREATE TABLE shop.more (id int PRIMARY KEY)")
    assert not published(plain, "more")


def test_a_publication_for_all_tables_is_refused(plain: Database) -> None:
    plain.as_superuser(f"CREATE PUBLICATION tidemark_{plain.source} FOR ALL TABLES")
    assert "FOR ALL TABLES" in refused(plain)


def frozen(spec: SourceSpec) -> SourceSpec:
    return replace(spec, tables=tuple(replace(table, on_schema_change=OnSchemaChange.FREEZE) for table in spec.tables))


def refused(database: Database, spec: SourceSpec | None = None) -> str:
    with pytest.raises(SourceRefused) as caught:
        database.plan(spec)
    return str(caught.value)


def test_every_problem_is_told_at_once_with_its_cure(database: Database) -> None:
    database.execute("CREATE TABLE shop.bag (id int)")
    database.execute("CREATE TABLE shop.guarded (id int PRIMARY KEY)")
    database.execute("ALTER TABLE shop.guarded ENABLE ROW LEVEL SECURITY")
    database.execute("CREATE TABLE shop.changed (id int PRIMARY KEY, price numeric(8,2), note text)")
    spec = frozen(database.spec())
    database.execute("ALTER TABLE shop.changed ALTER price TYPE numeric(9,2), ALTER id DROP IDENTITY IF EXISTS")
    gone = replace(spec.tables[0], table=TableName("shop", "gone"))
    database.as_superuser(f"ALTER ROLE {database.capture} NOREPLICATION")
    said = refused(database, SourceSpec(spec.name, (*spec.tables, gone)))

    assert f"ALTER ROLE {database.capture} LOGIN REPLICATION" in said
    assert "ALTER TABLE shop.bag REPLICA IDENTITY FULL" in said
    assert (
        f"shop.guarded: row-level security would hide rows from a copy: ALTER ROLE {database.capture} BYPASSRLS" in said
    )
    assert "column 'price' is numeric(9,2); the spec says numeric(8,2)" in said
    assert "there is no table shop.gone" in said
    assert 5 == len(said.splitlines())


def test_a_role_that_bypasses_row_level_security_may_read_such_a_table(plain: Database) -> None:
    plain.execute("ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY")
    plain.as_superuser(f"ALTER ROLE {plain.capture} BYPASSRLS")
    plain.init()


def test_a_role_that_is_not_there_is_asked_for(plain: Database) -> None:
    with pytest.raises(SourceRefused, match=r"CREATE ROLE nobody LOGIN REPLICATION PASSWORD"):
        init.plan(plain.url_admin, "nobody", plain.spec())


def test_replication_by_membership_will_do(plain: Database) -> None:
    """Amazon gives it as a role, and no role of Amazon's has the attribute."""
    plain.as_superuser(f"ALTER ROLE {plain.capture} NOREPLICATION")
    plain.as_superuser(f"CREATE ROLE rds_replication; GRANT rds_replication TO {plain.capture}")
    try:
        assert plain.plan().steps
    finally:
        plain.as_superuser("DROP ROLE rds_replication")


def test_an_admin_that_does_not_own_a_table_is_refused(plain: Database) -> None:
    spec = plain.spec()
    plain.as_superuser("ALTER TABLE shop.orders OWNER TO postgres")
    assert "shop.orders: its owner is postgres" in refused(plain, spec)


def test_a_superuser_needs_no_url_of_the_capture_role(plain: Database) -> None:
    init.apply(init.plan(plain.url_super, plain.capture, plain.spec()))
    assert write_mark(plain.url, plain.source).catalog.relations


KEYS = {
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int NOT NULL)": (["u"], "is not the columns of a valid, unique"),
    "CREATE TABLE shop.t (id int NOT NULL, u int); CREATE UNIQUE INDEX i ON shop.t (id)": (
        ["id"],
        "ALTER TABLE shop.t REPLICA IDENTITY USING INDEX i",
    ),
    "CREATE TABLE shop.t (id int, u int); CREATE UNIQUE INDEX i ON shop.t (id)": (
        ["id"],
        "is not the columns of a valid",
    ),
    "CREATE TABLE shop.t (id int NOT NULL, u int); CREATE UNIQUE INDEX i ON shop.t (id) WHERE u > 1": (
        ["id"],
        "is not the columns of a valid",
    ),
    "CREATE TABLE shop.t (id int PRIMARY KEY DEFERRABLE, u int)": (["id"], "is not the columns of a valid"),
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int); ALTER TABLE shop.t REPLICA IDENTITY NOTHING": (
        ["id"],
        "ALTER TABLE shop.t REPLICA IDENTITY DEFAULT",
    ),
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int)": ([], "it has no key: ALTER TABLE shop.t REPLICA IDENTITY FULL"),
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int) PARTITION BY RANGE (id); "
    "CREATE TABLE shop.t1 PARTITION OF shop.t FOR VALUES FROM (1) TO (9); "
    "ALTER TABLE shop.t1 REPLICA IDENTITY NOTHING": (
        ["id"],
        "ALTER TABLE shop.t1 REPLICA IDENTITY DEFAULT",
    ),
}


@pytest.mark.parametrize("statements", KEYS)
def test_a_key_that_the_stream_does_not_carry_is_refused(database: Database, statements: str) -> None:
    key, expected = KEYS[statements]
    for statement in statements.split("; "):
        database.execute(statement)
    spec = database.spec()
    assert expected in refused(database, SourceSpec(spec.name, (replace(spec.tables[0], key=tuple(key)),)))


GOOD_KEYS = {
    "CREATE TABLE shop.t (id int, u int); ALTER TABLE shop.t REPLICA IDENTITY FULL": (),
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int NOT NULL UNIQUE); ALTER TABLE shop.t REPLICA IDENTITY FULL": ("u",),
    "CREATE TABLE shop.t (id int PRIMARY KEY, u int NOT NULL UNIQUE); "
    "ALTER TABLE shop.t REPLICA IDENTITY USING INDEX t_u_key": ("u",),
}


@pytest.mark.parametrize("statements", GOOD_KEYS)
def test_a_key_that_the_stream_carries_is_taken(database: Database, statements: str) -> None:
    for statement in statements.split("; "):
        database.execute(statement)
    spec = database.spec()
    assert database.plan(SourceSpec(spec.name, (replace(spec.tables[0], key=GOOD_KEYS[statements]),))).steps


def test_a_partition_beside_its_root_is_refused(database: Database) -> None:
    database.execute("CREATE TABLE shop.sales (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE shop.low PARTITION OF shop.sales FOR VALUES FROM (0) TO (10)")
    spec = database.spec("shop.sales", "shop.low")
    assert "shop.low: it is a partition of shop.sales, which has a spec" in refused(database, spec)


def test_a_frozen_table_that_lost_or_moved_a_column_is_refused(plain: Database) -> None:
    spec = plain.spec()
    plain.execute("ALTER TABLE shop.orders DROP state, ADD paid bool")
    assert plain.plan(spec).steps
    assert "shop.orders: its columns are id, paid; the spec has id, state" in refused(plain, frozen(spec))


@pytest.mark.parametrize(("major", "sent"), [(15, False), (17, False), (18, True)])
def test_stored_generated_columns_are_in_the_stream_since_18(database: Database, major: int, sent: bool) -> None:
    database.execute("CREATE TABLE shop.t (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)")
    database.init()
    database.execute("INSERT INTO shop.t VALUES (21)")
    with database.reader() as reader:
        stream = reader.execute(
            "SELECT data FROM pg_logical_slot_peek_binary_changes(%s, NULL, NULL, 'proto_version', '1', "
            "'publication_names', %s)",
            (f"tidemark_{database.source}",) * 2,
        ).fetchall()
    assert sent == any(b"42" in data for (data,) in stream)
    assert sent == ("twice" in {column.name for column in database.table("shop.t").columns})


def test_one_database_is_one_source(plain: Database) -> None:
    plain.init()
    with pytest.raises(SourceRefused, match=rf"mirrored as tidemark_{plain.source} already"):
        init.plan(plain.url_admin, plain.capture, replace(plain.spec(), name="other"))


def test_a_table_called_mark_that_is_not_ours_is_left_alone(plain: Database) -> None:
    plain.execute("CREATE SCHEMA tidemark; CREATE TABLE tidemark.mark (id int)")
    assert "tidemark.mark is not tidemark's: it has (id integer)" in refused(plain, plain.spec("shop.orders"))


def test_a_slot_of_the_same_name_elsewhere_is_refused(plain: Database) -> None:
    plain.as_superuser(f"SELECT pg_create_logical_replication_slot('tidemark_{plain.source}', 'test_decoding')")
    assert "is of plugin test_decoding" in refused(plain)


def test_wal_that_is_not_logical_is_refused(tmp_path: Path) -> None:
    home = Path(__file__).parents[2] / ".tidemark" / "postgres" / "17"
    few = {"wal_level": "replica", "max_replication_slots": "0", "max_wal_senders": "0"}
    server = EmbeddedPostgres(home, tmp_path / "data", settings=few)
    server.start()
    try:
        with psycopg.connect(server.superuser_url, autocommit=True) as admin:
            admin.execute("CREATE TABLE public.t (id int PRIMARY KEY)")
        spec = discover(server.superuser_url, "shop").spec
        with pytest.raises(SourceRefused) as caught:
            init.plan(server.superuser_url, "postgres", spec)
    finally:
        server.remove()
    assert "ALTER SYSTEM SET wal_level = logical" in str(caught.value)
    assert "raise max_replication_slots" in str(caught.value)
    assert "raise max_wal_senders" in str(caught.value)


def test_a_slot_that_was_lost_is_replaced_and_the_chain_shows_the_gap(orders: Database, until: Until) -> None:
    """Else the next mark would seem to follow the last one, with the changes between them gone."""
    last = write_mark(orders.url, orders.source)
    orders.as_superuser(f"SELECT pg_drop_replication_slot('tidemark_{orders.source}')")
    orders.execute("INSERT INTO shop.orders VALUES (50, 'in no stream')")
    orders.init()
    after = write_mark(orders.url, orders.source)

    assert after.previous not in (None, last.nonce)
    assert [("I", "tidemark.mark")] == changes(orders), "the mark of the gap is in no stream"


@EVERY_VERSION
def test_drop_leaves_nothing_and_a_second_one_has_nothing_to_do(orders: Database) -> None:
    init.drop(orders.url_super, orders.source)
    init.drop(orders.url_super, orders.source)

    assert slot_health(orders.url, orders.source) is None
    assert [] == orders.execute("SELECT 1 FROM pg_publication")
    assert [] == orders.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'tidemark'")
    orders.init()


def test_drop_refuses_while_the_slot_is_read(orders: Database, until: Until) -> None:
    """Whoever reads it is told to stop first, and is not disconnected."""
    name = f"tidemark_{orders.source}"
    with psycopg.connect(orders.url + "?replication=database", autocommit=True) as stream:
        options = f"(proto_version '1', publication_names '{name}')"
        stream.pgconn.send_query(f"START_REPLICATION SLOT {name} LOGICAL 0/0 {options}".encode())
        until(lambda: orders.slot().active)
        with pytest.raises(SourceRefused, match=rf"{name} is read by pid {stream.info.backend_pid}: stop its pipeline"):
            init.drop(orders.url_super, orders.source)
        assert orders.slot().active
        stream.pgconn.finish()
    until(lambda: not orders.slot().active)
