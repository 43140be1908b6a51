"""What the source's catalog said about the captured tables when a mark was taken.

The stream does not tell everything: a rewriting `ALTER … USING`, a column dropped and added again, a table taken out
of the publication and put back send nothing that differs. So each mark carries these facts, read by plain SELECT in
its own snapshot; what follows from a change of them is in `evolution`.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tidemark_contract.names import TableName


@dataclass(frozen=True)
class Column:
    """One live column, as `pg_attribute` has it."""

    number: int
    name: str
    type: int  # oid
    declared: str  # the type as format_type prints it
    generated: str = ""  # s stored, v virtual
    expression: int | None = None  # oid of what generates it: another one when that is set anew
    missing: str | None = None  # value, as text, of the rows that are older than the column
    labels: tuple[str, ...] = ()  # of the enums in its type, oldest first
    written_by: int = 0  # 32-bit xid that last wrote its row in pg_attribute


@dataclass(frozen=True)
class Relation:
    """One captured table or partition; `root` is the oid of the partitioned table it folds into, else its own."""

    oid: int
    root: int
    name: TableName
    filenode: int
    attributes: int  # columns that it ever had
    identity: str  # pg_class.relreplident: d, f, i or n
    key: tuple[int, ...]  # column numbers of the primary key or the identity index
    keys: tuple[tuple[int, ...], ...]  # of every index that could be a key
    columns: tuple[Column, ...]
    published: str = ""  # its publication entry and who last wrote the publication: new when taken out and put back


@dataclass(frozen=True)
class Catalog:
    """All relations in the source's publication at one mark."""

    relations: tuple[Relation, ...]

    @classmethod
    def parse(cls, text: str) -> "Catalog":
        """Read the JSON that a mark carries (an array of relations, made by tidemark_source)."""
        return cls(tuple(_relation(facts) for facts in json.loads(text)))

    @cached_property
    def _roots(self) -> dict[TableName, int]:
        return {relation.name: relation.oid for relation in self.relations if relation.oid == relation.root}

    def table(self, name: TableName) -> tuple[Relation, ...]:
        """Give the table's own relation and its partitions, by oid; empty when the publication lacks it."""
        oid = self._roots.get(name)
        return tuple(sorted((r for r in self.relations if r.root == oid), key=lambda r: r.oid)) if oid else ()


def holders(table: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """Give the relations that hold the table's rows: a partitioned root has none itself."""
    return tuple(r for r in table if r.oid != r.root) or table


def _relation(facts: dict[str, Any]) -> Relation:
    return Relation(
        oid=facts["oid"],
        root=facts["root"],
        name=TableName(facts["schema"], facts["table"]),
        filenode=facts["filenode"],
        attributes=facts["attributes"],
        identity=facts["identity"],
        key=tuple(facts["key"]),
        keys=tuple(map(tuple, facts["keys"])),
        columns=tuple(_column(column) for column in facts["columns"]),
        published=facts.get("published", ""),
    )


def _column(facts: dict[str, Any]) -> Column:
    return Column(**{**facts, "labels": tuple(facts.get("labels") or ())})
