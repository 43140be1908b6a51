"""Values between PostgreSQL's text and Spark: read and written as PostgreSQL does, and nothing else is read."""

from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal

import psycopg
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from tidemark_contract.types import silver_type
from tidemark_jobs.fold.keys import copy_line
from tidemark_jobs.fold.values import text_of, value_of

ZONED, ZONELESS = "timestamp with time zone", "timestamp without time zone"
NUMERICS = ("numeric(12,2)", "numeric(18,0)", "numeric(19,0)", "numeric(38,10)", "numeric(5,5)", "numeric(3,3)")


def there_and_back(spark: SparkSession, type_: str, texts: Sequence[str]) -> tuple[list[object], list[str | None]]:
    """Read texts, and write what was read: the numbers that stand for dates and times, and the texts again."""
    silver = silver_type(type_)
    frame = spark.createDataFrame(pa.table({"at": range(len(texts)), "text": list(texts)}))
    value = value_of(F.col("text"), silver)
    micros = F.unix_micros(value.cast("timestamp"))  # in UTC, as all sessions are
    number = {"date": F.unix_date(value), ZONED: micros, ZONELESS: micros}.get(type_, value)
    rows = frame.select("at", number.alias("number"), text_of(value, silver).alias("again")).orderBy("at").collect()
    return [row.number for row in rows], [row.again for row in rows]


def of_postgresql(connection: psycopg.Connection, query: str) -> tuple[list[object], list[str]]:
    rows = connection.execute(query.encode()).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]


def test_days_are_read_and_written_as_postgresql_does(spark: SparkSession, connection: psycopg.Connection) -> None:
    """Every 61st of the years 1 to 9999: ends of February, and days that a calendar before 1582 would not have."""
    days = "SELECT day - '1970-01-01', day::text FROM (SELECT '0001-01-01'::date + n AS day"
    numbers, texts = of_postgresql(connection, f"{days} FROM generate_series(0, 3652058, 61) n) d")
    texts.append("9999-12-31")

    assert ([*numbers, (date.max - date(1970, 1, 1)).days], texts) == there_and_back(spark, "date", texts)


def test_times_are_read_and_written_as_postgresql_does(spark: SparkSession, connection: psycopg.Connection) -> None:
    """From year 1 to 9999, with as many digits behind the second as there are."""
    times = """SELECT (extract(epoch FROM at) * 1000000)::bigint, at::text FROM (
        SELECT '0001-01-01'::timestamptz + n * interval '2 days 03:04:05' + (n * 7919 % 1000000) *
            (ARRAY[interval '1 us', '10 us', '1000 us', '0'])[n % 4 + 1] AS at
        FROM generate_series(0::bigint, 1700000, 101) n) t WHERE at < '9999-12-31 23:59:59.999999'"""
    numbers, texts = of_postgresql(connection, times)
    assert 16_000 < len(texts)

    assert (numbers, texts) == there_and_back(spark, ZONED, texts)
    zoneless = [text.removesuffix("+00") for text in texts]
    assert (numbers, zoneless) == there_and_back(spark, ZONELESS, zoneless)


@pytest.mark.parametrize("type_", NUMERICS)
def test_numbers_are_read_and_written_as_postgresql_does(
    spark: SparkSession, connection: psycopg.Connection, type_: str
) -> None:
    precision, scale = map(int, type_[8:-1].split(","))
    largest = Decimal("9" * precision).scaleb(-scale, Context(prec=38))
    drawn = f"SELECT trunc((random() * 2 - 1)::numeric * {largest} / 10::numeric ^ (n % {precision}), {scale})"
    corners = f"VALUES ({largest}), (-{largest}), (0), (-0.0)"
    query = f"SELECT v, v::text FROM (SELECT value::{type_} AS v FROM ({drawn} FROM generate_series(1, 2000) n"
    numbers, texts = of_postgresql(connection, f"{query} UNION ALL {corners}) d(value)) e")

    assert (numbers, texts) == there_and_back(spark, type_, texts)


@pytest.mark.parametrize(
    ("type_", "texts"),
    [
        ("date", ["", "infinity", "-infinity", "0044-03-15 BC", "10000-01-01", "0000-01-01", "2026-02-29", "2026-13-01",
                  "2026-1-01", "2026-01-01 ", " 2026-01-1", "2026/01/01", "+026-01-01", "２０２６-01-01"]),
        (ZONED, ["", "infinity", "2026-01-01 10:00:00", "2026-01-01 10:00:00+01", "2026-01-01T10:00:00+00",
                 "2026-01-01 10:00:00.+00", "2026-01-01 10:00:00.10+00", "2026-01-01 24:00:00+00",
                 "2026-01-01 10:60:00+00", "2026-01-01 10:00:60+00", "2026-01-01 10:00:00.1234567+00",
                 "0044-03-15 12:00:00+00 BC", "2026-01-01 10:00:00.-1+00", "+00"]),
        (ZONELESS, ["", "infinity", "2026-01-01", "2026-01-01 10:00:00+00", "2026-01-01 10:00",
                    "2026-01-01 1:00:00.5"]),
        ("numeric(12,2)", ["", "NaN", "Infinity", "1", "1.5", "1.500", ".50", "-.50", "00.50", "-0.00", "1,00", "+1.00",
                           "12345678901.00", "1.5e1", " 1.00", "1.00 ", "-", "1.-0"]),
        ("numeric(38,10)", ["NaN", "1.5", "12345678901234567890123456789.0000000000", "x.0000000000", "-0.0000000000"]),
        ("numeric(3,3)", ["1.000", ".100", "0.1"]),
        ("numeric(18,0)", ["1.", "1.0", "1234567890123456789", "-0"]),
    ],
)  # fmt: skip
def test_what_postgresql_would_write_otherwise_is_no_value(spark: SparkSession, type_: str, texts: list[str]) -> None:
    read, _ = there_and_back(spark, type_, texts)

    assert dict.fromkeys(texts) == dict(zip(texts, read, strict=True))


def test_a_line_is_what_copy_writes(spark: SparkSession, connection: psycopg.Connection) -> None:
    values = ["", "plain", "\\", "\\N", "a\tb", "a\nb\r", "\b\f\v", "\\t", "€ 😀", "'\"", "\x01\x7f", None]
    rows = [(one, other) for one in values for other in values]
    connection.execute("CREATE TEMP TABLE lines (a text, b text)")
    connection.cursor().executemany("INSERT INTO lines VALUES (%s, %s)", rows)
    frame = spark.createDataFrame(pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]}))

    for columns in (["a", "b"], ["b"]):
        with connection.cursor().copy(f"COPY lines ({', '.join(columns)}) TO STDOUT".encode()) as copy:
            expected = sorted(bytes(line).decode().removesuffix("\n") for line in copy)
        assert expected == sorted(row[0] for row in frame.select(copy_line([F.col(c) for c in columns])).collect())
