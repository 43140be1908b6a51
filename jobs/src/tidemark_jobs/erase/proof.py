"""The proof of an erasure: every object that is left of a source in the lake is read, and no wanted row is in it.

Rows are told by their columns. Beside that each key whose text is long enough to be telling is looked for in every
text, footer and log: where no row of a folder says it, nothing else there may. Where rows of others say it (a reference
to the erased row, most likely) they are counted as mentions, for a person to know.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.erase import records
from tidemark_jobs.erase.bronze import Events
from tidemark_jobs.erase.files import groups
from tidemark_jobs.erase.needles import Needles
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.storage import StoredObject

_READERS = 8
_PARQUET = re.compile(r".*\.parquet|_landing/\d{6}/part-[^.]+")
_UNFINISHED = re.compile(r"_landing/\d{6}/\..+")


Rows = Callable[[pa.Table], np.ndarray]
"""Tells which rows are wanted."""


@dataclass
class Reading:
    """What was read, and what was found in it, by place."""

    objects: int = 0
    bytes: int = 0
    rows: Counter[str] = field(default_factory=Counter)  # wanted ones
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
    prefix: str = ""  # objects whose names begin otherwise, and are not of the log, are another source's


def read_all(layout: Layout, events: Events) -> Reading:
    """Read every object of the source in the lake."""
    needles, total = Needles.of(events.wanted), Reading()
    with ThreadPoolExecutor(_READERS) as pool:
        for folder in _folders(layout, events):
            for part in pool.map(lambda stored, within=folder: _read(within, stored, needles), _objects(folder)):
                total.add(part)
    return total


def _folders(layout: Layout, events: Events) -> Iterator[Folder]:
    """Name all folders that hold something of the source."""
    yield Folder("bronze", layout.bronze, events.goes)
    keyed = {f"silver/{wanted.spec.table.path}": wanted for wanted in events.wanted}
    for kind in ("silver", "gold"):
        url = f"{layout.root}/{kind}/{layout.source}"
        for path in sorted({stored.name.split("/")[0] for stored in storage.list_objects(url)}):
            place = f"{kind}/{path}"
            yield Folder(place, f"{url}/{path}", _by_key(keyed[place]) if place in keyed else _none)
    told = {str(wanted.spec.table): wanted for wanted in events.wanted}
    for name in ("quarantine", "proofs", "marks", "tables", "erasures"):
        rows = partial(_by_record, told) if name in records.TABLES else _none
        yield Folder(f"control/{name}", layout.control(name), rows, f"source={layout.source}/")
    yield Folder("control/_claims", layout.claims, _none)


def _none(rows: pa.Table) -> np.ndarray:
    return np.zeros(rows.num_rows, dtype=bool)


def _by_key(wanted: Wanted) -> Rows:
    """Whatever has no `_key` below a silver table is not one of its files, nor a copy's: a checkpoint of its log."""
    return lambda rows: wanted.keys(rows["_key"]) if "_key" in rows.column_names else _none(rows)


def _by_record(told: Mapping[str, Wanted], rows: pa.Table) -> np.ndarray:
    return np.array([records.tells(row, told) for row in rows.to_pylist()], dtype=bool)


def _objects(folder: Folder) -> list[StoredObject]:
    """List what is in it; what the stream has not finished yet holds later changes than the mark's."""
    return [
        stored
        for stored in storage.list_objects(folder.url)
        if stored.name.startswith((folder.prefix, "_delta_log/")) and not _UNFINISHED.fullmatch(stored.name)
    ]


def _read(folder: Folder, stored: StoredObject, needles: Needles) -> Reading:
    reading = Reading(1, stored.size)
    is_log = stored.name.startswith("_delta_log/")
    if not _PARQUET.fullmatch(stored.name):
        content = storage.read(folder.url, stored.name) or b""  # a lease that was renewed meanwhile
        reading.logs[folder.place] += needles.are_in(pa.array([content]))
        return reading
    parquet = pq.ParquetFile(storage.open_file(folder.url, stored.name))
    reading.logs[folder.place] += needles.are_in(pa.array(_footer(parquet.metadata), pa.binary()))
    for _, rows in groups(parquet):
        wanted = _none(rows) if is_log else folder.rows(rows)
        reading.rows[folder.place] += int(wanted.sum())
        (reading.logs if is_log else reading.mentions)[folder.place] += needles.in_rows(rows.filter(pa.array(~wanted)))
    return reading


def _footer(footer: pq.FileMetaData) -> list[bytes]:
    """Give all texts of a file's footer: bounds of its columns, and what else its writer has said."""
    columns = [footer.row_group(g).column(c) for g in range(footer.num_row_groups) for c in range(footer.num_columns)]
    bounds = [bound for column in columns if (s := column.statistics) and s.has_min_max for bound in (s.min, s.max)]
    texts = [bound.encode() if isinstance(bound, str) else bound for bound in bounds if isinstance(bound, str | bytes)]
    return [*texts, *(footer.metadata or {}).values()]
