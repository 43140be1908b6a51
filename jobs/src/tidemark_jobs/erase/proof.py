"""The proof of an erasure: every object that is left of a source in the lake is read, and no wanted row is in it.

Rows are told by their columns. Beside that each key whose text is long enough to be telling is looked for in every
text, footer and log: where no row of a folder says it, nothing else there may. Where rows of others say it (a reference
to the erased row, most likely) they are counted as mentions, for a person to know.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pyarrow as pa

from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.erase import records
from tidemark_jobs.erase.bronze import Events
from tidemark_jobs.erase.needles import Needles
from tidemark_jobs.erase.reading import Folder, Reading, Rows, none, read_object
from tidemark_jobs.erase.wanted import Wanted
from tidemark_jobs.storage import StoredObject

_READERS = 8
_UNFINISHED = re.compile(r"_landing/\d{6}/\..+")


def read_all(layout: Layout, events: Events) -> Reading:
    """Read every object of the source in the lake."""
    needles, total = Needles.of(events.wanted), Reading()
    with ThreadPoolExecutor(_READERS) as pool:
        for folder in _folders(layout, events):
            for part in pool.map(lambda stored, within=folder: read_object(within, stored, needles), _objects(folder)):
                total.add(part)
    return total


def _folders(layout: Layout, events: Events) -> Iterator[Folder]:
    """Name all folders that hold something of the source."""
    yield Folder("bronze", layout.bronze, events.goes)
    tables = [(kind, wanted) for kind in ("silver", "history") for wanted in events.wanted]
    keyed = {f"{kind}/{wanted.spec.table.path}": wanted for kind, wanted in tables}
    for kind in ("silver", "history", "gold"):
        within = f"{kind}/{layout.source}"
        for path in storage.folders(layout.root, within):
            place = f"{kind}/{path}"
            rows = _by_key(keyed[place]) if place in keyed else none
            yield Folder(place, f"{layout.root}/{within}/{path}", rows, keyed=keyed.get(place))
    told = {str(wanted.spec.table): wanted for wanted in events.wanted}
    for name in ("quarantine", "proofs", "marks", "tables", "erasures"):
        rows = partial(_by_record, told) if name in records.TABLES else none
        yield Folder(f"control/{name}", layout.control(name), rows, f"source={layout.source}/")
    yield Folder("control/_claims", layout.claims, none)


def _by_key(wanted: Wanted) -> Rows:
    """Whatever has no `_key` below a silver table is not one of its files, nor a copy's: a checkpoint of its log."""
    return lambda rows: wanted.keys(rows["_key"]) if "_key" in rows.column_names else none(rows)


def _by_record(told: Mapping[str, Wanted], rows: pa.Table) -> np.ndarray:
    return np.array([records.tells(row, told) for row in rows.to_pylist()], dtype=bool)


def _objects(folder: Folder) -> list[StoredObject]:
    """List what is in it; what the stream has not finished yet holds later changes than the mark's."""
    return [stored for stored in storage.list_objects(folder.url) if not _UNFINISHED.fullmatch(stored.name)]
