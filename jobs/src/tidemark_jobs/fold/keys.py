r"""A row's `_key`: its key columns as a line of COPY text."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from tidemark_contract.specs import TableSpec


def copy_line(texts: Sequence[Column]) -> Column:
    """Join values, as PostgreSQL text, to a line of COPY text."""
    return F.call_function("pg_copy_line", F.array(*texts))


def key_of(row: Column, spec: TableSpec) -> Column:
    """Give the `_key` of a row that is a map from column name to text; of a bag it is the whole row.

    NULL for no row, and for a row that lacks a part of its key.
    """
    names = spec.key or tuple(column.name for column in spec.columns)
    line = copy_line([row.getItem(name) for name in names])
    there = row.isNotNull()
    for name in spec.key:
        there = there & row.getItem(name).isNotNull()
    return F.when(there, line)
