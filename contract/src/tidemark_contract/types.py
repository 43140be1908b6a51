"""The type contract: which silver type holds every value of a PostgreSQL type, and how its text comes back.

PostgreSQL's own text form is the canonical value. A value that its silver type cannot hold (`infinity`, a numeric
NaN, year 10000) stays as that text in the row's `_exact` map; so a silver type only has to be exact for what it holds.
"""

import re
from dataclasses import dataclass
from enum import Enum

MAX_DECIMAL_PRECISION = 38  # Spark's and Delta's


class Codec(Enum):
    """How a value goes from PostgreSQL text to a silver value and back."""

    INTEGER = "integer"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    FLOAT = "float"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIMESTAMP_NTZ = "timestamp_ntz"
    BINARY = "binary"
    TEXT = "text"


@dataclass(frozen=True)
class SilverType:
    """A silver column's type: its name in Spark SQL and the codec that fills it."""

    spark: str
    codec: Codec


TEXT = SilverType("string", Codec.TEXT)

FIXED = {
    "smallint": SilverType("smallint", Codec.INTEGER),
    "integer": SilverType("int", Codec.INTEGER),
    "bigint": SilverType("bigint", Codec.INTEGER),
    "oid": SilverType("bigint", Codec.INTEGER),
    "boolean": SilverType("boolean", Codec.BOOLEAN),
    "real": SilverType("float", Codec.FLOAT),
    "double precision": SilverType("double", Codec.FLOAT),
    "date": SilverType("date", Codec.DATE),
    "bytea": SilverType("binary", Codec.BINARY),
}

_NUMERIC = re.compile(r"numeric\((\d+),(-?\d+)\)")
_TIMESTAMP = re.compile(r"timestamp(?:\(\d\))? (with|without) time zone")


def silver_type(pg_type: str) -> SilverType:
    """Give the silver type for a PostgreSQL type, named as `format_type` writes it.

    What is not known, and what no Spark type can hold in full (unbounded numeric, json, ranges, intervals, arrays,
    enums, domains), is kept as PostgreSQL's text.
    """
    if fixed := FIXED.get(pg_type):
        return fixed
    if match := _NUMERIC.fullmatch(pg_type):
        return _decimal(int(match[1]), int(match[2]))
    if match := _TIMESTAMP.fullmatch(pg_type):
        zoned = match[1] == "with"
        return SilverType("timestamp", Codec.TIMESTAMP) if zoned else SilverType("timestamp_ntz", Codec.TIMESTAMP_NTZ)
    return TEXT


def _decimal(precision: int, scale: int) -> SilverType:
    if precision <= MAX_DECIMAL_PRECISION and 0 <= scale <= precision:
        return SilverType(f"decimal({precision},{scale})", Codec.DECIMAL)
    return TEXT
