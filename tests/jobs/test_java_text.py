"""The text of floats: byte for byte what PostgreSQL writes."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from tests.variants import ALL

COUNT = 200_000 if ALL else 80_000
FORMAT = {"float8": ">d", "float4": ">f"}
ARROW = {"float8": pa.float64(), "float4": pa.float32()}


def float8_patterns() -> list[bytes]:
    """Draw random bits; add every power of two and ten with its neighbours, and the corners of the subnormals."""
    draw = random.Random(8)
    corners = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, (1 << 52) - 1, 1 << 52, (1 << 52) + 1, 0x7FEFFFFFFFFFFFFF]
    corners += [0, 0x7FF0000000000000, 0x7FF8000000000000, 0x7FF0000000000001]
    exact = [2.0**power for power in range(-1074, 1024)] + [float(f"1e{power}") for power in range(-323, 309)]
    near = [as_int(">d", value) + step for value in exact for step in (-1, 0, 1)]
    short = [as_int(">d", draw.randrange(10**6) / 100) for _ in range(20_000)]
    subnormal = [draw.getrandbits(draw.randrange(1, 53)) for _ in range(20_000)]
    bits = [*corners, *near, *short, *subnormal]
    bits += [draw.getrandbits(63) for _ in range(COUNT - len(bits))]
    return [struct.pack(">Q", pattern | draw.getrandbits(1) << 63) for pattern in bits]


def float4_patterns() -> list[bytes]:
    draw = random.Random(4)
    corners = [*range(12), (1 << 23) - 1, 1 << 23, (1 << 23) + 1, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7F800001]
    exact = [2.0**power for power in range(-149, 128)] + [float(f"1e{power}") for power in range(-44, 39)]
    near = [as_int(">f", value) + step for value in exact for step in (-1, 0, 1)]
    subnormal = [draw.getrandbits(draw.randrange(1, 24)) for _ in range(20_000)]
    bits = [*corners, *near, *subnormal]
    bits += [draw.getrandbits(31) for _ in range(COUNT - len(bits))]
    return [struct.pack(">I", pattern | draw.getrandbits(1) << 31) for pattern in bits]


def as_int(code: str, value: float) -> int:
    return int.from_bytes(struct.pack(code, value), "big")


@pytest.mark.parametrize(("name", "patterns"), [("float8", float8_patterns()), ("float4", float4_patterns())])
def test_a_float_is_written_as_postgresql_writes_it_and_reads_back_as_itself(
    spark: SparkSession, connection: psycopg.Connection, tmp_path: Path, name: str, patterns: list[bytes]
) -> None:
    expected = written_by_postgresql(connection, name, patterns)

    written = written_by_spark(spark, tmp_path, name, patterns)

    different = [
        (pattern.hex(), *texts)
        for pattern, *texts in zip(patterns, expected, written, strict=True)
        if len(set(texts)) > 1
    ]
    assert ([], COUNT) == (different[:20], len(written))
    assert [] == [text for pattern, text in zip(patterns, written, strict=True) if not reads_back(text, pattern, name)]


def test_null_is_null(spark: SparkSession) -> None:
    (row,) = spark.sql(
        "SELECT pg_float8_out(CAST(NULL AS DOUBLE)) AS eight, pg_float4_out(CAST(NULL AS FLOAT)) AS four"
    ).collect()

    assert (None, None) == (row.eight, row.four)


def written_by_postgresql(connection: psycopg.Connection, name: str, patterns: list[bytes]) -> list[str]:
    table = f"of_{name}"
    connection.execute(f"CREATE TEMP TABLE {table} (at int, value {name})".encode())
    with connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT binary)".encode()) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for at, pattern in enumerate(patterns):
            copy.write(struct.pack(">hiii", 2, 4, at, len(pattern)) + pattern)
        copy.write(b"\xff\xff")
    return [text for (text,) in connection.execute(f"SELECT value::text FROM {table} ORDER BY at".encode())]


def written_by_spark(spark: SparkSession, folder: Path, name: str, patterns: list[bytes]) -> list[str]:
    """Hand the bits over in Parquet, which leaves them as they are."""
    little_endian = pa.py_buffer(b"".join(pattern[::-1] for pattern in patterns))
    values = pa.Array.from_buffers(ARROW[name], len(patterns), [None, little_endian])
    pq.write_table(pa.table({"at": range(len(patterns)), "value": values}), folder / "bits.parquet")
    written = spark.read.parquet(str(folder)).selectExpr("at", f"pg_{name}_out(value) AS text").orderBy("at")
    return [row.text for row in written.collect()]


def reads_back(text: str, pattern: bytes, name: str) -> bool:
    """Compare bits, which tell 0 from -0; any NaN will do."""
    value = float(text)
    return struct.pack(FORMAT[name], value) == pattern or (value != value and text == "NaN")
