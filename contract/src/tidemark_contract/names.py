"""How sources, tables and columns are called in PostgreSQL, on disk and in Airflow."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tidemark_contract.errors import ConfigurationError
from tidemark_contract.keywords import KEYWORDS

MAX_IDENTIFIER_BYTES = 63
SOURCE_NAME = re.compile(r"[a-z][a-z0-9_]{0,53}")
MARK_SCHEMA = "tidemark"
MARK_TABLE = "mark"
META_COLUMNS = ("_key", "_mark", "_commit_lsn", "_count", "_exact", "_deleted")
# When a version of a row began and ended, in a history.
HISTORY_COLUMNS = ("_open", "_from_mark", "_from_lsn", "_from_time", "_to_mark", "_to_lsn", "_to_time")
# Delta 4.2 takes these for its own where a table has deletion vectors: it fails to read it, or to DELETE or MERGE.
DELTA_COLUMNS = (
    "path",
    "filepath",
    "deletionvectorid",
    "rowindexcol",
    "_metadata",
    "_source_row_present_",
    "_target_row_present_",
    "_row_dropped_",
    "_tmp_metadata_row_index",
    "__delta_internal_is_row_deleted",
)
# _gone and _unknown live only while a fold runs.
RESERVED_COLUMNS = (*META_COLUMNS, *HISTORY_COLUMNS, "_gone", "_unknown", *DELTA_COLUMNS)

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")
_QUALIFIED = re.compile(r'(?P<schema>"(?:[^"]|"")+"|[^".]+)\.(?P<table>"(?:[^"]|"")+"|[^".]+)')
_FILE_SAFE = re.compile(r"[A-Za-z0-9_]")
_LONGEST_PATH = 100  # two of them, with their digests and an extension, fit into the 255 bytes of a file's name
_DIGEST = 12
# What Delta's column names refuse without column mapping, and our own escape.
_COLUMN_UNSAFE = re.compile(r"[ ,;{}()\n\t=~`.]")

HYGIENE_DAG = "platform_hygiene"
"""The one Airflow DAG that belongs to no source."""


@dataclass(frozen=True, order=True)
class TableName:
    """A table's schema and name, unquoted, exactly as `pg_class` holds them."""

    schema: str
    table: str

    @classmethod
    def parse(cls, text: str) -> "TableName":
        """Read a name as PostgreSQL writes it: `public.orders`, `"Odd Schema"."a""b"`."""
        match = _QUALIFIED.fullmatch(text)
        if not match:
            raise ConfigurationError(f"{text!r} is not a table name; write it as schema.table, quoted as in SQL")
        return cls(_unquote(match["schema"]), _unquote(match["table"]))

    def __str__(self) -> str:
        return f"{quote(self.schema)}.{quote(self.table)}"

    @property
    def path(self) -> str:
        """Name of the table's folder and spec file; the table itself is named inside."""
        return f"{encode_path(self.schema)}.{encode_path(self.table)}"


def quote(identifier: str) -> str:
    """Quote an identifier for people to read and paste, only where needed. SQL is built by psycopg, never from this."""
    plain = _PLAIN.fullmatch(identifier) and identifier not in KEYWORDS
    return identifier if plain else '"' + identifier.replace('"', '""') + '"'


def _unquote(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text.lower()


def encode_path(name: str) -> str:
    """Make a name safe for files, URLs and object keys: letters, digits and `_` stay, all else becomes `~hex`.

    One that has capitals, or gets too long, is made different by `~~` and a digest: there are file systems that
    know no case (macOS's), and none that takes 63 bytes as hex twice.
    """
    path = "".join(c if _FILE_SAFE.fullmatch(c) else "".join(f"~{b:02x}" for b in c.encode()) for c in name)
    if path == path.lower() and len(path) <= _LONGEST_PATH:
        return path
    return f"{path[:_LONGEST_PATH]}~~{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"


def silver_columns(columns: Sequence[str]) -> dict[str, str]:
    """Map a table's PostgreSQL columns, in order, to the names of its silver columns.

    A name stays as it is unless Delta refuses it (then `~hex` stands for what it refuses), or it is one of ours or of
    Delta's, or it equals an earlier one but for case, which Delta's columns ignore (then `~` follows). The result is
    one to one for any set of columns.
    """
    taken = set(RESERVED_COLUMNS)
    mapped: dict[str, str] = {}
    for column in columns:
        name = _COLUMN_UNSAFE.sub(lambda m: f"~{ord(m[0]):02x}", column)
        while name.lower() in taken:
            name += "~"
        taken.add(name.lower())
        mapped[column] = name
    return mapped


def slot_name(source: str) -> str:
    """Name of the source's replication slot and of its publication."""
    if not SOURCE_NAME.fullmatch(source):
        raise ConfigurationError(
            f"source name {source!r}: use 1 to 54 of a-z, 0-9 and _, starting with a letter (slot names allow no more)"
        )
    return f"tidemark_{source}"


def dag_id(kind: str, name: str) -> str:
    """Name of an Airflow DAG, e.g. `sync_shop`."""
    return f"{kind}_{name}"


def pool_name(source: str) -> str:
    """Name of the Airflow pool in which what writes to a source's lake goes one after the other."""
    return f"{source}_writer"


def asset_uri(source: str, table: TableName) -> str:
    """Name of the Airflow asset that stands for one silver table."""
    return f"{silver_alias(source)}/{table.path}"


def gold_alias(source: str) -> str:
    """Name of what stands for whichever of a source's marts were built."""
    return f"tidemark://gold/{source}"


def silver_alias(source: str) -> str:
    """Name of what stands for whichever of a source's silver tables a mark has."""
    return f"tidemark://silver/{source}"
