"""Which rows of a table are to go, told in Arrow: in bronze by their columns' texts, elsewhere by their `_key`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tidemark_contract.catalog import Catalog, Relation
from tidemark_contract.copytext import encode_row
from tidemark_contract.names import TableName
from tidemark_contract.specs import TableSpec
from tidemark_contract.subjects import Subject

EVENT_COLUMNS = ("schema_name", "table_name", "relation_id", "before", "after")
_APART = "\0"  # stands in no text of PostgreSQL's


@dataclass(frozen=True)
class _Named:
    """Keys of a subject, under the names that their columns had at some time."""

    columns: tuple[str, ...]
    keys: pa.Array


class Wanted:
    """The rows of one table that are to go."""

    def __init__(self, spec: TableSpec, subjects: Sequence[Subject], catalogs: Sequence[Catalog], now: Catalog) -> None:
        """Learn from the catalogs of all marks what the table, its partitions and its columns were ever called."""
        self.spec = spec
        self.subjects = [subject for subject in subjects if subject.spec.table == spec.table]
        relations = _ever(spec.table, catalogs)
        self._oids = pa.array(sorted({relation.oid for relation in relations}), pa.int64())
        names = {_APART.join((relation.name.schema, relation.name.table)) for relation in relations}
        self._names = pa.array(sorted(names), pa.string())
        root = next(r for r in now.table(spec.table) if r.oid == r.root)
        self._named = [
            _Named(columns, pa.array([_APART.join(key) for key in subject.keys], pa.string()))
            for subject in self.subjects
            for columns in _names_ever(subject.columns, root, relations)
        ]

    def events(self, rows: pa.Table) -> np.ndarray:
        """Tell of each change of bronze (EVENT_COLUMNS) whether its row had, or got, one of the keys."""
        chosen = np.zeros(rows.num_rows, dtype=bool)
        mine = np.flatnonzero(self._mine(rows))
        if mine.size:
            chosen[mine[self._has_key(rows.take(pa.array(mine)).combine_chunks())]] = True
        return chosen

    def keys(self, lines: pa.ChunkedArray) -> np.ndarray:
        """Tell it of each `_key`."""
        return _any([self._lines(subject, lines) for subject in self.subjects])

    def row(self, row: dict[str, Any]) -> bool:
        """Tell it of one row that is a mapping of texts."""
        return any(
            tuple(row.get(name) for name in named.columns) == tuple(key.split(_APART))
            for named in self._named
            for key in named.keys.to_pylist()
        )

    def _mine(self, rows: pa.Table) -> np.ndarray:
        names = pc.binary_join_element_wise(rows["schema_name"], rows["table_name"], _APART)
        return _any([pc.is_in(rows["relation_id"], self._oids), pc.is_in(names, self._names)])

    def _has_key(self, rows: pa.Table) -> np.ndarray:
        found = []
        for named in self._named:
            before, after = ([_texts(rows[side], name) for name in named.columns] for side in ("before", "after"))
            # An unchanged key column that is stored out of line stands in the old row only.
            whole = [pc.coalesce(new, old) for new, old in zip(after, before, strict=True)]
            found += [pc.is_in(_joined(texts), named.keys) for texts in (before, after, whole)]
        return _any(found)

    def _lines(self, subject: Subject, lines: pa.ChunkedArray) -> Any:
        if self.spec.key:
            return pc.is_in(lines, pa.array(subject.lines, pa.string()))
        # A bag's `_key` is its whole row.
        columns = [column.name for column in self.spec.columns]
        parts = pc.split_pattern(lines.combine_chunks(), "\t")
        nothing = pa.scalar([""] * len(columns), pa.list_(pa.string()))
        whole = pc.if_else(pc.equal(pc.list_value_length(parts), len(columns)), parts, nothing)
        texts = [pc.list_element(whole, columns.index(name)) for name in subject.columns]
        wanted = [_APART.join(encode_row([value]) for value in key) for key in subject.keys]
        return pc.is_in(_joined(texts), pa.array(wanted, pa.string()))


def _ever(table: TableName, catalogs: Sequence[Catalog]) -> list[Relation]:
    """Give what any catalog says of the table and its partitions, also under other names: a table is its oid."""
    roots = {r.oid for catalog in catalogs for r in catalog.table(table) if r.oid == r.root}
    return [relation for catalog in catalogs for relation in catalog.relations if relation.root in roots]


def _names_ever(columns: Sequence[str], root: Relation, relations: Iterable[Relation]) -> set[tuple[str, ...]]:
    """Give the names that columns had in any mark; a partition numbers its own, and calls them as its root does."""
    numbers = [next(c.number for c in root.columns if c.name == name) for name in columns]
    named = {tuple(columns)}
    for relation in relations:
        if relation.oid == root.oid:
            there = {column.number: column.name for column in relation.columns}
            named.add(tuple(there.get(number, name) for number, name in zip(numbers, columns, strict=True)))
    return named


def _texts(rows: pa.ChunkedArray, name: str) -> Any:
    return pc.map_lookup(rows, pa.scalar(name), "first")


def _joined(texts: Sequence[Any]) -> Any:
    return pc.binary_join_element_wise(*texts, _APART) if len(texts) > 1 else texts[0]


def _any(masks: Sequence[Any]) -> np.ndarray:
    told = [pc.fill_null(mask, False).to_numpy(zero_copy_only=False) for mask in masks]
    return np.asarray(np.logical_or.reduce(told), dtype=bool)
