"""Reading tables by COPY inside one snapshot, by real tasks from a real server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructType

from tests.network import network_to
from tests.variants import any_of
from tidemark.local.postgres import SUPERUSER, EmbeddedPostgres
from tidemark_contract.errors import SourceUnavailable
from tidemark_jobs.failures import engines_told
from tidemark_jobs.jdbc import jdbc_options
from tidemark_source.connection import connect

# PySpark leaves the socket of collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*socket.*:pytest.PytestUnraisableExceptionWarning")

LOCAL = Path(__file__).resolve().parents[2] / ".tidemark"
SOURCE = "io.tidemark.spark.copy.CopySource"
NASTY = [
    "", " ", "\t", "\n", "\r\n", "\\", "\\N", r"\t", "\\\\N", r"\.", "a\tb\\\tc", "\b\f\v", "\x01\x7f", "NULL",
    "ü€𝄞 مرحبا", "\\" * 5, "x" * (1 << 20), "\\\n" * (1 << 19), None,
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(LOCAL / "postgres" / "17", tmp_path_factory.mktemp("postgres") / "data") as server:
        yield server


@pytest.fixture
def writer(server: EmbeddedPostgres) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS shop CASCADE; CREATE SCHEMA shop")
        yield connection


@contextmanager
def snapshot(server: EmbeddedPostgres) -> Iterator[str]:
    """Hold a snapshot, as the driver of a copy does."""
    with psycopg.connect(server.superuser_url) as holder:
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = holder.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield row[0]


def copied(
    spark: SparkSession, server: EmbeddedPostgres, snapshot: str, columns: list[str], queries: list[str], **more: str
) -> DataFrame:
    options = {
        "url": f"jdbc:postgresql://127.0.0.1:{server.port}/postgres",
        "user": SUPERUSER,
        "password": server.password_file.read_text(),
        "snapshot": snapshot,
        **{f"query.{at}": query for at, query in enumerate(queries)},
        **{f"column.{at}": column for at, column in enumerate(columns)},
        **more,
    }
    return spark.read.format(SOURCE).options(**{name: value for name, value in options.items() if value}).load()


def test_every_value_arrives_as_postgresql_writes_it(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    writer.execute("CREATE TABLE shop.texts (at int, one text, other text)")
    with writer.cursor() as cursor:
        rows = [(at, text, NASTY[-1 - at]) for at, text in enumerate(NASTY)]
        cursor.executemany("INSERT INTO shop.texts VALUES (%s, %s, %s)", rows)

    with snapshot(server) as taken:
        found = copied(spark, server, taken, ["at", "one", "other"], ["SELECT * FROM shop.texts ORDER BY at"]).collect()

    assert [(str(at), *texts) for at, *texts in rows] == [tuple(row) for row in found]


def test_all_partitions_see_the_rows_of_the_snapshot(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    writer.execute("CREATE TABLE shop.orders AS SELECT i AS id, 'old' AS state FROM generate_series(1, 1000) i")
    parts = [f"SELECT id, state FROM shop.orders WHERE id % 4 = {part}" for part in range(4)]

    with snapshot(server) as taken:
        writer.execute("UPDATE shop.orders SET state = 'new'; DELETE FROM shop.orders WHERE id <= 500")
        writer.execute("INSERT INTO shop.orders SELECT i, 'new' FROM generate_series(1001, 2000) i")
        orders = copied(spark, server, taken, ["id", "state"], parts)
        found = orders.collect()

    assert 4 == orders.rdd.getNumPartitions()
    assert [(i, "old") for i in range(1, 1001)] == sorted((int(row.id), row.state) for row in found)


def test_text_does_not_depend_on_the_settings_of_the_role(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    settings = {"DateStyle": "German", "TimeZone": "Asia/Tokyo", "IntervalStyle": "iso_8601", "bytea_output": "escape"}
    settings |= {"extra_float_digits": "0", "quote_all_identifiers": "on", "statement_timeout": "2s"}
    writer.execute("CREATE ROLE hostile LOGIN SUPERUSER PASSWORD 'secret of hostile'")
    for name, value in settings.items():
        writer.execute(f"ALTER ROLE hostile SET {name} = '{value}'".encode())
    values = (
        "timestamptz '2024-01-02 03:04:05.000006Z', interval '1 day 2 s', bytea '\\x01ff', float8 '0.1', 1/3::float8"
    )

    with snapshot(server) as taken:
        options = {"user": "hostile", "password": "secret of hostile"}
        query = f"SELECT {values}, 'shop'::regnamespace FROM pg_sleep(3)"
        frame = copied(spark, server, taken, list("abcdef"), [query], **options)
        (row,) = frame.collect()
    writer.execute("DROP ROLE hostile")

    expected = ("2024-01-02 03:04:05.000006+00", "1 day 00:00:02", r"\x01ff", "0.1", "0.3333333333333333", "shop")
    assert expected == tuple(row)


def test_a_table_without_columns_has_rows(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    writer.execute("CREATE TABLE shop.bare (); INSERT INTO shop.bare SELECT FROM generate_series(1, 3)")

    with snapshot(server) as taken:
        assert 3 == copied(spark, server, taken, [], ["SELECT FROM shop.bare"]).count()


def test_a_caller_may_give_the_schema(spark: SparkSession, server: EmbeddedPostgres) -> None:
    schema = StructType().add("n", StringType())
    with snapshot(server) as taken:
        read = (
            spark.read.format(SOURCE)
            .schema(schema)
            .option("url", f"jdbc:postgresql://127.0.0.1:{server.port}/postgres")
        )
        read = (
            read.option("user", SUPERUSER).option("passwordFile", str(server.password_file)).option("snapshot", taken)
        )
        found = read.option("query.0", "SELECT 1").load().collect()

    assert ["1"] == [row.n for row in found]


def test_a_limit_ends_the_copy_early(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    with snapshot(server) as taken:
        frame = copied(spark, server, taken, ["n"], ["SELECT generate_series(1, 100000000)"])
        found = frame.limit(2).collect()

    assert ["1", "2"] == [row.n for row in found]
    running = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tidemark copy' AND state = 'active'"
    assert (0,) == writer.execute(running).fetchone()


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT a FROM shop.missing", "[SQLSTATE 42P01]"),
        ("SELECT 1 / (n - 3) FROM generate_series(1, 9) n", "after 2 rows: [SQLSTATE 22012]"),
        ("SELECT 1, 2", "a row has 2 columns and the schema 1"),
        ("DELETE FROM pg_class RETURNING 1", "[SQLSTATE 25006]"),
    ],
)
def test_what_the_server_refuses_is_told_with_its_sqlstate(
    spark: SparkSession, server: EmbeddedPostgres, query: str, says: str
) -> None:
    with snapshot(server) as taken, pytest.raises(Py4JJavaError) as failure:
        copied(spark, server, taken, ["a"], [query]).collect()

    assert says in str(failure.value)


@any_of("cut", ["reset", "swallow"])
def test_a_server_that_is_cut_off_in_the_middle_is_no_end(
    spark: SparkSession, server: EmbeddedPostgres, cut: str
) -> None:
    """Whether it says so or falls silent, and after whole rows as well."""
    query = "SELECT n, repeat('x', 100) FROM generate_series(1, 3000) n, pg_sleep(0.001)"
    with snapshot(server) as taken, network_to(server.port) as network:
        url = f"jdbc:postgresql://127.0.0.1:{network.port}/postgres?socketTimeout=5"
        rows = copied(spark, server, taken, ["n", "x"], [query], url=url)
        assert 3000 == rows.count()
        network.bytes_per_s = 20_000
        over, there = threading.Event(), network.passed + 20_000  # of more than 300,000

        def cut_off() -> None:
            while network.passed < there and not over.wait(0.05):
                pass
            getattr(network, cut)()

        cutting = threading.Thread(target=cut_off)
        cutting.start()
        try:
            with (
                pytest.raises(SourceUnavailable, match=r"^shop: COPY of query\.0 failed after"),
                engines_told("", "shop"),
            ):
                rows.collect()
        finally:
            over.set()
            cutting.join()


def test_a_snapshot_that_is_gone_is_told(spark: SparkSession, server: EmbeddedPostgres) -> None:
    with snapshot(server) as gone:
        pass
    with pytest.raises(Py4JJavaError, match=r"\[SQLSTATE (22023|42704)\]"):
        copied(spark, server, gone, ["a"], ["SELECT 1"]).collect()


def test_all_that_is_wrong_with_the_options_is_told_at_once(spark: SparkSession, server: EmbeddedPostgres) -> None:
    with pytest.raises(PySparkException) as failure:
        copied(spark, server, "x'; DROP", ["a"], [], user="", password="")

    for problem in ("user is missing", "snapshot is not", "query.0 is missing", "give either password or passwordFile"):
        assert problem in str(failure.value)


def test_a_role_that_needs_no_password_copies_too(
    spark: SparkSession, server: EmbeddedPostgres, writer: psycopg.Connection[Any]
) -> None:
    """It comes with a certificate, or from where the server trusts it; its URL has none then."""
    rules = server.data / "pg_hba.conf"
    rules.write_text(f"host all guest 127.0.0.1/32 trust\n{rules.read_text()}")
    writer.execute("CREATE ROLE guest LOGIN; SELECT pg_reload_conf()")
    url = server.url("guest", "postgres")
    with connect(url, purpose="test") as connection, snapshot(server) as taken:
        assert "guest" == connection.info.user
        frame = spark.read.format(SOURCE).options(**jdbc_options(url), snapshot=taken).schema("a string")
        assert ["1"] == [row[0] for row in frame.option("query.0", "SELECT 1").load().collect()]


def test_plans_do_not_show_the_password_nor_the_key_of_hashes(spark: SparkSession, server: EmbeddedPostgres) -> None:
    """What the server is told at a session's start is there to be used, and in no statement."""
    with snapshot(server) as taken:
        secret = {"secretOptions": "-c tidemark.hash_id=k1 -c tidemark.hash_inner=00ff17"}
        told = "SELECT current_setting('tidemark.hash_id'), current_setting('tidemark.hash_inner')"
        frame = copied(spark, server, taken, ["a", "b"], [told], **secret)
        assert [("k1", "00ff17")] == [tuple(row) for row in frame.collect()]
        execution = frame._jdf.queryExecution()
        shown = [execution.toString(), execution.stringWithStats(), execution.logical().treeString()]

    assert [] == [plan for plan in shown if server.password_file.read_text() in plan or "jdbc:" in plan]
    assert [] == [plan for plan in shown if "00ff17" in plan]
