"""Silver tables: one Delta table per source table, changed only by commits that name the mark they lead to."""

import json
import time
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError
from pyspark.sql.types import StructType, TimestampNTZType

from tidemark_contract.errors import TidemarkError
from tidemark_contract.specs import TableSpec
from tidemark_jobs import storage
from tidemark_jobs.deltalog import entry, open_table
from tidemark_jobs.fold.values import EXACT_TYPE

APPLICATION = "tidemark"  # of the Delta transaction identifier; its version is the mark's id
DELETED = "_deleted"  # true of a row that the source has deleted, in a table whose spec says `deletes: soft`
PROVENANCE = "userMetadata"  # where Delta keeps a commit's free text; delta-rs writes it under its own key
# What is written for the lake's own sake changes no row.
MAINTENANCE = {"OPTIMIZE", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "REORG", "CREATE TABLE", "ADD COLUMNS"}
_HISTORY = 50


class TableInterfered(TidemarkError):
    """A silver table holds a commit that does not follow from the last one we know."""


@dataclass(frozen=True)
class Step:
    """One commit that changes rows: a fold from one mark to another, or the adoption of a copy."""

    base: str  # nonce of the mark that the table stood at; "" for a copy, which needs none
    mark: int
    nonce: str
    rows: int = 0  # rows added; of a copy, rows in all

    def text(self) -> str:
        """Write it for Delta's commit metadata."""
        return json.dumps(asdict(self))


FOREIGN = Step("?", 0, "?")
"""Stands for a commit that changes rows and is not ours."""


@dataclass(frozen=True)
class Standing:
    """Where a silver table stands: its newest version (-1: no table), and the steps since the one asked about."""

    version: int
    steps: Sequence[Step]
    soft: bool = False  # it keeps what is deleted, and says so

    def since_adoption(self, nonce: str) -> "Standing | None":
        """Give the steps after the adoption of a copy; None when it has not been adopted."""
        places = [n for n, step in enumerate(self.steps) if not step.base and step.nonce == nonce]
        return replace(self, steps=self.steps[places[-1] + 1 :]) if places else None

    def check(self, path: str, base: str) -> None:
        """Raise TableInterfered unless the steps lead on from the mark with nonce `base`, each from the one before."""
        for step in self.steps:
            if step.base != base:
                raise TableInterfered(
                    f"{path} was changed by somebody else (a second sync, or not tidemark at all) after mark {base}"
                )
            base = step.nonce


def create(path: str, spec: TableSpec) -> None:
    """Make the table, without rows, if it does not exist; of two who do it at once, one has done it."""
    try:
        open_table(path)
    except TableNotFoundError:
        write_entry(path, 0, "CREATE TABLE", creation(schema(spec)))


def rows_in(table: DeltaTable) -> int:
    """Count the rows in a table's files, deleted ones too."""
    return int(sum(pa.table(table.get_add_actions(flatten=True))["num_records"].to_pylist()))


def add_columns(table: DeltaTable, path: str, spec: TableSpec) -> None:
    """Give the table the columns of its spec, NULL in every row; without effect when somebody else commits first."""
    write_entry(path, table.version() + 1, "ADD COLUMNS", new_schema(table, spec))


def new_schema(table: DeltaTable, spec: TableSpec) -> list[dict[str, object]]:
    """Give the entries of a commit that make the table's columns those of its spec."""
    return alteration(table, schema(spec))


def creation(columns: StructType, partitions: Sequence[str] = ()) -> list[dict[str, object]]:
    """Give the entries of a commit that makes a table with these columns."""
    return [_protocol(columns), _metadata(columns, str(uuid.uuid4()), _PROPERTIES, partitions)]


def alteration(table: DeltaTable, columns: StructType) -> list[dict[str, object]]:
    """Give the entries of a commit that makes these the columns of a table."""
    facts = table.metadata()
    known = set(table.protocol().writer_features or ())
    protocol = [] if known >= {"timestampNtz"} or not _is_zoneless(columns) else [_protocol(columns, known)]
    return [*protocol, _metadata(columns, str(facts.id), dict(facts.configuration), facts.partition_columns)]


def differs(table: DeltaTable, spec: TableSpec) -> list[str]:
    """Name the columns that the table lacks, has besides, or has in another type than its spec."""
    there = {field["name"]: field["type"] for field in json.loads(table.schema().to_json())["fields"]}
    wanted = {field.name: field.jsonValue()["type"] for field in schema(spec)}
    return sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))


# Types as the log names them.
_NAMES: Mapping[str, Any] = {
    "smallint": "short",
    "int": "integer",
    "bigint": "long",
    EXACT_TYPE: {"type": "map", "keyType": "string", "valueType": "string", "valueContainsNull": True},
}
_PROPERTIES = {"delta.enableDeletionVectors": "true", "delta.checkpointInterval": "50"}


def write_entry(path: str, version: int, operation: str, actions: Sequence[dict[str, Any]]) -> bool:
    """Write a commit that changes no row; False, and without effect, when there is one of this version."""
    info = {"commitInfo": {"timestamp": _now(), "operation": operation, "engineInfo": "tidemark"}}
    content = "".join(json.dumps(action, separators=(",", ":")) + "\n" for action in (info, *actions))
    return storage.create(path, entry(version), content.encode())


def _protocol(columns: StructType, known: Collection[str] = ()) -> dict[str, object]:
    """Say what a reader and a writer of the table must know; the features that `upsert.place` keeps."""
    features = ["deletionVectors", *(["timestampNtz"] if _is_zoneless(columns) else [])]
    writers = sorted({*features, "appendOnly", "invariants", *known})
    facts = {"minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": writers}
    return {"protocol": facts}


def _is_zoneless(columns: StructType) -> bool:
    return any(isinstance(field.dataType, TimestampNTZType) for field in columns)


def _metadata(
    columns: StructType, table_id: str, properties: Mapping[str, str | None], partitions: Sequence[str]
) -> dict[str, object]:
    facts = {
        "id": table_id,
        "format": {"provider": "parquet", "options": {}},
        "schemaString": columns.json(),
        "partitionColumns": list(partitions),
        "configuration": properties,
        "createdTime": _now(),
    }
    return {"metaData": facts}


def _now() -> int:
    return int(time.time() * 1000)


def schema(spec: TableSpec) -> StructType:
    """Give the table's columns: the source's, then ours. Needs no session, as `StructType.fromDDL` would."""
    columns = [(spec.silver_names[column.name], column.silver.spark) for column in spec.columns]
    ours = [("_key", "string"), ("_mark", "bigint"), ("_commit_lsn", "bigint"), ("_exact", EXACT_TYPE)]
    if spec.soft:
        ours.append((DELETED, "boolean"))
    if not spec.key:
        ours.append(("_count", "bigint"))
    return struct([*columns, *ours])


def struct(columns: Sequence[tuple[str, str]]) -> StructType:
    """Give columns, each by its name and its type in Spark SQL, as a schema."""
    named = [{"name": name, "type": _NAMES.get(type_, type_), "nullable": True} for name, type_ in columns]
    return StructType.fromJson({"type": "struct", "fields": named})


def standing(path: str, since: int) -> Standing:
    """Read which steps a table has taken after a version."""
    try:
        return standing_of(open_table(path), since)
    except TableNotFoundError:
        return Standing(-1, ())


def standing_of(log: DeltaTable, since: int) -> Standing:
    """Read it of a table that is open (the newest 50 commits: a tail that a crash left is short)."""
    newest, soft = log.version(), DELETED in (field.name for field in log.schema().fields)
    if newest <= since:
        return Standing(newest, (), soft)
    commits = sorted(log.history(min(newest - since, _HISTORY)), key=lambda commit: int(commit["version"]))
    steps = [step for commit in commits if commit["version"] > since and (step := _step(commit))]
    return Standing(newest, steps, soft)


def _step(commit: dict[str, Any]) -> Step | None:
    if step := _parsed(commit.get("tidemark") or commit.get(PROVENANCE)):
        return step
    return None if commit["operation"] in MAINTENANCE else FOREIGN


def _parsed(text: str | None) -> Step | None:
    """Read what our commits say; None for what somebody else has written into his."""
    try:
        return Step(**json.loads(text or ""))
    except (ValueError, TypeError):
        return None
