"""Between PostgreSQL text and silver values: the same two functions for the stream, the copy, export and proof."""

import re
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from tidemark_contract.specs import ColumnSpec, TableSpec
from tidemark_contract.types import Codec, SilverType

EXACT_TYPE = "map<string,string>"
# Every text that PostgreSQL prints for these has a silver value that prints the same again.
_ALWAYS_HELD = {Codec.INTEGER, Codec.BOOLEAN, Codec.FLOAT, Codec.BINARY, Codec.TEXT}
# For the others the functions of jobs/java, which read only what they would write again: a Spark cast rounds, trims,
# and takes other forms, so that each value had to be written to be compared; a third of what a copy took.
_FUNCTIONS = {
    Codec.DATE: "pg_date",
    Codec.TIMESTAMP: "pg_timestamptz",
    Codec.TIMESTAMP_NTZ: "pg_timestamp",
    Codec.DECIMAL: "pg_numeric",
}
UNDECODABLE = "tidemark: a change cannot be decoded"


def value_of(text: Column, silver: SilverType) -> Column:
    """Turn PostgreSQL text into a silver value; NULL where the type cannot hold it.

    A text that PostgreSQL never prints for the type ends the query with UNDECODABLE: NULL would be a wrong value.
    """
    if silver.codec not in _ALWAYS_HELD or silver.codec is Codec.TEXT:
        return _decoded(text, silver)
    return F.coalesce(_decoded(text, silver), F.when(text.isNotNull(), F.raise_error(F.lit(UNDECODABLE))))


def is_undecodable(text: Column, silver: SilverType) -> Column:
    """Tell whether `value_of` would end the query."""
    if silver.codec not in _ALWAYS_HELD:
        return F.lit(False)
    return text.isNotNull() & _decoded(text, silver).isNull()


def _decoded(text: Column, silver: SilverType) -> Column:
    match silver.codec:
        case Codec.TEXT:
            return text
        case Codec.BOOLEAN:
            return F.when(text == "t", F.lit(True)).when(text == "f", F.lit(False))
        case Codec.BINARY:
            return F.when(text.startswith("\\x"), F.unhex(F.substring(text, 3, 2**31 - 1)))
        case Codec.INTEGER | Codec.FLOAT:
            return text.try_cast(silver.spark)
        case codec:
            shape = (F.lit(int(number)) for number in re.findall(r"\d+", silver.spark))  # of a decimal
            return F.call_function(f"{_FUNCTIONS[codec]}_in", text, *shape)


def text_of(value: Column, silver: SilverType) -> Column:
    """Turn a silver value back into the text that PostgreSQL prints for it."""
    match silver.codec:
        case Codec.TEXT:
            return value
        case Codec.BOOLEAN:
            return F.when(value, F.lit("t")).when(~value, F.lit("f"))
        case Codec.BINARY:
            return F.concat(F.lit("\\x"), F.lower(F.hex(value)))
        case Codec.FLOAT:
            return F.call_function("pg_float8_out" if silver.spark == "double" else "pg_float4_out", value)
        case Codec.INTEGER:
            return value.cast("string")
        case codec:
            return F.call_function(f"{_FUNCTIONS[codec]}_out", value)


def typed_columns(texts: Mapping[str, Column], spec: TableSpec) -> list[Column]:
    """Give the silver columns of a row, and `_exact` with the texts that their types cannot hold."""
    values = {column.name: value_of(texts[column.name], column.silver) for column in spec.columns}
    misfits = {
        column.name: texts[column.name].isNotNull() & values[column.name].isNull()
        for column in spec.columns
        if column.silver.codec not in _ALWAYS_HELD
    }
    held = [values[column.name].alias(spec.silver_names[column.name]) for column in spec.columns]
    return [*held, _exact(texts, misfits).alias("_exact")]


def row_texts(spec: TableSpec) -> dict[str, Column]:
    """Give every column of a silver row as PostgreSQL text: its typed value's, and where there is none `_exact`'s."""
    return {
        column.name: F.coalesce(
            text_of(_typed(column, spec), column.silver),
            *([] if column.silver.codec in _ALWAYS_HELD else [F.col("_exact").getItem(column.name)]),
        )
        for column in spec.columns
    }


def is_exact_sound(spec: TableSpec) -> Column:
    """Tell whether `_exact` has texts of columns that have no typed value, and nothing else."""
    used = F.lit(0)
    for column in spec.columns:
        if column.silver.codec not in _ALWAYS_HELD:
            there = _typed(column, spec).isNull() & F.col("_exact").getItem(column.name).isNotNull()
            used = used + there.cast("int")
    return F.col("_exact").isNull() | (F.size("_exact") == used)


def _typed(column: ColumnSpec, spec: TableSpec) -> Column:
    return F.col(f"`{spec.silver_names[column.name]}`")


def with_map(rows: DataFrame, name: str, texts: Mapping[str, Column]) -> DataFrame:
    """Add a map from column name to text."""
    entries = [part for key, text in texts.items() for part in (F.lit(key), text)]
    return rows.withColumn(name, F.create_map(*entries))


def _exact(texts: Mapping[str, Column], misfits: Mapping[str, Column]) -> Column:
    """Keep what does not fit; NULL, and next to nothing to compute, when everything does."""
    if not misfits:
        return F.lit(None).cast(EXACT_TYPE)
    entries = [
        F.when(misfit, F.struct(F.lit(name).alias("key"), texts[name].alias("value")))
        for name, misfit in misfits.items()
    ]
    some = F.lit(False)
    for misfit in misfits.values():
        some = some | misfit
    kept = F.map_from_entries(F.filter(F.array(*entries), lambda entry: entry.isNotNull()))
    return F.when(some, kept)
