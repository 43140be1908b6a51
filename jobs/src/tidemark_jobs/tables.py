"""The columns of the control tables."""

from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

_TIME = pa.timestamp("us", "UTC")
_VERSION = pa.struct(
    [
        ("table", pa.string()),
        ("version", pa.int64()),
        ("mark", pa.int64()),
        ("copy", pa.int64()),
        ("rows", pa.int64()),
    ]
)

MARKS = pa.schema(
    [
        ("source", pa.string()),
        ("mark", pa.int64()),
        ("nonce", pa.string()),
        ("previous", pa.string()),
        ("kind", pa.string()),
        ("snapshot", pa.string()),
        ("lsn", pa.int64()),
        ("taken_at", _TIME),
        ("system_id", pa.string()),
        ("timeline", pa.int64()),
        ("catalog", pa.string()),
        ("commit_lsn", pa.int64()),
        ("read_from", pa.int64()),
        ("changes", pa.int64()),
        ("tables", pa.list_(_VERSION)),
        ("published_at", _TIME),
    ]
)

TABLES = pa.schema(
    [
        ("source", pa.string()),
        ("table", pa.string()),
        ("state", pa.string()),
        ("reason", pa.string()),
        ("mark", pa.int64()),
        ("since", _TIME),
    ]
)

PROOFS = pa.schema(
    [
        ("source", pa.string()),
        ("table", pa.string()),
        ("mark", pa.int64()),
        ("lsn", pa.int64()),
        ("taken_at", _TIME),
        ("equal", pa.bool_()),
        ("rows", pa.int64()),
        ("differing", pa.int64()),
        ("details", pa.string()),
        ("proven_at", _TIME),
    ]
)

QUARANTINE = pa.schema(
    [
        ("source", pa.string()),
        ("table", pa.string()),
        ("mark", pa.int64()),
        ("commit_lsn", pa.int64()),
        ("ordinal", pa.int64()),
        ("reason", pa.string()),
        ("raw", pa.string()),
        ("at", _TIME),
    ]
)

ERASURES = pa.schema(
    [
        ("source", pa.string()),
        ("mark", pa.int64()),
        ("tables", pa.string()),
        ("keys", pa.int64()),
        ("finished", pa.bool_()),
        ("result", pa.string()),
        ("at", _TIME),
    ]
)


@dataclass(frozen=True)
class ErasureRow:
    """Keys that were erased, by their number: no mark before this one can be opened any more.

    One row when it begins to delete, and one, with what was found in the proof (JSON), when all was proven gone.
    """

    source: str
    mark: int
    tables: str
    keys: int
    finished: bool
    result: str
    at: datetime


@dataclass(frozen=True)
class ProofRow:
    """One table compared at one mark: `differing` keys out of `rows`, the first of them in `details` (JSON)."""

    source: str
    table: str
    mark: int
    lsn: int
    taken_at: datetime
    equal: bool
    rows: int
    differing: int
    details: str
    proven_at: datetime


@dataclass(frozen=True)
class QuarantineRow:
    """One change that could not be decoded, as PostgreSQL sent it."""

    source: str
    table: str
    mark: int
    commit_lsn: int
    ordinal: int
    reason: str
    raw: str
    at: datetime
