"""One object of the lake, read whole: which wanted rows are in it, and where else it tells of one."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark_jobs import storage
from tidemark_jobs.erase.files import groups
from tidemark_jobs.erase.needles import Needles
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.storage import StoredObject

_PARQUET = re.compile(r".*\.parquet|_landing/\d{6}/part-[^.]+")
_ENTRY = re.compile(r"_delta_log/\d{20}\.json")
Rows = Callable[[pa.Table], np.ndarray]
"""Tells which rows are wanted."""


@dataclass
class Reading:
    """What was read, and what was found in it, by place."""

    objects: int = 0
    bytes: int = 0
    rows: Counter[str] = field(default_factory=Counter)  # wanted ones, and bounds that one of them has left
    mentions: Counter[str] = field(default_factory=Counter)  # texts of columns that hold a telling key
    logs: Counter[str] = field(default_factory=Counter)  # objects that are no data, and hold one

    @property
    def left(self) -> dict[str, int]:
        """What should not be there: wanted rows, and logs that tell of a key which no row tells of."""
        told = {place: count for place, count in self.logs.items() if count and not self.mentions[place]}
        return {place: self.rows[place] + told.get(place, 0) for place in sorted({*+self.rows, *told})}

    def add(self, other: "Reading") -> None:
        """Take in what another has read."""
        self.objects += other.objects
        self.bytes += other.bytes
        self.rows += other.rows
        self.mentions += other.mentions
        self.logs += other.logs


@dataclass(frozen=True)
class Folder:
    """A folder of the lake, as people name it, and which rows of a file in it are wanted."""

    place: str
    url: str
    rows: Rows
    own: str = ""  # files whose names begin otherwise are another source's: no row there is wanted
    keyed: Wanted | None = None  # of a table whose rows have a `_key`


def none(rows: pa.Table) -> np.ndarray:
    """Want no row."""
    return np.zeros(rows.num_rows, dtype=bool)


def read_object(folder: Folder, stored: StoredObject, needles: Needles) -> Reading:
    """Read it, all rows and columns and the footer of a Parquet file, all octets of any other."""
    reading = Reading(1, stored.size)
    try:
        parquet = _PARQUET.fullmatch(stored.name) and pq.ParquetFile(storage.open_file(folder.url, stored.name))
    except (pa.ArrowInvalid, FileNotFoundError):  # half-written by who was killed, or gone since it was listed
        parquet = None
    if parquet:
        _read_parquet(folder, stored.name, parquet, needles, reading)
    else:
        content = storage.read(folder.url, stored.name) or b""
        reading.logs[folder.place] += needles.are_in(pa.array([content]))
        if folder.keyed and _ENTRY.fullmatch(stored.name):
            actions = [json.loads(line) for line in content.splitlines() if line]
            reading.rows[folder.place] += _wanted_bounds(folder.keyed, _log_bounds(a.get("add") for a in actions))
    return reading


def _read_parquet(folder: Folder, name: str, parquet: pq.ParquetFile, needles: Needles, reading: Reading) -> None:
    place, is_log = folder.place, name.startswith("_delta_log/")
    choose = folder.rows if name.startswith(folder.own) and not is_log else none
    said = [text.encode() if isinstance(text, str) else text for text in _footer(parquet.metadata)]
    reading.logs[place] += needles.are_in(pa.array(said, pa.binary()))
    for _, rows in groups(parquet):
        wanted = choose(rows)
        reading.rows[place] += int(wanted.sum())
        (reading.logs if is_log else reading.mentions)[place] += needles.in_rows(rows.filter(pa.array(~wanted)))
    if folder.keyed and not reading.rows[place]:
        adds = parquet.read(columns=["add"])["add"].to_pylist() if is_log else []
        bounds = _log_bounds(adds) if is_log else _bounds(parquet.metadata, "_key")
        reading.rows[place] += _wanted_bounds(folder.keyed, bounds)


def _wanted_bounds(wanted: Wanted, bounds: list[Any]) -> int:
    return int(wanted.keys(pa.chunked_array([bounds], pa.string())).sum())


def _log_bounds(adds: Iterable[dict[str, Any] | None]) -> list[Any]:
    """Give the bounds of `_key` that a log tells of its files."""
    facts = [json.loads(add["stats"]) for add in adds if add and add.get("stats")]
    return [fact.get(side, {}).get("_key") for fact in facts for side in ("minValues", "maxValues")]


def _footer(footer: pq.FileMetaData) -> list[str | bytes]:
    """Give all texts of a file's footer: bounds of its columns, and what else its writer has said."""
    bounds = [bound for bound in _bounds(footer) if isinstance(bound, str | bytes)]
    return [*bounds, *(footer.metadata or {}).values()]


def _bounds(footer: pq.FileMetaData, column: str = "") -> list[Any]:
    """Give the bounds that a file's footer tells of its columns, or of one of them."""
    chunks = [footer.row_group(g).column(c) for g in range(footer.num_row_groups) for c in range(footer.num_columns)]
    told = [chunk.statistics for chunk in chunks if chunk.is_stats_set and column in ("", chunk.path_in_schema)]
    return [bound for statistics in told if statistics.has_min_max for bound in (statistics.min, statistics.max)]
