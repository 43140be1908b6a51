"""What the source's catalog said about the captured tables when a mark was taken.

The stream does not tell everything: a rewriting `ALTER … USING`, a column dropped and added again, a table taken out
of the publication and put back send nothing that differs. So each mark carries these facts, read by plain SELECT in
its own snapshot, and a table whose facts changed in a way that its events do not explain leaves the mark.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tidemark_contract.names import TableName


@dataclass(frozen=True)
class Column:
    """One live column: `pg_attribute`'s number, name, type oid, typmod, generation kind and missing value."""

    number: int
    name: str
    type: int
    modifier: int
    generated: str
    missing: str | None


@dataclass(frozen=True)
class Relation:
    """One captured table or partition; `root` is the oid of the partitioned table it folds into, else its own."""

    oid: int
    root: int
    name: TableName
    filenode: int
    changed_by: int  # 32-bit xid that last wrote its pg_class row
    identity: str  # pg_class.relreplident: d, f, i or n
    key: tuple[int, ...]  # column numbers of the primary key or the identity index
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


def unexplained(
    before: tuple[Relation, ...], after: tuple[Relation, ...], truncated_by: Mapping[int, int]
) -> str | None:
    """Say how a table changed between two marks in a way that its events cannot tell; None if it did not.

    `truncated_by` maps a relation's oid to the 32-bit xid of the last TRUNCATE that the stream brought in between.
    """
    if not after:
        return "it is no longer in the publication: dropped, renamed or taken out"
    if [r.oid for r in before] != [r.oid for r in after]:
        return "it or its partitions were dropped, created, attached or detached"
    return next(
        (why for old, new in zip(before, after, strict=True) if (why := _differs(old, new, truncated_by))), None
    )


def _differs(old: Relation, new: Relation, truncated_by: Mapping[int, int]) -> str | None:
    if old.columns != new.columns:
        return f"the columns of {new.name} changed"
    if (old.identity, old.key) != (new.identity, new.key):
        return f"the key or replica identity of {new.name} changed"
    if old.published != new.published:
        return f"{new.name} was taken out of the publication and put back, or the publication was altered"
    # The pg_class row of a table whose last rewrite was the TRUNCATE we saw was written by that transaction.
    if old.filenode != new.filenode and truncated_by.get(new.oid) != new.changed_by:
        return f"{new.name} was rewritten (ALTER TABLE … TYPE, VACUUM FULL, CLUSTER or a TRUNCATE in a savepoint)"
    return None


def _relation(facts: dict[str, Any]) -> Relation:
    return Relation(
        oid=facts["oid"],
        root=facts["root"],
        name=TableName(facts["schema"], facts["table"]),
        filenode=facts["filenode"],
        changed_by=facts["changed_by"],
        identity=facts["identity"],
        key=tuple(facts["key"]),
        columns=tuple(Column(**column) for column in facts["columns"]),
        published=facts.get("published", ""),
    )
