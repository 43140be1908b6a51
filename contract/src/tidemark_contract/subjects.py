"""What shall be erased: a YAML file that names tables and keys, each value in PostgreSQL's own text.

No message repeats a value of the file: what is to be erased must not stand in a log.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from tidemark_contract.copytext import encode_row
from tidemark_contract.errors import ConfigurationError, SpecError
from tidemark_contract.names import TableName
from tidemark_contract.protection import HashKey, Protect
from tidemark_contract.specs import TableSpec

Key = tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """Rows of one table that shall go: those that have one of these `keys` in the `columns`.

    Of a table with a key the columns are the key's; a bag's rows are named by any of its columns.
    """

    spec: TableSpec
    columns: tuple[str, ...]
    keys: Mapping[Key, str] = field(repr=False)  # each with its place in the file

    @property
    def lines(self) -> dict[str, str]:
        """Each key as COPY text, as `_key` has it, with its place in the file."""
        return {encode_row(key): place for key, place in self.keys.items()}

    def as_stored(self, key: HashKey | None) -> "Subject":
        """Give it with the keys as the lake may have them: of hashed columns the hashes, and what they were before."""
        hashes = [self.spec.protected.get(name) is Protect.HASH for name in self.columns]
        if key is None or not any(hashes):
            return self
        return replace(self, keys={**self.keys, **{_hashed(texts, hashes, key): at for texts, at in self.keys.items()}})


def _hashed(texts: Key, hashes: Sequence[bool], key: HashKey) -> Key:
    return tuple(key.hashed(text) if hashed else text for text, hashed in zip(texts, hashes, strict=True))


def read_subjects(file: Path, tables: Sequence[TableSpec]) -> tuple[Subject, ...]:
    """Read what shall be erased from these tables; SpecError with every problem at once."""
    problems: list[str] = []
    known = {spec.table: spec for spec in tables}
    found: dict[tuple[TableName, tuple[str, ...]], dict[Key, str]] = {}
    for place, entry in _entries(file, problems):
        if spec := _spec(place, entry, known, problems):
            for columns, key, at in _keys(place, entry, spec, problems):
                found.setdefault((spec.table, columns), {}).setdefault(key, at)
    if problems:
        raise SpecError(str(file), problems)
    return tuple(Subject(known[table], columns, keys) for (table, columns), keys in found.items())


def _entries(file: Path, problems: list[str]) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        # Every scalar is the text that stands there: 1.00 is no number, 2026-01-01 no date.
        entries = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:  # its words quote the file
        mark = getattr(error, "problem_mark", None)
        problems.append(f"is no YAML{f': line {mark.line + 1}' if mark else ''}")
        return
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"cannot be read: {error.strerror if isinstance(error, OSError) else 'it is no UTF-8'}")
        return
    if not isinstance(entries, list) or not entries:
        problems.append("must be a list of {table, keys}")
        return
    for number, entry in enumerate(entries, 1):
        if isinstance(entry, Mapping) and entry.keys() == {"table", "keys"}:
            yield f"entry {number}", entry
        else:
            problems.append(f"entry {number}: must have table and keys, and nothing else")


def _spec(
    place: str, entry: Mapping[str, object], known: Mapping[TableName, TableSpec], problems: list[str]
) -> TableSpec | None:
    try:
        name = TableName.parse(str(entry["table"]))
    except ConfigurationError as error:
        problems.append(f"{place}: {error}")
        return None
    if name not in known:
        problems.append(f"{place}: {name} has no spec; tables are {', '.join(map(str, sorted(known)))}")
    return known.get(name)


def _keys(
    place: str, entry: Mapping[str, object], spec: TableSpec, problems: list[str]
) -> Iterator[tuple[tuple[str, ...], Key, str]]:
    keys = entry["keys"]
    if not isinstance(keys, list) or not keys:
        problems.append(f"{place}: keys: must be a list with a key or more")
        return
    for number, key in enumerate(keys, 1):
        at = f"{place}: key {number}"
        named = _named(key, spec)
        if named is None:
            problems.append(f"{at}: {_wanted(spec)}")
        else:
            yield tuple(named), tuple(named.values()), at


def _named(key: object, spec: TableSpec) -> dict[str, str] | None:
    """Give column → text, in the spec's order; None for what is not a key of the table."""
    if spec.key and isinstance(key, str):
        key = [key]
    if spec.key and isinstance(key, list) and len(key) == len(spec.key):
        key = dict(zip(spec.key, key, strict=True))
    # Of a masked column nothing is told apart.
    columns = spec.key or tuple(column.name for column in spec.columns if column.protect is not Protect.MASK)
    if not isinstance(key, Mapping) or not key or not key.keys() <= set(columns):
        return None
    if (spec.key and len(key) < len(columns)) or not all(isinstance(value, str) for value in key.values()):
        return None
    return {name: key[name] for name in columns if name in key}


def _wanted(spec: TableSpec) -> str:
    if not spec.key:
        where = "some of its columns that are not masked"
        return f"{spec.table} has no key: must be a mapping of {where}, each with the text of its value"
    alone = "the text of its value, or " if len(spec.key) == 1 else ""
    names = ", ".join(spec.key)
    return f"must be {alone}a list or mapping of the key columns of {spec.table}, each with its text: {names}"
