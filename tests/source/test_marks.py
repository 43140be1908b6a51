"""Marks: what they see, what they carry, and that they are a chain."""

import shutil
import uuid
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.present import present
from tests.source.conftest import EVERY_VERSION, Aside, Database, Until
from tidemark.local.postgres import EmbeddedPostgres
from tidemark_contract.errors import ConfigurationError, SourceRefused, SourceUnavailable
from tidemark_contract.evolution import Evolution, NotFollowed, follow
from tidemark_contract.marks import Mark, MarkKind
from tidemark_contract.names import TableName
from tidemark_source import marks
from tidemark_source.marks import changed_since, expire_marks, write_mark
from tidemark_source.snapshots import hold

ORDERS = TableName("shop", "orders")


def as_the_stream_brings_it(database: Database, nonce: str) -> dict[str, Any]:
    """Read a mark's row as text, in a session that is set as the connector sets its own."""
    with psycopg.connect(database.url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO, MDY'")
        columns = ", ".join(f"{name}::text" for name in marks.COLUMNS)
        return present(connection.execute(f"SELECT {columns} FROM tidemark.mark WHERE nonce = %s", (nonce,)).fetchone())


@EVERY_VERSION
def test_a_mark_is_the_same_whether_written_or_read_back(orders: Database) -> None:
    written = [write_mark(orders.url, orders.source, kind) for kind in MarkKind]

    assert written == [Mark.from_text(as_the_stream_brings_it(orders, mark.nonce)) for mark in written]
    assert [*MarkKind] == [mark.kind for mark in written]


def test_a_time_without_a_fraction_reads_back(orders: Database) -> None:
    """PostgreSQL leaves the zeros at a fraction's end away."""
    mark = write_mark(orders.url, orders.source)
    for second in ("07", "07.1", "07.12", "07.123456"):
        orders.execute("UPDATE tidemark.mark SET taken_at = %s", f"2026-01-02 03:04:{second}+00")
        read = Mark.from_text(as_the_stream_brings_it(orders, mark.nonce))
        assert f"{float(second):.6f}" == f"{read.taken_at.second + read.taken_at.microsecond / 1e6:.6f}"


@EVERY_VERSION
def test_each_mark_names_its_predecessor_and_contains_it(orders: Database) -> None:
    first, second, third = (write_mark(orders.url, orders.source) for _ in range(3))

    assert [None, first.nonce, second.nonce] == [first.previous, second.previous, third.previous]
    assert second.follows(first)
    assert third.follows(second)
    assert third.snapshot.contains(first.snapshot)


def test_a_mark_sees_what_has_committed_and_not_what_runs(orders: Database) -> None:
    with orders.session() as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO shop.orders VALUES (4, 'running')")
        xid = int(present(writer.execute("SELECT pg_current_xact_id()::text").fetchone())[0])
        before = write_mark(orders.url, orders.source)
        writer.execute("COMMIT")
    after = write_mark(orders.url, orders.source)

    assert (False, True) == (before.snapshot.sees(xid), after.snapshot.sees(xid))


@EVERY_VERSION
def test_marks_written_side_by_side_under_writers_are_one_chain(orders: Database, aside: Aside) -> None:
    """The lock is taken before the snapshot: a mark that waited for its turn sees its predecessor."""

    def write_orders() -> None:
        with orders.session() as writer:
            for number in range(100, 200):
                writer.execute("INSERT INTO shop.orders VALUES (%s, 'x')", (number,))

    written: tuple[list[Mark], list[Mark]] = ([], [])
    with (
        aside(write_orders),
        aside(lambda: written[0].extend(write_mark(orders.url, orders.source) for _ in range(12))),
        aside(lambda: written[1].extend(write_mark(orders.url, orders.source) for _ in range(12))),
    ):
        pass
    chain = sorted([*written[0], *written[1]], key=lambda mark: mark.id)

    assert 24 == len(chain)
    assert [None, *(mark.nonce for mark in chain[:-1])] == [mark.previous for mark in chain]
    assert all(later.follows(earlier) for earlier, later in pairwise(chain))


def test_a_mark_under_way_for_long_makes_the_next_one_unavailable(
    orders: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "LOCK_TIMEOUT_S", 0.2)
    with orders.reader() as other:
        other.execute("SELECT pg_advisory_lock(%s)", (marks.LOCK,))
        with pytest.raises(SourceUnavailable, match="another mark has been under way"):
            write_mark(orders.url, orders.source)


@EVERY_VERSION
def test_a_mark_is_durable_where_the_role_commits_asynchronously(orders: Database) -> None:
    """Else a crash would take back what the lake has published."""
    orders.as_superuser(f"ALTER ROLE {orders.capture} SET synchronous_commit = off")
    orders.execute(
        "CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN NEW.system_id = current_setting('synchronous_commit'); RETURN NEW; END $$"
    )
    orders.execute("CREATE TRIGGER tell BEFORE INSERT ON tidemark.mark FOR EACH ROW EXECUTE FUNCTION shop.tell()")
    orders.execute(f"GRANT USAGE ON SCHEMA shop TO {orders.capture}")

    assert "on" == write_mark(orders.url, orders.source).system_id


def write_marks_for_ever(orders: Database) -> NoReturn:
    while True:
        write_mark(orders.url, orders.source)


@EVERY_VERSION
def test_a_mark_that_waits_for_a_synchronous_standby_says_which_setting(
    orders: Database, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a role that waits for none writes its marks all the same."""
    monkeypatch.setattr(marks, "COMMIT_S", 0.5)
    orders.as_superuser("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try:
        orders.as_superuser("SELECT pg_reload_conf()")
        until(lambda: orders.as_superuser("SHOW synchronous_standby_names") == [("nobody",)])
        with pytest.raises(SourceUnavailable, match="synchronous_standby_names is 'nobody'"):
            write_marks_for_ever(orders)  # that commits wait for it comes into force a moment later
        with (
            pytest.raises(SourceUnavailable, match=f"ALTER ROLE {orders.capture} SET synchronous_commit = local"),
            hold(orders.url, orders.source, [ORDERS], MarkKind.COPY),
        ):
            pass
        # In a session that does not wait itself.
        orders.as_superuser(
            f"SET synchronous_commit = local; ALTER ROLE {orders.capture} SET synchronous_commit = local"
        )
        monkeypatch.setattr(marks, "COMMIT_S", 60.0)
        assert write_mark(orders.url, orders.source).previous
    finally:
        orders.as_superuser("ALTER SYSTEM RESET synchronous_standby_names")
        orders.as_superuser("SELECT pg_reload_conf()")


def test_the_catalog_lists_tables_with_roots_keys_and_columns(database: Database) -> None:
    database.execute("CREATE TABLE shop.plain (id int PRIMARY KEY, gone int, v text)")
    database.execute("ALTER TABLE shop.plain DROP gone, ADD price numeric(8,2) DEFAULT 1.5")
    database.execute("CREATE TABLE shop.sales (day date, id int, PRIMARY KEY (day, id)) PARTITION BY RANGE (day)")
    for year in (2020, 2021):
        partition = (
            f"shop.sales_{year} PARTITION OF shop.sales FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"
        )
        database.execute(f"CREATE TABLE {partition}" + (" PARTITION BY LIST (id)" if year == 2021 else ""))
    database.execute("CREATE TABLE shop.sales_2021_1 PARTITION OF shop.sales_2021 FOR VALUES IN (1)")
    database.init()
    catalog = write_mark(database.url, database.source).catalog

    [plain] = catalog.table(TableName("shop", "plain"))
    assert [(1, "id"), (3, "v"), (4, "price")] == [(column.number, column.name) for column in plain.columns]
    assert ("1.50", "numeric(8,2)", 4) == (plain.columns[2].missing, plain.columns[2].declared, plain.attributes)
    assert ("d", (1,), plain.oid) == (plain.identity, plain.key, plain.root)
    sales = catalog.table(TableName("shop", "sales"))
    assert ["sales", "sales_2020", "sales_2021_1"] == [relation.name.table for relation in sales]
    assert {sales[0].oid} == {relation.root for relation in sales}
    assert [0] == [relation.filenode for relation in sales if relation.name.table == "sales"]
    assert 4 == len(catalog.relations), "the table of marks is left out, and so are partitions with partitions"


def test_the_key_in_the_catalog_is_the_identity_index_where_there_is_one(database: Database) -> None:
    database.execute("CREATE TABLE shop.t (a int PRIMARY KEY, c int NOT NULL, b int NOT NULL, d int)")
    database.execute("CREATE UNIQUE INDEX t_bc ON shop.t (b, c) INCLUDE (d)")
    database.execute("ALTER TABLE shop.t REPLICA IDENTITY USING INDEX t_bc")
    database.init()

    [relation] = write_mark(database.url, database.source).catalog.table(TableName("shop", "t"))
    assert ("i", (3, 2)) == (relation.identity, relation.key)


CHANGES = {
    "a rewriting change of type": "ALTER TABLE shop.orders ALTER state TYPE varchar(9) USING left(state, 9)",
    "a rewrite of the same type": "ALTER TABLE shop.orders ALTER state TYPE text USING upper(state)",
    "a column dropped and added": "ALTER TABLE shop.orders DROP state, ADD state text",
    "a table out and in again": "ALTER PUBLICATION {p} DROP TABLE shop.orders; "
    "ALTER PUBLICATION {p} ADD TABLE shop.orders",
    "a row filter that came and went": "ALTER PUBLICATION {p} SET TABLE shop.orders WHERE (id > 1), tidemark.mark; "
    "ALTER PUBLICATION {p} SET TABLE shop.orders, tidemark.mark",
    "a row filter": "ALTER PUBLICATION {p} SET TABLE shop.orders WHERE (id > 1), tidemark.mark",
    "a column list": "ALTER PUBLICATION {p} SET TABLE shop.orders (id), tidemark.mark",
    "operations left out for a while": "ALTER PUBLICATION {p} SET (publish = 'insert'); "
    "ALTER PUBLICATION {p} SET (publish = 'insert, update, delete, truncate')",
    "no replica identity": "ALTER TABLE shop.orders REPLICA IDENTITY NOTHING",
    "a volatile default": "ALTER TABLE shop.orders ADD at timestamptz DEFAULT clock_timestamp()",
    "columns that swap their names": "ALTER TABLE shop.orders ADD note text; "
    "ALTER TABLE shop.orders RENAME state TO s; ALTER TABLE shop.orders RENAME note TO state",
    "another key": "ALTER TABLE shop.orders DROP CONSTRAINT orders_pkey, ADD UNIQUE (id)",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_the_stream_does_not_tell_shows_between_two_marks(orders: Database, change: str) -> None:
    spec, before = orders.table("shop.orders"), write_mark(orders.url, orders.source).catalog.table(ORDERS)
    for statement in change.format(p=f"tidemark_{orders.source}").split("; "):
        orders.execute(statement)

    if after := write_mark(orders.url, orders.source).catalog.table(ORDERS):
        with pytest.raises(NotFollowed):
            follow(spec, before, after, lambda _: [])


FOLLOWED = {
    "VACUUM FULL": ("VACUUM FULL shop.orders", Evolution()),
    "CLUSTER": ("CLUSTER shop.orders USING orders_pkey", Evolution()),
    "TRUNCATE": ("TRUNCATE shop.orders", Evolution()),
    "the whole old row": ("ALTER TABLE shop.orders REPLICA IDENTITY FULL", Evolution()),
    "a default, a constraint": ("ALTER TABLE shop.orders ALTER state SET DEFAULT 'x', ADD CHECK (id > 0)", Evolution()),
    "a column": ("ALTER TABLE shop.orders ADD note text", Evolution(added={"note": None})),
    "a constant": (
        """ALTER TABLE shop.orders ADD note text DEFAULT 'a "b", {c}\\', ADD list int[] DEFAULT '{1,NULL}',
        ADD at timestamptz DEFAULT '2026-01-01 12:00+02'""",
        Evolution(added={"note": 'a "b", {c}\\', "list": "{1,NULL}", "at": "2026-01-01 10:00:00+00"}),
    ),
    "a column less": ("ALTER TABLE shop.orders DROP state", Evolution(dropped=frozenset({"state"}))),
    "another name": ("ALTER TABLE shop.orders RENAME state TO s", Evolution(renamed={"state": "s"})),
    "a wider type": ("ALTER TABLE shop.orders ALTER state TYPE varchar", Evolution()),
}


@EVERY_VERSION
@pytest.mark.parametrize(("change", "expected"), FOLLOWED.values(), ids=FOLLOWED.keys())
def test_what_can_be_told_is_followed(orders: Database, change: str, expected: Evolution) -> None:
    spec, before = orders.table("shop.orders"), write_mark(orders.url, orders.source).catalog.table(ORDERS)
    orders.execute(change)

    assert expected == follow(spec, before, write_mark(orders.url, orders.source).catalog.table(ORDERS), lambda _: [])


@EVERY_VERSION
def test_the_labels_of_every_enum_in_a_type_are_in_the_mark(database: Database) -> None:
    database.execute("CREATE TYPE shop.mood AS ENUM ('sad', 'ok'); CREATE DOMAIN shop.checked AS shop.mood")
    database.execute("CREATE TYPE shop.pair AS (a int, moods shop.checked[])")
    database.execute("CREATE TYPE shop.moods AS RANGE (subtype = shop.mood)")
    database.execute(
        "CREATE TABLE shop.t (id int PRIMARY KEY, plain shop.mood, listed shop.checked[], paired shop.pair[], "
        "ranged shop.moods, none point)"
    )
    database.init()
    database.execute("ALTER TYPE shop.mood ADD VALUE 'fine' BEFORE 'ok'")
    database.execute("ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'low'")

    [relation] = write_mark(database.url, database.source).catalog.table(TableName("shop", "t"))
    labels = {column.name: column.labels for column in relation.columns}
    assert {"plain", "listed", "paired", "ranged"} == {name for name, found in labels.items() if found}
    assert {("low", "ok", "fine"), ()} == set(labels.values())


@EVERY_VERSION
def test_every_index_that_could_be_a_key_is_in_the_mark(database: Database) -> None:
    database.execute("CREATE TABLE shop.t (a int PRIMARY KEY, b int NOT NULL, c int, d int NOT NULL)")
    database.execute("CREATE UNIQUE INDEX ON shop.t (d, b) INCLUDE (c); CREATE UNIQUE INDEX ON shop.t (c)")
    database.execute("CREATE UNIQUE INDEX ON shop.t (b) WHERE a > 0; CREATE UNIQUE INDEX ON shop.t ((b + 1))")
    database.init()

    [relation] = write_mark(database.url, database.source).catalog.table(TableName("shop", "t"))
    assert ((1,), ((1,), (4, 2)), 4) == (relation.key, relation.keys, relation.attributes)


def test_ordinary_writes_and_a_table_added_beside_change_nothing_in_the_catalog(orders: Database) -> None:
    before = write_mark(orders.url, orders.source).catalog.table(ORDERS)
    orders.execute("UPDATE shop.orders SET state = 'sent'")
    orders.execute("CREATE TABLE shop.more (id int PRIMARY KEY)")
    orders.init()
    orders.execute("VACUUM ANALYZE shop.orders")

    assert before == write_mark(orders.url, orders.source).catalog.table(ORDERS)


def test_the_catalog_is_that_of_the_snapshot_and_not_of_now(orders: Database) -> None:
    """format_type and its like would tell of a change that the mark does not see."""
    with orders.reader() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        orders.execute("ALTER TABLE shop.orders ADD late int")
        old = marks.insert_mark(reader, orders.source, MarkKind.SYNC)
        reader.execute("ROLLBACK")

    assert ["id", "state"] == [column.name for column in old.catalog.table(ORDERS)[0].columns]


def test_marks_are_found_and_expired_down_to_the_newest(orders: Database) -> None:
    written = [write_mark(orders.url, orders.source) for _ in range(5)]

    assert 3 == expire_marks(orders.url, 2)
    assert changed_since(orders.url, written) is None, "an expired one is not missed"
    assert 0 == expire_marks(orders.url, 7)
    assert written[-1].nonce == write_mark(orders.url, orders.source).previous
    with pytest.raises(ConfigurationError, match="keep at least 1"):
        expire_marks(orders.url, 0)


def test_a_database_without_marks_is_refused(database: Database) -> None:
    with pytest.raises(SourceRefused, match=r"mark"):
        write_mark(database.url, database.source)


@EVERY_VERSION
def test_the_timeline_is_the_one_that_is_written_now(major: int, tmp_path: Path, until: Until) -> None:
    """After a promotion the control file tells the old one until the first checkpoint."""
    home = Path(__file__).parents[2] / ".tidemark" / "postgres" / str(major)
    with EmbeddedPostgres(home, tmp_path / "first" / "data") as first:
        make_marks(first.superuser_url)
        before = write_mark(first.superuser_url, "shop")
        first.stop()
        place = first.data.resolve()
        (place / "recovery.signal").touch(mode=0o600)
        shutil.chown(place / "recovery.signal", place.owner(), place.group())
        with (place / "postgresql.conf").open("a") as conf:
            conf.write("restore_command = 'false'\n")
        first.start()
        with psycopg.connect(first.superuser_url, autocommit=True) as connection:
            until(lambda: not present(connection.execute("SELECT pg_is_in_recovery()").fetchone())[0])
            connection.execute("CREATE ROLE watcher LOGIN PASSWORD 'w'; GRANT USAGE ON SCHEMA tidemark TO watcher")
            connection.execute("GRANT SELECT, INSERT ON tidemark.mark TO watcher")
        after = write_mark(first.url("watcher", "postgres", "w"), "shop")
        first.remove()

    assert (1, 2) == (before.timeline, after.timeline)
    assert before.system_id == after.system_id
    assert after.previous == before.nonce


def make_marks(url: str) -> None:
    from tidemark_source.checks import MARK_COLUMNS

    with psycopg.connect(url, autocommit=True) as connection:
        columns = MARK_COLUMNS.replace("id bigint", "id bigint GENERATED ALWAYS AS IDENTITY")
        connection.execute(f"CREATE SCHEMA tidemark; CREATE TABLE tidemark.mark ({columns})")


def test_a_mark_that_the_source_lacks_or_of_another_server_is_told(orders: Database) -> None:
    first, second = (write_mark(orders.url, orders.source) for _ in range(2))
    lost = replace(second, nonce=str(uuid.uuid4()))

    assert changed_since(orders.url, [first, second]) is None
    assert changed_since(orders.url, []) is None
    assert f"does not know mark {second.id} " in (changed_since(orders.url, [first, lost]) or "")
    assert "timeline 1, the lake on 7" in (changed_since(orders.url, [replace(second, timeline=7)]) or "")
    assert "the lake follows 9" in (changed_since(orders.url, [replace(second, system_id="9")]) or "")


def test_a_mark_can_be_asked_for_above_ids_that_the_source_does_not_know(orders: Database) -> None:
    before = write_mark(orders.url, orders.source)
    high = write_mark(orders.url, orders.source, above=before.id + 1000)
    after = write_mark(orders.url, orders.source, above=3)

    assert before.id + 1000 < high.id < after.id
    assert (before.nonce, high.nonce) == (high.previous, after.previous)
    assert [(3,)] == orders.execute("SELECT count(*) FROM tidemark.mark")
