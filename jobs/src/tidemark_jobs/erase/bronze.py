"""Bronze without the changes of rows that are to go: files that hold one are written anew, old landing files go.

What every table's published mark sees is never folded again, so only such changes may be taken out.
"""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tidemark_contract.errors import LakeUnavailable
from tidemark_contract.layout import Layout
from tidemark_jobs import storage
from tidemark_jobs.bronze import numbers, seen_rows
from tidemark_jobs.control import PublishedMark
from tidemark_jobs.erase.files import Cleared, groups
from tidemark_jobs.erase.tables import delete
from tidemark_jobs.erase.wanted import EVENT_COLUMNS, Wanted
from tidemark_jobs.landing import committed_files, open_bronze, registered_counter, statistics
from tidemark_jobs.silver import write_entry
from tidemark_jobs.storage import StoredObject
from tidemark_jobs.upsert.data_files import DataFile, active_files

_READERS = 4
_LANDED = re.compile(r"_landing/(?P<incarnation>\d{6})/(?P<hidden>\.?)part-[0-9a-f-]+-\d+-(?P<counter>\d+)(\..+)?")


@dataclass(frozen=True)
class Events:
    """Which changes of bronze are to go: those of wanted rows that the published mark sees."""

    wanted: Sequence[Wanted]
    published: PublishedMark

    columns = (*EVENT_COLUMNS, "xid", "commit_lsn")

    def of(self, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """Tell of each change whether its row is wanted, and whether the mark sees it."""
        mine = np.logical_or.reduce([wanted.events(rows) for wanted in self.wanted])
        # A transaction that is older than half of all ids would look like one to come.
        seen = numbers(rows, "commit_lsn") < self.published.read_from
        return mine, seen | seen_rows(numbers(rows, "xid"), self.published.mark.snapshot)

    def goes(self, rows: pa.Table, _: int = 0) -> np.ndarray:
        """Tell which changes are to go."""
        mine, seen = self.of(rows)
        return np.asarray(mine & seen)


def holding(layout: Layout, events: Events) -> tuple[list[Cleared], int]:
    """Find the files of bronze with changes that are to go; give also how many of wanted rows the mark does not see."""
    files = active_files(layout.bronze, open_bronze(layout).version())
    with ThreadPoolExecutor(_READERS) as pool:
        counts = list(pool.map(lambda file: _count(layout, file, events), files))
    found = [Cleared(file, gone, events.goes, seen=True) for file, (gone, _) in zip(files, counts, strict=True) if gone]
    return found, sum(unseen for _, unseen in counts)


def _count(layout: Layout, file: DataFile, events: Events) -> tuple[int, int]:
    parquet = pq.ParquetFile(storage.open_file(layout.bronze, unquote(file.path)))
    told = [events.of(rows) for _, rows in groups(parquet, list(events.columns))]
    return sum(int((mine & seen).sum()) for mine, seen in told), sum(int((mine & ~seen).sum()) for mine, seen in told)


def rewrite(layout: Layout, found: Sequence[Cleared]) -> None:
    """Write the files that were found anew, in one commit; the sync's and the maintenance's leases keep others out."""
    actions = [action for file in found for action in file.actions(layout.bronze, statistics)]
    if actions and not write_entry(layout.bronze, open_bronze(layout).version() + 1, "REORG", actions):
        raise LakeUnavailable(f"{layout.bronze} was written to by somebody else: try again")


def clean(layout: Layout) -> list[StoredObject]:
    """Delete the files that bronze does not have any more; what has landed and is not registered stays."""
    bronze = open_bronze(layout)
    active = {unquote(file.path) for file in active_files(layout.bronze, bronze.version())}
    newest: dict[int, int] = {}
    for file in committed_files(layout):
        newest[file.incarnation] = file.counter
    known = {number: registered_counter(bronze, number) for number in newest}

    def is_left(name: str) -> bool:
        if name in active or name.startswith("_delta_log/"):
            return False
        landed = _LANDED.fullmatch(name)
        if landed is None:
            return not name.startswith("_landing/")
        number, counter = int(landed["incarnation"]), int(landed["counter"])
        if not landed["hidden"]:
            return counter <= known.get(number, -1)
        # What a stream that was killed had not finished: files are committed in the order of their counters.
        return number < max(newest, default=0) or counter <= newest.get(number, -1)

    return delete(layout.bronze, [o for o in storage.list_objects(layout.bronze) if is_left(o.name)])
