"""What init refuses: every problem at once, each with its cure, and nothing done."""

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.source.conftest import Database
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.errors import SourceRefused
from tidemark_contract.names import TableName
from tidemark_contract.specs import OnSchemaChange, SourceSpec
from tidemark_source import init
from tidemark_source.discover import discover
from tidemark_source.marks import write_mark


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
