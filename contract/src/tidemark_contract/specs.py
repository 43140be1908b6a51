"""Sources and their tables, as YAML files: `<specs>/<source>/source.yaml` and one file per table beside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import yaml

from tidemark_contract.errors import ConfigurationError, SpecError
from tidemark_contract.names import SOURCE_NAME, TableName, silver_columns
from tidemark_contract.protection import HashKey, Protect, label
from tidemark_contract.types import TEXT, SilverType, silver_type

SOURCE_FILE = "source.yaml"


@dataclass(frozen=True)
class ColumnSpec:
    """One column, in the source's order; `type` is what `format_type` prints."""

    name: str
    type: str
    nullable: bool = True
    protect: Protect | None = None

    @property
    def silver(self) -> SilverType:
        """The type of its silver column."""
        return TEXT if self.protect else silver_type(self.type)


class OnSchemaChange(StrEnum):
    """What the mirror does when a table's columns change in the source."""

    EVOLVE = "evolve"  # it follows, and copies the table where the stream cannot tell
    FREEZE = "freeze"  # the table leaves the marks until its spec says the same


class Deletes(StrEnum):
    """What becomes of a row in silver when the source deletes it."""

    HARD = "hard"  # it goes
    SOFT = "soft"  # it stays as it was last, and says that it is deleted


class History(StrEnum):
    """What is kept of what a table's rows were before."""

    NONE = "none"
    SCD2 = "scd2"  # every version that was ever committed, with its begin and its end


@dataclass(frozen=True)
class TableSpec:
    """One mirrored table. Without a key it is a bag: identical rows are counted.

    Unless it is frozen, `columns` and `key` are what was found when it was written; see `evolution.spec_at`. `columns`
    are those that are stored; where some are dropped, `written` has all of them, in the source's order.
    """

    table: TableName
    columns: tuple[ColumnSpec, ...]
    key: tuple[str, ...] = ()
    owner: str = ""
    description: str = ""
    on_schema_change: OnSchemaChange = OnSchemaChange.EVOLVE
    deletes: Deletes = Deletes.HARD
    history: History = History.NONE
    written: tuple[ColumnSpec, ...] = ()

    def with_columns(self, written: tuple[ColumnSpec, ...]) -> "TableSpec":
        """Give it with these columns, some of which may be dropped."""
        kept = tuple(column for column in written if column.protect is not Protect.DROP)
        return replace(self, columns=kept, written=written if kept != written else ())

    @property
    def all_columns(self) -> tuple[ColumnSpec, ...]:
        """Its columns with those that are dropped."""
        return self.written or self.columns

    @property
    def protected(self) -> dict[str, Protect]:
        """The columns whose plain values are never stored."""
        return {column.name: column.protect for column in self.all_columns if column.protect}

    def protection(self, key: HashKey | None) -> str | None:
        """Name its protections; SettingsError when they need a key and there is none."""
        return label(self.protected, key)

    @property
    def frozen(self) -> bool:
        """Tell whether the spec's columns are binding: a protected one that is renamed would arrive in plain."""
        return self.on_schema_change is OnSchemaChange.FREEZE or bool(self.protected)

    @property
    def soft(self) -> bool:
        """Tell whether rows that the source deletes stay in silver."""
        return self.deletes is Deletes.SOFT

    @property
    def historic(self) -> bool:
        """Tell whether every version of its rows is kept."""
        return self.history is History.SCD2

    @cached_property
    def silver_names(self) -> dict[str, str]:
        """PostgreSQL column name → silver column name."""
        return silver_columns([column.name for column in self.columns])


@dataclass(frozen=True)
class SourceSpec:
    """One PostgreSQL database and the tables mirrored from it."""

    name: str
    tables: tuple[TableSpec, ...]
    owner: str = ""
    description: str = ""

    def table(self, name: TableName) -> TableSpec:
        """Give one table's spec; a name that has none is a ConfigurationError that lists those that have."""
        for spec in self.tables:
            if spec.table == name:
                return spec
        raise ConfigurationError(
            f"{name} has no spec in source {self.name}; its tables are {', '.join(str(t.table) for t in self.tables)}"
        )

    @property
    def plain(self) -> frozenset[TableName] | None:
        """The tables without protected columns; None when that is all of them."""
        names = frozenset(table.table for table in self.tables if not table.protected)
        return names if len(names) < len(self.tables) else None

    def choose(self, names: tuple[str, ...]) -> tuple[TableSpec, ...]:
        """Give the specs of the tables named as PostgreSQL writes them; all of them when none is named."""
        return tuple(self.table(TableName.parse(name)) for name in names) if names else self.tables


def load_sources(specs: Path) -> tuple[SourceSpec, ...]:
    """Load every source below a folder, by name."""
    sources = []
    for folder in source_folders(specs):
        sources.append(load_source(folder))
        check_folder(folder, sources[-1].name)
    return tuple(sources)


def check_folder(folder: Path, name: str) -> None:
    """Raise SpecError when a source's folder is called otherwise: whoever knows its name looks for it there."""
    if folder.name != name:
        raise SpecError(str(folder), [f"{SOURCE_FILE}: source: the folder of {name} must be called {name}"])


def source_folders(specs: Path) -> list[Path]:
    """Give the folder of each source; ConfigurationError when there is none."""
    folders = sorted(path.parent for path in specs.glob(f"*/{SOURCE_FILE}"))
    if not folders:
        raise ConfigurationError(
            f"{specs}: no */{SOURCE_FILE} below it; `tidemark discover` writes specs from a database"
        )
    return folders


def load_source(folder: Path) -> SourceSpec:
    """Load one source with its tables; raises SpecError with every problem of every file at once."""
    problems: list[str] = []
    name, owner, description = _source_facts(folder, problems)
    files = sorted(path for path in folder.glob("*.yaml") if path.name != SOURCE_FILE)
    tables = tuple(table for file in files if (table := _load_table(file, problems)))
    if not files:
        problems.append("no table specs beside source.yaml")
    if problems:
        raise SpecError(str(folder), problems)
    return SourceSpec(name, tables, owner, description)


def read_source_file(folder: Path) -> tuple[str, str, str]:
    """Give a source's name, owner and description; raises SpecError."""
    problems: list[str] = []
    facts = _source_facts(folder, problems)
    if problems:
        raise SpecError(str(folder), problems)
    return facts


def _source_facts(folder: Path, problems: list[str]) -> tuple[str, str, str]:
    facts = _read(folder / SOURCE_FILE, {"source", "owner", "description"}, {"source"}, problems)
    name = str(facts.get("source", folder.name))
    if not SOURCE_NAME.fullmatch(name):
        problems.append(f"{SOURCE_FILE}: source: {name!r} must be 1 to 54 of a-z, 0-9, _ and start with a letter")
    return name, str(facts.get("owner", "")), str(facts.get("description", ""))


_REQUIRED = {"table", "key", "columns"}
_KNOWN = {"owner", "description", "on_schema_change", "deletes", "history"}
_OF_COLUMN = {"name", "type", "nullable", "protect"}


def _load_table(file: Path, problems: list[str]) -> TableSpec | None:
    found: list[str] = []
    facts = _read(file, _KNOWN | _REQUIRED, _REQUIRED, found)
    columns = tuple(_columns(file.name, facts.get("columns"), found))
    names = [column.name for column in columns]
    key = facts.get("key") or []
    if not isinstance(key, list):
        found.append(f"{file.name}: key: must be a list of columns, [] for a table without a key")
        key = []
    found += [
        f"{file.name}: key: {column!r} is not a column; columns are {', '.join(names)}"
        for column in key
        if column not in names
    ]
    found += [f"{file.name}: columns: {n!r} stands twice" for n in sorted({n for n in names if names.count(n) > 1})]
    table = _table_name(file, facts.get("table"), found)
    policy = _choice(file.name, "on_schema_change", facts, OnSchemaChange.EVOLVE, found)
    deletes = _choice(file.name, "deletes", facts, Deletes.HARD, found)
    if deletes is Deletes.SOFT and not key:
        found.append(f"{file.name}: deletes: soft needs a key: of rows without one, nothing tells which was deleted")
    history = _choice(file.name, "history", facts, History.NONE, found)
    if history is History.SCD2 and not key:
        found.append(f"{file.name}: history: scd2 needs a key: of rows without one, nothing tells which became which")
    found += [f"{file.name}: {problem}" for problem in _protection_problems(columns, key, facts)]
    problems += found
    if found or table is None:
        return None
    words = (str(facts.get("owner", "")), str(facts.get("description", "")))
    return TableSpec(table, (), tuple(key), *words, policy, deletes, history).with_columns(columns)


_Choice = TypeVar("_Choice", bound=StrEnum)


def _choice(file: str, name: str, facts: Mapping[str, Any], default: _Choice, problems: list[str]) -> _Choice:
    """Give one of the words that a policy may be."""
    word, words = facts.get(name, default), list(type(default))
    if word not in words:
        problems.append(f"{file}: {name}: {word!r} must be {' or '.join(words)}")
        return default
    return type(default)(word)


def _protection_problems(columns: Sequence[ColumnSpec], key: Sequence[str], facts: Mapping[str, Any]) -> Iterator[str]:
    if columns and all(column.protect is Protect.DROP for column in columns):
        yield "columns: all of them are dropped, so that there is nothing to mirror"
    for column in columns:
        if column.name in key and column.protect in (Protect.DROP, Protect.MASK):
            yield f"columns: {column.name}: a key cannot be {column.protect}: rows would not be told apart; hash it"
    if facts.get("on_schema_change") == OnSchemaChange.EVOLVE and any(column.protect for column in columns):
        yield "on_schema_change: evolve cannot be with protected columns: one that is renamed would arrive in plain"


def _table_name(file: Path, text: object, problems: list[str]) -> TableName | None:
    if text is None:
        return None
    try:
        name = TableName.parse(str(text))
    except ConfigurationError as error:
        problems.append(f"{file.name}: table: {error}")
        return None
    if name.path != file.stem:
        problems.append(f"{file.name}: table: the file of {name} must be called {name.path}.yaml")
    return name


def _columns(file: str, entries: object, problems: list[str]) -> Iterator[ColumnSpec]:
    if not isinstance(entries, list) or not entries:
        problems.append(f"{file}: columns: must be a list of {{name, type, nullable}}")
        return
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, Mapping) or not {"name", "type"} <= entry.keys() <= _OF_COLUMN:
            problems.append(
                f"{file}: columns: entry {number} must have name and type, may have nullable and protect, nothing else"
            )
        elif not isinstance(entry.get("nullable", True), bool):
            problems.append(f"{file}: columns: {entry['name']}: nullable must be true or false")
        elif "protect" in entry and entry["protect"] not in list(Protect):
            problems.append(f"{file}: columns: {entry['name']}: protect must be {', '.join(Protect)}")
        else:
            protect = Protect(entry["protect"]) if "protect" in entry else None
            yield ColumnSpec(str(entry["name"]), str(entry["type"]), entry.get("nullable", True), protect)


def _read(file: Path, known: set[str], required: set[str], problems: list[str]) -> Mapping[str, Any]:
    try:
        facts = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        problems.append(f"{file.name}: cannot be read: {error}")
        return {}
    if not isinstance(facts, Mapping):
        problems.append(f"{file.name}: must be a mapping with {', '.join(sorted(required))}")
        return {}
    problems += [f"{file.name}: {k}: unknown; known are {', '.join(sorted(known))}" for k in facts if k not in known]
    problems += [f"{file.name}: {k}: is missing" for k in sorted(required - facts.keys())]
    return facts
