"""What is stored of protected columns, as PostgreSQL computes it; and what init and discover make of them."""

import hmac
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from tests.present import present
from tests.source.conftest import Database, Until
from tidemark_contract.copytext import decode_row
from tidemark_contract.errors import ConfigurationError, SourceRefused
from tidemark_contract.names import TableName
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.specs import SourceSpec, TableSpec, load_source
from tidemark_source.connection import connect
from tidemark_source.copyout import copy_text
from tidemark_source.discover import write_specs
from tidemark_source.hashes import rows_of_buckets
from tidemark_source.marks import write_mark
from tidemark_source.ranges import range_queries

KEY = HashKey("k1", bytes(range(32)))
PEOPLE = TableName("shop", "people")


def protected(spec: TableSpec, **how: str) -> TableSpec:
    return spec.with_columns(
        tuple(
            replace(column, protect=Protect(how[column.name]) if column.name in how else None)
            for column in spec.columns
        )
    )


def hashed(text: str) -> str:
    return f"k1:{hmac.digest(KEY.secret, text.encode(), 'sha256').hex()}"


@pytest.fixture
def people(database: Database) -> Database:
    database.execute("CREATE TYPE shop.pair AS (a int, b text)")
    database.execute(
        "CREATE TABLE shop.people (id int PRIMARY KEY, ssn char(5), at timestamptz, yes bool, pair shop.pair, "
        "note text)"
    )
    database.execute(
        "INSERT INTO shop.people VALUES (1, 'é', '2026-01-02 03:04:05+05:45', true, ROW(NULL, NULL), E'a\\tb'), "
        "(2, NULL, NULL, NULL, NULL, NULL)"
    )
    return database


def test_hashes_are_hmacs_of_the_text_that_copy_writes(people: Database) -> None:
    """Of every type's output function: ::text would give true, and char(5) without its blanks."""
    plain = people.table("shop.people")
    spec = protected(plain, ssn="hash", at="hash", yes="hash", pair="hash", note="drop")
    with connect(people.url_admin, purpose="test", key=KEY) as session:
        texts = [decode_row(line.decode().rstrip("\n")) for line in copy_text(session, plain)]
        copied = [decode_row(line.decode().rstrip("\n")) for line in copy_text(session, spec)]
        [query] = range_queries(session, spec, [(PEOPLE, 1)])
        ranged = [[None if v is None else str(v) for v in row] for row in session.execute(query)]
        proven = [texts for _, texts in rows_of_buckets(session, spec, 1, [0])]

    assert [["1", "é    ", "2026-01-01 21:19:05+00", "t", "(,)", "a\tb"], ["2", *[None] * 5]] == texts
    assert (
        [["1", *(hashed(present(text)) for text in texts[0][1:5])], ["2", *[None] * 4]]
        == copied
        == ranged
        == sorted(proven)
    )


def test_a_mask_tells_nothing_but_null(people: Database) -> None:
    spec = protected(people.table("shop.people"), ssn="mask", at="mask", pair="mask", note="drop", yes="drop")
    with connect(people.url_admin, purpose="test") as session:
        assert [["1", "***", "***", "***"], ["2", None, None, None]] == sorted(
            t for _, t in rows_of_buckets(session, spec, 1, [0])
        )


def test_the_key_is_in_no_statement_and_without_it_nothing_is_read(people: Database) -> None:
    spec = protected(people.table("shop.people"), ssn="hash")
    with connect(people.url_admin, purpose="test", key=KEY) as session:
        list(copy_text(session, spec))
        [(shown,)] = people.as_superuser(f"SELECT query FROM pg_stat_activity WHERE pid = {session.info.backend_pid}")
        assert "people" in shown
        assert not any(pad.hex() in shown for pad in (*KEY.pads, KEY.secret))
        settings = session.execute("SHOW DateStyle").fetchone(), session.execute("SHOW search_path").fetchone()
        assert (("ISO, MDY",), ('""',)) == settings
    with connect(people.url_admin, purpose="test") as session, pytest.raises(SourceRefused, match=r"tidemark\.hash_"):
        list(copy_text(session, spec))


def test_a_key_goes_with_the_urls_own_options(people: Database) -> None:
    url = f"{people.url_admin}?options=-c%20work_mem%3D7MB"
    with connect(url, purpose="test", key=KEY) as session:
        found = session.execute("SELECT current_setting('work_mem'), current_setting('tidemark.hash_id')").fetchone()
    assert ("7MB", "k1") == found


def test_a_mark_tells_no_value_of_a_table_that_is_not_plain(people: Database) -> None:
    """Constant defaults and labels of enums are values; that a label was renamed is told all the same."""
    people.execute("CREATE TYPE shop.mood AS ENUM ('canary', 'sad')")
    people.execute("CREATE TABLE shop.open (id int PRIMARY KEY)")
    people.execute("INSERT INTO shop.open VALUES (1)")
    source = people.init()
    for table in ("people", "open"):
        people.execute(
            f"ALTER TABLE shop.{table} ADD secret text DEFAULT 'canary', ADD mood shop.mood DEFAULT 'canary'"
        )

    plain = frozenset(spec.table for spec in source.tables)
    told = write_mark(people.url, people.source, plain=plain)
    assert told.catalog == write_mark(people.url, people.source).catalog
    before = write_mark(people.url, people.source, plain=plain - {PEOPLE}).catalog
    people.execute("ALTER TYPE shop.mood RENAME VALUE 'sad' TO 'low'")
    mark = write_mark(people.url, people.source, plain=plain - {PEOPLE})

    [relation], [opened] = mark.catalog.table(PEOPLE), mark.catalog.table(TableName("shop", "open"))
    assert "canary" not in f"{relation}"
    assert ["canary", "canary"] == [column.missing for column in opened.columns[1:]]
    assert ("canary", "low") == opened.columns[2].labels
    assert before.table(PEOPLE)[0].columns[-1].labels[0] == relation.columns[-1].labels[0]
    assert before.table(PEOPLE)[0].columns[-1].labels[1] != relation.columns[-1].labels[1]
    people.execute("ALTER TABLE shop.people RENAME TO persons")
    renamed = write_mark(people.url, people.source, plain=plain - {PEOPLE}).catalog.table(TableName("shop", "persons"))
    assert renamed
    assert "canary" not in f"{renamed}"


def test_a_protected_table_is_not_published_to_a_stream_that_does_not_know_it(people: Database, until: Until) -> None:
    people.execute("CREATE TABLE shop.open (id int PRIMARY KEY)")
    source = people.init("shop.open")
    spec = people.spec()
    spec = replace(spec, tables=tuple(protected(table, ssn="hash") for table in spec.tables))
    assert source.tables != spec.tables
    slot = f"tidemark_{people.source}"
    with psycopg.connect(f"{people.url}?replication=database", autocommit=True) as stream:
        options = f"(proto_version '1', publication_names '{slot}')"
        stream.pgconn.send_query(f"START_REPLICATION SLOT {slot} LOGICAL 0/0 {options}".encode())
        until(lambda: people.slot().active)
        with pytest.raises(SourceRefused, match=r"shop\.people has protected columns, of which the stream that runs"):
            people.plan(spec)
        assert people.plan(replace(spec, tables=source.tables)).steps == ()
        stream.pgconn.finish()
    until(lambda: not people.slot().active)
    assert people.plan(spec).steps


def test_columns_that_the_stream_could_not_tell_are_refused(database: Database) -> None:
    database.execute("CREATE TABLE shop.people (id int PRIMARY KEY, ssn text) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE shop.low (ssn text, id int NOT NULL)")
    database.execute("ALTER TABLE shop.people ATTACH PARTITION shop.low FOR VALUES FROM (0) TO (10)")
    spec = database.spec()
    with pytest.raises(
        SourceRefused, match=r"shop\.low: its columns stand in another order than those of shop\.people"
    ):
        database.plan(replace(spec, tables=(protected(spec.tables[0], ssn="hash"),)))
    assert database.plan(spec).steps


def test_discover_keeps_what_is_protected(people: Database, tmp_path: Path) -> None:
    found = people.spec("shop.people")
    write_specs(SourceSpec(found.name, (protected(found.tables[0], ssn="hash", at="drop", note="mask"),)), tmp_path)
    people.execute("ALTER TABLE shop.people ADD more text")

    write_specs(people.spec("shop.people"), tmp_path, force=True)
    [again] = load_source(tmp_path / found.name).tables
    assert {"ssn": Protect.HASH, "at": Protect.DROP, "note": Protect.MASK} == again.protected
    assert ["id", "ssn", "at", "yes", "pair", "note", "more"] == [column.name for column in again.all_columns]
    (tmp_path / found.name / "source.yaml").write_text("source: WRONG")
    with pytest.raises(ConfigurationError, match="correct this first: what is protected has to be kept"):
        write_specs(people.spec("shop.people"), tmp_path, force=True)
    (tmp_path / found.name / "source.yaml").write_text(f"source: {found.name}")
    people.execute("ALTER TABLE shop.people RENAME ssn TO tax_id")
    with pytest.raises(ConfigurationError, match=r"shop\.people: ssn is protected, and no column any more"):
        write_specs(people.spec("shop.people"), tmp_path, force=True)
