"""How a table went from one mark's catalog to the next, where catalog and stream together tell all of it.

A column is its number: names come, go and are swapped, and a change in bronze names its columns as they were called
when it was made. So a schema change is followed only where each name has meant one column all the time in between;
what else there is (values that a rewrite made, a name used again, a partition attached) only a copy can tell.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tidemark_contract.catalog import Column, Relation, holders
from tidemark_contract.specs import ColumnSpec, Deletes, History, TableSpec

Table = tuple[Relation, ...]
"""One table in one mark: what `Catalog.table` gives."""
SentSchema = Sequence[tuple[str, int]]
"""A relation's columns as the stream describes them: name and type oid of each, in the order of their numbers."""

# Types whose texts are the same, and between which ALTER TABLE does not rewrite: text and character varying.
_PLAIN_TEXT = {25, 1043}


class NotFollowed(Exception):
    """The stream does not tell all that happened to a table; the message says what it was."""


@dataclass(frozen=True)
class Evolution:
    """What became of a table's columns between two marks; false when nothing did."""

    renamed: Mapping[str, str] = field(default_factory=dict)  # old name → new name
    added: Mapping[str, str | None] = field(default_factory=dict)  # name → value, as text, of all older rows
    dropped: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.renamed or self.added or self.dropped)


def spec_at(spec: TableSpec, table: Table) -> TableSpec:
    """Give a table's spec with the columns and the key that it has in a mark, unless the spec freezes them."""
    root = next((relation for relation in table if relation.oid == relation.root), None)
    if root is None or spec.frozen:
        return spec
    known = {column.name: column for column in spec.columns}
    columns = tuple(
        replace(known.get(column.name, ColumnSpec(column.name, "")), type=column.declared)
        for column in _captured(root, spec)
    )
    names = {column.number: column.name for column in root.columns}
    key = tuple(names[number] for number in _key(root, spec))
    now = replace(spec, columns=columns, key=key)
    return now if key else replace(now, deletes=Deletes.HARD, history=History.NONE)


def follow(spec: TableSpec, before: Table, after: Table, sent: Callable[[int], Iterable[SentSchema]]) -> Evolution:
    """Say what became of a table's columns between two marks; NotFollowed where something cannot be told.

    `sent` gives the schemas that the stream sent for a relation's changes in between; it is asked only if need be.
    """
    if [r.oid for r in before] != [r.oid for r in after]:
        raise NotFollowed("it or its partitions were dropped, created, attached or detached")
    for old, new in zip(before, after, strict=True):
        _check_stream(old, new, spec)
    pairs = list(zip(holders(before), holders(after), strict=True))
    first, *others = [_columns_followed(old, new, spec) for old, new in pairs]
    if any(other != first for other in others):
        raise NotFollowed("the columns of its partitions changed, each in another way")
    for old, new in pairs:
        if old.columns != new.columns:
            for schema in sent(new.oid):
                _check_sent(schema, old, new, spec)
    if spec.frozen and (differing := unlike(spec, after)):
        raise NotFollowed(f"its spec freezes its columns, and they changed: {', '.join(differing)}")
    return first


def _check_sent(schema: SentSchema, old: Relation, new: Relation, spec: TableSpec) -> None:
    """Raise NotFollowed unless each name in a schema of the time in between can only be the column that it seems to be.

    Columns stand in the order of their numbers. Those of both marks were there all the time, and whoever is there has
    all before it that are there still. So only one that went can have had the name of one that came.
    """
    was = {column.number: column for column in _captured(old, spec)}
    now = {column.number: column for column in _captured(new, spec)}
    numbers = {column.name: column.number for column in (*was.values(), *now.values())}
    if more := [name for name, _ in schema if name not in numbers]:
        raise NotFollowed(f"between two marks it had a column called {', '.join(more)}")
    placed = [numbers[name] for name, _ in schema]
    newest = max((number for number in placed if number not in was), default=0)
    needed = {number for number in now if number in was or number <= newest}
    if placed != sorted(placed) or not needed <= set(placed):
        raise NotFollowed("between two marks some of its columns had the names of others")
    went = [was[number] for number in was if number not in now and number not in placed]
    for (name, type_), number in zip(schema, placed, strict=True):
        known = [columns[number].type for columns in (was, now) if number in columns]
        if not any(_prints_as(type_, other) for other in known):
            raise NotFollowed(f"between two marks {name} was of another type")
        if number not in was and any(_prints_as(type_, column.type) for column in went):
            raise NotFollowed(f"between two marks {name} may have been the name of a column that went")


def _prints_as(one: int, other: int) -> bool:
    return one == other or {one, other} <= _PLAIN_TEXT


def unlike(spec: TableSpec, table: Table) -> list[str]:
    """Name the columns, or their types, that a table has otherwise than its spec; order does not matter."""
    root = next(relation for relation in table if relation.oid == relation.root)
    there = {column.name: column.declared for column in _captured(root, spec)}
    wanted = {column.name: column.type for column in spec.all_columns}
    return sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))


def _captured(relation: Relation, spec: TableSpec) -> list[Column]:
    """Give the columns that the stream brings; generated ones are among them only where the spec has them by name."""
    wanted = {column.name for column in spec.all_columns}
    return [column for column in relation.columns if not column.generated or column.name in wanted]


def _key(relation: Relation, spec: TableSpec) -> tuple[int, ...]:
    """Give the key's columns: those that the stream brings, or of whole old rows the spec's while they are a key."""
    if relation.identity != "f":
        return relation.key
    if not spec.key:
        return ()
    numbers = {column.name: column.number for column in relation.columns}
    of_spec = tuple(numbers.get(name, 0) for name in spec.key)
    return of_spec if sorted(of_spec) in map(sorted, relation.keys) else relation.key


def _check_stream(old: Relation, new: Relation, spec: TableSpec) -> None:
    if old.published != new.published:
        raise NotFollowed(f"{new.name} was taken out of the publication and put back, or the publication was altered")
    # From the old key to the whole old row, or back, a change says enough at any time.
    same = old.identity == new.identity or {old.identity, new.identity} == {"d", "f"}
    if _key(old, spec) != _key(new, spec) or not same:
        raise NotFollowed(f"the key or replica identity of {new.name} changed")
    if old.filenode != new.filenode and not _only_moved(old, new, spec):
        raise NotFollowed(f"{new.name} was rewritten, perhaps with other values (ALTER TABLE … TYPE)")


def _only_moved(old: Relation, new: Relation, spec: TableSpec) -> bool:
    """Tell whether a rewrite was one that changes no value: VACUUM FULL and the like touch no column's catalog row.

    Neither does a TRUNCATE, which the stream brings. A column that came has a missing value as long as nobody rewrites
    the table but by TRUNCATE.
    """
    written = {column.number: column.written_by for column in old.columns}
    return all(
        column.written_by == written[column.number] if column.number in written else column.missing is not None
        for column in _captured(new, spec)
    )


def _columns_followed(old: Relation, new: Relation, spec: TableSpec) -> Evolution:
    if _numbers(new) - _numbers(old) != set(range(old.attributes + 1, new.attributes + 1)):
        raise NotFollowed(f"a column of {new.name} came and went between two marks")
    was = {column.number: column for column in _captured(old, spec)}
    now = {column.number: column for column in _captured(new, spec)}
    came = [column for number, column in now.items() if number not in was]
    if any(column.number <= old.attributes for column in came):
        raise NotFollowed(f"a generated column of {new.name} became a plain one")
    stayed = [(was[number], now[number]) for number in was if number in now]
    for pair in stayed:
        _check_values(*pair)
    renamed = {then.name: column.name for then, column in stayed if then.name != column.name}
    names = {column.name for column in old.columns}
    if reused := sorted(names & {*renamed.values(), *(column.name for column in came)}):
        raise NotFollowed(f"{', '.join(reused)} is now the name of another column of {new.name}")
    gone = frozenset(column.name for number, column in was.items() if number not in now)
    return Evolution(renamed, {column.name: column.missing for column in came}, gone)


def _numbers(relation: Relation) -> set[int]:
    return {column.number for column in relation.columns}


def _check_values(was: Column, now: Column) -> None:
    """A type that changed without a rewrite has left what is stored, which the new type may print in another way."""
    if not _prints_as(was.type, now.type):
        raise NotFollowed(f"the type of {now.name} changed from {was.declared} to {now.declared}")
    if now.labels[: len(was.labels)] != was.labels:
        raise NotFollowed(f"labels of {now.declared}, the type of {now.name}, were renamed")
    if was.expression != now.expression:
        raise NotFollowed(f"the expression of {now.name} changed")
