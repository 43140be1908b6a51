"""Specs written from a database."""

from pathlib import Path

import pytest

from tests.source.conftest import EVERY_VERSION, Database
from tidemark_contract.errors import ConfigurationError, SourceRefused
from tidemark_contract.keywords import KEYWORDS
from tidemark_contract.names import TableName
from tidemark_contract.specs import load_source
from tidemark_source.discover import discover, write_specs


@pytest.fixture
def shop(database: Database) -> Database:
    database.execute("CREATE TYPE shop.mood AS ENUM ('good')")
    database.execute(
        'CREATE TABLE shop.orders (id bigint PRIMARY KEY, price numeric(12,2) NOT NULL, "Odd: name" character(3), '
        "mood shop.mood, tags text[], at timestamptz(3))"
    )
    database.execute("COMMENT ON TABLE shop.orders IS 'One row per order: \"as is\" — # not a comment'")
    database.execute('CREATE TABLE shop."Odd ""one"".é" (id int NOT NULL, other int NOT NULL)')
    database.execute('CREATE UNIQUE INDEX odd_key ON shop."Odd ""one"".é" (other, id)')
    database.execute('ALTER TABLE shop."Odd ""one"".é" REPLICA IDENTITY USING INDEX odd_key')
    database.execute("CREATE TABLE shop.bag (a int, b int)")
    return database


@EVERY_VERSION
def test_specs_that_were_written_read_back_as_they_were_found(shop: Database, tmp_path: Path) -> None:
    found = discover(shop.url, shop.source).spec
    changed = write_specs(found, tmp_path)

    assert found == load_source(tmp_path / shop.source)
    assert 4 == len(changed)
    assert {"bag": (), "orders": ("id",), 'Odd "one".é': ("other", "id")} == {
        t.table.table: t.key for t in found.tables
    }
    assert [] == write_specs(found, tmp_path), "what is there already is not written again"


def test_a_spec_says_owner_description_and_types_as_format_type_writes_them(shop: Database, tmp_path: Path) -> None:
    write_specs(discover(shop.url, shop.source, tables=[TableName("shop", "orders")]).spec, tmp_path)

    [orders] = load_source(tmp_path / shop.source).tables
    assert (shop.owner, 'One row per order: "as is" — # not a comment') == (orders.owner, orders.description)
    assert ["bigint", "numeric(12,2)", "character(3)", "shop.mood", "text[]", "timestamp(3) with time zone"] == [
        column.type for column in orders.columns
    ]
    assert [False, False, True, True, True, True] == [column.nullable for column in orders.columns]


@EVERY_VERSION
def test_what_cannot_be_mirrored_is_left_out_and_said(shop: Database, major: int) -> None:
    shop.init("shop.orders")
    shop.execute("CREATE VIEW shop.view AS SELECT 1 AS one")
    shop.execute("CREATE MATERIALIZED VIEW shop.matview AS SELECT 1 AS one")
    shop.execute("CREATE UNLOGGED TABLE shop.fast (id int)")
    shop.execute("CREATE TEMPORARY TABLE passing (id int)")
    shop.execute("CREATE TABLE shop.sum (a int, b int GENERATED ALWAYS AS (a + 1) STORED)")
    shop.execute("CREATE TABLE shop.sales (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    shop.execute("CREATE TABLE shop.low PARTITION OF shop.sales FOR VALUES FROM (0) TO (10)")
    shop.as_superuser("CREATE FOREIGN DATA WRAPPER away; CREATE SERVER there FOREIGN DATA WRAPPER away")
    shop.as_superuser("CREATE FOREIGN TABLE shop.far (id int) SERVER there")
    shop.execute("CREATE TABLE shop.mixed (id int) PARTITION BY RANGE (id)")
    shop.as_superuser(
        "CREATE FOREIGN TABLE shop.mixed_far PARTITION OF shop.mixed FOR VALUES FROM (0) TO (1) SERVER there"
    )
    if major >= 18:
        shop.execute("ALTER TABLE shop.sum ADD v int GENERATED ALWAYS AS (a + 2) VIRTUAL")
    found = discover(shop.url, shop.source)

    stored = ["shop.sum: column 'b' is generated, which is in the stream since 18 only"] if major < 18 else []
    virtual = ["shop.sum: column 'v' is generated (virtual)"] if major >= 18 else []
    assert sorted(
        [
            "shop.far: it is a foreign table",
            "shop.fast: it is not logged: its changes are not in the WAL",
            "shop.matview: it is a materialized view",
            "shop.mixed: its partition shop.mixed_far is a foreign table",
            "shop.view: it is a view",
            *stored,
            *virtual,
        ]
    ) == sorted(found.left_out)
    assert {"bag", "orders", 'Odd "one".é', "sum", "sales"} == {table.table.table for table in found.spec.tables}


def test_a_choice_of_schemas_and_tables_is_kept_to(shop: Database) -> None:
    shop.execute("CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY)")

    assert ["other.t"] == [str(t.table) for t in discover(shop.url, "s", schemas=["other"]).spec.tables]
    assert ["shop.bag"] == [
        str(t.table) for t in discover(shop.url, "s", tables=[TableName("shop", "bag")]).spec.tables
    ]
    for missing in ({"schemas": ["nowhere"]}, {"tables": [TableName("shop", "nothing")]}):
        with pytest.raises(SourceRefused, match="there is no"):
            discover(shop.url, "s", **missing)


def test_a_database_without_tables_is_refused(database: Database) -> None:
    database.execute("CREATE VIEW shop.view AS SELECT 1 AS one")
    with pytest.raises(SourceRefused, match=r"no table to mirror\nshop.view: it is a view"):
        discover(database.url, "s")


def test_a_source_name_that_no_slot_can_have_is_refused(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="starting with a letter"):
        discover(database.url, "Shop-1")


def test_a_spec_that_was_changed_by_hand_is_not_written_over(shop: Database, tmp_path: Path) -> None:
    found = discover(shop.url, shop.source).spec
    write_specs(found, tmp_path)
    mine = tmp_path / shop.source / "shop.bag.yaml"
    mine.write_text(mine.read_text() + "# mine\n")
    (tmp_path / shop.source / "shop.orders.yaml").unlink()

    with pytest.raises(ConfigurationError, match=r"shop\.bag\.yaml: exists with other contents"):
        write_specs(found, tmp_path)
    assert not (tmp_path / shop.source / "shop.orders.yaml").exists(), "none is written"
    assert {"shop.bag.yaml", "shop.orders.yaml"} == {path.name for path in write_specs(found, tmp_path, force=True)}


def test_a_policy_that_a_person_wrote_is_kept(shop: Database, tmp_path: Path) -> None:
    found = discover(shop.url, shop.source).spec
    write_specs(found, tmp_path)
    mine = tmp_path / shop.source / "shop.orders.yaml"
    mine.write_text(mine.read_text() + "on_schema_change: freeze\ndeletes: soft\nhistory: scd2\n")
    shop.execute("ALTER TABLE shop.orders ADD COLUMN more int")
    write_specs(discover(shop.url, shop.source).spec, tmp_path, force=True)

    orders = load_source(tmp_path / shop.source).table(TableName("shop", "orders"))
    assert (True, True, True, "more") == (orders.frozen, orders.soft, orders.historic, orders.columns[-1].name)


def test_a_folder_that_cannot_be_written_is_named(shop: Database, tmp_path: Path) -> None:
    (tmp_path / shop.source).touch()
    with pytest.raises(ConfigurationError, match=str(tmp_path)):
        write_specs(discover(shop.url, shop.source).spec, tmp_path)


@EVERY_VERSION
def test_the_words_that_need_quotes_are_those_of_the_server(database: Database) -> None:
    reserved = database.execute("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')")

    assert {word for (word,) in reserved} <= KEYWORDS
