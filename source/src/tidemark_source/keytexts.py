"""Keys that a person has written down: is each the text that PostgreSQL itself writes for the value?"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from psycopg import errors, sql

from tidemark_contract.subjects import Subject
from tidemark_source.connection import address, connect, speaking_to


def key_problems(url: str, subjects: Sequence[Subject]) -> list[str]:
    """Say of which keys PostgreSQL would write another text, or which are no values of their columns' types.

    Rows are known by their texts, so what is written otherwise would be found nowhere.
    """
    with connect(url, purpose="erase") as connection, speaking_to(address(url)):
        return [problem for subject in subjects for problem in _problems(connection, subject)]


def _problems(connection: psycopg.Connection[Any], subject: Subject) -> Iterator[str]:
    query = _written(subject)
    types = {column.name: column.type for column in subject.spec.columns}
    for key, place in subject.keys.items():
        given = dict(zip(subject.columns, key, strict=True))
        try:
            written = connection.execute(query, (json.dumps(given),)).fetchone()
        except (errors.DataError, errors.IntegrityError):  # their words quote the value
            yield f"{place}: is not a value of {', '.join(f'{name} ({types[name]})' for name in subject.columns)}"
            continue
        for name, text in zip(subject.columns, written or (), strict=True):
            if text != given[name]:
                yield f"{place}: {name}: is not the text that PostgreSQL writes for this {types[name]}"


def _written(subject: Subject) -> sql.Composed:
    """Give the query that reads a key, as JSON, by the types of its table's columns, and writes it again.

    concat writes what a type's output function gives; `::text` would not, see `hashes`.
    """
    texts = sql.SQL(", ").join(sql.SQL("concat(r.{})").format(sql.Identifier(name)) for name in subject.columns)
    table = sql.Identifier(subject.spec.table.schema, subject.spec.table.table)
    return sql.SQL("SELECT {} FROM jsonb_populate_record(NULL::{}, %s::jsonb) r").format(texts, table)
