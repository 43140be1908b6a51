r"""A row's `_key`: its key columns as a line of COPY text."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec
from tidemark_contract.types import Codec

# Backslash first: the escapes that follow bring their own.
_ESCAPES = {"\\": r"\\", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_NEVER_ESCAPED = {Codec.INTEGER, Codec.DECIMAL, Codec.BOOLEAN, Codec.FLOAT, Codec.DATE, Codec.TIMESTAMP}


def escaped(text: Column) -> Column:
    """Write a value as COPY does."""
    for raw, escape in _ESCAPES.items():
        text = F.replace(text, F.lit(raw), F.lit(escape))
    return text


def copy_line(texts: Sequence[tuple[Column, Codec]]) -> Column:
    """Join values, as PostgreSQL text, to a line of COPY text."""
    fields = [text if codec in _NEVER_ESCAPED else escaped(text) for text, codec in texts]
    return F.concat_ws("\t", *[F.coalesce(field, F.lit(r"\N")) for field in fields])


def key_of(row: Column, spec: TableSpec) -> Column:
    """Give the `_key` of a row that is a map from column name to text; of a bag it is the whole row.

    NULL for no row, and for a row that lacks a part of its key.
    """
    names = spec.key or tuple(column.name for column in spec.columns)
    codecs = {column.name: column.silver.codec for column in spec.columns}
    line = copy_line([(row.getItem(name), codecs[name]) for name in names])
    there = row.isNotNull()
    for name in spec.key:
        there = there & row.getItem(name).isNotNull()
    return F.when(there, line)
