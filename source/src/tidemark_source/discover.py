"""Specs written from a database: what is there, and what of it cannot be mirrored."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from tidemark_contract.errors import ConfigurationError, SourceRefused, SpecError
from tidemark_contract.names import MARK_SCHEMA, TableName, slot_name
from tidemark_contract.specs import SOURCE_FILE, OnSchemaChange, SourceSpec, TableSpec, load_source
from tidemark_source.connection import address, connect, speaking_to
from tidemark_source.tables import STORED_GENERATED_SINCE, Table, read_tables, unfit


@dataclass(frozen=True)
class Discovery:
    """The source that was found, and a line for each table or column of it that is left out, with the reason."""

    spec: SourceSpec
    left_out: tuple[str, ...]


def discover(url: str, name: str, *, schemas: Collection[str] = (), tables: Collection[TableName] = ()) -> Discovery:
    """Read the specs of all tables, or of those in the schemas or named; partitions are stood for by their root.

    Raises SourceRefused when a wanted schema or table is not there, or nothing is left to mirror.
    """
    slot_name(name)
    with connect(url, purpose="discover") as connection, speaking_to(address(url)):
        major = connection.info.server_version // 10000
        catalog = read_tables(connection)
    found = [table for table in catalog.values() if table.name.schema != MARK_SCHEMA]
    _check_wanted(found, schemas, tables, address(url))
    wanted = [t for t in found if (not schemas or t.name.schema in schemas) and (not tables or t.name in tables)]
    wanted = [table for table in wanted if table.parent is None or table.name in tables]
    left_out = [f"{table.name}: {why}" for table in wanted if (why := unfit(table, catalog))]
    fit = [table for table in wanted if not unfit(table, catalog)]
    for table in fit:
        left_out += _left_out_columns(table, major)
    specs = tuple(spec for table in fit if (spec := _spec(table, major)).columns)
    if not specs:
        raise SourceRefused("\n".join([f"{address(url)}: there is no table to mirror", *left_out]))
    # In the order in which load_source reads them back.
    return Discovery(SourceSpec(name, tuple(sorted(specs, key=lambda spec: spec.table.path))), tuple(left_out))


def write_specs(spec: SourceSpec, directory: Path, *, force: bool = False) -> list[Path]:
    """Write `<directory>/<source>/source.yaml` and a file for each table; give the files that changed.

    Unless `force` is set, a file that exists with other contents is a ConfigurationError, and none is written. What
    only a person can have written, the policies and what is protected, is kept.
    """
    folder = directory / spec.name
    spec = _as_decided(spec, folder)
    texts = {folder / SOURCE_FILE: _yaml(_source_facts(spec))}
    texts |= {folder / f"{table.table.path}.yaml": _table_text(table) for table in spec.tables}
    try:
        changed = {path: text for path, text in texts.items() if not _holds(path, text)}
        _check_free(changed, force)
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in changed.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{error.filename}: cannot be written: {error.strerror}") from error
    return list(changed)


def _as_decided(spec: SourceSpec, folder: Path) -> SourceSpec:
    try:
        known = {table.table: table for table in load_source(folder).tables}
    except SpecError as error:  # there are none yet, or they are wrong and shall be written over
        if any("protect:" in file.read_text(encoding="utf-8") for file in folder.glob("*.yaml")):
            raise ConfigurationError(f"{error}\ncorrect this first: what is protected has to be kept") from error
        return spec
    return replace(spec, tables=tuple(_decided(table, known.get(table.table, table)) for table in spec.tables))


def _decided(found: TableSpec, known: TableSpec) -> TableSpec:
    """Keep what a person has decided; a protected column that is gone may be there in plain under another name."""
    if gone := sorted(known.protected.keys() - {column.name for column in found.columns}):
        raise ConfigurationError(
            f"{found.table}: {', '.join(gone)} is protected, and no column any more: take it out of the spec, or give "
            "the spec its new name"
        )
    columns = tuple(replace(column, protect=known.protected.get(column.name)) for column in found.columns)
    keeping = known if found.key else found  # without a key neither what is deleted nor a history can be kept
    kept = replace(found, on_schema_change=known.on_schema_change, deletes=keeping.deletes, history=keeping.history)
    return kept.with_columns(columns)


def _check_wanted(found: Sequence[Table], schemas: Collection[str], tables: Collection[TableName], where: str) -> None:
    missing = [f"there is no schema {schema!r} with tables" for schema in schemas if not _in_schema(found, schema)]
    missing += [f"there is no table {name}" for name in tables if name not in {table.name for table in found}]
    if missing:
        raise SourceRefused("\n".join(f"{where}: {line}" for line in missing))


def _in_schema(found: Sequence[Table], schema: str) -> bool:
    return any(table.name.schema == schema for table in found)


def _left_out_columns(table: Table, major: int) -> list[str]:
    lines = [
        f"{table.name}: column {column.name!r} is generated"
        + (" (virtual)" if column.generated == "v" else f", which is in the stream since {STORED_GENERATED_SINCE} only")
        for column in table.columns
        if not column.capturable(major)
    ]
    if len(lines) == len(table.columns):
        lines.append(f"{table.name}: it has no column to mirror")
    return lines


def _spec(table: Table, major: int) -> TableSpec:
    columns = tuple(column.spec for column in table.columns if column.capturable(major))
    return TableSpec(table.name, columns, table.key, table.owner, table.description)


def _source_facts(spec: SourceSpec) -> dict[str, str]:
    facts = {"source": spec.name, "owner": spec.owner, "description": spec.description}
    return {name: value for name, value in facts.items() if value}


def _table_text(spec: TableSpec) -> str:
    facts = {"table": str(spec.table), "owner": spec.owner, "description": spec.description}
    if spec.on_schema_change is OnSchemaChange.FREEZE:
        facts["on_schema_change"] = str(spec.on_schema_change)
    if spec.soft:
        facts["deletes"] = str(spec.deletes)
    if spec.historic:
        facts["history"] = str(spec.history)
    head = _yaml({name: value for name, value in facts.items() if value})
    lines = [f"key: {_flow(list(spec.key))}", "columns:"]
    for column in spec.all_columns:
        entry = {"name": column.name, "type": column.type} | ({} if column.nullable else {"nullable": False})
        entry |= {"protect": str(column.protect)} if column.protect else {}
        lines.append(f"  - {_flow(entry)}")
    return head + "\n".join(lines) + "\n"


def _yaml(facts: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=110))


def _flow(value: object) -> str:
    return str(
        yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=True, width=float("inf"))
    ).rstrip("\n")


def _holds(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _check_free(changed: Mapping[Path, str], force: bool) -> None:
    taken = [str(path) for path in changed if path.exists()]
    if taken and not force:
        raise ConfigurationError(
            f"{', '.join(taken)}: exists with other contents: move it away, or write over it with --force"
        )
