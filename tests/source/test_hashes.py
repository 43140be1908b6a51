"""The source's half of the proof, against a reference in Python that knows the rule and nothing of PostgreSQL."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.present import present
from tests.source.conftest import EVERY_VERSION, Database, Servers
from tidemark_contract.copytext import decode_row, encode_row
from tidemark_contract.errors import SourceRefused
from tidemark_contract.names import TableName
from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_source import hashes
from tidemark_source.copyout import copy_text
from tidemark_source.hashes import bucket_hashes, rows_of_buckets
from tidemark_source.pace import Pace
from tidemark_source.pages import page_count
from tidemark_source.ranges import block_ranges, range_queries

T = TypeVar("T")

NASTY = [
    "",
    " ",
    "\\",
    "\\N",
    "\t",
    "\n",
    "\r\n",
    "\b\f\v",
    "'",
    '"',
    "~",
    "1:",
    ":",
    "é",
    "𝄞",
    "\x7f",
    "a\\",
    "NULL",
    "\x01",
]
TEXT = st.one_of(
    st.none(), st.sampled_from(NASTY), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
)
ROWS = st.lists(st.tuples(TEXT, TEXT, TEXT), max_size=8)
Texts = Sequence[str | None]
Sums = dict[int, tuple[int, int]]
Keyed = tuple[str, list[str | None]]


def reference(rows: Iterable[Texts], key: Sequence[int], buckets: int) -> tuple[Sums, dict[int, list[Keyed]]]:
    """Give what bucket_hashes has to give, and the rows by bucket: texts in, by the rule of the contract."""
    sums: Sums = {}
    kept: dict[int, list[Keyed]] = {}
    for row in rows:
        name = encode_row([row[number] for number in key])
        joined = "".join("~" if text is None else f"{len(text.encode())}:{text}" for text in row)
        bucket = int(hashlib.md5(name.encode()).hexdigest()[:8], 16) % buckets
        count, total = sums.get(bucket, (0, 0))
        sums[bucket] = (count + 1, total + int(hashlib.md5(joined.encode()).hexdigest()[:15], 16))
        kept.setdefault(bucket, []).append((name, list(row)))
    return sums, kept


def in_order(rows: Iterable[T]) -> list[T]:
    return sorted(rows, key=repr)


@pytest.fixture(scope="module")
def scratch(servers: Servers) -> Iterator[psycopg.Connection[Any]]:
    """A session with an empty table of texts, for many examples; temporary, so that it costs nothing."""
    with psycopg.connect(servers(17).superuser_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE public.scratch (a text, b text, c varchar)")
        connection.execute("SET search_path = ''")
        yield connection
        connection.execute("DROP TABLE public.scratch")


@given(rows=ROWS, key=st.sampled_from([("a",), ("b", "a"), ()]), buckets=st.sampled_from([1, 3, 64]))
@example(rows=[(text, text, None) for text in NASTY], key=("a",), buckets=7)
@example(rows=[("x", None, ""), ("x", None, "")], key=(), buckets=2)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_hashes_and_rows_are_those_of_the_rule(
    scratch: psycopg.Connection[Any], rows: list[Texts], key: tuple[str, ...], buckets: int
) -> None:
    spec = TableSpec(TableName("public", "scratch"), tuple(ColumnSpec(name, "text") for name in "cab"), key)
    scratch.execute("TRUNCATE public.scratch")
    with scratch.cursor() as cursor, cursor.copy("COPY public.scratch (c, a, b) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    sums, kept = reference(rows, [("c", "a", "b").index(name) for name in key] or [0, 1, 2], buckets)

    assert sums == bucket_hashes(scratch, spec, buckets)
    for bucket in range(buckets):
        assert in_order(kept.get(bucket, [])) == in_order(rows_of_buckets(scratch, spec, buckets, [bucket]))
    copied = [decode_row(line.decode().removesuffix("\n")) for line in copy_text(scratch, spec)]
    assert in_order([list(row) for row in rows]) == in_order(copied)


VALUES = {
    "boolean": ("true", "false"),
    "smallint": ("-32768",),
    "bigint": ("9223372036854775807",),
    "numeric": ("1e-20", "'NaN'", "'-Infinity'"),
    "numeric(10,3)": ("1.5",),
    "real": ("1.1", "'-0'", "'NaN'"),
    "double precision": ("0.1::float8 + 0.2::float8", "'infinity'"),
    "money": ("1234.5",),
    "character(5)": ("'ab'", "''"),
    '"char"': ("'x'",),
    "character varying(20)": ("' ab '",),
    "bytea": (r"'\x00ff5c'",),
    "date": ("'infinity'", "'0044-03-15 BC'", "'10000-01-01'"),
    "time(3) without time zone": ("'24:00'",),
    "time with time zone": ("'12:00:00.5-03:30'",),
    "timestamp without time zone": ("'2026-01-02 03:04:05.6'",),
    "timestamp with time zone": ("'2026-01-02 03:04:05+05:45'",),
    "interval": ("'1 mon -3 days 04:05:06.789'",),
    "uuid": ("gen_random_uuid()",),
    "inet": ("'10.0.0.1'", "'10.0.0.1/8'"),
    "cidr": ("'10.0.0.0/8'",),
    "json": ('\'{"b":  1, "a":"\\t"}\'',),
    "jsonb": ('\'{"b":  1, "a":null}\'',),
    "integer[]": ("'{{1,NULL},{3,4}}'",),
    "text[]": ("ARRAY['a,b', NULL, '\"', '\\', '']",),
    "int4range": ("'[1,5]'", "'empty'"),
    "bit(3)": ("B'101'",),
    "point": ("'(1.5,-2)'",),
    "tsvector": ("'a b'",),
    "oid": ("4294967295",),
    "regclass": ("'shop.everything'",),
    "shop.mood": ("'so, so'",),
    "shop.pair": ("ROW(1, NULL)", "ROW(NULL, NULL)", "ROW(1, 'a \"b\"')"),
    "shop.whole": ("7",),
}


@pytest.fixture
def everything(database: Database) -> Database:
    """A table with a column of each type, each value in a row of its own, and a row of NULLs."""
    database.execute("CREATE TYPE shop.mood AS ENUM ('so, so')")
    database.execute("CREATE TYPE shop.pair AS (a int, b text)")
    database.execute("CREATE DOMAIN shop.whole AS int CHECK (value > 0)")
    columns = ", ".join(f"c{number} {type_}" for number, type_ in enumerate(VALUES))
    database.execute(f"CREATE TABLE shop.everything (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns})")
    for number, values in enumerate(VALUES.values()):
        for value in values:
            database.execute(f"INSERT INTO shop.everything (c{number}) VALUES ({value})")
    database.execute("INSERT INTO shop.everything DEFAULT VALUES")
    database.init()
    return database


@EVERY_VERSION
def test_every_type_is_hashed_as_the_text_that_copy_writes(everything: Database) -> None:
    """::text would give true, 10.0.0.1/32, and char(5) without its blanks."""
    spec = everything.table("shop.everything")
    bag = TableSpec(spec.table, spec.columns)
    with everything.reader() as reader:
        lines = [line.decode().removesuffix("\n") for line in copy_text(reader, spec)]
        rows = [decode_row(line) for line in lines]

        assert reference(rows, [0], 5)[0] == bucket_hashes(reader, spec, 5)
        assert in_order(rows) == in_order(texts for _, texts in rows_of_buckets(reader, spec, 5, range(5)))
        assert sorted(lines) == sorted(key for key, _ in rows_of_buckets(reader, bag, 5, range(5)))
    assert set(VALUES) == {column.type for column in spec.columns[1:]}


@pytest.mark.parametrize("encoding", ["LATIN1", "EUC_JP"])
def test_hashes_are_of_utf8_whatever_the_database_is_stored_in(servers: Servers, encoding: str) -> None:
    server = servers(17)
    name = f"stored_{encoding.lower()}"
    with psycopg.connect(server.superuser_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        with psycopg.connect(server.superuser_url.rsplit("/", 1)[0] + f"/{name}", autocommit=True) as connection:
            rows = [("é" if encoding == "LATIN1" else "日本", "1")]
            connection.execute("CREATE TABLE public.t (k text PRIMARY KEY, v text)")
            connection.execute("INSERT INTO public.t VALUES (%s, %s)", rows[0])
            spec = TableSpec(TableName("public", "t"), (ColumnSpec("k", "text"), ColumnSpec("v", "text")), ("k",))

            assert reference(rows, [0], 100)[0] == bucket_hashes(connection, spec, 100)
        admin.execute(f"DROP DATABASE {name}")


@pytest.fixture
def family(database: Database) -> Database:
    """A partitioned table with two levels, and an ordinary table with one that inherits from it."""
    database.execute("CREATE TABLE shop.sales (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)")
    database.execute("CREATE TABLE shop.low PARTITION OF shop.sales FOR VALUES FROM (0) TO (10)")
    database.execute(
        "CREATE TABLE shop.high PARTITION OF shop.sales FOR VALUES FROM (10) TO (99) PARTITION BY RANGE (id)"
    )
    database.execute("CREATE TABLE shop.top (v text, gone int, id int NOT NULL)")
    database.execute("ALTER TABLE shop.top DROP gone")
    database.execute("ALTER TABLE shop.high ATTACH PARTITION shop.top FOR VALUES FROM (50) TO (99)")
    database.execute("INSERT INTO shop.sales VALUES (1, 'a'), (60, 'b')")
    database.execute("CREATE TABLE shop.parent (id int PRIMARY KEY)")
    database.execute("CREATE TABLE shop.child (PRIMARY KEY (id)) INHERITS (shop.parent)")
    database.execute("INSERT INTO shop.parent VALUES (1)")
    database.execute("INSERT INTO shop.child VALUES (2)")
    database.init()
    return database


@EVERY_VERSION
def test_a_partitioned_table_is_read_whole_and_a_parent_without_its_children(family: Database) -> None:
    with family.reader() as reader:
        read = {
            spec.table.table: sorted(present(texts[0]) for _, texts in rows_of_buckets(reader, spec, 1, [0]))
            for spec in family.spec().tables
        }
        copied = {spec.table.table: len(list(copy_text(reader, spec))) for spec in family.spec().tables}

    assert {"sales": ["1", "60"], "parent": ["1"], "child": ["2"]} == read
    assert {"sales": 2, "parent": 1, "child": 1} == copied


@EVERY_VERSION
def test_pages_are_counted_by_leaf(family: Database) -> None:
    family.execute("INSERT INTO shop.parent SELECT g FROM generate_series(100, 1100) g")
    with family.reader() as reader:
        assert [(TableName("shop", "low"), 1), (TableName("shop", "top"), 1)] == page_count(
            reader, TableName("shop", "sales")
        )
        [(name, pages)] = page_count(reader, TableName("shop", "parent"))
        with pytest.raises(SourceRefused, match="there is no table"):
            page_count(reader, TableName("shop", "nothing"))
    assert (TableName("shop", "parent"), True) == (name, pages >= 4)


@EVERY_VERSION
def test_a_partition_that_came_after_init_is_read_through_its_root(family: Database) -> None:
    """The role has no right to it. Ranges of blocks are read as such, in every leaf at once, and each row once."""
    spec = family.table("shop.sales")
    family.execute("CREATE TABLE shop.later PARTITION OF shop.sales FOR VALUES FROM (100) TO (9000)")
    family.execute("INSERT INTO shop.sales SELECT g, repeat('v', 99) FROM generate_series(100, 2000) g")
    with family.reader() as reader:
        pages = page_count(reader, spec.table)
        queries = range_queries(reader, spec, pages, blocks=6)
        rows = sorted(row for query in queries for row in reader.execute(query))
        plan = str(reader.execute(f"EXPLAIN {queries[1]}").fetchall())

    assert (3, len(rows)) == (len(pages), len(set(rows)))
    assert family.execute("SELECT * FROM shop.sales ORDER BY 1, 2") == rows
    assert len(queries) > 3
    assert (3, 0) == (plan.count("Tid Range Scan"), plan.count("Seq Scan"))


def test_one_leaf_that_is_much_longer_than_the_others_makes_no_more_ranges() -> None:
    leaves = [(TableName("shop", f"leaf{n}"), 1) for n in range(1000)]
    leaves[7] = (TableName("shop", "long"), 100_000)

    assert 51 == len(block_ranges(leaves, 2000))
    assert 50 == len(block_ranges([(TableName("shop", "alone"), 100_000)], 2000))


@EVERY_VERSION
def test_what_is_read_range_by_range_is_the_whole_table(family: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest comes after each range; what is in none, in two, or in another leaf only, would be missed here."""
    family.execute("INSERT INTO shop.sales SELECT g, repeat('v', 999) FROM generate_series(2, 9) g")
    family.execute("INSERT INTO shop.top SELECT repeat('t', 999), g FROM generate_series(61, 98) g")
    family.execute("INSERT INTO shop.parent SELECT g FROM generate_series(2, 2000) g")
    whole = {spec.table: read(family, spec) for spec in family.spec().tables}
    monkeypatch.setattr(hashes, "_BLOCKS", 1)

    ranges = {spec.table: read(family, spec) for spec in family.spec().tables}

    assert {table: found[:2] for table, found in whole.items()} == {t: found[:2] for t, found in ranges.items()}
    assert all(ranges[spec.table][2] > 3 for spec in family.spec().tables if spec.table.table != "child")


def read(family: Database, spec: TableSpec) -> tuple[Sums, list[Keyed], int]:
    """Give sums, rows, and after how many ranges it rested."""
    pace = Counting()
    with family.reader() as reader:
        sums = bucket_hashes(reader, spec, 3, pace)
        return sums, sorted(rows_of_buckets(reader, spec, 3, range(3))), pace.rests


class Counting(Pace):
    rests = 0

    def _rest(self, keep: Callable[[], object]) -> None:
        self.rests += 1


def test_row_level_security_is_an_error_and_never_a_missing_row(orders: Database) -> None:
    spec = orders.table("shop.orders")
    orders.execute("ALTER TABLE shop.orders ENABLE ROW LEVEL SECURITY")
    with orders.reader() as reader, pytest.raises(SourceRefused, match="row-level security"):
        bucket_hashes(reader, spec, 4)
