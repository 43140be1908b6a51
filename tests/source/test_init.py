"""Init: everything that a database needs to be mirrored, planned first, and nothing else."""

import psycopg
import pytest

from tests.source.conftest import EVERY_VERSION, Database, Until
from tests.source.published import changes, published
from tidemark_contract.names import TableName
from tidemark_source import init
from tidemark_source.marks import write_mark

STATE = """
SELECT (SELECT array_agg((relname, relacl)::text ORDER BY oid) FROM pg_class),
       (SELECT count(*) FROM pg_publication), (SELECT count(*) FROM pg_replication_slots)
"""
ODD = ("Odd.Schema", 'a"b.c', "d e", "ünïcödé", "x" * 63, "select", "a\\b", "100%s")


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


def test_a_slot_that_was_lost_is_replaced_and_the_chain_shows_the_gap(orders: Database, until: Until) -> None:
    """Else the next mark would seem to follow the last one, with the changes between them gone."""
    last = write_mark(orders.url, orders.source)
    orders.as_superuser(f"SELECT pg_drop_replication_slot('tidemark_{orders.source}')")
    orders.execute("INSERT INTO shop.orders VALUES (50, 'in no stream')")
    orders.init()
    after = write_mark(orders.url, orders.source)

    assert after.previous not in (None, last.nonce)
    assert [("I", "tidemark.mark")] == changes(orders), "the mark of the gap is in no stream"
